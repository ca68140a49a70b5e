/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the simulator did to the guest against what the trace says was done. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "arch/exception.h"
#include "replay/internal.h"

static const char *const type_names[] = {
	[EVENT_EXT_INT] = "interrupt", [EVENT_NMI] = "NMI",
	[EVENT_HW_EXC] = "exception",  [EVENT_SOFT_INT] = "INT n",
	[EVENT_PRIV_SW_EXC] = "INT1",  [EVENT_SOFT_EXC] = "INT3 or INTO",
};

static const char *const item_names[] = {
	[TRACE_ITEM_REFS] = "a reference",
	[TRACE_ITEM_TABLE] = "a table",
	[TRACE_ITEM_TABLE_WRITE] = "a table write",
	[TRACE_ITEM_TABLE_END] = "the end of a table",
	[TRACE_ITEM_MARK] = "a mark",
	[TRACE_ITEM_VCPU] = "another processor's turn",
};

struct text {
	char s[160];
};

static struct text trap_text(uint8_t vector, uint8_t type, bool has_error,
			     uint32_t error)
{
	struct text t;
	const char *name = type < sizeof(type_names) / sizeof(*type_names)
				   ? type_names[type]
				   : NULL;

	if (has_error)
		snprintf(t.s, sizeof(t.s), "%s %u, error code 0x%" PRIx32,
			 name ? name : "event", vector, error);
	else
		snprintf(t.s, sizeof(t.s), "%s %u", name ? name : "event",
			 vector);
	return t;
}

static struct text fault_text(gva_t gva, uint32_t error)
{
	struct text t;

	snprintf(t.s, sizeof(t.s),
		 "page fault at 0x%" PRIx64 ", error code 0x%" PRIx32, gva,
		 error);
	return t;
}

static struct text item_text(const struct trace_item *item)
{
	const struct guest_event *ev = &item->event;
	struct text t, what;

	switch (item->kind) {
	case TRACE_ITEM_FAULT:
		return fault_text(item->gva, item->error);
	case TRACE_ITEM_EVENT:
		if (ev->kind == GE_DELIVER) {
			what = trap_text(ev->vector, ev->type, ev->has_error,
					 ev->error);
			snprintf(t.s, sizeof(t.s), "delivery of %.120s",
				 what.s);
		} else if (ev->kind == GE_DEVICE) {
			snprintf(t.s, sizeof(t.s), "a device at 0x%" PRIx64,
				 ev->value);
		} else {
			snprintf(t.s, sizeof(t.s), "event %s at 0x%" PRIx64,
				 trace_event_name(ev->kind), ev->rip);
		}
		return t;
	default:
		snprintf(t.s, sizeof(t.s), "%s", item_names[item->kind]);
		return t;
	}
}

static struct text expected_text(const struct replay_lane *lane)
{
	const struct guest_outcome *trap = &lane->trap;
	struct text t = {"nothing"};

	switch (lane->expected) {
	case EXPECT_FAULT:
		return fault_text(lane->cr2, trap->error);
	case EXPECT_DELIVERY:
		return trap_text(trap->vector, trap->type, trap->has_error,
				 trap->error);
	case EXPECT_DEVICE:
		snprintf(t.s, sizeof(t.s), "a device at 0x%" PRIx64,
			 lane->device);
		return t;
	case EXPECT_END:
		snprintf(t.s, sizeof(t.s), "%s",
			 lane->at_end == REPLAY_SHUTDOWN
				 ? "a triple fault"
				 : "a reference to absent memory");
		return t;
	case EXPECT_ANYTHING:
	case EXPECT_VALUE:
		break;
	}
	return t;
}

void lane_differs(struct replay_lane *lane, const char *fmt, ...)
{
	int n = snprintf(lane->line, sizeof(lane->line),
			 "item %" PRIu64 ", instruction %" PRIu64 ": ",
			 lane->position, lane->insns);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(lane->line + n, sizeof(lane->line) - (size_t)n, fmt, ap);
	va_end(ap);
	lane->status = REPLAY_DIFFERS;
}

void lane_stop(struct replay_lane *lane)
{
	const char *why = lane->sink->view->stop;

	snprintf(lane->line, sizeof(lane->line), "%s",
		 why ? why : "the model stopped");
	lane->status = REPLAY_STOPPED;
}

