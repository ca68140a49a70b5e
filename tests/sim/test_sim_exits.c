/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which events exit, under which setting, and what the guest gets back.
 * Hunks of the seed patch in vmx.c are pinned here (names begin with seed_).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "arch/exception.h"

#include "arch/cr.h"
#include "synth.h"

#define GUEST_CR0 (CR0_PE | CR0_ET | CR0_PG | CR0_WP)

static const struct {
	const char *name;
	const char *config;
	struct guest_event ev;
	int reason; /* -1: no exit */
	enum guest_verdict verdict;
	int vector; /* of GO_FAULT */
} cases[] = {
	{"CPUID", "", {.kind = GE_CPUID}, EXIT_REASON_CPUID, GO_DONE, 0},
	{"HLT", "", {.kind = GE_HLT}, EXIT_REASON_HLT, GO_DONE, 0},
	{"HLT, not exiting",
	 "hlt-exiting=off",
	 {.kind = GE_HLT},
	 -1,
	 GO_DONE,
	 0},
	{"RDTSC", "", {.kind = GE_RDTSC}, -1, GO_DONE, 0},
	{"RDTSC, exiting",
	 "tsc-exiting=on",
	 {.kind = GE_RDTSC},
	 EXIT_REASON_RDTSC,
	 GO_DONE,
	 0},
	{"INVLPG", "", {.kind = GE_INVLPG, .gva = 0x1000}, -1, GO_DONE, 0},
	{"INVLPG, exiting",
	 "invlpg-exiting=on",
	 {.kind = GE_INVLPG, .gva = 0x1000},
	 EXIT_REASON_INVLPG,
	 GO_DONE,
	 0},
	{"IN",
	 "",
	 {.kind = GE_IO, .error = 0x3f8, .size = 1},
	 EXIT_REASON_IO_INSTRUCTION,
	 GO_DONE,
	 0},
	{"RDMSR",
	 "",
	 {.kind = GE_RDMSR, .error = MSR_STAR},
	 EXIT_REASON_MSR_READ,
	 GO_DONE,
	 0},
	{"WRMSR",
	 "",
	 {.kind = GE_WRMSR, .error = MSR_STAR},
	 EXIT_REASON_MSR_WRITE,
	 GO_DONE,
	 0},
	{"EFER with an unknown bit",
	 "",
	 {.kind = GE_WRMSR, .error = MSR_EFER, .value = BIT(20)},
	 EXIT_REASON_MSR_WRITE,
	 GO_FAULT,
	 EXC_GP},
	{"EFER.LME off while paging",
	 "",
	 {.kind = GE_WRMSR, .error = MSR_EFER, .value = 0},
	 EXIT_REASON_MSR_WRITE,
	 GO_FAULT,
	 EXC_GP},
	{"VMCALL is no hypercall",
	 "",
	 {.kind = GE_VMCALL},
	 EXIT_REASON_VMCALL,
	 GO_FAULT,
	 EXC_UD},
	{"WBINVD", "", {.kind = GE_WBINVD}, -1, GO_DONE, 0},
	{"INVD", "", {.kind = GE_INVD}, EXIT_REASON_INVD, GO_DONE, 0},
	{"MOV DR",
	 "",
	 {.kind = GE_DR, .cr = 7},
	 EXIT_REASON_DR_ACCESS,
	 GO_DONE,
	 0},
	{"MOV to CR0, same value",
	 "",
	 {.kind = GE_CR_WRITE, .cr = 0, .value = GUEST_CR0},
	 -1,
	 GO_DONE,
	 0},
	{"MOV to CR0, TS",
	 "",
	 {.kind = GE_CR_WRITE, .cr = 0, .value = GUEST_CR0 | CR0_TS},
	 EXIT_REASON_CR_ACCESS,
	 GO_DONE,
	 0},
	{"MOV to CR0, PG without PE",
	 "",
	 {.kind = GE_CR_WRITE, .cr = 0, .value = CR0_PG},
	 EXIT_REASON_CR_ACCESS,
	 GO_FAULT,
	 EXC_GP},
	{"CLTS with TS clear", "", {.kind = GE_CLTS}, -1, GO_DONE, 0},
	{"LMSW setting MP",
	 "",
	 {.kind = GE_LMSW, .value = CR0_PE | CR0_MP},
	 EXIT_REASON_CR_ACCESS,
	 GO_DONE,
	 0},
	{"task switch",
	 "",
	 {.kind = GE_TASK_SWITCH, .error = 0x50, .reg = 2, .value = 0x1000},
	 EXIT_REASON_TASK_SWITCH,
	 GO_DONE,
	 0},
	{"task switch without a hypervisor",
	 "mmu=native",
	 {.kind = GE_TASK_SWITCH, .error = 0x50, .reg = 2, .value = 0x1000},
	 -1,
	 GO_DONE,
	 0},
	{"MOV to CR3",
	 "",
	 {.kind = GE_CR_WRITE, .cr = 3, .value = 0x1000},
	 EXIT_REASON_CR_ACCESS,
	 GO_DONE,
	 0},
	{"MOV to CR3 beyond memory",
	 "",
	 {.kind = GE_CR_WRITE, .cr = 3, .value = SYNTH_RAM},
	 EXIT_REASON_CR_ACCESS,
	 GO_FAULT,
	 EXC_GP},
	{"MOV from CR3",
	 "",
	 {.kind = GE_CR_READ, .cr = 3},
	 EXIT_REASON_CR_ACCESS,
	 GO_DONE,
	 0},
	{"MOV from CR0", "", {.kind = GE_CR_READ, .cr = 0}, -1, GO_DONE, 0},
	{"MOV from CR2", "", {.kind = GE_CR_READ, .cr = 2}, -1, GO_DONE, 0},
	{"MOV to CR4, OSFXSR",
	 "",
	 {.kind = GE_CR_WRITE, .cr = 4, .value = CR4_PAE | CR4_OSFXSR},
	 -1,
	 GO_DONE,
	 0},
	{"MOV to CR4, PGE",
	 "",
	 {.kind = GE_CR_WRITE, .cr = 4, .value = CR4_PAE | CR4_PGE},
	 EXIT_REASON_CR_ACCESS,
	 GO_DONE,
	 0},
	{"MOV to CR4, VMXE",
	 "",
	 {.kind = GE_CR_WRITE, .cr = 4, .value = CR4_PAE | CR4_VMXE},
	 EXIT_REASON_CR_ACCESS,
	 GO_FAULT,
	 EXC_GP},
	{"MOV to CR8",
	 "",
	 {.kind = GE_CR_WRITE, .cr = 8, .value = 3},
	 EXIT_REASON_CR_ACCESS,
	 GO_DONE,
	 0},
	{"#GP of an instruction",
	 "",
	 {.kind = GE_EXCEPTION, .vector = EXC_GP, .has_error = true},
	 -1,
	 GO_FAULT,
	 EXC_GP},
	{"#GP, intercepted and given back",
	 "exception-bitmap=0x6000",
	 {.kind = GE_EXCEPTION, .vector = EXC_GP, .has_error = true},
	 EXIT_REASON_EXCEPTION_NMI,
	 GO_FAULT,
	 EXC_GP},
	{"INT 0x80",
	 "",
	 {.kind = GE_SOFT_INT,
	  .vector = 0x80,
	  .type = EVENT_SOFT_INT,
	  .insn_len = 2},
	 -1,
	 GO_FAULT,
	 0x80},
	{"INT3, intercepted",
	 "exception-bitmap=0x4008",
	 {.kind = GE_SOFT_INT,
	  .vector = 3,
	  .type = EVENT_SOFT_EXC,
	  .insn_len = 1},
	 EXIT_REASON_EXCEPTION_NMI,
	 GO_FAULT,
	 3},
	{"interrupt, guest open",
	 "",
	 {.kind = GE_IRQ, .if_open = true},
	 EXIT_REASON_EXTERNAL_INTERRUPT,
	 GO_TAKE_IRQ,
	 0},
	{"interrupt, guest closed",
	 "",
	 {.kind = GE_IRQ},
	 EXIT_REASON_EXTERNAL_INTERRUPT,
	 GO_LATER,
	 0},
};

