/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "trace/check.h"

#include <errno.h>
#include <stdlib.h>

#include "arch/exception.h"
#include "trace/flow.h"
#include "trace/frame_set.h"
#include "trace/merge.h"
#include "trace/sense.h"

static const struct {
	const char *name, *text;
} rules[NR_TRACE_RULES] = {
#define RULE(id, name, text) [RULE_##id] = {name, text},
#include "trace/rules.def"
#undef RULE
};

struct broken {
	uint64_t count;
	char first[LINE_BYTES_MAX + 1];
};

/* The last item that was neither a table nor a mark. */
enum last {
	LAST_NONE,
	LAST_REF,
	LAST_WRITE_ITEM,     /* a table write */
	LAST_EMULATE_FAILED, /* after a reference */
	LAST_FAULT,
	LAST_EXCEPTION,
	LAST_OTHER,
};

struct trace_check {
	struct trace_flow flow;
	struct frame_set tables;
	struct merge merge; /* of a pages trace */
	enum last last;
	struct trace_ref ref, data; /* the last ones; data: no fetch */
	uint32_t error;             /* of the last fault */
	gva_t retry_rip;
	struct broken broken[NR_TRACE_RULES];
};

const char *trace_rule_name(enum trace_rule rule)
{
	return rules[rule].name;
}

const char *trace_rule_text(enum trace_rule rule)
{
	return rules[rule].text;
}

struct trace_check *trace_check_create(enum trace_granularity granularity)
{
	struct trace_check *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	flow_init(&c->flow, granularity);
	merge_init(&c->merge);
	return c;
}

void trace_check_destroy(struct trace_check *check)
{
	if (!check)
		return;
	frame_set_finish(&check->tables);
	free(check);
}

uint64_t trace_check_items(const struct trace_check *check)
{
	return check->flow.items;
}

uint64_t trace_check_broken(const struct trace_check *check,
			    enum trace_rule rule, const char **first)
{
	*first = check->broken[rule].first;
	return check->broken[rule].count;
}

/* The first one is kept as a line. */
static struct broken *note(struct trace_check *c, enum trace_rule rule)
{
	struct broken *b = &c->broken[rule];

	return b->count++ ? NULL : b;
}

static void break_ref(struct trace_check *c, enum trace_rule rule,
		      const struct trace_ref *ref)
{
	struct broken *b = note(c, rule);

	if (b)
		line_ref(b->first, c->flow.items, c->flow.insns, ref)[-1] = 0;
}

static void break_item(struct trace_check *c, enum trace_rule rule,
		       const struct trace_item *item)
{
	struct broken *b = note(c, rule);

	if (b)
		line_item(b->first, c->flow.items, c->flow.insns, item)[-1] = 0;
}

static bool is_same_page(gva_t a, gva_t b)
{
	return (a ^ b) <= PAGE_MASK;
}

/* --- References ---------------------------------------------------------- */

static bool is_merged(struct trace_check *c, const struct trace_ref *ref)
{
	struct trace_ref out[MERGE_MAX];
	uint32_t held = c->merge.nr;

	return !merge_add(&c->merge, ref, out) && c->merge.nr == held;
}

static bool is_retried(const struct trace_check *c, const struct trace_ref *ref)
{
	if (ref->kind != TRACE_FETCH)
		return false;
	return c->flow.is_full ? ref->gva == c->retry_rip
			       : is_same_page(ref->gva, c->retry_rip);
}

static bool is_data_rest(const struct trace_check *c,
			 const struct trace_ref *ref)
{
	return !(ref->gva & PAGE_MASK) && c->data.kind == ref->kind &&
	       c->data.gva + c->data.size == ref->gva;
}

static void check_pending(struct trace_check *c, const struct trace_ref *ref)
{
	if (c->flow.busy & FLOW_FAULT)
		break_ref(c, RULE_FAULT_DELIVERED, ref);
	if (c->flow.busy & FLOW_RETRY && !is_retried(c, ref))
		break_ref(c, RULE_RETRY, ref);
	if (c->last == LAST_EMULATE_FAILED)
		break_ref(c, RULE_EMULATE_FAILED, ref);
	c->flow.busy &= ~(uint32_t)FLOW_FAULT;
}

