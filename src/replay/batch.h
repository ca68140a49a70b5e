/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Items of a trace kept for a while, so that a lane can take many at a time:
 * the tables of one virtual machine stay in the host's caches as long as it has
 * its turn.
 */
#ifndef NOTRAP_REPLAY_BATCH_H
#define NOTRAP_REPLAY_BATCH_H

#include "trace/trace.h"

#define BATCH_ITEMS  8192u
#define BATCH_REFS   131072u
#define BATCH_TABLES 32u

struct batch {
	struct trace_item item[BATCH_ITEMS];
	struct trace_ref ref[BATCH_REFS];
	uint64_t table[BATCH_TABLES][PT_ENTRIES];
	uint32_t nr, nr_refs, nr_tables;
};

/* False: there is no room, and nothing was added.  An empty batch has room. */
bool batch_add(struct batch *batch, const struct trace_item *item);

static inline void batch_clear(struct batch *batch)
{
	batch->nr = batch->nr_refs = batch->nr_tables = 0;
}

#endif
