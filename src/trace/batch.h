/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Some thousands of items in order, as a writer has them before they are
 * encoded: what is handed from one thread to another at a time.
 */
#ifndef NOTRAP_TRACE_BATCH_H
#define NOTRAP_TRACE_BATCH_H

#include "trace/trace.h"

/* Large, as handing over takes some microseconds; 1.3 MiB in all. */
#define BATCH_REFS   32768u
#define BATCH_ITEMS  4096u
#define BATCH_TABLES 16u

/* References that still find room in one that is not full. */
#define BATCH_ROOM 64u

struct batch_item {
	uint32_t refs;          /* before it */
	struct trace_item item; /* no references */
};

struct batch {
	uint32_t nr_refs, nr_items, nr_tables;
	struct trace_ref ref[BATCH_REFS];
	struct batch_item item[BATCH_ITEMS];
	uint64_t table[BATCH_TABLES][PT_ENTRIES]; /* of these items */
};

static inline void batch_clear(struct batch *batch)
{
	batch->nr_refs = batch->nr_items = batch->nr_tables = 0;
}

static inline bool batch_is_empty(const struct batch *batch)
{
	return !batch->nr_refs && !batch->nr_items;
}

static inline bool batch_is_full(const struct batch *batch)
{
	return batch->nr_refs > BATCH_REFS - BATCH_ROOM ||
	       batch->nr_items == BATCH_ITEMS ||
	       batch->nr_tables == BATCH_TABLES;
}

/* To one that is not full, with a copy of what the item points to. */
void batch_item(struct batch *batch, const struct trace_item *item);

#endif
