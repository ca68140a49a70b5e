/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Faults within deliveries over time: latency, CR2 from stage to stage,
 * counters, interrupts that wait.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "arch/exception.h"
#include "deliver_rig.h"

#define USER_RIP UINT64_C(0x5000)

static struct guest_outcome user_access(struct rig *r, gva_t gva)
{
	return rig_push(r, (struct guest_event){.kind = GE_ACCESS,
						.gva = gva,
						.rip = USER_RIP,
						.cpl = 3,
						.access = PFEC_W | PFEC_U});
}

static void begin_at(struct rig *r, const struct guest_outcome *out)
{
	rig_push(r, (struct guest_event){.kind = GE_DELIVER,
					 .vector = out->vector,
					 .type = out->type,
					 .has_error = out->has_error,
					 .error = out->error,
					 .rip = USER_RIP,
					 .cpl = 3});
}

static void retry(struct rig *r)
{
	rig_push(r, (struct guest_event){.kind = GE_RETRY, .rip = USER_RIP});
	rig_push(r, (struct guest_event){.kind = GE_PAUSE});
}

/*
 * The fault's delivery meets a hidden fault: what that takes is part of the
 * latency, and the latency begins with the access all the same.
 */
static void latency_spans_hidden_faults(void **state)
{
	static const struct {
		const char *config;
		gva_t gva;
	} runs[] = {
		{"mmu=kvm-2.6.25 bypass=on", RIG_ABSENT},
		{"mmu=kvm-2.6.25 bypass=on", RIG_COLD},
		{"mmu=kvm-2.6.25 bypass=off", RIG_ABSENT},
		{"mmu=kvm-2.6.20", RIG_ABSENT},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(runs); i++) {
		const struct histogram *h;
		struct guest_outcome out;
		uint64_t began, ended;
		struct rig r;

		assert_true(rig_start(&r, RIG_LONG, true, runs[i].config));
		h = &sim_account(r.sim)->fault_latency->typ;
		began = sim_account(r.sim)->now;
		out = user_access(&r, runs[i].gva);
		begin_at(&r, &out);
		out = rig_access(&r, RIG_HIDDEN, PFEC_W);
		assert_int_equal(out.verdict, GO_FAULT);
		begin_at(&r, &out);
		rig_complete(&r);
		ended = sim_account(r.sim)->now;
		retry(&r);
		assert_int_equal(h->count, 1);
		/* Each event's clock tick belongs to what came before. */
		assert_in_range(h->min, ended - began, ended - began + 2);
		rig_end(&r);
	}
}

/* An interrupt whose delivery meets a hidden fault and then a #PF: that is the
 * fault whose latency counts. */
static void latency_of_the_fault_that_arrives(void **state)
{
	static const char *const config[] = {
		"mmu=kvm-2.6.25 bypass=on",
		"mmu=kvm-2.6.25 bypass=off",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(config); i++) {
		const struct guest_outcome irq = {.vector = 0x20};
		const struct histogram *h;
		struct guest_outcome out;
		uint64_t began, ended;
		struct rig r;

		assert_true(rig_start(&r, RIG_LONG, true, config[i]));
		h = &sim_account(r.sim)->fault_latency->typ;
		begin_at(&r, &irq);
		/* Fixed: no fault of the guest's. */
		out = rig_access(&r, RIG_HIDDEN, PFEC_W);
		begin_at(&r, &out);
		began = sim_account(r.sim)->now;
		out = rig_access(&r, RIG_ABSENT, PFEC_W);
		assert_int_equal(out.vector, EXC_PF);
		begin_at(&r, &out);
		rig_complete(&r);
		ended = sim_account(r.sim)->now;
		retry(&r);
		assert_int_equal(h->count, 1);
		assert_in_range(h->min, ended - began, ended - began + 2);
		rig_end(&r);
	}
}

