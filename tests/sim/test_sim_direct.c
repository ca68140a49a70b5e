/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mmu=ept and mmu=native: which events exit, what an EPT violation tells, and
 * that a machine without a hypervisor knows of no exit at all.
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

#define GUEST_CR0 (CR0_PE | CR0_ET | CR0_PG | CR0_WP)
#define NO_EXIT   (-1)

static const struct {
	const char *name;
	struct guest_event ev;
	int reason; /* beneath EPT */
	enum guest_verdict verdict;
	int vector; /* of GO_FAULT */
} cases[] = {
	{"CPUID", {.kind = GE_CPUID}, EXIT_REASON_CPUID, GO_DONE, 0},
	{"HLT", {.kind = GE_HLT}, EXIT_REASON_HLT, GO_DONE, 0},
	{"INVD", {.kind = GE_INVD}, EXIT_REASON_INVD, GO_DONE, 0},
	{"INVLPG", {.kind = GE_INVLPG, .gva = 0x1000}, NO_EXIT, GO_DONE, 0},
	{"IN",
	 {.kind = GE_IO, .error = 0x3f8, .size = 1},
	 EXIT_REASON_IO_INSTRUCTION,
	 GO_DONE,
	 0},
	{"RDMSR",
	 {.kind = GE_RDMSR, .error = MSR_STAR},
	 EXIT_REASON_MSR_READ,
	 GO_DONE,
	 0},
	{"EFER with an unknown bit",
	 {.kind = GE_WRMSR, .error = MSR_EFER, .value = BIT(20)},
	 EXIT_REASON_MSR_WRITE,
	 GO_FAULT,
	 EXC_GP},
	{"VMCALL", {.kind = GE_VMCALL}, EXIT_REASON_VMCALL, GO_FAULT, EXC_UD},
	{"MOV DR", {.kind = GE_DR, .cr = 7}, EXIT_REASON_DR_ACCESS, GO_DONE, 0},
	{"MOV to CR0, TS",
	 {.kind = GE_CR_WRITE, .cr = 0, .value = GUEST_CR0 | CR0_TS},
	 NO_EXIT,
	 GO_DONE,
	 0},
	{"MOV to CR0, WP",
	 {.kind = GE_CR_WRITE, .cr = 0, .value = GUEST_CR0 & ~CR0_WP},
	 EXIT_REASON_CR_ACCESS,
	 GO_DONE,
	 0},
	{"MOV to CR0, PG without PE",
	 {.kind = GE_CR_WRITE, .cr = 0, .value = CR0_PG},
	 EXIT_REASON_CR_ACCESS,
	 GO_FAULT,
	 EXC_GP},
	{"CLTS", {.kind = GE_CLTS}, NO_EXIT, GO_DONE, 0},
	{"MOV to CR3",
	 {.kind = GE_CR_WRITE, .cr = 3, .value = 0x1000},
	 NO_EXIT,
	 GO_DONE,
	 0},
	{"MOV from CR3", {.kind = GE_CR_READ, .cr = 3}, NO_EXIT, GO_DONE, 0},
	{"MOV to CR4, PGE",
	 {.kind = GE_CR_WRITE, .cr = 4, .value = CR4_PAE | CR4_PGE},
	 NO_EXIT,
	 GO_DONE,
	 0},
	{"MOV to CR4, PSE",
	 {.kind = GE_CR_WRITE, .cr = 4, .value = CR4_PAE | CR4_PSE},
	 EXIT_REASON_CR_ACCESS,
	 GO_DONE,
	 0},
	{"MOV to CR4, VMXE",
	 {.kind = GE_CR_WRITE, .cr = 4, .value = CR4_PAE | CR4_VMXE},
	 EXIT_REASON_CR_ACCESS,
	 GO_FAULT,
	 EXC_GP},
	{"MOV to CR8",
	 {.kind = GE_CR_WRITE, .cr = 8, .value = 3},
	 EXIT_REASON_CR_ACCESS,
	 GO_DONE,
	 0},
	{"#GP of an instruction",
	 {.kind = GE_EXCEPTION, .vector = EXC_GP, .has_error = true},
	 NO_EXIT,
	 GO_FAULT,
	 EXC_GP},
	{"interrupt, guest open",
	 {.kind = GE_IRQ, .if_open = true},
	 EXIT_REASON_EXTERNAL_INTERRUPT,
	 GO_TAKE_IRQ,
	 0},
	{"interrupt, guest closed",
	 {.kind = GE_IRQ},
	 EXIT_REASON_EXTERNAL_INTERRUPT,
	 GO_LATER,
	 0},
};

