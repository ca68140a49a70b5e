/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Totals and digest of a sequence of items.  Both depend on the items alone:
 * not on chunks, compression or how references were batched.
 *
 * The digest (docs/trace-format.md) has a lane for every fourth reference and
 * one for all else, so that a processor can work on several at a time.
 */
#ifndef NOTRAP_TRACE_SUM_H
#define NOTRAP_TRACE_SUM_H

#include "trace/trace.h"

#define SUM_LANES 4

struct trace_sum {
	struct trace_totals totals; /* all but digest */
	uint64_t lane[SUM_LANES];   /* record n: lane n % 4 */
	uint64_t other;             /* items that are no references */
};

void trace_sum_init(struct trace_sum *sum);

/* False: a reference leaves its page, or is of no size or count. */
bool trace_sum_refs(struct trace_sum *sum, const struct trace_ref *refs,
		    uint32_t nr);
void trace_sum_item(struct trace_sum *sum, const struct trace_item *item);

uint64_t trace_sum_digest(const struct trace_sum *sum);

#endif
