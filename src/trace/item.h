/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Items other than references: what they may hold, and their bytes in a chunk.
 * They are rare beside references, so the bytes are plain: a tag, then
 * variable-length numbers, addresses as differences from the last ones.
 */
#ifndef NOTRAP_TRACE_ITEM_H
#define NOTRAP_TRACE_ITEM_H

#include "trace/trace.h"

/* No item takes more; a table does most: a bitmap and 512 entries. */
#define ITEM_BYTES_MAX 4352

/* What differences are taken from; all zero where a chunk begins. */
struct item_state {
	gva_t gva;
	gva_t rip;
	gpa_t gpa;
	uint64_t ahead; /* of the sum of fetches: last event's insns */
};

/* Bytes of a chunk being read.  bad: they ended too early, or make no sense. */
struct item_source {
	const uint8_t *p;
	const uint8_t *end;
	bool bad;
};

/* The number of an event in the file; 0: a trace cannot hold it. */
uint8_t trace_event_code(enum guest_event_kind kind);

/* NULL if a trace can hold the item, else what is wrong with it. */
const char *trace_item_flaw(const struct trace_item *item);

/*
 * insns: the sum of fetches before this item.  item_put() takes what
 * trace_item_flaw() found no fault with and returns the end of the bytes;
 * item_get() checks, sets src->bad, and puts the entries of a table in
 * `table`.
 */
uint8_t *item_put(struct item_state *st, uint64_t insns,
		  const struct trace_item *item, uint8_t *p);
void item_get(struct item_state *st, uint64_t insns, struct item_source *src,
	      struct trace_item *item, uint64_t table[PT_ENTRIES]);

#endif