static void check_case(size_t i, const char *config, int reason)
{
	const struct account *acct;
	uint64_t before, exits;
	struct guest_outcome out;
	struct synth s;

	synth_start(&s, config);
	acct = sim_account(s.sim);
	before = account_exits_total(acct);
	exits = reason < 0 ? 0 : account_exits(acct, (unsigned int)reason);
	out = synth_push(&s, cases[i].ev);
	if (account_exits_total(acct) - before != (reason >= 0) ||
	    (reason >= 0 &&
	     account_exits(acct, (unsigned int)reason) != exits + 1) ||
	    out.verdict != cases[i].verdict ||
	    (out.verdict == GO_FAULT && out.vector != cases[i].vector))
		fail_msg("%s, %s: %llu exits, verdict %d, vector %d", config,
			 cases[i].name,
			 (unsigned long long)(account_exits_total(acct) -
					      before),
			 (int)out.verdict, out.vector);
	synth_end(&s);
}

static void exits_by_event(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		check_case(i, "mmu=ept audit=all", cases[i].reason);
		check_case(i, "mmu=native audit=all", NO_EXIT);
	}
}

/* What the guest reads is what it wrote, whoever owns the bits. */
static void the_guest_reads_its_own_registers(void **state)
{
	static const char *const configs[] = {"mmu=ept", "mmu=native"};
	struct guest_event write = {.kind = GE_CR_WRITE, .cr = 4};
	struct guest_event read = {.kind = GE_CR_READ};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(configs); i++) {
		struct synth s;

		synth_start(&s, configs[i]);
		write.value = CR4_PAE | CR4_PGE | CR4_OSFXSR;
		synth_push(&s, write);
		read.cr = 4;
		assert_int_equal(synth_push(&s, read).value, write.value);
		read.cr = 0;
		assert_int_equal(synth_push(&s, read).value, GUEST_CR0);
		read.cr = 3;
		assert_int_equal(synth_push(&s, read).value, 0x1000);
		synth_end(&s);
	}
}

static void window_without_exits(void **state)
{
	struct synth s;

	(void)state;
	synth_start(&s, "mmu=native");
	assert_int_equal(
		synth_push(&s, (struct guest_event){.kind = GE_IRQ}).verdict,
		GO_LATER);
	assert_true(s.sink->view->irq_window);
	assert_int_equal(
		synth_push(&s, (struct guest_event){.kind = GE_IRQ_WINDOW})
			.verdict,
		GO_TAKE_IRQ);
	assert_false(s.sink->view->irq_window);
	assert_int_equal(account_exits_total(sim_account(s.sim)), 0);
	assert_int_equal(synth_counter(&s, CNT_irq_injections), 0);
	synth_end(&s);
}

/* Two page faults at once, and a third: the end, without an exit. */
static void a_triple_fault_of_its_own(void **state)
{
	struct guest_event ev = {.kind = GE_DELIVER,
				 .vector = EXC_DF,
				 .type = EVENT_HW_EXC,
				 .has_error = true};
	struct synth s;

	(void)state;
	synth_start(&s, "mmu=native");
	synth_push(&s, ev);
	ev = (struct guest_event){
		.kind = GE_ACCESS, .gva = SYNTH_USER, .size = 8};
	assert_int_equal(synth_push(&s, ev).verdict, GO_SHUTDOWN);
	assert_int_equal(account_exits_total(sim_account(s.sim)), 0);
	synth_end(&s);
}

static uint64_t field(const struct synth *s, enum vmcs_field which)
{
	return vmcs_get(s->sim->cur->vmcs, which);
}

static struct guest_event access_to(gva_t gva, uint32_t access)
{
	return (struct guest_event){.kind = GE_ACCESS,
				    .gva = gva,
				    .size = 4,
				    .access = access,
				    .cpl = access & PFEC_U ? 3 : 0};
}

struct seen {
	unsigned int nr;
	struct sim_exit_record record[8];
	uint64_t qualification[8], gpa[8], linear[8];
	const struct synth *s;
};

