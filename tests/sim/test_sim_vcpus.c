/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Several processors: what is each one's own, what they share, and how one
 * makes the others flush their TLBs.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "arch/cr.h"
#include "arch/exception.h"
#include "sim/internal.h"
#include "synth.h"

#define SECOND (SYNTH_USER + PAGE_SIZE)

static void touch(struct synth *s, gva_t gva)
{
	assert_true(synth_touch(s, gva, PFEC_W, SYNTH_PTE_RW));
}

/* A space with the other one's user tables below a root of its own. */
static gpa_t space_like(struct synth *s, gpa_t cr3)
{
	gpa_t root = synth_new_space(s);
	unsigned int index = pt_index(SYNTH_USER, 4);

	mem_write_u64(s->mem, root + 8 * index,
		      mem_read_u64(s->mem, cr3 + 8 * index));
	return root;
}

/* Processor 0 in a space with two pages, processor 1 in one that shares. */
static void start_two(struct synth *s, const char *config)
{
	gpa_t first, second;

	synth_start(s, config);
	first = synth_new_space(s);
	synth_load_cr3(s, first);
	touch(s, SYNTH_USER);
	touch(s, SECOND);
	second = space_like(s, first);
	synth_use_vcpu(s, 1);
	synth_load_cr3(s, second);
}

/* --- What is shared ------------------------------------------------------- */

static void test_two_roots_share_tables(void **state)
{
	static const char *const gens[] = {
		"kvm-2.6.20", "kvm-2.6.24", "seed",    "kvm-2.6.25",
		"kvm-2.6.28", "kvm-2.6.38", "kvm-3.1", "xen"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(gens); i++) {
		struct synth s;
		char config[64];
		uint64_t tables, exits, faults;

		snprintf(config, sizeof(config), "mmu=%s vcpus=2 audit=all",
			 gens[i]);
		start_two(&s, config);
		tables = synth_counter(&s, CNT_mmu_cache_miss);
		exits = synth_pf_exits(&s);
		faults = s.faults;

		/* The root's slot: one hidden fill links all there is. */
		touch(&s, SYNTH_USER);
		assert_int_equal(synth_pf_exits(&s), exits + 1);
		/* And the other page is there, by the other's work. */
		touch(&s, SECOND);
		assert_int_equal(synth_pf_exits(&s), exits + 1);
		assert_int_equal(synth_counter(&s, CNT_mmu_cache_miss), tables);
		assert_int_equal(s.faults, faults);

		/* What the second one maps, the first one has. */
		touch(&s, SECOND + PAGE_SIZE);
		assert_int_equal(s.faults, faults + 1);
		synth_use_vcpu(&s, 0);
		touch(&s, SECOND + PAGE_SIZE);
		assert_int_equal(s.faults, faults + 1);
		synth_end(&s);
	}
}

/*
 * A root in use by another processor is emptied, and goes on; since 2.6.28 it
 * is given up, and the other loads a new one when it enters.
 */
static const struct {
	const char *config;
	bool halts, keeps;
} pinned[] = {
	{"mmu=kvm-2.6.20", false, true},  {"mmu=seed", false, true},
	{"mmu=kvm-2.6.25", false, true},  {"mmu=kvm-2.6.25", true, true},
	{"mmu=kvm-2.6.38", false, false}, {"mmu=kvm-3.1", true, false},
	{"mmu=kvm-2.6.28", false, false}, {"mmu=kvm-2.6.28", true, false},
};

