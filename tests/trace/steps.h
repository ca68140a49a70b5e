/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Short sequences of items, written down as they stand in a trace. */
#ifndef NOTRAP_TESTS_TRACE_STEPS_H
#define NOTRAP_TESTS_TRACE_STEPS_H

#include "arch/exception.h"
#include "trace/trace.h"

struct step {
	bool is_ref, boundary; /* boundary: a trace can begin here */
	struct trace_ref ref;
	struct trace_item item;
};

#define STEPS_MAX 24

#define REF(k, a, n, ...)                      \
	{                                      \
		.is_ref = true,                \
		.ref = {.kind = TRACE_##k,     \
			.gva = (a),            \
			.size = (n),           \
			.count = __VA_ARGS__ } \
	}
/* One that begins an instruction. */
#define FETCH(a, n, ...)                          \
	{                                         \
		.is_ref = true, .boundary = true, \
		.ref = {.kind = TRACE_FETCH,      \
			.gva = (a),               \
			.size = (n),              \
			.count = __VA_ARGS__ }    \
	}
#define EVENT(...)                                     \
	{                                              \
		.item = {                              \
			.kind = TRACE_ITEM_EVENT,      \
			.event = {.kind = __VA_ARGS__} \
		}                                      \
	}
/* One that stands between two instructions. */
#define BETWEEN(...)                                   \
	{                                              \
		.boundary = true, .item = {            \
			.kind = TRACE_ITEM_EVENT,      \
			.event = {.kind = __VA_ARGS__} \
		}                                      \
	}
#define ITEM(k, ...)                                           \
	{                                                      \
		.item = {.kind = TRACE_ITEM_##k, __VA_ARGS__ } \
	}
/* Another processor's, between two instructions. */
#define TURN(n)                                  \
	{                                        \
		.boundary = true, .item = {      \
			.kind = TRACE_ITEM_VCPU, \
			.id = (n)                \
		}                                \
	}
#define PF(e) \
	.vector = EXC_PF, .type = EVENT_HW_EXC, .has_error = true, .error = (e)
#define IRQ .vector = 32, .type = EVENT_EXT_INT

static const uint64_t empty[PT_ENTRIES];

/* False: there are no more. */
static inline bool step_item(const struct step *step, struct trace_item *item)
{
	*item = step->item;
	if (step->is_ref)
		*item = (struct trace_item){
			.kind = TRACE_ITEM_REFS, .refs = &step->ref, .nr = 1};
	return step->is_ref || step->item.kind != TRACE_ITEM_REFS;
}

#endif
