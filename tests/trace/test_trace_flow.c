/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sequences that keep to every rule, and where in them a trace can begin. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "steps.h"
#include "trace/check.h"
#include "trace/flow.h"

static const struct {
	const char *name;
	bool pages;
	struct step step[STEPS_MAX];
} cases[] = {
	{"instructions",
	 false,
	 {FETCH(0x1000, 4, 1), REF(READ, 0x5000, 8, 1), FETCH(0x1ffe, 2, 1),
	  REF(FETCH, 0x2000, 3, 0), REF(WRITE, 0x5ffc, 4, 1),
	  REF(WRITE, 0x6000, 4, 0), FETCH(0x2003, 1, 1)}},
	{"a repeated string instruction",
	 false,
	 {FETCH(0x1000, 2, 0), REF(WRITE, 0x5000, 8, 1),
	  REF(WRITE, 0x5008, 8, 1), REF(FETCH, 0x1000, 2, 1),
	  REF(WRITE, 0x5010, 8, 1), FETCH(0x1002, 2, 1)}},
	{"a fault and its retry",
	 false,
	 {FETCH(0x1000, 4, 1, .user = true), FETCH(0x1004, 4, 0, .user = true),
	  REF(READ, 0x5010, 8, 1, .user = true),
	  ITEM(FAULT, .gva = 0x5010, .error = PFEC_U),
	  EVENT(GE_DELIVER, PF(PFEC_U), .insns = 1),
	  REF(WRITE, 0x8ff8, 8, 1, .implicit = true),
	  EVENT(GE_DELIVERED, PF(PFEC_U), .insns = 1), FETCH(0x9000, 1, 1),
	  BETWEEN(GE_RETRY, .rip = 0x1004, .gva = 0x5010, .insns = 2),
	  ITEM(TABLE, .gpa = 0x3000, .table = empty),
	  REF(FETCH, 0x1004, 4, 1, .user = true),
	  REF(READ, 0x5010, 8, 1, .user = true)}},
	{"a fault in a delivery",
	 false,
	 {BETWEEN(GE_IRQ, IRQ, .if_open = true), EVENT(GE_DELIVER, IRQ),
	  REF(WRITE, 0x8ff8, 8, 1, .implicit = true),
	  ITEM(FAULT, .gva = 0x8ff8, .error = PFEC_W),
	  EVENT(GE_DELIVER, PF(PFEC_W)),
	  REF(WRITE, 0x9ff8, 8, 1, .implicit = true),
	  EVENT(GE_DELIVERED, PF(PFEC_W)), REF(FETCH, 0x9000, 1, 1),
	  EVENT(GE_IRQ_WINDOW, .insns = 1), EVENT(GE_DELIVER, IRQ, .insns = 1),
	  EVENT(GE_DELIVERED, IRQ, .insns = 1), FETCH(0xa000, 1, 1)}},
	{"an interrupt that waits",
	 false,
	 {BETWEEN(GE_IRQ, IRQ), REF(FETCH, 0x1000, 1, 1),
	  EVENT(GE_IRQ_WINDOW, .insns = 1), EVENT(GE_DELIVER, IRQ, .insns = 1),
	  EVENT(GE_DELIVERED, IRQ, .insns = 1), FETCH(0xa000, 1, 1)}},
	{"two processors",
	 false,
	 {FETCH(0x1000, 4, 1), TURN(1), FETCH(0x8000, 4, 1), TURN(0),
	  FETCH(0x1004, 4, 1), REF(READ, 0x5010, 8, 1), TURN(1),
	  FETCH(0x8004, 4, 1)}},
	{"one waits for its interrupt",
	 false,
	 {BETWEEN(GE_IRQ, IRQ), ITEM(VCPU, .id = 1), REF(FETCH, 0x1000, 1, 1),
	  ITEM(VCPU, .id = 0), REF(FETCH, 0x1000, 1, 1),
	  EVENT(GE_IRQ_WINDOW, .insns = 2), EVENT(GE_DELIVER, IRQ, .insns = 2),
	  EVENT(GE_DELIVERED, IRQ, .insns = 2), TURN(1), FETCH(0x1001, 1, 1)}},
	{"an instruction where a page begins",
	 false,
	 {FETCH(0x1ffc, 4, 1), FETCH(0x2000, 4, 1)}},
	{"an interrupt that is lost",
	 false,
	 {BETWEEN(GE_IRQ, IRQ, .if_open = true), EVENT(GE_DELIVER, IRQ),
	  REF(WRITE, 0x8ff8, 8, 1, .implicit = true),
	  ITEM(FAULT, .gva = 0x8ff8, .error = PFEC_W),
	  EVENT(GE_DELIVER, PF(PFEC_W)), EVENT(GE_DELIVERED, PF(PFEC_W)),
	  REF(FETCH, 0x9000, 1, 1), EVENT(GE_RETRY, .rip = 0x5000, .insns = 1),
	  REF(FETCH, 0x5000, 1, 1), FETCH(0x5001, 1, 1)}},
	{"a fault in a fault's delivery",
	 false,
	 {FETCH(0x1000, 1, 0), REF(READ, 0x5000, 8, 1),
	  ITEM(FAULT, .gva = 0x5000), EVENT(GE_DELIVER, PF(0)),
	  REF(WRITE, 0x8ff8, 8, 1, .implicit = true),
	  ITEM(FAULT, .gva = 0x8ff8, .error = PFEC_W),
	  EVENT(GE_DELIVER, PF(PFEC_W)), EVENT(GE_DELIVERED, PF(PFEC_W)),
	  FETCH(0x9000, 1, 1)}},
	{"an exception in a delivery",
	 false,
	 {EVENT(GE_DELIVER, IRQ), REF(READ, 0x8000, 8, 1, .implicit = true),
	  EVENT(GE_EXCEPTION, .vector = EXC_GP, .has_error = true),
	  EVENT(GE_DELIVER, .vector = EXC_GP, .type = EVENT_HW_EXC,
		.has_error = true),
	  EVENT(GE_DELIVERED, .vector = EXC_GP, .type = EVENT_HW_EXC),
	  FETCH(0x9000, 1, 1)}},
	{"an interrupt that is gone",
	 false,
	 {BETWEEN(GE_IRQ, IRQ), REF(FETCH, 0x1000, 1, 1),
	  EVENT(GE_IRQ_WINDOW, .insns = 1), FETCH(0x1001, 1, 1)}},
	{"tables",
	 false,
	 {ITEM(TABLE, .gpa = 0x3000, .table = empty), FETCH(0x1000, 4, 1),
	  REF(WRITE, 0x5ff8, 8, 1),
	  ITEM(TABLE_WRITE, .gpa = 0x3ff8, .gva = 0x5ff8, .size = 8),
	  FETCH(0x1004, 4, 1), REF(WRITE, 0x5000, 32, 1),
	  EVENT(GE_EMULATE_FAILED, .insns = 1),
	  ITEM(TABLE_WRITE, .gpa = 0x3000, .gva = 0x5000, .size = 16),
	  ITEM(TABLE_WRITE, .gpa = 0x3010, .gva = 0x5010, .size = 16),
	  ITEM(TABLE_END, .gpa = 0x3000),
	  ITEM(TABLE, .gpa = 0x3000, .table = empty)}},
	{"runs",
	 true,
	 {FETCH(0x1ff0, 4, 100), REF(READ, 0x5000, 8, 3),
	  REF(WRITE, 0x5000, 8, 3), REF(FETCH, 0x2000, 4, 1),
	  EVENT(GE_CPUID, .insns = 100), FETCH(0x2004, 4, 3),
	  REF(WRITE, 0x5000, 8, 1), FETCH(0x4000, 8, 1),
	  ITEM(TABLE, .gpa = 0x3000, .table = empty), REF(WRITE, 0x5000, 8, 1),
	  FETCH(0x1000, 8, 1),
	  ITEM(TABLE_WRITE, .gpa = 0x3ff8, .gva = 0x5ff8, .size = 8),
	  FETCH(0x2001, 8, 1)}},
	{"runs around a delivery",
	 true,
	 {FETCH(0x1010, 2, 0), REF(READ, 0x5000, 8, 1),
	  ITEM(FAULT, .gva = 0x5000), EVENT(GE_DELIVER, PF(0)),
	  EVENT(GE_DELIVERED, PF(0)), FETCH(0x9000, 1, 5),
	  BETWEEN(GE_RETRY, .rip = 0x1010, .gva = 0x5000, .insns = 5),
	  REF(FETCH, 0x1010, 2, 1), FETCH(0x7000, 2, 1)}},
};