static void check_ref(struct trace_check *c, const struct trace_ref *ref)
{
	bool delivering = c->flow.busy & FLOW_DELIVERY;

	if (unlikely(c->flow.busy || c->last == LAST_EMULATE_FAILED))
		check_pending(c, ref);
	if (unlikely(ref->implicit != delivering ||
		     (ref->implicit && ref->user)))
		break_ref(c, RULE_IMPLICIT, ref);
	if (unlikely(ref->ac &&
		     (ref->user || ref->implicit || ref->kind == TRACE_FETCH)))
		break_ref(c, RULE_AC, ref);
	if (unlikely(c->flow.is_full && !ref->count &&
		     ref->kind != TRACE_FETCH && !is_data_rest(c, ref)))
		break_ref(c, RULE_REST, ref);
	if (!c->flow.is_full && is_merged(c, ref))
		break_ref(c, RULE_MERGED, ref);

	c->last = LAST_REF;
	c->ref = *ref;
	if (ref->kind != TRACE_FETCH)
		c->data = *ref;
	flow_ref(&c->flow, ref);
}

/* --- Events and faults --------------------------------------------------- */

static bool is_delivery_of_fault(const struct trace_check *c,
				 const struct trace_item *item)
{
	const struct guest_event *ev = &item->event;

	return item->kind == TRACE_ITEM_EVENT && ev->kind == GE_DELIVER &&
	       ev->type == EVENT_HW_EXC && ev->vector == EXC_PF &&
	       ev->has_error && ev->error == c->error;
}

/* What must come at once: nothing but tables and marks stands between. */
static void check_next(struct trace_check *c, const struct trace_item *item)
{
	if (c->flow.busy & FLOW_FAULT && !is_delivery_of_fault(c, item))
		break_item(c, RULE_FAULT_DELIVERED, item);
	if (c->last == LAST_EMULATE_FAILED &&
	    item->kind != TRACE_ITEM_TABLE_WRITE)
		break_item(c, RULE_EMULATE_FAILED, item);
	c->flow.busy &= ~(uint32_t)FLOW_FAULT;
}

static void check_delivered(struct trace_check *c,
			    const struct trace_item *item)
{
	const struct guest_event *ev = &item->event, *of = &c->flow.deliver;

	if (!(c->flow.busy & FLOW_DELIVERY) || ev->vector != of->vector ||
	    ev->type != of->type)
		break_item(c, RULE_DELIVERED, item);
}

/* Of a write that may have joined a run which began before the last fetch. */
static bool is_after_write(const struct trace_check *c)
{
	const struct trace_ref *ref = c->flow.is_full ? &c->ref : &c->data;

	return c->last == LAST_REF && ref->kind == TRACE_WRITE;
}

/* It ends all runs, so each such reference is one. */
static bool is_device_of(const struct trace_check *c,
			 const struct guest_event *ev)
{
	const struct trace_ref *ref = c->flow.is_full ? &c->ref : &c->data;

	return c->last == LAST_REF && ref->kind != TRACE_FETCH &&
	       !ref->implicit && ref->gva == ev->gva &&
	       !(ev->access & PFEC_W) == (ref->kind == TRACE_READ);
}

/* A page fault in the midst of another's delivery is not told as one. */
static bool is_double(const struct trace_check *c, const struct guest_event *ev)
{
	return ev->vector == EXC_DF && c->last == LAST_REF;
}

static void check_event(struct trace_check *c, const struct trace_item *item)
{
	const struct guest_event *ev = &item->event;
	uint64_t ahead = c->flow.insns - ev->insns;

	if (trace_event_nonsense(ev))
		break_item(c, RULE_SENSE, item);
	if (ahead > 1)
		break_item(c, RULE_CLOCK, item);
	switch (ev->kind) {
	case GE_DELIVER:
		if (c->flow.busy & FLOW_DELIVERY && c->last != LAST_FAULT &&
		    c->last != LAST_EXCEPTION && !is_double(c, ev))
			break_item(c, RULE_NESTED, item);
		break;
	case GE_DELIVERED:
		check_delivered(c, item);
		break;
	case GE_IRQ_WINDOW:
		if (!(c->flow.busy & (FLOW_WAITING | FLOW_REQUEUED)))
			break_item(c, RULE_IRQ_WINDOW, item);
		break;
	case GE_EMULATE_FAILED:
		if (!is_after_write(c))
			break_item(c, RULE_EMULATE_FAILED, item);
		break;
	case GE_COMPARE_FAILED:
		if (!is_after_write(c))
			break_item(c, RULE_COMPARE_FAILED, item);
		break;
	case GE_RETRY:
		c->retry_rip = ev->rip;
		break;
	case GE_DEVICE:
		if (!is_device_of(c, ev))
			break_item(c, RULE_DEVICE, item);
		break;
	default:
		break;
	}
}

