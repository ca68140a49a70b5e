/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who flushes (docs/translation.md): what the hypervisor executes in an exit
 * with and without VPID and beneath EPT, what the processor does by itself, and
 * what is left in the TLB of each.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "arch/cr.h"
#include "sim/internal.h"
#include "synth.h"

#define PAGE  SYNTH_USER
#define OTHER (SYNTH_USER + PAGE_SIZE)
#define FRESH (SYNTH_USER + 2 * PAGE_SIZE)

#define GUEST_CR0 (CR0_PE | CR0_ET | CR0_PG | CR0_WP)

static void touch(struct synth *s, gva_t gva)
{
	assert_true(synth_touch(s, gva, PFEC_W, SYNTH_PTE_RW));
}

static bool holds(const struct synth *s, unsigned int vcpu, gva_t gva)
{
	struct tlb *tlb = sim_tlb(s->sim, vcpu);
	const uint32_t needs = TLB_READ | TLB_USER;

	return tlb_lookup(tlb, gva, needs) ||
	       tlb_lookup_second(tlb, gva, needs);
}

/* --- What a case does ----------------------------------------------------- */

static void event(struct synth *s, enum guest_event_kind kind)
{
	synth_push(s, (struct guest_event){.kind = kind, .gva = PAGE});
}

static void cpuid(struct synth *s)
{
	event(s, GE_CPUID);
}

static void invlpg(struct synth *s)
{
	event(s, GE_INVLPG);
}

static void invpcid(struct synth *s, uint8_t type, uint64_t pcid)
{
	struct guest_outcome out =
		synth_push(s, (struct guest_event){.kind = GE_INVPCID,
						   .reg = type,
						   .value = pcid,
						   .gva = PAGE});

	assert_int_equal(out.verdict, GO_DONE);
}

static void invpcid_address(struct synth *s)
{
	invpcid(s, INVPCID_ADDRESS, 0);
}

static void invpcid_all(struct synth *s)
{
	invpcid(s, INVPCID_ALL, 0);
}

static void invpcid_of_another(struct synth *s)
{
	invpcid(s, INVPCID_CONTEXT, 5);
}

static void load(struct synth *s, uint8_t cr, uint64_t val)
{
	struct guest_outcome out = synth_push(
		s, (struct guest_event){
			   .kind = GE_CR_WRITE, .cr = cr, .value = val});

	assert_int_equal(out.verdict, GO_DONE);
}

static void use_pcids(struct synth *s)
{
	load(s, 4, CR4_PAE | CR4_PCIDE);
}

/* The space at hand, once more. */
static void load_cr3(struct synth *s)
{
	load(s, 3, s->cr3);
}

static void load_other_cr3(struct synth *s)
{
	synth_load_cr3(s, synth_new_space(s));
}

/* Two spaces that are CR3 targets, by loads that exit. */
static gpa_t known_cr3[2];

static void know_cr3s(struct synth *s)
{
	known_cr3[0] = s->cr3;
	known_cr3[1] = synth_new_space(s);
	load(s, 3, known_cr3[1]);
	load(s, 3, known_cr3[0]);
}

static void load_known_cr3(struct synth *s)
{
	load(s, 3, known_cr3[1]);
}

static void clear_wp(struct synth *s)
{
	load(s, 0, GUEST_CR0 & ~CR0_WP);
}

static void set_ts(struct synth *s)
{
	load(s, 0, GUEST_CR0 | CR0_TS);
}

static void set_pge(struct synth *s)
{
	load(s, 4, CR4_PAE | CR4_PGE);
}

static void clear_nxe(struct synth *s)
{
	synth_push(s, (struct guest_event){.kind = GE_WRMSR,
					   .error = MSR_EFER,
					   .value = EFER_LME | EFER_LMA});
}

static void clear_pte(struct synth *s)
{
	synth_store(s, synth_pte(s, FRESH), 0);
}