/* CR2 through a delivery that is cut short again and again. */
static void cr2_at_each_stage(void **state)
{
	static const struct {
		const char *config;
		bool bypass;
	} runs[] = {
		{"mmu=seed bypass=on", true},
		{"mmu=seed bypass=off", false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(runs); i++) {
		struct guest_outcome out;
		struct rig r;

		assert_true(rig_start(&r, RIG_PAE, true, runs[i].config));
		/* A hidden fill exits and leaves CR2 alone. */
		assert_int_equal(r.sink->view->cr2, 0);
		out = user_access(&r, RIG_ABSENT + 8);
		assert_int_equal(r.sink->view->cr2, RIG_ABSENT + 8);
		assert_int_equal(out.direct, runs[i].bypass);
		begin_at(&r, &out);
		out = rig_access(&r, RIG_HIDDEN + 16, PFEC_W);
		assert_int_equal(r.sink->view->cr2, RIG_ABSENT + 8);
		begin_at(&r, &out);
		/* #DF: of the processor with CR2, of KVM without. */
		out = rig_access(&r, RIG_ABSENT2 + 24, PFEC_W);
		assert_int_equal(out.vector, EXC_DF);
		assert_int_equal(r.sink->view->cr2, runs[i].bypass
							    ? RIG_ABSENT2 + 24
							    : RIG_ABSENT + 8);
		/* Another one ends it, or takes the #DF's place. */
		begin_at(&r, &out);
		out = rig_access(&r, RIG_SPARE + 32, PFEC_W);
		assert_int_equal(out.verdict,
				 runs[i].bypass ? GO_SHUTDOWN : GO_FAULT);
		assert_int_equal(r.sink->view->cr2, RIG_SPARE + 32);
		rig_end(&r);
	}
}

/* Three interrupts pushed aside; the lowest vector comes back first. */
static void requeued_interrupts(void **state)
{
	static const uint8_t order[] = {0x41, 0x5f, 0xef};
	static const uint8_t come[] = {0x5f, 0xef, 0x41};
	struct guest_outcome irq = {.type = EVENT_EXT_INT};
	struct rig r;

	(void)state;
	assert_true(rig_start(&r, RIG_LONG, true, "bypass=off"));
	for (size_t i = 0; i < 3; i++) {
		struct guest_outcome out;

		irq.vector = come[i];
		rig_begin(&r, &irq, 0);
		out = rig_access(&r, RIG_ABSENT, PFEC_W);
		assert_int_equal(out.vector, EXC_PF);
		rig_begin(&r, &out, 0);
		rig_complete(&r);
		assert_true(r.sink->view->irq_window);
	}
	for (size_t i = 0; i < 3; i++) {
		struct guest_outcome out;

		assert_true(r.sink->view->irq_window);
		out = rig_push(&r, (struct guest_event){.kind = GE_IRQ_WINDOW,
							.if_open = true});
		assert_int_equal(out.verdict, GO_FAULT);
		assert_int_equal(out.vector, order[i]);
		assert_int_equal(out.type, EVENT_EXT_INT);
		rig_begin(&r, &out, 0);
		rig_complete(&r);
	}
	assert_false(r.sink->view->irq_window);
	assert_int_equal(rig_counter(&r, CNT_irq_window), 3);
	rig_end(&r);
}

/* A line that waits and one that was pushed aside share the window. */
static void a_line_waits_for_the_requeued(void **state)
{
	const struct guest_outcome irq = {.vector = 0x41};
	struct guest_outcome out;
	struct rig r;

	(void)state;
	assert_true(rig_start(&r, RIG_LONG, true, "bypass=off"));
	rig_begin(&r, &irq, 0);
	out = rig_access(&r, RIG_ABSENT, PFEC_W);
	rig_begin(&r, &out, 0);
	rig_complete(&r);
	out = rig_push(&r, (struct guest_event){.kind = GE_IRQ});
	assert_int_equal(out.verdict, GO_LATER);
	out = rig_push(&r, (struct guest_event){.kind = GE_IRQ_WINDOW});
	assert_int_equal(out.vector, 0x41);
	rig_begin(&r, &out, 0);
	rig_complete(&r);
	assert_true(r.sink->view->irq_window);
	out = rig_push(&r, (struct guest_event){.kind = GE_IRQ_WINDOW});
	assert_int_equal(out.verdict, GO_TAKE_IRQ);
	assert_false(r.sink->view->irq_window);
	rig_end(&r);
}

/*
 * Other exceptions that are set to exit come straight back, whatever was cut
 * short: KVM had no use for them and combined nothing.
 */
static void intercepted_exceptions(void **state)
{
	static const struct {
		uint8_t first, second, want;
	} cases[] = {
		{EXC_GP, EXC_NP, EXC_NP}, /* hardware alone: #DF */
		{EXC_UD, EXC_NP, EXC_NP},
		{EXC_DF, EXC_NP, EXC_NP}, /* hardware alone: shutdown */
		{EXC_GP, EXC_SS, EXC_DF}, /* bit 8 is set, bit 12 is not */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct guest_outcome first = {
			.vector = cases[i].first,
			.type = EVENT_HW_EXC,
			.has_error = cases[i].first != EXC_UD};
		struct guest_outcome out;
		struct rig r;

		/* #PF, #NP, #DF */
		assert_true(rig_start(&r, RIG_LONG, true,
				      "exception-bitmap=0x4900"));
		rig_begin(&r, &first, 0);
		out = rig_push(&r,
			       (struct guest_event){.kind = GE_EXCEPTION,
						    .vector = cases[i].second,
						    .has_error = true,
						    .error = 0x31});
		assert_int_equal(out.verdict, GO_FAULT);
		assert_int_equal(out.vector, cases[i].want);
		assert_int_equal(out.error, cases[i].want == EXC_DF ? 0 : 0x31);
		assert_int_equal(rig_counter(&r, CNT_reinjections), 0);
		rig_begin(&r, &out, 0);
		rig_complete(&r);
		assert_int_equal(rig_counter(&r, CNT_double_faults),
				 cases[i].want == EXC_DF);
		rig_end(&r);
	}
}

/* INT3 set to exit: back with its length, while #GP was being delivered. */
static void intercepted_int3(void **state)
{
	struct guest_outcome out;
	struct rig r;

	(void)state;
	assert_true(rig_start(&r, RIG_LONG, true, "exception-bitmap=0x4008"));
	out = rig_push(&r, (struct guest_event){.kind = GE_SOFT_INT,
						.vector = EXC_BP,
						.type = EVENT_SOFT_EXC,
						.insn_len = 1});
	assert_int_equal(out.verdict, GO_FAULT);
	assert_int_equal(out.vector, EXC_BP);
	assert_int_equal(out.type, EVENT_SOFT_EXC);
	/* INT 3 in two bytes is no #BP. */
	out = rig_push(&r, (struct guest_event){.kind = GE_SOFT_INT,
						.vector = EXC_BP,
						.type = EVENT_SOFT_INT,
						.insn_len = 2});
	assert_int_equal(out.type, EVENT_SOFT_INT);
	assert_int_equal(
		account_exits(sim_account(r.sim), EXIT_REASON_EXCEPTION_NMI),
		4); /* three fills of rig_start() and INT3 */
	rig_end(&r);
}

/* Real mode's exceptions have none: the source knows, the vector does not. */
static void an_exception_without_its_error_code(void **state)
{
	struct guest_outcome out;
	struct rig r;

	(void)state;
	assert_true(rig_start(&r, RIG_LONG, true, ""));
	out = rig_push(&r, (struct guest_event){.kind = GE_EXCEPTION,
						.vector = EXC_GP});
	assert_int_equal(out.verdict, GO_FAULT);
	assert_false(out.has_error);
	rig_end(&r);
}

static void mark(struct rig *r, enum guest_marker marker)
{
	rig_push(r, (struct guest_event){.kind = GE_IO,
					 .error = GUEST_MARKER_PORT,
					 .access = PFEC_W,
					 .size = 1,
					 .value = marker});
}

/*
 * What the view says was spent is all cycles but the guest's own, and goes on
 * where a region of interest begins to count anew.
 */
static void spent_is_all_but_the_guests(void **state)
{
	const struct guest_view *view;
	const struct account *acct;
	uint64_t guest, before, exit;
	struct rig r;

	(void)state;
	assert_true(rig_start(&r, RIG_LONG, true, "roi=on"));
	view = r.sink->view;
	acct = sim_counting(r.sim);
	for (unsigned int i = 0; i < 10; i++) {
		before = view->spent;
		rig_push(&r, (struct guest_event){.kind = GE_CPUID});
		exit = view->spent - before;
		guest = acct->cost_count[COST_GUEST_INSN];
		assert_true(exit > acct->cost[COST_EXIT].typ);
		assert_int_equal(view->spent, acct->now - guest);
		before = view->spent;
		rig_push(&r, (struct guest_event){.kind = GE_PAUSE});
		assert_int_equal(view->spent, before);
	}
	mark(&r, GUEST_REGION_BEGINS);
	assert_true(acct->now < before);
	assert_true(view->spent > before);
	before = view->spent;
	rig_push(&r, (struct guest_event){.kind = GE_CPUID});
	assert_int_equal(view->spent, before + exit);
	rig_end(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(latency_spans_hidden_faults),
		cmocka_unit_test(latency_of_the_fault_that_arrives),
		cmocka_unit_test(cr2_at_each_stage),
		cmocka_unit_test(requeued_interrupts),
		cmocka_unit_test(a_line_waits_for_the_requeued),
		cmocka_unit_test(intercepted_exceptions),
		cmocka_unit_test(intercepted_int3),
		cmocka_unit_test(an_exception_without_its_error_code),
		cmocka_unit_test(spent_is_all_but_the_guests),
	};

	return cmocka_run_group_tests_name("sim_deliver_time", tests, NULL,
					   NULL);
}