static void check_fault(struct trace_check *c, const struct trace_item *item)
{
	const uint32_t error = item->error;

	if (c->last != LAST_REF || !is_same_page(c->ref.gva, item->gva))
		break_item(c, RULE_FAULT_PLACE, item);
	else if (!(error & PFEC_W) != (c->ref.kind != TRACE_WRITE) ||
		 !(error & PFEC_U) != !c->ref.user ||
		 (error & PFEC_ID && c->ref.kind != TRACE_FETCH))
		break_item(c, RULE_FAULT_CODE, item);
	c->error = error;
}

/* --- Tables -------------------------------------------------------------- */

static bool is_write_of(const struct trace_check *c,
			const struct trace_item *item)
{
	const struct trace_ref *ref = c->flow.is_full ? &c->ref : &c->data;

	if (ref->kind != TRACE_WRITE || c->last < LAST_REF ||
	    c->last > LAST_EMULATE_FAILED ||
	    (item->gva ^ item->gpa) & PAGE_MASK)
		return false;
	return c->flow.is_full
		       ? item->gva >= ref->gva &&
				 item->gva + item->size <= ref->gva + ref->size
		       : is_same_page(item->gva, ref->gva);
}

static int check_table(struct trace_check *c, const struct trace_item *item)
{
	gfn_t gfn = item->gpa >> PAGE_SHIFT;
	bool is_known = frame_set_has(&c->tables, gfn);

	if (item->kind == TRACE_ITEM_TABLE) {
		if (is_known)
			break_item(c, RULE_TABLE_ONCE, item);
		return frame_set_add(&c->tables, gfn);
	}
	if (!is_known)
		break_item(c, RULE_TABLE_KNOWN, item);
	if (item->kind == TRACE_ITEM_TABLE_END)
		frame_set_remove(&c->tables, gfn);
	else if (!is_write_of(c, item))
		break_item(c, RULE_TABLE_WRITE, item);
	return 0;
}

/* --- All of it ----------------------------------------------------------- */

static void check_vcpu(struct trace_check *c, const struct trace_item *item)
{
	if (c->flow.is_open ||
	    c->flow.busy & (FLOW_DELIVERY | FLOW_FAULT | FLOW_RETRY))
		break_item(c, RULE_VCPU, item);
}

static enum last last_of(const struct trace_check *c,
			 const struct trace_item *item)
{
	switch (item->kind) {
	case TRACE_ITEM_TABLE_WRITE:
		return LAST_WRITE_ITEM;
	case TRACE_ITEM_FAULT:
		return LAST_FAULT;
	case TRACE_ITEM_EVENT:
		if (item->event.kind == GE_EMULATE_FAILED)
			return LAST_EMULATE_FAILED;
		return item->event.kind == GE_EXCEPTION ? LAST_EXCEPTION
							: LAST_OTHER;
	case TRACE_ITEM_TABLE_END:
	case TRACE_ITEM_VCPU:
		return LAST_OTHER;
	case TRACE_ITEM_TABLE:
	case TRACE_ITEM_MARK:
	case TRACE_ITEM_REFS:
		break;
	}
	return c->last;
}

static int check_item(struct trace_check *c, const struct trace_item *item)
{
	struct trace_ref out[MERGE_MAX];
	int err = 0;

	merge_flush(&c->merge, out);
	if (item->kind != TRACE_ITEM_TABLE && item->kind != TRACE_ITEM_MARK)
		check_next(c, item);
	switch (item->kind) {
	case TRACE_ITEM_EVENT:
		check_event(c, item);
		break;
	case TRACE_ITEM_FAULT:
		check_fault(c, item);
		break;
	case TRACE_ITEM_TABLE:
	case TRACE_ITEM_TABLE_WRITE:
	case TRACE_ITEM_TABLE_END:
		err = check_table(c, item);
		break;
	case TRACE_ITEM_VCPU:
		check_vcpu(c, item);
		break;
	case TRACE_ITEM_MARK:
	case TRACE_ITEM_REFS:
		break;
	}
	c->last = last_of(c, item);
	flow_item(&c->flow, item);
	return err;
}

int trace_check_item(struct trace_check *check, const struct trace_item *item)
{
	if (item->kind != TRACE_ITEM_REFS)
		return check_item(check, item);
	for (uint32_t i = 0; i < item->nr; i++)
		check_ref(check, &item->refs[i]);
	return 0;
}
