/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guest faults of one processor while another one has its turn: what it does
 * then is no part of their latency, and of their chain only what it asks for.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sim/internal.h"
#include "synth.h"

#define FAULTING (SYNTH_USER + 8 * PAGE_SIZE)

static void touch(struct synth *s, gva_t gva)
{
	assert_true(synth_touch(s, gva, PFEC_W, SYNTH_PTE_RW));
}

/* Two processors in one space with a page; the first one's turn. */
static void start_two(struct synth *s, const char *config)
{
	gpa_t space;

	synth_start(s, config);
	space = synth_new_space(s);
	synth_load_cr3(s, space);
	/* No fault of the guest's, and no chain. */
	synth_store(s, synth_pte(s, SYNTH_USER), synth_frame(s) | SYNTH_PTE_RW);
	touch(s, SYNTH_USER);
	synth_use_vcpu(s, 1);
	synth_load_cr3(s, space);
	touch(s, SYNTH_USER);
	synth_use_vcpu(s, 0);
}

/* What the other one does in its turn. */
static void nothing(struct synth *s)
{
	(void)s;
}

static void many_exits(struct synth *s)
{
	for (int i = 0; i < 100; i++)
		synth_push(s, (struct guest_event){.kind = GE_CPUID});
}

/* The first one has to forget it, in an exit of its own. */
static void clear_entry(struct synth *s)
{
	synth_store(s, synth_pte(s, SYNTH_USER), 0);
	synth_push(s, (struct guest_event){.kind = GE_RDTSC});
}

static void turn(struct synth *s, void (*act)(struct synth *s))
{
	synth_use_vcpu(s, 1);
	act(s);
	synth_use_vcpu(s, 0);
}

enum when { NEVER, BEFORE_DELIVERY, IN_HANDLER, BEFORE_RETRY };

struct took {
	uint64_t cycles, exits;
	char chain[CHAIN_TEXT_MAX];
};

/* hits: what is retried is in a TLB, so that the simulator is not told. */
static struct took one_fault(enum when when, void (*act)(struct synth *s),
			     bool hits)
{
	const struct guest_event access = {.kind = GE_ACCESS,
					   .gva = FAULTING,
					   .size = 8,
					   .cpl = 3,
					   .access = PFEC_U,
					   .rip = 0x400000};
	const struct chain *chain[CHAINS_MAX];
	const struct account *acct;
	struct guest_outcome out;
	struct took took;
	struct synth s;

	start_two(&s, "bypass=off vcpus=2 cost.guest-insn=0");
	acct = sim_account(s.sim);
	out = synth_push(&s, access);
	turn(&s, when == BEFORE_DELIVERY ? act : nothing);
	synth_deliver(&s, &out);
	turn(&s, when == IN_HANDLER ? act : nothing);
	synth_store(&s, synth_pte(&s, FAULTING), SYNTH_PTE_RW);
	synth_push(&s, (struct guest_event){.kind = GE_RETRY,
					    .gva = FAULTING,
					    .rip = 0x400000});
	turn(&s, when == BEFORE_RETRY ? act : nothing);
	if (hits)
		synth_push(&s, (struct guest_event){.kind = GE_RDTSC});
	else
		assert_int_equal(synth_push(&s, access).verdict, GO_DONE);
	took.cycles = acct->fault_latency->typ.sum;
	assert_int_equal(chains_sorted(acct->chains, chain), 1);
	took.exits = chain[0]->exits;
	chain_text(&chain[0]->key, took.chain);
	synth_end(&s);
	return took;
}

static void others_work_is_not_told(void **state)
{
	(void)state;
	for (int hits = 0; hits < 2; hits++) {
		struct took alone = one_fault(NEVER, nothing, hits);

		assert_true(alone.cycles > 0);
		assert_string_equal(alone.chain, "injected > pt_write");
		for (int when = BEFORE_DELIVERY; when <= BEFORE_RETRY; when++) {
			struct took with =
				one_fault((enum when)when, many_exits, hits);

			assert_int_equal(with.cycles, alone.cycles);
			assert_int_equal(with.exits, alone.exits);
			assert_string_equal(with.chain, alone.chain);
		}
	}
}

/* An exit of its own, which takes the other one's time. */
static void others_requests_are(void **state)
{
	static const char *const want[] = {
		[BEFORE_DELIVERY] = "injected > EXTERNAL_INTERRUPT > pt_write",
		[IN_HANDLER] = "injected > EXTERNAL_INTERRUPT > pt_write",
		[BEFORE_RETRY] = "injected > pt_write > EXTERNAL_INTERRUPT",
	};
	struct took alone = one_fault(NEVER, nothing, false);

	(void)state;
	for (int when = BEFORE_DELIVERY; when <= BEFORE_RETRY; when++) {
		struct took with =
			one_fault((enum when)when, clear_entry, false);

		assert_string_equal(with.chain, want[when]);
		assert_int_equal(with.exits, alone.exits + 1);
		assert_int_equal(with.cycles, alone.cycles);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(others_work_is_not_told),
		cmocka_unit_test(others_requests_are),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
