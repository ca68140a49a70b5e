/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where a sequence of items is: between two instructions or within one, in a
 * delivery, before a delivery that must come.  The order is that of
 * docs/trace-format.md, "What stands in a trace, in which order".
 */
#ifndef NOTRAP_TRACE_FLOW_H
#define NOTRAP_TRACE_FLOW_H

#include "trace/trace.h"

/* What has begun and has to come to its end. */
enum {
	FLOW_DELIVERY = 1,  /* deliver, no delivered yet */
	FLOW_FAULT = 2,     /* a fault that is to be delivered */
	FLOW_INTERRUPT = 4, /* an interrupt that is to be delivered */
	FLOW_WAITING = 8,   /* one that could not be taken */
	FLOW_REQUEUED = 16, /* one whose delivery met a fault */
	FLOW_RETRY = 32,    /* retry; its instruction comes next */
};

struct trace_flow {
	bool is_full;
	uint64_t items, refs, insns; /* before the next item */
	uint32_t busy;               /* FLOW_* */
	/* A full trace: the last instruction has a fetch of count 0 only. */
	bool is_open;
	/* The last thing was an event that ends its instruction. */
	bool is_closed;
	struct trace_ref fetch;     /* the last that is no rest of one */
	struct guest_event deliver; /* the last */
};

void flow_init(struct trace_flow *flow, enum trace_granularity granularity);

/* The rest, in its second page, of the last fetch. */
static inline bool flow_is_rest(const struct trace_flow *flow,
				const struct trace_ref *fetch)
{
	return !fetch->count && !(fetch->gva & PAGE_MASK) &&
	       flow->fetch.gva + flow->fetch.size == fetch->gva;
}

/*
 * Does an instruction begin here, or something between two, so that a trace
 * can begin or end here?  In a `full` trace that is so at a fetch that begins
 * an instruction, in a `pages` trace at one behind an event, as runs are open
 * elsewhere; in both before an interrupt and before retry.
 */
static inline bool flow_begins_ref(const struct trace_flow *flow,
				   const struct trace_ref *ref)
{
	if (ref->kind != TRACE_FETCH || flow->busy)
		return false;
	return flow->is_full ? !flow->is_open && !flow_is_rest(flow, ref)
			     : flow->is_closed;
}

bool flow_begins_item(const struct trace_flow *flow,
		      const struct trace_item *item);

/* On, behind it. */
static inline void flow_ref(struct trace_flow *flow,
			    const struct trace_ref *ref)
{
	if (ref->kind == TRACE_FETCH) {
		if (!flow->is_full || !flow_is_rest(flow, ref)) {
			flow->fetch = *ref;
			flow->is_open = !ref->count;
		}
		flow->insns += ref->count;
	}
	flow->refs += ref->count;
	flow->items++;
	flow->is_closed = false;
	flow->busy &= ~(uint32_t)FLOW_RETRY;
}

void flow_item(struct trace_flow *flow, const struct trace_item *item);

#endif
