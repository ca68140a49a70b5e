/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Faults met while an event is being delivered: by hardware's rules where they
 * bypass the hypervisor, by KVM's where it sees them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "arch/exception.h"

#include "synth.h"

#define OTHER_STACK (SYNTH_DIRECT + 0xaf000)

static struct guest_outcome event(uint8_t vector, enum event_type type,
				  bool has_error)
{
	return (struct guest_outcome){
		.verdict = GO_FAULT,
		.vector = vector,
		.type = (uint8_t)type,
		.has_error = has_error,
	};
}

/* The stack is mapped by the guest, but not in the shadow yet. */
static void hidden_fault_is_reinjected(void **state)
{
	static const char *const config[] = {"bypass=off", "bypass=on"};
	const struct guest_outcome events[] = {
		event(0x20, EVENT_EXT_INT, false),
		event(0x80, EVENT_SOFT_INT, false),
		event(EXC_GP, EVENT_HW_EXC, true),
	};

	(void)state;
	for (size_t i = 0; i < 2 * ARRAY_LEN(events); i++) {
		const struct guest_outcome *ev = &events[i / 2];
		uint64_t hidden;
		struct synth s;

		synth_start(&s, config[i & 1]);
		s.stack = OTHER_STACK;
		hidden = synth_cause(&s, CAUSE_hidden_fill);
		synth_deliver(&s, ev);
		assert_int_equal(s.last_vector, ev->vector);
		assert_false(s.shutdown);
		assert_int_equal(synth_counter(&s, CNT_reinjections), 1);
		assert_int_equal(synth_cause(&s, CAUSE_hidden_fill),
				 hidden + 1);
		assert_int_equal(s.faults, 0);
		synth_end(&s);
	}
}

static gpa_t leaf_of(const struct synth *s, gva_t gva)
{
	gpa_t table = s->cr3;

	for (int level = 4; level > 1; level--)
		table = mem_read_u64(s->mem, table + 8 * pt_index(gva, level)) &
			PTE_ADDR;
	return table + 8 * pt_index(gva, 1);
}

/* A guest without a kernel stack: #PF on delivering #PF, then on #DF. */
static void no_stack_ends_in_shutdown(void **state)
{
	static const char *const config[] = {
		"mmu=kvm-2.6.24",
		"mmu=kvm-2.6.25 bypass=off",
		"mmu=kvm-2.6.25 bypass=on",
		"mmu=seed bypass=on",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(config); i++) {
		struct synth s;

		synth_start(&s, config[i]);
		synth_store(&s, leaf_of(&s, s.stack - 8), 0);
		synth_push(&s, (struct guest_event){.kind = GE_INVLPG,
						    .gva = s.stack - 8});
		if (synth_touch(&s, SYNTH_USER, PFEC_W, SYNTH_PTE_RW))
			fail_msg("%s: the guest lives on", config[i]);
		/*
		 * KVM makes #DF of #PF on #PF, but goes on with #PF for one
		 * on #DF (facts: only the first is promoted): no end.
		 */
		assert_int_equal(s.endless, i < 2);
		assert_int_equal(s.shutdown, i >= 2);
		assert_int_equal(account_exits(sim_account(s.sim),
					       EXIT_REASON_TRIPLE_FAULT),
				 i >= 2);
		synth_end(&s);
	}
}

/* An interrupt whose delivery meets a guest fault: KVM keeps the interrupt,
 * hardware alone loses it. */
static void interrupt_survives_a_guest_fault(void **state)
{
	(void)state;
	for (int bypass = 0; bypass < 2; bypass++) {
		struct guest_outcome irq = event(0x20, EVENT_EXT_INT, false);
		struct guest_outcome out;
		struct synth s;

		synth_start(&s, bypass ? "bypass=on" : "bypass=off");
		s.stack = OTHER_STACK;
		synth_kernel_access(&s, s.stack - 8, PFEC_W);
		synth_store(&s, leaf_of(&s, s.stack - 8), 0);
		synth_push(&s, (struct guest_event){.kind = GE_DELIVER,
						    .vector = 0x20});
		out = synth_push(&s, (struct guest_event){.kind = GE_ACCESS,
							  .gva = s.stack - 8,
							  .access = PFEC_W});
		assert_int_equal(out.verdict, GO_FAULT);
		assert_int_equal(out.vector, EXC_PF);
		s.stack = SYNTH_STACK;
		synth_deliver(&s, &out);
		assert_int_equal(s.sink->view->irq_window, !bypass);
		if (!bypass) {
			out = synth_push(&s, (struct guest_event){
						     .kind = GE_IRQ_WINDOW});
			assert_int_equal(out.verdict, GO_FAULT);
			assert_int_equal(out.vector, irq.vector);
			assert_int_equal(out.type, EVENT_EXT_INT);
			assert_false(s.sink->view->irq_window);
		}
		synth_end(&s);
	}
}

/* From the access to the retry, hidden refault included. */
static void latency_of_a_guest_fault(void **state)
{
	const struct histogram *h;
	uint64_t began;
	struct synth s;

	(void)state;
	synth_start(&s, "mmu=kvm-2.6.20");
	synth_touch(&s, SYNTH_USER, PFEC_W, SYNTH_PTE_RW);
	synth_touch(&s, SYNTH_USER + PAGE_SIZE, PFEC_W, SYNTH_PTE_RW);
	h = &sim_account(s.sim)->fault_latency->typ;
	assert_int_equal(h->count, 2);

	began = sim_account(s.sim)->now;
	synth_touch(&s, SYNTH_USER + 2 * PAGE_SIZE, PFEC_W, SYNTH_PTE_RW);
	assert_int_equal(h->count, 3);
	/* The first event's clock tick belongs to the instruction before. */
	assert_in_range(sim_account(s.sim)->now - began - h->min, 0, 2);
	synth_end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hidden_fault_is_reinjected),
		cmocka_unit_test(no_stack_ends_in_shutdown),
		cmocka_unit_test(interrupt_survives_a_guest_fault),
		cmocka_unit_test(latency_of_a_guest_fault),
	};

	return cmocka_run_group_tests_name("sim_delivery", tests, NULL, NULL);
}