static void set_software_bit(struct synth *s)
{
	gpa_t pte = synth_pte(s, FRESH);

	synth_store(s, pte, mem_read_u64(s->mem, pte) | BIT(10));
}

/* Two entries by one instruction. */
static void clear_two(struct synth *s)
{
	const gva_t gva = SYNTH_DIRECT + synth_pte(s, FRESH);
	struct guest_outcome out =
		synth_push(s, (struct guest_event){.kind = GE_ACCESS,
						   .gva = gva,
						   .size = 16,
						   .access = PFEC_W});

	assert_int_equal(out.verdict, GO_EMULATE);
	synth_push(s, (struct guest_event){
			      .kind = GE_STORE, .gva = gva, .size = 16});
}

/* The guest has it, the shadow has not; beneath EPT nobody has touched it.
 * Its table has been used. */
static void hidden_fault(struct synth *s)
{
	synth_kernel_access(s, SYNTH_DIRECT + 0x3ff000, 0);
}

static void nothing(struct synth *s)
{
	(void)s;
}

/* --- One processor ---------------------------------------------------------
 */

/* What is left of two pages. */
#define NONE 0u
#define REST 2u /* OTHER, not PAGE */
#define BOTH 3u

static const struct flush_case {
	const char *name, *config;
	void (*before)(struct synth *s);
	void (*act)(struct synth *s);
	unsigned int exits, invvpid, invept, left;
} cases[] = {
	/* Without VPID each exit flushes, and nobody executes anything. */
	{"CPUID", "vpid=off", nothing, cpuid, 1, 0, 0, NONE},
	{"CR3", "vpid=off", nothing, load_cr3, 1, 0, 0, NONE},
	{"less rights", "vpid=off", nothing, clear_pte, 1, 0, 0, NONE},
	{"INVLPG without exit", "vpid=off", nothing, invlpg, 0, 0, 0, REST},

	{"CPUID", "vpid=on", nothing, cpuid, 1, 0, 0, BOTH},
	{"a fill", "vpid=on", nothing, hidden_fault, 1, 0, 0, BOTH},
	{"CR3", "vpid=on", nothing, load_cr3, 1, 1, 0, NONE},
	{"another CR3", "vpid=on", nothing, load_other_cr3, 1, 1, 0, NONE},
	{"CR0", "vpid=on", nothing, clear_wp, 1, 1, 0, NONE},
	{"CR4", "vpid=on", nothing, set_pge, 1, 1, 0, NONE},
	{"EFER", "vpid=on", nothing, clear_nxe, 1, 1, 0, NONE},
	{"INVLPG", "vpid=on invlpg-exiting=on", nothing, invlpg, 1, 1, 0, NONE},
	{"INVLPG", "vpid=on mmu=kvm-3.1", nothing, invlpg, 1, 1, 0, NONE},
	{"INVPCID, a page", "vpid=on invlpg-exiting=on features=invpcid",
	 nothing, invpcid_address, 1, 1, 0, NONE},
	{"INVPCID, all", "vpid=on invlpg-exiting=on features=invpcid", nothing,
	 invpcid_all, 1, 1, 0, NONE},
	/* Roots of another PCID are not held. */
	{"INVPCID of another",
	 "vpid=on invlpg-exiting=on features=pcid+invpcid", use_pcids,
	 invpcid_of_another, 1, 0, 0, BOTH},
	{"less rights", "vpid=on", nothing, clear_pte, 1, 1, 0, NONE},
	{"twice less rights", "vpid=on", nothing, clear_two, 1, 1, 0, NONE},
	{"no right less", "vpid=on", nothing, set_software_bit, 1, 0, 0, BOTH},
	/* Until 2.6.25 KVM flushed all the same. */
	{"no right less", "vpid=on mmu=seed", nothing, set_software_bit, 1, 1,
	 0, NONE},

	/* The guest's own, which the hypervisor does not see. */
	{"INVLPG without exit", "vpid=on", nothing, invlpg, 0, 0, 0, REST},
	{"INVPCID without exit", "vpid=on features=invpcid", nothing,
	 invpcid_all, 0, 0, 0, NONE},
	{"a CR3 target", "vpid=on cr3-targets=2", know_cr3s, load_known_cr3, 0,
	 0, 0, NONE},

	/* Beneath EPT VPID is the rule. */
	{"CPUID", "mmu=ept vpid=off", nothing, cpuid, 1, 0, 0, NONE},
	{"CPUID", "mmu=ept", nothing, cpuid, 1, 0, 0, BOTH},
	{"an EPT violation", "mmu=ept", nothing, hidden_fault, 1, 0, 0, BOTH},
	{"CR0.WP", "mmu=ept", nothing, clear_wp, 1, 0, 1, NONE},
	{"CR0.TS", "mmu=ept", nothing, set_ts, 0, 0, 0, BOTH},
	{"EFER", "mmu=ept", nothing, clear_nxe, 1, 0, 1, NONE},
	{"CR3", "mmu=ept", nothing, load_cr3, 0, 0, 0, NONE},
	{"CR4.PGE", "mmu=ept", nothing, set_pge, 0, 0, 0, NONE},
	{"INVLPG", "mmu=ept", nothing, invlpg, 0, 0, 0, REST},
	{"a table's entry", "mmu=ept", nothing, clear_pte, 0, 0, 0, BOTH},

	{"CPUID", "mmu=native", nothing, cpuid, 0, 0, 0, BOTH},
	{"INVLPG", "mmu=native", nothing, invlpg, 0, 0, 0, REST},
	{"CR3", "mmu=native", nothing, load_cr3, 0, 0, 0, NONE},
};

