/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rules of order: a short sequence for each flaw, which breaks that one rule.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "steps.h"
#include "trace/check.h"
#include "trace/frame_set.h"

static const struct {
	const char *name;
	bool pages;
	int rule;
	uint64_t at; /* the item that breaks it */
	struct step step[STEPS_MAX];
} cases[] = {
	{"no such register",
	 false,
	 RULE_SENSE,
	 0,
	 {EVENT(GE_CR_READ, .cr = 7)}},
	{"a clock behind",
	 false,
	 RULE_CLOCK,
	 2,
	 {FETCH(0x1000, 4, 1), FETCH(0x1004, 4, 1), EVENT(GE_CPUID)}},
	{"a clock ahead",
	 false,
	 RULE_CLOCK,
	 1,
	 {FETCH(0x1000, 4, 1), EVENT(GE_CPUID, .insns = 2)}},
	{"delivered what was not",
	 false,
	 RULE_DELIVERED,
	 0,
	 {EVENT(GE_DELIVERED, IRQ)}},
	{"delivered another",
	 false,
	 RULE_DELIVERED,
	 1,
	 {EVENT(GE_DELIVER, IRQ), EVENT(GE_DELIVERED, PF(0))}},
	{"delivered another of its type",
	 false,
	 RULE_DELIVERED,
	 1,
	 {EVENT(GE_DELIVER, IRQ), EVENT(GE_DELIVERED, .vector = 33)}},
	{"delivered twice",
	 false,
	 RULE_DELIVERED,
	 2,
	 {EVENT(GE_DELIVER, IRQ), EVENT(GE_DELIVERED, IRQ),
	  EVENT(GE_DELIVERED, IRQ)}},
	{"delivery in a delivery",
	 false,
	 RULE_NESTED,
	 1,
	 {EVENT(GE_DELIVER, IRQ), EVENT(GE_DELIVER, PF(0))}},
	{"implicit outside",
	 false,
	 RULE_IMPLICIT,
	 0,
	 {REF(READ, 0x1000, 8, 1, .implicit = true)}},
	{"an instruction within",
	 false,
	 RULE_IMPLICIT,
	 1,
	 {EVENT(GE_DELIVER, IRQ), REF(FETCH, 0x1000, 4, 1)}},
	{"implicit by user",
	 false,
	 RULE_IMPLICIT,
	 1,
	 {EVENT(GE_DELIVER, IRQ),
	  REF(READ, 0x1000, 8, 1, .implicit = true, .user = true)}},
	{"RFLAGS.AC of user code",
	 false,
	 RULE_AC,
	 0,
	 {REF(READ, 0x1000, 8, 1, .ac = true, .user = true)}},
	{"RFLAGS.AC of a fetch",
	 false,
	 RULE_AC,
	 0,
	 {REF(FETCH, 0x1000, 8, 1, .ac = true)}},
	{"RFLAGS.AC within a delivery",
	 false,
	 RULE_AC,
	 1,
	 {EVENT(GE_DELIVER, IRQ),
	  REF(WRITE, 0x1000, 8, 1, .ac = true, .implicit = true)}},
	{"a fault of nothing",
	 false,
	 RULE_FAULT_PLACE,
	 0,
	 {ITEM(FAULT, .gva = 0x1000)}},
	{"a fault elsewhere",
	 false,
	 RULE_FAULT_PLACE,
	 1,
	 {REF(READ, 0x1000, 8, 1), ITEM(FAULT, .gva = 0x2000)}},
	{"a fault after an event",
	 false,
	 RULE_FAULT_PLACE,
	 2,
	 {REF(READ, 0x1000, 8, 1), EVENT(GE_CPUID),
	  ITEM(FAULT, .gva = 0x1000)}},
	{"not a write",
	 false,
	 RULE_FAULT_CODE,
	 1,
	 {REF(READ, 0x1000, 8, 1),
	  ITEM(FAULT, .gva = 0x1000, .error = PFEC_W)}},
	{"a write",
	 false,
	 RULE_FAULT_CODE,
	 1,
	 {REF(WRITE, 0x1000, 8, 1), ITEM(FAULT, .gva = 0x1000)}},
	{"not by user",
	 false,
	 RULE_FAULT_CODE,
	 1,
	 {REF(READ, 0x1000, 8, 1),
	  ITEM(FAULT, .gva = 0x1000, .error = PFEC_U)}},
	{"by user",
	 false,
	 RULE_FAULT_CODE,
	 1,
	 {REF(READ, 0x1000, 8, 1, .user = true), ITEM(FAULT, .gva = 0x1000)}},
	{"not a fetch",
	 false,
	 RULE_FAULT_CODE,
	 1,
	 {REF(READ, 0x1000, 8, 1),
	  ITEM(FAULT, .gva = 0x1000, .error = PFEC_ID)}},
	{"a fault that is forgotten, told once",
	 false,
	 RULE_FAULT_DELIVERED,
	 2,
	 {REF(READ, 0x1000, 8, 1), ITEM(FAULT, .gva = 0x1000),
	  FETCH(0x1000, 4, 1), FETCH(0x1004, 4, 1)}},
	{"another is delivered",
	 false,
	 RULE_FAULT_DELIVERED,
	 2,
	 {REF(READ, 0x1000, 8, 1), ITEM(FAULT, .gva = 0x1000),
	  EVENT(GE_DELIVER, PF(PFEC_P))}},
	{"another exception is delivered",
	 false,
	 RULE_FAULT_DELIVERED,
	 2,
	 {REF(READ, 0x1000, 8, 1), ITEM(FAULT, .gva = 0x1000),
	  EVENT(GE_DELIVER, .vector = EXC_GP, .type = EVENT_HW_EXC,
		.has_error = true)}},
	{"something comes between",
	 false,
	 RULE_FAULT_DELIVERED,
	 2,
	 {REF(READ, 0x1000, 8, 1), ITEM(FAULT, .gva = 0x1000),
	  EVENT(GE_CPUID)}},
	{"a window of its own",
	 false,
	 RULE_IRQ_WINDOW,
	 0,
	 {EVENT(GE_IRQ_WINDOW)}},
	{"a retry elsewhere",
	 false,
	 RULE_RETRY,
	 1,
	 {EVENT(GE_RETRY, .rip = 0x1000), FETCH(0x1004, 4, 1)}},
	{"a retry of nothing",
	 false,
	 RULE_RETRY,
	 1,
	 {EVENT(GE_RETRY, .rip = 0x1000), REF(READ, 0x1000, 4, 1)}},
	{"a retry on another page",
	 true,
	 RULE_RETRY,
	 1,
	 {EVENT(GE_RETRY, .rip = 0x1000), REF(FETCH, 0x2000, 4, 1)}},
	{"a table told twice",
	 false,
	 RULE_TABLE_ONCE,
	 1,
	 {ITEM(TABLE, .gpa = 0x3000, .table = empty),
	  ITEM(TABLE, .gpa = 0x3000, .table = empty)}},
	{"an end of no table",
	 false,
	 RULE_TABLE_KNOWN,
	 0,
	 {ITEM(TABLE_END, .gpa = 0x3000)}},
	{"an end twice",
	 false,
	 RULE_TABLE_KNOWN,
	 2,
	 {ITEM(TABLE, .gpa = 0x3000, .table = empty),
	  ITEM(TABLE_END, .gpa = 0x3000), ITEM(TABLE_END, .gpa = 0x3000)}},
	{"a write to no table",
	 false,
	 RULE_TABLE_KNOWN,
	 1,
	 {REF(WRITE, 0x5ff8, 8, 1),
	  ITEM(TABLE_WRITE, .gpa = 0x3ff8, .gva = 0x5ff8, .size = 8)}},
	{"a write of nobody",
	 false,
	 RULE_TABLE_WRITE,
	 2,
	 {ITEM(TABLE, .gpa = 0x3000, .table = empty), REF(READ, 0x5ff8, 8, 1),
	  ITEM(TABLE_WRITE, .gpa = 0x3ff8, .gva = 0x5ff8, .size = 8)}},
	{"a write too late",
	 false,
	 RULE_TABLE_WRITE,
	 3,
	 {ITEM(TABLE, .gpa = 0x3000, .table = empty), REF(WRITE, 0x5ff8, 8, 1),
	  EVENT(GE_CPUID),
	  ITEM(TABLE_WRITE, .gpa = 0x3ff8, .gva = 0x5ff8, .size = 8)}},
	{"a write in front",
	 false,
	 RULE_TABLE_WRITE,
	 2,
	 {ITEM(TABLE, .gpa = 0x3000, .table = empty), REF(WRITE, 0x5ff8, 8, 1),
	  ITEM(TABLE_WRITE, .gpa = 0x3ff0, .gva = 0x5ff0, .size = 8)}},
	{"a write too long",
	 false,
	 RULE_TABLE_WRITE,
	 2,
	 {ITEM(TABLE, .gpa = 0x3000, .table = empty), REF(WRITE, 0x5ff0, 8, 1),
	  ITEM(TABLE_WRITE, .gpa = 0x3ff0, .gva = 0x5ff0, .size = 9)}},
	{"a write to another place in the page",
	 false,
	 RULE_TABLE_WRITE,
	 2,
	 {ITEM(TABLE, .gpa = 0x3000, .table = empty), REF(WRITE, 0x5ff8, 8, 1),
	  ITEM(TABLE_WRITE, .gpa = 0x3ff0, .gva = 0x5ff8, .size = 8)}},
	{"a run that writes elsewhere",
	 true,
	 RULE_TABLE_WRITE,
	 2,
	 {ITEM(TABLE, .gpa = 0x3000, .table = empty), REF(WRITE, 0x6ff8, 8, 1),
	  ITEM(TABLE_WRITE, .gpa = 0x3ff8, .gva = 0x5ff8, .size = 8)}},
	{"nothing to emulate",
	 false,
	 RULE_EMULATE_FAILED,
	 1,
	 {REF(READ, 0x5000, 8, 1), EVENT(GE_EMULATE_FAILED)}},
	{"no value",
	 false,
	 RULE_EMULATE_FAILED,
	 2,
	 {REF(WRITE, 0x5000, 8, 1), EVENT(GE_EMULATE_FAILED),
	  FETCH(0x1000, 1, 1)}},
	{"an event for a value",
	 false,
	 RULE_EMULATE_FAILED,
	 2,
	 {REF(WRITE, 0x5000, 8, 1), EVENT(GE_EMULATE_FAILED), EVENT(GE_CPUID)}},
	{"no write to compare",
	 false,
	 RULE_COMPARE_FAILED,
	 1,
	 {REF(READ, 0x5000, 8, 1), EVENT(GE_COMPARE_FAILED)}},
	{"a rest of nothing", false, RULE_REST, 0, {REF(READ, 0x5000, 8, 0)}},
	{"a rest of another kind",
	 false,
	 RULE_REST,
	 1,
	 {REF(WRITE, 0x4ffc, 4, 1), REF(READ, 0x5000, 4, 0)}},
	{"a rest behind a gap",
	 false,
	 RULE_REST,
	 1,
	 {REF(READ, 0x4ffb, 4, 1), REF(READ, 0x5000, 4, 0)}},
	{"a rest within a page",
	 false,
	 RULE_REST,
	 1,
	 {REF(READ, 0x4ff0, 4, 1), REF(READ, 0x4ff4, 4, 0)}},
	{"left within an instruction",
	 false,
	 RULE_VCPU,
	 1,
	 {REF(FETCH, 0x1000, 4, 0), ITEM(VCPU, .id = 1), FETCH(0x1000, 4, 1)}},
	{"left in a delivery",
	 false,
	 RULE_VCPU,
	 1,
	 {EVENT(GE_DELIVER, IRQ), ITEM(VCPU, .id = 1), FETCH(0x1000, 4, 1),
	  ITEM(VCPU, .id = 0), EVENT(GE_DELIVERED, IRQ)}},
	{"left before what is retried",
	 false,
	 RULE_VCPU,
	 1,
	 {EVENT(GE_RETRY, .rip = 0x1000), ITEM(VCPU, .id = 1),
	  FETCH(0x2000, 4, 1), ITEM(VCPU, .id = 0), FETCH(0x1000, 4, 1)}},
	{"a device of nobody",
	 false,
	 RULE_DEVICE,
	 1,
	 {FETCH(0x1000, 4, 1),
	  EVENT(GE_DEVICE, .gva = 0x1000, .value = 0xfee00000)}},
	{"another device",
	 false,
	 RULE_DEVICE,
	 2,
	 {FETCH(0x1000, 4, 1), REF(READ, 0x5010, 4, 1),
	  EVENT(GE_DEVICE, .gva = 0x5020, .value = 0xfee00020)}},
	{"a device that is written",
	 true,
	 RULE_DEVICE,
	 2,
	 {FETCH(0x1000, 4, 1), REF(WRITE, 0x5010, 4, 1),
	  EVENT(GE_DEVICE, .gva = 0x5010, .value = 0xfee00010)}},
	{"a device twice",
	 false,
	 RULE_DEVICE,
	 3,
	 {FETCH(0x1000, 4, 1), REF(READ, 0x5010, 4, 1),
	  EVENT(GE_DEVICE, .gva = 0x5010, .value = 0xfee00010),
	  EVENT(GE_DEVICE, .gva = 0x5010, .value = 0xfee00010)}},
	{"a device elsewhere in its page",
	 false,
	 RULE_SENSE,
	 2,
	 {FETCH(0x1000, 4, 1), REF(READ, 0x5010, 4, 1),
	  EVENT(GE_DEVICE, .gva = 0x5010, .value = 0xfee00020)}},
	{"runs in parts",
	 true,
	 RULE_MERGED,
	 2,
	 {REF(FETCH, 0x1000, 4, 1), REF(READ, 0x5000, 4, 1),
	  REF(FETCH, 0x1004, 4, 1)}},
};