static void note_exit(void *context, const struct sim_exit_record *record)
{
	struct seen *seen = context;
	unsigned int i = seen->nr++;

	assert_true(i < ARRAY_LEN(seen->record));
	seen->record[i] = *record;
	seen->qualification[i] = field(seen->s, VMCS_EXIT_QUALIFICATION);
	seen->gpa[i] = field(seen->s, VMCS_GUEST_PHYSICAL_ADDRESS);
	seen->linear[i] = field(seen->s, VMCS_GUEST_LINEAR_ADDRESS);
}

static void what_a_violation_tells(void **state)
{
	struct seen seen = {0};
	struct synth s;
	gpa_t at;

	(void)state;
	synth_start(&s, "mmu=ept audit=all");
	seen.s = &s;
	at = synth_pte(&s, SYNTH_USER);
	synth_store(&s, at, 0x700000 | SYNTH_PTE_RW);
	sim_watch_exits(s.sim, note_exit, &seen);
	assert_int_equal(
		synth_push(&s, access_to(SYNTH_USER, PFEC_W | PFEC_U)).verdict,
		GO_DONE);
	sim_watch_exits(s.sim, NULL, NULL);
	/* The tables were touched by the stores that made them. */
	assert_int_equal(seen.nr, 1);
	assert_int_equal(seen.record[0].reason, EXIT_REASON_EPT_VIOLATION);
	assert_int_equal(seen.record[0].gpa, 0x700000);
	assert_true(seen.record[0].user);
	assert_int_equal(seen.qualification[0], 0x182);
	assert_int_equal(seen.gpa[0], 0x700000);
	assert_int_equal(seen.linear[0], SYNTH_USER);
	synth_end(&s);
}

/* A table whose frame nobody has touched: made behind the guest's back. */
static void tables_are_touched_by_the_walk(void **state)
{
	struct seen seen = {0};
	struct synth s;
	gpa_t at;

	(void)state;
	synth_start(&s, "mmu=ept audit=all");
	seen.s = &s;
	at = synth_pte(&s, SYNTH_USER);
	mem_write_u64(s.mem, 0x800000, 0x900000 | SYNTH_PTE_RW);
	/* The directory's entry leads to it now. */
	for (gpa_t gpa = 0; gpa < SYNTH_RAM; gpa += 8)
		if (mem_read_u64(s.mem, gpa) >> 12 == at >> 12 &&
		    (mem_read_u64(s.mem, gpa) & PTE_P))
			mem_write_u64(s.mem, gpa,
				      0x800000 | (SYNTH_PTE_RW & ~PTE_D));
	sim_watch_exits(s.sim, note_exit, &seen);
	synth_push(&s, access_to(SYNTH_USER, PFEC_U | PFEC_ID));
	sim_watch_exits(s.sim, NULL, NULL);
	assert_int_equal(seen.nr, 2);
	assert_int_equal(seen.gpa[0], 0x800000);
	assert_int_equal(seen.qualification[0], 0x81);
	assert_int_equal(seen.gpa[1], 0x900000);
	assert_int_equal(seen.qualification[1], 0x184);
	synth_end(&s);
}

static void mmio_is_a_violation_and_then_a_misconfiguration(void **state)
{
	const struct account *acct;
	struct synth s;
	gpa_t at;

	(void)state;
	synth_start(&s, "mmu=ept audit=all");
	acct = sim_account(s.sim);
	at = synth_pte(&s, SYNTH_USER);
	synth_store(&s, at, 0xfee00000 | SYNTH_PTE_RW);
	for (unsigned int i = 0; i < 3; i++) {
		uint64_t violations =
			account_exits(acct, EXIT_REASON_EPT_VIOLATION);
		struct guest_outcome out =
			synth_push(&s, access_to(SYNTH_USER + 0x20, PFEC_W));

		assert_int_equal(out.verdict, GO_MMIO);
		assert_int_equal(out.gpa, 0xfee00020);
		synth_push(&s, (struct guest_event){.kind = GE_DEVICE,
						    .gva = SYNTH_USER + 0x20,
						    .access = PFEC_W,
						    .value = 0xfee00020});
		assert_int_equal(account_exits(acct, EXIT_REASON_EPT_VIOLATION),
				 violations + !i);
		assert_int_equal(account_exits(acct, EXIT_REASON_EPT_MISCONFIG),
				 i);
		assert_int_equal(synth_counter(&s, CNT_insn_emulation), i + 1);
	}
	synth_end(&s);
}

