/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Events on their way to the simulator, and its answers on their way back. */
#include <string.h>

#include "arch/exception.h"
#include "record/internal.h"

static struct recorder *recorder_of(struct event_sink *sink)
{
	return (struct recorder *)sink; /* the sink is first */
}

/* The same event once more, and not another #PF of the same code. */
static bool is_restart(const struct recorder *r, uint8_t vector, uint8_t type,
		       bool has_error, uint32_t error)
{
	const struct guest_event *under = &r->delivery;

	return r->delivering && vector == under->vector &&
	       type == under->type && has_error == under->has_error &&
	       (!has_error || error == under->error) &&
	       r->next->view->cr2 == r->delivery_cr2;
}

/* The answer to anything: what is to be delivered now. */
static void note_outcome(struct recorder *r, const struct guest_outcome *out)
{
	struct trace_item *item;

	if (out->verdict != GO_FAULT)
		return;
	if (out->type == EVENT_HW_EXC && !r->delivering)
		r->now.faulted = true;
	if (out->vector != EXC_PF || out->type != EVENT_HW_EXC)
		return;
	/* Cut short, to start over. */
	if (is_restart(r, out->vector, out->type, out->has_error, out->error))
		return;
	item = list_item(r, TRACE_ITEM_FAULT);
	item->gva = r->next->view->cr2;
	item->error = out->error;
}

static enum trace_kind kind_of(const struct guest_event *ev)
{
	if (ev->access & PFEC_ID)
		return TRACE_FETCH;
	return ev->access & PFEC_W ? TRACE_WRITE : TRACE_READ;
}

/* The instruction cannot be fetched, so nobody has said that it begins. */
static void add_failed_fetch(struct recorder *r, const struct guest_event *ev)
{
	bool user = ev->access & PFEC_U;

	insn_give_up(r);
	r->now = (struct insn_state){.active = true, .faulted = true};
	if ((ev->gva ^ ev->rip) > PAGE_MASK && ev->gva - ev->rip < 16)
		list_ref(r, TRACE_FETCH, ev->rip,
			 (unsigned int)(PAGE_SIZE - (ev->rip & PAGE_MASK)),
			 user)
			->count = 0;
	list_ref(r, TRACE_FETCH, ev->gva, 1, user)->count = 0;
}

/* The instruction's own access, on which the installed tables faulted. */
static void push_native(struct recorder *r, const struct guest_event *ev,
			struct guest_outcome *out)
{
	event_push(r->next, ev, out);
	switch (out->verdict) {
	case GO_DONE:    /* the observer is told of the restart */
	case GO_EMULATE: /* its store comes, or that it makes none */
		return;
	default:
		if (ev->access & PFEC_ID)
			add_failed_fetch(r, ev);
		else
			list_ref(r, kind_of(ev), ev->gva, 1,
				 ev->access & PFEC_U)
				->ac = ev->access & ACCESS_AC;
		note_outcome(r, out);
		return;
	}
}

/* An access made in C: of a delivery, or of an instruction done there. */
static void push_made(struct recorder *r, const struct guest_event *ev,
		      struct guest_outcome *out)
{
	bool user = ev->access & PFEC_U;
	struct trace_ref *ref;

	event_push(r->next, ev, out);
	if (out->verdict == GO_EMULATE)
		return; /* it comes again */
	ref = list_ref(r, kind_of(ev), ev->gva, ev->size, user);
	ref->implicit = r->delivering;
	ref->ac = ev->access & ACCESS_AC;
	note_outcome(r, out);
	if (out->verdict == GO_DONE && (ev->access & PFEC_W) &&
	    tables_know(r, out->hpa))
		tables_end(r, out->hpa);
}

static void push_access(struct recorder *r, const struct guest_event *ev,
			struct guest_outcome *out)
{
	bool native = r->faulting;

	r->faulting = false;
	tables_walk(r, ev->gva);
	if (native)
		push_native(r, ev, out);
	else
		push_made(r, ev, out);
}