static void test_roots_are_pinned(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(pinned); i++) {
		char config[96];
		struct synth s;
		uint64_t loads;
		hpa_t root;

		snprintf(config, sizeof(config),
			 "%s vcpus=2 shadow-pages=64 audit=all",
			 pinned[i].config);
		start_two(&s, config);
		touch(&s, SYNTH_USER);
		root = s.sink->view->root;
		if (pinned[i].halts)
			synth_push(&s, (struct guest_event){.kind = GE_HLT});
		synth_use_vcpu(&s, 0);
		loads = synth_counter(&s, CNT_mmu_root_load);
		for (unsigned int n = 0; n < 40; n++) {
			synth_load_cr3(&s, synth_new_space(&s));
			touch(&s, SYNTH_USER);
		}
		assert_true(synth_counter(&s, CNT_mmu_recycled) > 0);
		synth_use_vcpu(&s, 1);
		synth_push(&s, (struct guest_event){.kind = GE_RDTSC});
		/* The new one may be in the frame of the old one. */
		loads = synth_counter(&s, CNT_mmu_root_load) - loads;
		assert_int_equal(loads == 40, pinned[i].keeps);
		assert_true(s.sink->view->root == root || !pinned[i].keeps);
		touch(&s, SYNTH_USER);
		touch(&s, SECOND);
		synth_end(&s);
	}
}

/* An injected fault does. */
static void reset_detector(struct synth *s)
{
	struct guest_outcome out = synth_push(
		s, (struct guest_event){.kind = GE_ACCESS,
					.gva = SYNTH_USER + 128 * PAGE_SIZE,
					.size = 8,
					.cpl = 3,
					.access = PFEC_U});

	assert_int_equal(out.verdict, GO_FAULT);
}

/* Two writes to a table by one and one by another are no flood. */
static void test_fork_detectors(void **state)
{
	static const uint8_t writers[][3] = {{0, 0, 0}, {0, 0, 1}, {1, 0, 1}};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(writers); i++) {
		struct synth s;
		gpa_t pte;
		uint64_t flooded;

		start_two(&s, "mmu=kvm-2.6.24 vcpus=2");
		touch(&s, SYNTH_USER);
		pte = synth_pte(&s, SYNTH_USER + 64 * PAGE_SIZE);
		flooded = synth_counter(&s, CNT_mmu_flooded);
		reset_detector(&s);
		synth_use_vcpu(&s, 0);
		reset_detector(&s);
		for (unsigned int n = 0; n < 3; n++) {
			synth_use_vcpu(&s, writers[i][n]);
			synth_store(&s, pte + 8 * n, 0);
		}
		assert_int_equal(synth_counter(&s, CNT_mmu_flooded),
				 flooded + (i == 0));
		synth_end(&s);
	}
}

/* --- What is each one's own ---------------------------------------------- */

static void test_registers(void **state)
{
	struct synth s;
	const struct guest_view *view[2];

	(void)state;
	synth_start(&s, "vcpus=2");
	view[0] = s.sink->view;
	synth_touch(&s, SYNTH_USER, PFEC_W, SYNTH_PTE_RW);
	/* The second begins with paging off. */
	s.vcpu = 1;
	synth_push(&s, (struct guest_event){.kind = GE_CPUID});
	view[1] = s.sink->view;
	assert_ptr_not_equal(view[0], view[1]);
	assert_int_equal(view[1]->guest, PAGING_OFF);
	assert_int_equal(view[1]->shadow, PAGING_PAE);
	assert_int_equal(view[1]->cr2, 0);
	synth_push(&s, (struct guest_event){
			       .kind = GE_CR_WRITE, .cr = 2, .value = 0x1234});
	assert_int_equal(view[1]->cr2, 0x1234);
	assert_int_equal(view[0]->cr2, SYNTH_USER);
	assert_int_equal(view[0]->guest, PAGING_4LEVEL);

	/* Physical memory, by the one whose paging is off. */
	synth_kernel_access(&s, 0x800000, PFEC_W);
	s.vcpu = 0;
	synth_kernel_access(&s, SYNTH_DIRECT + 0x800000, 0);
	assert_ptr_equal(s.sink->view, view[0]);
	synth_end(&s);
}