static void exits_by_event(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		uint64_t before, exits, of_reason = 0;
		struct guest_outcome out;
		struct synth s;

		synth_start(&s, cases[i].config);
		before = account_exits_total(sim_account(s.sim));
		if (cases[i].reason >= 0)
			of_reason =
				account_exits(sim_account(s.sim),
					      (unsigned int)cases[i].reason);
		out = synth_push(&s, cases[i].ev);
		exits = account_exits_total(sim_account(s.sim)) - before;
		if (exits != (cases[i].reason >= 0) ||
		    out.verdict != cases[i].verdict ||
		    (out.verdict == GO_FAULT && out.vector != cases[i].vector))
			fail_msg("%s: %llu exits, verdict %d, vector %d",
				 cases[i].name, (unsigned long long)exits,
				 (int)out.verdict, out.vector);
		if (cases[i].reason >= 0)
			assert_int_equal(
				account_exits(sim_account(s.sim),
					      (unsigned int)cases[i].reason),
				of_reason + 1);
		synth_end(&s);
	}
}

static void the_guest_reads_its_own_registers(void **state)
{
	struct guest_event ev = {.kind = GE_CR_READ};
	struct synth s;

	(void)state;
	synth_start(&s, "");
	assert_int_equal(synth_push(&s, ev).value, GUEST_CR0);
	ev.cr = 3;
	assert_int_equal(synth_push(&s, ev).value, 0x1000);
	ev.cr = 4;
	/* Not CR4.VMXE, which the hardware register holds. */
	assert_int_equal(synth_push(&s, ev).value, CR4_PAE);
	ev = (struct guest_event){.kind = GE_RDMSR, .error = MSR_EFER};
	assert_int_equal(synth_push(&s, ev).value,
			 EFER_LME | EFER_LMA | EFER_NXE);
	synth_end(&s);
}