static void note_store(struct recorder *r, const struct guest_event *ev,
		       unsigned int done, unsigned int size, gpa_t gpa)
{
	while (size) {
		struct insn_access access = {
			.gva = ev->gva + done,
			.gpa = gpa,
			.size = (uint8_t)(size < 8 ? size : 8),
			.write = true,
			.user = ev->access & PFEC_U,
			.ac = ev->access & ACCESS_AC,
			/* The processor stores up to 8 bytes at a time. */
			.rest = done % 8 && !((ev->gva + done) & PAGE_MASK),
			.failed = ev->kind == GE_COMPARE_FAILED,
		};

		memcpy(access.bytes, ev->bytes + done, access.size);
		insn_store(r, &access, true);
		done += access.size;
		gpa += access.size;
		size -= access.size;
	}
}

static void push_store(struct recorder *r, const struct guest_event *ev,
		       struct guest_outcome *out)
{
	unsigned int room = (unsigned int)(PAGE_SIZE - (ev->gva & PAGE_MASK));
	unsigned int first = ev->size < room ? ev->size : room;
	gpa_t gpa;

	event_push(r->next, ev, out);
	if (r->sink.translate(&r->sink, ev->gva, &gpa))
		note_store(r, ev, 0, first, gpa);
	if (first < ev->size && out->verdict == GO_DONE &&
	    r->sink.translate(&r->sink, ev->gva + first, &gpa))
		note_store(r, ev, first, ev->size - first, gpa);
	note_outcome(r, out);
}

static void push_deliver(struct recorder *r, const struct guest_event *ev,
			 struct guest_outcome *out)
{
	if (is_restart(r, ev->vector, ev->type, ev->has_error, ev->error))
		list_cut(r, r->delivery_at);
	r->delivering = true;
	r->delivery = *ev;
	r->delivery_cr2 = r->next->view->cr2;
	r->delivery_at = r->nr;
	list_item(r, TRACE_ITEM_EVENT)->event = *ev;
	event_push(r->next, ev, out);
}

static void push_delivered(struct recorder *r, const struct guest_event *ev,
			   struct guest_outcome *out)
{
	r->delivering = false;
	list_item(r, TRACE_ITEM_EVENT)->event = *ev;
	event_push(r->next, ev, out);
	note_outcome(r, out);
	if (r->now.faulted || !r->now.active)
		insn_give_up(r);
}

static void push_other(struct recorder *r, const struct guest_event *ev,
		       struct guest_outcome *out)
{
	tables_roots(r, ev);
	list_item(r, TRACE_ITEM_EVENT)->event = *ev;
	event_push(r->next, ev, out);
	note_outcome(r, out);
	tables_loaded(r);
}

static void push(struct event_sink *sink, const struct guest_event *ev,
		 struct guest_outcome *out)
{
	struct recorder *r = recorder_of(sink);

	insn_clock(r, ev->insns);
	switch (ev->kind) {
	case GE_ACCESS:
		push_access(r, ev, out);
		return;
	case GE_STORE:
	case GE_COMPARE_FAILED:
		push_store(r, ev, out);
		return;
	case GE_EMULATE_FAILED:
		event_push(r->next, ev, out);
		if (!r->delivering)
			insn_restart(r);
		return;
	case GE_DELIVER:
		push_deliver(r, ev, out);
		return;
	case GE_DELIVERED:
		push_delivered(r, ev, out);
		return;
	case GE_IRQ:
	case GE_IRQ_WINDOW:
	case GE_RETRY:
		insn_give_up(r);
		push_other(r, ev, out);
		list_write(r);
		return;
	default:
		push_other(r, ev, out);
		return;
	}
}

static bool translate(struct event_sink *sink, gva_t gva, hpa_t *ret)
{
	struct recorder *r = recorder_of(sink);

	return r->next->translate(r->next, gva, ret);
}

void push_init(struct recorder *r)
{
	r->sink = (struct event_sink){
		.push = push, .translate = translate, .view = r->next->view};
}