/* A delivery is under way on one while the other has a fault. */
static void test_deliveries(void **state)
{
	struct guest_event ev = {.kind = GE_ACCESS,
				 .gva = SYNTH_USER + 8 * PAGE_SIZE,
				 .size = 8,
				 .cpl = 3,
				 .access = PFEC_U};
	struct guest_outcome out;
	struct synth s;

	(void)state;
	start_two(&s, "bypass=off vcpus=2");
	synth_use_vcpu(&s, 0);
	out = synth_push(&s, ev);
	assert_int_equal(out.vector, EXC_PF);
	synth_push(&s, (struct guest_event){.kind = GE_DELIVER,
					    .vector = EXC_PF,
					    .type = EVENT_HW_EXC,
					    .has_error = true,
					    .error = out.error});
	/* On the same processor this would be a double fault. */
	synth_use_vcpu(&s, 1);
	out = synth_push(&s, ev);
	assert_int_equal(out.vector, EXC_PF);
	synth_use_vcpu(&s, 0);
	out = synth_push(&s, ev);
	assert_int_equal(out.vector, EXC_DF);
	synth_end(&s);
}

/* --- Remote flushes ------------------------------------------------------- */

struct flushes {
	uint64_t asked, ipis, exits, cost, all;
};

static struct flushes flushes_of(const struct synth *s)
{
	const struct account *acct = sim_account(s->sim);

	return (struct flushes){
		.asked = acct->counter[CNT_remote_tlb_flush],
		.ipis = acct->counter[CNT_remote_tlb_ipi],
		.exits = account_exits(acct, EXIT_REASON_EXTERNAL_INTERRUPT),
		.cost = acct->cost_count[COST_IPI],
		.all = account_exits_total(acct),
	};
}

static void nothing(struct synth *s)
{
	(void)s;
}

static void halt(struct synth *s)
{
	synth_use_vcpu(s, 1);
	synth_push(s, (struct guest_event){.kind = GE_HLT});
	synth_use_vcpu(s, 0);
}

static void halt_and_wake(struct synth *s)
{
	halt(s);
	synth_use_vcpu(s, 1);
	touch(s, SYNTH_USER);
	synth_use_vcpu(s, 0);
}

static void begin_third(struct synth *s)
{
	synth_use_vcpu(s, 2);
	synth_use_vcpu(s, 0);
}

static void clear_pte(struct synth *s)
{
	synth_store(s, synth_pte(s, SYNTH_USER), 0);
}

/* D is set already: nothing that a TLB holds is too much. */
static void set_software_bit(struct synth *s)
{
	gpa_t pte = synth_pte(s, SYNTH_USER);

	synth_store(s, pte, mem_read_u64(s->mem, pte) | BIT(10));
}

static void clear_two(struct synth *s)
{
	gpa_t pte = synth_pte(s, SYNTH_USER);
	const gva_t gva = SYNTH_DIRECT + pte;
	struct guest_outcome out =
		synth_push(s, (struct guest_event){.kind = GE_ACCESS,
						   .gva = gva,
						   .size = 16,
						   .access = PFEC_W});

	assert_int_equal(out.verdict, GO_EMULATE);
	synth_push(s, (struct guest_event){
			      .kind = GE_STORE, .gva = gva, .size = 16});
}

static const struct {
	const char *name, *config;
	void (*before)(struct synth *s);
	void (*act)(struct synth *s);
	uint64_t asked, ipis;
} flush_cases[] = {
	{"entry cleared", "mmu=kvm-2.6.25 vcpus=2", nothing, clear_pte, 1, 1},
	{"entry cleared, seed", "mmu=seed vcpus=2", nothing, clear_pte, 1, 1},
	{"no right less", "mmu=kvm-2.6.25 vcpus=2", nothing, set_software_bit,
	 0, 0},
	{"no right less, seed", "mmu=seed vcpus=2", nothing, set_software_bit,
	 1, 1},
	{"two in one exit", "mmu=kvm-2.6.25 vcpus=2", nothing, clear_two, 2, 1},
	{"the other halted", "vcpus=2", halt, clear_pte, 1, 0},
	{"and woke up", "vcpus=2", halt_and_wake, clear_pte, 1, 1},
	{"it polls", "vcpus=2 hlt-exiting=off", halt, clear_pte, 1, 1},
	{"two others", "vcpus=3", begin_third, clear_pte, 1, 2},
	{"one has not begun", "vcpus=4", begin_third, clear_pte, 1, 2},
};

