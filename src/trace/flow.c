/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "trace/flow.h"

#include "base/bug.h"

void flow_init(struct trace_flow *flow, enum trace_granularity granularity)
{
	*flow = (struct trace_flow){.is_full = granularity == TRACE_FULL};
}

bool flow_begins_item(const struct trace_flow *flow,
		      const struct trace_item *item)
{
	if (flow->busy || flow->others_busy)
		return false;
	if (item->kind == TRACE_ITEM_VCPU)
		return !flow->is_open;
	return item->kind == TRACE_ITEM_EVENT &&
	       (item->event.kind == GE_IRQ || item->event.kind == GE_RETRY);
}

static void next_vcpu(struct trace_flow *flow, uint32_t vcpu)
{
	struct flow_vcpu *left = flow->left;

	left[flow->vcpu] = (struct flow_vcpu){flow->busy, flow->is_open,
					      flow->fetch, flow->deliver};
	flow->vcpu = vcpu;
	flow->busy = left[vcpu].busy;
	flow->is_open = left[vcpu].is_open;
	flow->fetch = left[vcpu].fetch;
	flow->deliver = left[vcpu].deliver;
	flow->others_busy = false;
	for (uint32_t i = 0; i < TRACE_VCPUS_MAX; i++)
		flow->others_busy |=
			i != vcpu && (left[i].busy || left[i].is_open);
}

static void set(struct trace_flow *flow, uint32_t begun, uint32_t ended)
{
	flow->busy = (flow->busy & ~ended) | begun;
}

static void next_event(struct trace_flow *flow, const struct guest_event *ev)
{
	switch (ev->kind) {
	case GE_DELIVER:
		set(flow, FLOW_DELIVERY, FLOW_FAULT | FLOW_RETRY);
		flow->deliver = *ev;
		flow->is_open = false;
		break;
	case GE_DELIVERED:
		set(flow, 0, FLOW_DELIVERY);
		break;
	case GE_IRQ:
		set(flow, ev->if_open ? 0 : FLOW_WAITING, FLOW_RETRY);
		flow->is_open = false;
		break;
	case GE_IRQ_WINDOW:
		set(flow, 0,
		    flow->busy & FLOW_REQUEUED ? FLOW_REQUEUED : FLOW_WAITING);
		flow->is_open = false;
		break;
	case GE_RETRY:
		/* The interrupted code goes on: none has come again. */
		set(flow, FLOW_RETRY, FLOW_REQUEUED);
		flow->is_open = false;
		break;
	default:
		break;
	}
}

void flow_item(struct trace_flow *flow, const struct trace_item *item)
{
	flow->items++;
	switch (item->kind) {
	case TRACE_ITEM_EVENT:
		next_event(flow, &item->event);
		break;
	case TRACE_ITEM_FAULT:
		if (flow->busy & FLOW_DELIVERY &&
		    flow->deliver.type == EVENT_EXT_INT)
			set(flow, FLOW_REQUEUED, 0);
		set(flow, FLOW_FAULT, 0);
		break;
	case TRACE_ITEM_TABLE:
	case TRACE_ITEM_TABLE_WRITE:
	case TRACE_ITEM_TABLE_END:
	case TRACE_ITEM_MARK:
		break;
	case TRACE_ITEM_VCPU:
		next_vcpu(flow, item->id);
		break;
	case TRACE_ITEM_REFS:
		BUG("references go one by one");
	}
}