static void cr3_targets_save_the_exit(void **state)
{
	struct guest_event ev = {.kind = GE_CR_WRITE, .cr = 3};
	struct synth s;
	gpa_t space[2];
	uint64_t before;

	(void)state;
	synth_start(&s, "cr3-targets=2 audit=all");
	space[0] = synth_new_space(&s);
	space[1] = synth_new_space(&s);
	for (int i = 0; i < 2; i++) {
		ev.value = space[i];
		synth_push(&s, ev);
	}
	before = account_exits(sim_account(s.sim), EXIT_REASON_CR_ACCESS);
	for (int i = 0; i < 10; i++) {
		ev.value = space[i & 1];
		assert_int_equal(synth_push(&s, ev).verdict, GO_DONE);
		assert_int_equal(s.sink->view->cr3, ev.value);
		synth_kernel_access(&s, s.stack, PFEC_W);
	}
	assert_int_equal(
		account_exits(sim_account(s.sim), EXIT_REASON_CR_ACCESS),
		before);
	ev.value = 0x1000;
	synth_push(&s, ev);
	assert_int_equal(
		account_exits(sim_account(s.sim), EXIT_REASON_CR_ACCESS),
		before + 1);
	synth_end(&s);
}

static void interrupt_waits_for_its_window(void **state)
{
	struct guest_event irq = {.kind = GE_IRQ};
	struct guest_event window = {.kind = GE_IRQ_WINDOW};
	struct synth s;

	(void)state;
	synth_start(&s, "");
	assert_false(s.sink->view->irq_window);
	assert_int_equal(synth_push(&s, irq).verdict, GO_LATER);
	assert_true(s.sink->view->irq_window);
	assert_int_equal(synth_push(&s, window).verdict, GO_TAKE_IRQ);
	assert_false(s.sink->view->irq_window);
	assert_int_equal(account_exits(sim_account(s.sim),
				       EXIT_REASON_PENDING_INTERRUPT),
			 1);
	assert_int_equal(synth_counter(&s, CNT_irq_injections), 1);
	synth_end(&s);
}

/*
 * vmx.c, hunks "bypass_guest_pf" (module parameter, default 1), vmcs_setup
 * (MASK and MATCH are its value) and vmx_init (~0xffe and 0 only if it is on).
 */
static void seed_vmx_c_module_parameter(void **state)
{
	static const struct {
		const char *config;
		bool bypass;
	} settings[] = {
		{"mmu=seed", true},
		{"mmu=seed bypass=on", true},
		{"mmu=seed bypass=off", false},
		{"mmu=kvm-2.6.25", true},
		{"mmu=kvm-2.6.24", false},
		{"mmu=kvm-2.6.20", false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(settings); i++) {
		struct guest_outcome out;
		struct synth s;

		synth_start(&s, settings[i].config);
		assert_true(synth_touch(&s, SYNTH_USER, PFEC_W, SYNTH_PTE_RW));
		out = synth_push(
			&s, (struct guest_event){.kind = GE_ACCESS,
						 .gva = SYNTH_USER + PAGE_SIZE,
						 .size = 1,
						 .access = PFEC_U | PFEC_W});
		assert_int_equal(out.verdict, GO_FAULT);
		assert_int_equal(out.vector, EXC_PF);
		assert_int_equal(out.error, PFEC_W | PFEC_U);
		if (out.direct != settings[i].bypass)
			fail_msg("%s: direct is %d", settings[i].config,
				 out.direct);
		synth_end(&s);
	}
}

/* What the user sets himself wins over what the bypass implies. */
static void pfec_fields_can_be_overridden(void **state)
{
	static const struct {
		const char *config;
		bool direct;
	} settings[] = {
		{"bypass=on pfec-mask=0 pfec-match=0", false},
		{"bypass=on exception-bitmap=0 pfec-mask=1 pfec-match=0", true},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(settings); i++) {
		struct guest_outcome out;
		struct synth s;

		synth_start(&s, "");
		synth_end(&s);
		synth_start(&s, settings[i].config);
		synth_touch(&s, SYNTH_USER, PFEC_W, SYNTH_PTE_RW);
		out = synth_push(
			&s, (struct guest_event){.kind = GE_ACCESS,
						 .gva = SYNTH_USER + PAGE_SIZE,
						 .access = PFEC_U | PFEC_W});
		assert_int_equal(out.verdict, GO_FAULT);
		if (out.direct != settings[i].direct)
			fail_msg("%s: direct is %d", settings[i].config,
				 out.direct);
		synth_end(&s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(exits_by_event),
		cmocka_unit_test(the_guest_reads_its_own_registers),
		cmocka_unit_test(cr3_targets_save_the_exit),
		cmocka_unit_test(interrupt_waits_for_its_window),
		cmocka_unit_test(seed_vmx_c_module_parameter),
		cmocka_unit_test(pfec_fields_can_be_overridden),
	};

	return cmocka_run_group_tests_name("sim_exits", tests, NULL, NULL);
}