static void test_remote_flush(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(flush_cases); i++) {
		struct synth s;
		struct diag diag;
		struct tlb *tlb[2];
		struct flushes was, is;
		bool hit;

		start_two(&s, flush_cases[i].config);
		assert_int_equal(
			sim_use_tlb(s.sim, &cpu_geometry_generic, &diag), 0);
		tlb[0] = sim_tlb(s.sim, 0);
		tlb[1] = sim_tlb(s.sim, 1);
		touch(&s, SYNTH_USER);
		synth_use_vcpu(&s, 0);
		flush_cases[i].before(&s);
		if (s.sim->vcpu[1].runs)
			assert_true(tlb_lookup(tlb[1], SYNTH_USER,
					       TLB_READ | TLB_USER));
		was = flushes_of(&s);
		flush_cases[i].act(&s);
		/* The exit of an emulation ends with the next event. */
		synth_push(&s, (struct guest_event){.kind = GE_RDTSC});
		is = flushes_of(&s);

		if (is.asked - was.asked != flush_cases[i].asked ||
		    is.ipis - was.ipis != flush_cases[i].ipis)
			fail_msg("%s: asked for %d, %d interrupted",
				 flush_cases[i].name,
				 (int)(is.asked - was.asked),
				 (int)(is.ipis - was.ipis));
		assert_int_equal(is.cost - was.cost, flush_cases[i].ipis);
		assert_int_equal(is.exits - was.exits, flush_cases[i].ipis);
		assert_int_equal(is.all - was.all, flush_cases[i].ipis + 1);
		hit = tlb_lookup(tlb[1], SYNTH_USER, TLB_READ | TLB_USER);
		if (hit != (s.sim->vcpu[1].runs && !flush_cases[i].ipis))
			fail_msg("%s: the other's TLB", flush_cases[i].name);
		synth_end(&s);
	}
}

/* The costs of it, to the cycle: the sender's exit and the receiver's. */
static void test_remote_flush_cycles(void **state)
{
	uint64_t cycles[2];
	struct config config;

	(void)state;
	config_init(&config);
	for (int halted = 0; halted < 2; halted++) {
		struct synth s;

		start_two(&s, "vcpus=2 cost.ipi=100000");
		touch(&s, SYNTH_USER);
		synth_use_vcpu(&s, 0);
		if (halted)
			halt(&s);
		cycles[halted] = sim_account(s.sim)->now;
		clear_pte(&s);
		synth_push(&s, (struct guest_event){.kind = GE_RDTSC});
		cycles[halted] = sim_account(s.sim)->now - cycles[halted];
		synth_end(&s);
	}
	assert_int_equal(cycles[0] - cycles[1],
			 100000 + config.cost[COST_EXIT].typ +
				 config.cost[COST_DISPATCH].typ +
				 config.cost[COST_OTHER].typ);
}

static void test_one_processor(void **state)
{
	struct synth s;

	(void)state;
	synth_start(&s, "mmu=seed");
	touch(&s, SYNTH_USER);
	clear_pte(&s);
	touch(&s, SYNTH_USER);
	synth_push(&s, (struct guest_event){.kind = GE_RDTSC});
	assert_true(synth_counter(&s, CNT_remote_tlb_flush) > 0);
	assert_int_equal(synth_counter(&s, CNT_remote_tlb_ipi), 0);
	assert_int_equal(account_exits(sim_account(s.sim),
				       EXIT_REASON_EXTERNAL_INTERRUPT),
			 0);
	synth_end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_two_roots_share_tables),
		cmocka_unit_test(test_roots_are_pinned),
		cmocka_unit_test(test_fork_detectors),
		cmocka_unit_test(test_registers),
		cmocka_unit_test(test_deliveries),
		cmocka_unit_test(test_remote_flush),
		cmocka_unit_test(test_remote_flush_cycles),
		cmocka_unit_test(test_one_processor),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