static enum trace_granularity granularity_of(size_t n)
{
	return cases[n].pages ? TRACE_PAGES : TRACE_FULL;
}

static void check_rules(size_t n)
{
	struct trace_check *check = trace_check_create(granularity_of(n));
	struct trace_item item;
	const char *first;

	for (size_t i = 0; i < STEPS_MAX && step_item(&cases[n].step[i], &item);
	     i++)
		assert_int_equal(trace_check_item(check, &item), 0);
	for (int rule = 0; rule < NR_TRACE_RULES; rule++)
		if (trace_check_broken(check, (enum trace_rule)rule, &first))
			fail_msg("%s: rule %s, first by %s", cases[n].name,
				 trace_rule_name((enum trace_rule)rule), first);
	trace_check_destroy(check);
}

static void keeps_to_the_rules(void **state)
{
	(void)state;
	for (size_t n = 0; n < ARRAY_LEN(cases); n++)
		check_rules(n);
}

static void check_boundaries(size_t n)
{
	struct trace_flow flow;
	struct trace_item item;

	flow_init(&flow, granularity_of(n));
	for (size_t i = 0; i < STEPS_MAX; i++) {
		const struct step *step = &cases[n].step[i];
		bool got;

		if (!step_item(step, &item))
			break;
		got = step->is_ref ? flow_begins_ref(&flow, &step->ref)
				   : flow_begins_item(&flow, &item);
		if (got != step->boundary)
			fail_msg("%s: item %zu: got %d", cases[n].name, i, got);
		assert_int_equal(flow.items, i);
		if (step->is_ref)
			flow_ref(&flow, &step->ref);
		else
			flow_item(&flow, &item);
	}
}

static void finds_boundaries(void **state)
{
	(void)state;
	for (size_t n = 0; n < ARRAY_LEN(cases); n++)
		check_boundaries(n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keeps_to_the_rules),
		cmocka_unit_test(finds_boundaries),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