static void use_tlb(struct synth *s)
{
	struct diag diag;

	assert_int_equal(sim_use_tlb(s->sim, &cpu_geometry_generic, &diag), 0);
}

/* How often anything was done. */
struct done {
	uint64_t exits, invvpid, invept;
};

static struct done done_by(const struct synth *s)
{
	const struct account *acct = sim_account(s->sim);

	return (struct done){account_exits_total(acct),
			     acct->cost_count[COST_INVVPID],
			     acct->cost_count[COST_INVEPT]};
}

static void check_done(const char *name, const char *config,
		       const struct synth *s, struct done was, struct done want)
{
	struct done is = done_by(s);

	if (is.exits - was.exits != want.exits ||
	    is.invvpid - was.invvpid != want.invvpid ||
	    is.invept - was.invept != want.invept)
		fail_msg("%s, %s: %d exits, %d INVVPID, %d INVEPT", name,
			 config, (int)(is.exits - was.exits),
			 (int)(is.invvpid - was.invvpid),
			 (int)(is.invept - was.invept));
}

static void check_case(const struct flush_case *c)
{
	const struct done want = {c->exits, c->invvpid, c->invept};
	struct done was;
	struct synth s;
	unsigned int left;

	synth_start(&s, c->config);
	use_tlb(&s);
	synth_load_cr3(&s, synth_new_space(&s));
	touch(&s, FRESH);
	c->before(&s);
	touch(&s, PAGE);
	touch(&s, OTHER);
	touch(&s, PAGE);
	assert_true(holds(&s, 0, PAGE) && holds(&s, 0, OTHER));

	was = done_by(&s);
	c->act(&s);
	/* The exit of an emulation ends with the next event. */
	synth_push(&s, (struct guest_event){.kind = GE_RDTSC});
	check_done(c->name, c->config, &s, was, want);
	left = holds(&s, 0, PAGE) | (unsigned int)holds(&s, 0, OTHER) << 1;
	if (left != c->left)
		fail_msg("%s, %s: left are %u, want %u", c->name, c->config,
			 left, c->left);
	synth_end(&s);
}

static void test_one_processor(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		check_case(&cases[i]);
}

/* --- Two -------------------------------------------------------------------
 */

