/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Traces in memory, and a directory for those in files. */
#ifndef NOTRAP_TESTS_REPLAY_SEQ_H
#define NOTRAP_TESTS_REPLAY_SEQ_H

#include "trace/trace.h"

#define ITEMS_MAX 160

struct seq {
	struct trace_info info;
	struct trace_totals totals;
	struct trace_item item[ITEMS_MAX]; /* a reference: nr is 1 */
	struct trace_ref ref[ITEMS_MAX];
	uint64_t table[ITEMS_MAX][PT_ENTRIES];
	uint32_t nr;
};

/* free() them. */
struct seq *seq_load(const char *path);
/* The tape, then what else happens to a kernel; the clock is 5 by then. */
struct seq *seq_whole(void);

void seq_write(const struct seq *seq, const char *path);
bool seq_item_is_equal(const struct trace_item *a, const struct trace_item *b);

/* Valid for the next few calls. */
const char *box_file(const char *name);

/* Of a group of tests; the files must be gone at the end. */
int box_make(void **state);
int box_remove(void **state);

#endif