static void expect_trap(struct replay_lane *lane,
			const struct guest_outcome *out)
{
	lane->trap = *out;
	lane->cr2 = lane->sink->view->cr2;
	lane->expected = out->vector == EXC_PF && out->type == EVENT_HW_EXC
				 ? EXPECT_FAULT
				 : EXPECT_DELIVERY;
	lane->delivery.under_way = false;
}

/* Neither code nor a delivery: those are the guest's end. */
static void expect_device(struct replay_lane *lane,
			  const struct guest_outcome *out,
			  const struct trace_ref *ref)
{
	bool can = ref && ref->kind != TRACE_FETCH && !ref->implicit;

	lane->expected = can ? EXPECT_DEVICE : EXPECT_END;
	lane->at_end = REPLAY_ABSENT;
	lane->device = out->gpa;
	lane->exit_open = true;
	lane->exit_position = lane->position;
}

void lane_obey(struct replay_lane *lane, const struct guest_outcome *out,
	       const struct trace_ref *ref)
{
	if (ref)
		lane->ref = *ref;
	switch (out->verdict) {
	case GO_DONE:
	case GO_LATER:
		return;
	case GO_FAULT:
		expect_trap(lane, out);
		return;
	case GO_TAKE_IRQ:
		/* Its vector is the interrupt controller's to say. */
		lane->trap = (struct guest_outcome){.verdict = GO_TAKE_IRQ,
						    .type = EVENT_EXT_INT};
		lane->expected = EXPECT_DELIVERY;
		return;
	case GO_EMULATE:
		lane->expected = EXPECT_VALUE;
		lane->exit_open = true;
		lane->exit_position = lane->position;
		return;
	case GO_MMIO:
		expect_device(lane, out, ref);
		return;
	case GO_SHUTDOWN:
		lane->expected = EXPECT_END;
		lane->at_end = REPLAY_SHUTDOWN;
		return;
	case GO_STOP:
		lane_stop(lane);
		return;
	}
	BUG("verdict of the simulator");
}

static bool is_delivery_of(const struct guest_event *ev,
			   const struct guest_outcome *trap)
{
	if (ev->kind != GE_DELIVER || ev->type != trap->type)
		return false;
	if (trap->verdict == GO_TAKE_IRQ)
		return true;
	return ev->vector == trap->vector && ev->has_error == trap->has_error &&
	       (!ev->has_error || ev->error == trap->error);
}

static bool is_device(const struct trace_item *item)
{
	return item->kind == TRACE_ITEM_EVENT && item->event.kind == GE_DEVICE;
}

/* The item is none of those that may come whatever is expected. */
static bool is_expected(const struct replay_lane *lane,
			const struct trace_item *item)
{
	switch (lane->expected) {
	case EXPECT_ANYTHING:
		return item->kind != TRACE_ITEM_FAULT && !is_device(item);
	case EXPECT_FAULT:
		return item->kind == TRACE_ITEM_FAULT &&
		       item->gva == lane->cr2 &&
		       item->error == lane->trap.error;
	case EXPECT_DELIVERY:
		return item->kind == TRACE_ITEM_EVENT &&
		       is_delivery_of(&item->event, &lane->trap);
	case EXPECT_VALUE:
		return !is_device(item);
	case EXPECT_DEVICE:
		return is_device(item) && item->event.value == lane->device;
	case EXPECT_END:
		return false;
	}
	BUG("expectation");
}

/* The line may have fallen before the interrupt could be taken. */
static void forget_interrupt(struct replay_lane *lane,
			     const struct trace_item *item)
{
	if (lane->expected == EXPECT_DELIVERY &&
	    lane->trap.verdict == GO_TAKE_IRQ && !is_expected(lane, item))
		lane->expected = EXPECT_ANYTHING;
}

bool lane_may_come(struct replay_lane *lane, const struct trace_item *item)
{
	struct text trace, model;

	if (item->kind == TRACE_ITEM_TABLE || item->kind == TRACE_ITEM_MARK)
		return true;
	forget_interrupt(lane, item);
	if (is_expected(lane, item))
		return true;
	trace = item_text(item);
	model = expected_text(lane);
	if (lane->expected == EXPECT_ANYTHING)
		lane_differs(lane, "the trace has %s, the model %s", trace.s,
			     is_device(item) ? "memory" : "no fault");
	else
		lane_differs(lane, "the model has %s, the trace %s", model.s,
			     trace.s);
	return false;
}