/* Processor 0 in a space with PAGE, processor 1 in one that shares. */
static void start_two(struct synth *s, const char *config)
{
	const unsigned int index = pt_index(SYNTH_USER, 4);
	gpa_t first, second;

	synth_start(s, config);
	use_tlb(s);
	first = synth_new_space(s);
	synth_load_cr3(s, first);
	touch(s, FRESH);
	touch(s, PAGE);
	second = synth_new_space(s);
	mem_write_u64(s->mem, second + 8 * index,
		      mem_read_u64(s->mem, first + 8 * index));
	synth_use_vcpu(s, 1);
	synth_load_cr3(s, second);
	touch(s, PAGE);
	synth_use_vcpu(s, 0);
	touch(s, PAGE);
	assert_true(holds(s, 0, PAGE) && holds(s, 1, PAGE));
}

static void halt_other(struct synth *s)
{
	synth_use_vcpu(s, 1);
	event(s, GE_HLT);
	synth_use_vcpu(s, 0);
}

static void clear_twice(struct synth *s)
{
	clear_pte(s);
	synth_store(s, synth_pte(s, FRESH), SYNTH_PTE_RW);
	clear_pte(s);
}

/* left: bit 0 and 1, whose TLB still holds PAGE; later: INVVPID of the other
 * when its turn comes. */
static const struct {
	const char *name, *config;
	void (*before)(struct synth *s);
	void (*act)(struct synth *s);
	unsigned int exits, invvpid, left, later;
} two[] = {
	{"one's own", "vpid=off vcpus=2", nothing, cpuid, 1, 0, 2, 0},
	{"one's own", "vpid=on vcpus=2", nothing, cpuid, 1, 0, 3, 0},
	{"one's own root", "vpid=on vcpus=2", nothing, load_cr3, 1, 1, 2, 0},
	{"less rights", "vpid=off vcpus=2", nothing, clear_pte, 2, 0, 0, 0},
	/* In an exit of its own. */
	{"less rights", "vpid=on vcpus=2", nothing, clear_pte, 2, 2, 0, 0},
	{"two at once", "vpid=on vcpus=2", nothing, clear_two, 2, 2, 0, 0},
	{"no right less", "vpid=on vcpus=2", nothing, set_software_bit, 1, 0, 3,
	 0},
	/* One that sleeps does so before it runs again, once. */
	{"it sleeps", "vpid=on vcpus=2", halt_other, clear_pte, 1, 1, 2, 1},
	{"it sleeps long", "vpid=on vcpus=2", halt_other, clear_twice, 3, 2, 2,
	 1},
	{"it sleeps", "vpid=off vcpus=2", halt_other, clear_pte, 1, 0, 0, 0},
	{"nothing new", "vpid=on vcpus=2", halt_other, set_software_bit, 1, 0,
	 3, 0},
};

static void test_two_processors(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(two); i++) {
		struct synth s;
		struct done was, later;
		unsigned int left;

		start_two(&s, two[i].config);
		two[i].before(&s);
		was = done_by(&s);
		two[i].act(&s);
		synth_push(&s, (struct guest_event){.kind = GE_RDTSC});
		check_done(two[i].name, two[i].config, &s, was,
			   (struct done){two[i].exits, two[i].invvpid, 0});
		left = holds(&s, 0, PAGE) | (unsigned int)holds(&s, 1, PAGE)
						    << 1;
		if (left != two[i].left)
			fail_msg("%s, %s: left are %u, want %u", two[i].name,
				 two[i].config, left, two[i].left);

		later = done_by(&s);
		synth_use_vcpu(&s, 1);
		synth_push(&s, (struct guest_event){.kind = GE_RDTSC});
		check_done(two[i].name, "when it goes on", &s, later,
			   (struct done){0, two[i].later, 0});
		assert_true(!two[i].later || !holds(&s, 1, PAGE));
		synth_end(&s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_processor),
		cmocka_unit_test(test_two_processors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