static void mmio_without_exits(void **state)
{
	struct synth s;
	gpa_t at;

	(void)state;
	synth_start(&s, "mmu=native");
	at = synth_pte(&s, SYNTH_USER);
	synth_store(&s, at, 0xfee00000 | SYNTH_PTE_RW);
	assert_int_equal(synth_push(&s, access_to(SYNTH_USER, 0)).verdict,
			 GO_MMIO);
	synth_push(&s, (struct guest_event){.kind = GE_DEVICE,
					    .gva = SYNTH_USER,
					    .value = 0xfee00000});
	assert_int_equal(account_exits_total(sim_account(s.sim)), 0);
	assert_int_equal(synth_counter(&s, CNT_insn_emulation), 0);
	synth_end(&s);
}

/* A violation in the midst of a delivery: KVM injects the event again. */
static void a_delivery_touches_a_new_stack(void **state)
{
	struct guest_event ev = {
		.kind = GE_DELIVER, .vector = 0x30, .type = EVENT_EXT_INT};
	struct guest_outcome out;
	struct synth s;

	(void)state;
	synth_start(&s, "mmu=ept audit=all");
	/* The tables that lead there are not new. */
	synth_kernel_access(&s, SYNTH_DIRECT + 0xa10000, PFEC_W);
	synth_push(&s, ev);
	out = synth_push(&s, access_to(SYNTH_DIRECT + 0xa00000, PFEC_W));
	assert_int_equal(out.verdict, GO_FAULT);
	assert_int_equal(out.vector, 0x30);
	assert_int_equal(out.type, EVENT_EXT_INT);
	assert_int_equal(field(&s, VMCS_IDT_VECTORING_INFO), 0x80000030);
	assert_int_equal(synth_counter(&s, CNT_reinjections), 1);
	synth_push(&s, ev);
	out = synth_push(&s, access_to(SYNTH_DIRECT + 0xa00000, PFEC_W));
	assert_int_equal(out.verdict, GO_DONE);
	synth_end(&s);
}

/* Both see a demand fault by themselves; no exit of theirs is a page fault. */
static void faults_are_the_guests_own(void **state)
{
	static const char *const configs[] = {"mmu=ept", "mmu=native"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(configs); i++) {
		const struct account *acct;
		struct synth s;

		synth_start(&s, configs[i]);
		acct = sim_account(s.sim);
		for (gva_t page = 0; page < 20; page++)
			assert_true(synth_touch(&s,
						SYNTH_USER + page * PAGE_SIZE,
						PFEC_W | PFEC_U, SYNTH_PTE_RW));
		assert_int_equal(s.faults_by_code[6], 20);
		assert_int_equal(account_faults_direct(acct), 20);
		assert_int_equal(account_faults_injected(acct), 0);
		assert_int_equal(synth_pf_exits(&s), 0);
		if (i)
			assert_int_equal(account_exits_total(acct), 0);
		synth_end(&s);
	}
}

/* Hot, warm and cold: what the modelled TLB charges of a walk. */
static void walks_that_are_charged(void **state)
{
	static const struct {
		const char *config;
		unsigned int refs;
	} configs[] = {{"mmu=native", 4},
		       {"mmu=ept", 24},
		       {"mmu=ept ept-pages=2m", 19}};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(configs); i++) {
		const struct account *acct;
		uint64_t walks, refs;
		struct diag diag;
		struct synth s;

		struct cpu_geometry bare = cpu_geometry_generic;

		memset(bare.psc, 0, sizeof(bare.psc));
		bare.nested_tlb.sets = 0;
		synth_start(&s, configs[i].config);
		assert_int_equal(sim_use_tlb(s.sim, &bare, &diag), 0);
		acct = sim_account(s.sim);
		synth_kernel_access(&s, SYNTH_DIRECT + 0x300000, PFEC_W);
		walks = acct->tlb[TLB_walks];
		refs = acct->tlb[TLB_walk_refs];
		/* Remembered, but not by the processor's own TLB. */
		synth_kernel_access(&s, SYNTH_DIRECT + 0x300000, PFEC_W);
		assert_int_equal(acct->tlb[TLB_walks], walks + 1);
		assert_int_equal(acct->tlb[TLB_walk_refs],
				 refs + configs[i].refs);
		synth_end(&s);
	}
}

