/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A trace in memory, as plain as can be: one entry an item, one reference an
 * entry.  What it says about merging and totals is worked out another way than
 * in src/trace.
 */
#ifndef NOTRAP_TESTS_TRACE_TAPE_H
#define NOTRAP_TESTS_TRACE_TAPE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "trace/trace.h"

struct tape_entry {
	bool is_ref;
	struct trace_ref ref;
	struct trace_item item;
	uint64_t *table;
};

struct tape {
	struct tape_entry *entries;
	size_t nr, room;
};

void tape_init(struct tape *t);
void tape_finish(struct tape *t);
void tape_add_ref(struct tape *t, const struct trace_ref *ref);
void tape_add_item(struct tape *t, const struct trace_item *item);

/* Fails the test at the first difference. */
void tape_check_equal(const char *name, const struct tape *got,
		      const struct tape *want);
/* got is the beginning of want. */
void tape_check_prefix(const char *name, const struct tape *got,
		       const struct tape *want);

/* What a `pages` trace of the same activity holds. */
void tape_merge(const struct tape *from, struct tape *to);

/* All but the digest. */
struct trace_totals tape_totals(const struct tape *t);

void tape_write(const struct tape *t, const char *path,
		const struct trace_info *info, struct trace_totals *totals);

struct tape_reading {
	char damage[512]; /* empty: none */
	struct trace_totals totals;
	struct trace_info info;
};

/* 0, or what trace_reader_open() or trace_read() returned, with the line. */
int tape_read(struct tape *t, const char *path, struct tape_reading *how,
	      struct diag *diag);

/* A path in a directory of its own, and the removal of all in there. */
const char *scratch_path(const char *name);
void scratch_remove(void);

/* A file in memory.  free() it. */
uint8_t *file_load(const char *path, size_t *len);
void file_store(const char *path, const uint8_t *data, size_t len);

#endif