static void check_case(size_t n)
{
	struct trace_check *check =
		trace_check_create(cases[n].pages ? TRACE_PAGES : TRACE_FULL);
	const char *first;

	for (size_t i = 0; i < STEPS_MAX; i++) {
		struct trace_item item;

		if (!step_item(&cases[n].step[i], &item))
			break;
		assert_int_equal(trace_check_item(check, &item), 0);
	}
	for (int rule = 0; rule < NR_TRACE_RULES; rule++) {
		uint64_t broken = trace_check_broken(
			check, (enum trace_rule)rule, &first);

		if (broken != (rule == cases[n].rule))
			fail_msg("%s: rule %s broken %d times, first %s",
				 cases[n].name,
				 trace_rule_name((enum trace_rule)rule),
				 (int)broken, first);
		if (broken)
			assert_int_equal(strtoull(first, NULL, 10),
					 cases[n].at);
	}
	trace_check_destroy(check);
}

static void finds_what_is_broken(void **state)
{
	bool tried[NR_TRACE_RULES] = {false};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		check_case(i);
		tried[cases[i].rule] = true;
	}
	for (int rule = 0; rule < NR_TRACE_RULES; rule++)
		if (!tried[rule])
			fail_msg("no case breaks rule %s",
				 trace_rule_name((enum trace_rule)rule));
}

/* Against a plain list. */
static void frames(void **state)
{
	static bool is_in[512];
	struct frame_set set = {0};
	uint64_t random = 1;
	size_t nr = 0;

	(void)state;
	assert_false(frame_set_has(&set, 0));
	frame_set_remove(&set, 0);
	for (int i = 0; i < 200000; i++) {
		gfn_t gfn;
		size_t k;

		random = random * UINT64_C(6364136223846793005) + 1;
		k = random >> 40 & 511;
		/* Far apart, and close together. */
		gfn = k & 1 ? k : k << 30;
		assert_int_equal(frame_set_has(&set, gfn), is_in[k]);
		nr -= is_in[k];
		is_in[k] = random >> 33 & 1;
		nr += is_in[k];
		if (is_in[k])
			assert_int_equal(frame_set_add(&set, gfn), 0);
		else
			frame_set_remove(&set, gfn);
		assert_int_equal(set.nr, nr);
	}
	for (size_t k = 0; k < ARRAY_LEN(is_in); k++)
		assert_int_equal(frame_set_has(&set, k & 1 ? k : k << 30),
				 is_in[k]);
	frame_set_finish(&set);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_what_is_broken),
		cmocka_unit_test(frames),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