/* With VPID an exit leaves the TLB alone; MOV to CR3 does not. */
static void tlb_flushes(void **state)
{
	const struct account *acct;
	uint64_t flushes;
	struct diag diag;
	struct synth s;

	(void)state;
	synth_start(&s, "mmu=ept");
	assert_int_equal(sim_use_tlb(s.sim, &cpu_geometry_generic, &diag), 0);
	acct = sim_account(s.sim);
	flushes = acct->tlb[TLB_context_flushes];
	synth_push(&s, (struct guest_event){.kind = GE_CPUID});
	assert_int_equal(acct->tlb[TLB_context_flushes], flushes);
	synth_push(&s, (struct guest_event){
			       .kind = GE_CR_WRITE, .cr = 3, .value = 0x1000});
	assert_int_equal(acct->tlb[TLB_context_flushes], flushes + 1);
	synth_push(&s, (struct guest_event){.kind = GE_CLTS});
	assert_int_equal(acct->tlb[TLB_context_flushes], flushes + 1);
	assert_int_equal(acct->tlb[TLB_flushes], 0);
	synth_end(&s);
}

/*
 * By hand: what a walk reads from memory at first and from the first-level
 * cache then, what the caches spare it, and an assist for A and D.
 */
static void cycles_of_walks(void **state)
{
	static const struct {
		const char *config;
		gva_t gva;
		uint32_t access;
		uint64_t cycles;
	} steps[] = {
		/* Behind the directory's entry, in the line read before. */
		{"mmu=native", 0x301000, 0, 1000 + 10},
		{"mmu=native", 0x308000, 0, 1000 + 100},
		/* Another directory entry, of the same line. */
		{"mmu=native", 0x500000, 0, 1000 + 10 + 100},
		/* Two guest addresses are translated: one known, one by EPT. */
		{"mmu=ept", 0x301000, 0, 1000 + 10 + 3 * 10 + 10},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		const struct account *acct;
		char config[256];
		struct diag diag;
		struct synth s;
		uint64_t was;

		snprintf(config, sizeof(config),
			 "%s cost.walk=1000 cost.walk-mem=100 cost.walk-l1=10 "
			 "cost.ad-assist=0",
			 steps[i].config);
		synth_start(&s, config);
		assert_int_equal(
			sim_use_tlb(s.sim, &cpu_geometry_generic, &diag), 0);
		acct = sim_account(s.sim);
		/* All is backed, accessed and dirty. */
		synth_kernel_access(&s, SYNTH_DIRECT + steps[i].gva, PFEC_W);
		synth_kernel_access(&s, SYNTH_DIRECT + 0x300000, PFEC_W);
		hardware_finish(&s.sim->cur->hw);
		assert_int_equal(
			hardware_init(&s.sim->cur->hw, &cpu_geometry_generic),
			0);
		synth_kernel_access(&s, SYNTH_DIRECT + 0x300000, PFEC_W);
		was = account_part_cycles(acct, PART_translation).typ;
		synth_kernel_access(&s, SYNTH_DIRECT + steps[i].gva,
				    steps[i].access);
		was = account_part_cycles(acct, PART_translation).typ - was;
		if (was != steps[i].cycles)
			fail_msg("step %zu: %llu cycles, by hand %llu", i,
				 (unsigned long long)was,
				 (unsigned long long)steps[i].cycles);
		synth_end(&s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(exits_by_event),
		cmocka_unit_test(the_guest_reads_its_own_registers),
		cmocka_unit_test(window_without_exits),
		cmocka_unit_test(a_triple_fault_of_its_own),
		cmocka_unit_test(what_a_violation_tells),
		cmocka_unit_test(tables_are_touched_by_the_walk),
		cmocka_unit_test(
			mmio_is_a_violation_and_then_a_misconfiguration),
		cmocka_unit_test(mmio_without_exits),
		cmocka_unit_test(a_delivery_touches_a_new_stack),
		cmocka_unit_test(faults_are_the_guests_own),
		cmocka_unit_test(walks_that_are_charged),
		cmocka_unit_test(tlb_flushes),
		cmocka_unit_test(cycles_of_walks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
