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
	FLOW_DELIVERY = 1, /* deliver, no delivered yet */
	FLOW_FAULT = 2,    /* a fault that is to be delivered */
	FLOW_WAITING = 4,  /* an interrupt that could not be taken */
	FLOW_REQUEUED = 8, /* one whose delivery met a fault */
	FLOW_RETRY = 16,   /* retry; its instruction comes next */
};

/* Of a processor whose turn it is not. */
struct flow_vcpu {
	uint32_t busy;
	bool is_open;
	struct trace_ref fetch;
	struct guest_event deliver;
};

struct trace_flow {
	bool is_full;
	uint64_t items, refs, insns; /* before the next item */
	uint32_t busy;               /* FLOW_* */
	/* A full trace: the last instruction has a fetch of count 0 only. */
	bool is_open;
	struct trace_ref fetch;     /* the last that is no rest of one */
	struct guest_event deliver; /* the last */
	/* All from busy on is of processor `vcpu`. */
	uint32_t vcpu;
	struct flow_vcpu left[TRACE_VCPUS_MAX];
	bool others_busy; /* one of them */
};

void flow_init(struct trace_flow *flow, enum trace_granularity granularity);

/* The rest, in its second page, of the last fetch. */
static inline bool flow_is_rest(const struct trace_flow *flow,
				const struct trace_ref *fetch)
{
	return !fetch->count && !(fetch->gva & PAGE_MASK) &&
	       flow->fetch.gva + flow->fetch.size == fetch->gva;
}

/* Of a run of fetches its page is known, and where it began. */
static inline bool flow_may_be_rest(const struct trace_flow *flow,
				    const struct trace_ref *fetch)
{
	return !(fetch->gva & PAGE_MASK) &&
	       fetch->gva >> PAGE_SHIFT == (flow->fetch.gva >> PAGE_SHIFT) + 1;
}

/*
 * Does an instruction begin here, or something between two, so that a trace
 * can begin or end here?  That is so before an interrupt, before retry, where
 * another processor's turn comes, all being between two instructions, and at a
 * fetch that begins an instruction, or a run of fetches that begins with
 * one.  At such a run one of data may be open: its later references stand
 * before this place.  They hit the TLB, so that no fault is on the wrong side.
 */
static inline bool flow_begins_ref(const struct trace_flow *flow,
				   const struct trace_ref *ref)
{
	if (ref->kind != TRACE_FETCH || flow->busy || flow->others_busy)
		return false;
	return flow->is_full ? !flow->is_open && !flow_is_rest(flow, ref)
			     : !flow_may_be_rest(flow, ref);
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
	flow->busy &= ~(uint32_t)FLOW_RETRY;
}

void flow_item(struct trace_flow *flow, const struct trace_item *item);

#endif
