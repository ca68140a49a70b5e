/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sensitive instructions but I/O, MSRs and the SYSCALL family: checks before
 * the exit, the event, the effect.
 */
#include "check.h"

#include "arch/exception.h"
#include "platform/cpuid.h"
#include "run_insn.h"

#define L SETUP_LONG
#define P SETUP_PROTECTED
#define R SETUP_REAL

#define VALUE UINT64_C(0x1122334455667788)

static void regs(struct fake *f)
{
	for (unsigned int i = 0; i < NR_GPR; i++)
		if (i != GPR_RSP)
			f->vcpu.gpr[i] = VALUE + i;
}

static void answer_value(struct fake *f)
{
	regs(f);
	fake_answer(
		f, GE_CR_READ,
		(struct guest_outcome){.verdict = GO_DONE,
				       .value = UINT64_C(0xfedcba9880050033)});
}

static void refuse_write(struct fake *f)
{
	regs(f);
	fake_answer(f, GE_CR_WRITE, fake_exception(EXC_GP, true, 0));
}

static void stop_write(struct fake *f)
{
	f->view.stop = "because";
	fake_answer(f, GE_CR_WRITE, (struct guest_outcome){.verdict = GO_STOP});
}

#define EVENT_CHECK(fn, kind, expr)                                \
	static void fn(const char *name, struct fake *f)           \
	{                                                          \
		const struct guest_event *ev = fake_last(f, kind); \
                                                                   \
		check_part(name, #expr, expr, true);               \
	}

EVENT_CHECK(wrote_cr3_64, GE_CR_WRITE,
	    ev->cr == 3 && ev->reg == GPR_RAX && ev->value == VALUE &&
		    ev->size == 8)
EVENT_CHECK(wrote_cr3_32, GE_CR_WRITE,
	    ev->cr == 3 && ev->reg == GPR_RBX && ev->value == 0x5566778b &&
		    ev->size == 4)
EVENT_CHECK(wrote_cr8, GE_CR_WRITE,
	    ev->cr == 8 && ev->reg == GPR_R15 && ev->value == VALUE + 15)
EVENT_CHECK(read_cr0, GE_CR_READ, ev->cr == 0 && ev->reg == GPR_RCX)
EVENT_CHECK(lmsw_reg, GE_LMSW, ev->value == 0x7789 && ev->reg == 0)
EVENT_CHECK(lmsw_mem, GE_LMSW,
	    ev->value == 0xbeef && ev->reg == 1 && ev->gva == 0x20ff0)
EVENT_CHECK(wrote_dr7, GE_DR,
	    ev->cr == 7 && ev->reg == GPR_RAX && ev->value == 1)
EVENT_CHECK(read_dr6, GE_DR,
	    ev->cr == 6 && ev->reg == GPR_RDX && ev->value == 0)
EVENT_CHECK(wrote_dr4, GE_DR, ev->cr == 4 && ev->value == 1)
EVENT_CHECK(invalidated, GE_INVLPG, ev->gva == 0x20ff8)
EVENT_CHECK(invalidated_gs, GE_INVLPG, ev->gva == 0xffff888000000008)
EVENT_CHECK(was_int1, GE_SOFT_INT,
	    ev->vector == 1 && ev->type == EVENT_PRIV_SW_EXC)

static void stop_line(const char *name, struct fake *f)
{
	(void)name;
	assert_int_equal(fake_count(f, GE_CR_WRITE), 1);
}

static void cr0_to_rcx(struct vcpu *vcpu)
{
	vcpu->gpr[GPR_RCX] = UINT64_C(0xfedcba9880050033);
}

static void cr0_to_ecx(struct vcpu *vcpu)
{
	vcpu->gpr[GPR_RCX] = 0x80050033;
}

static void smsw_to_ax(struct vcpu *vcpu)
{
	vcpu->gpr[GPR_RAX] = (VALUE & ~UINT64_C(0xffff)) | 0x0033;
}

static void smsw_to_eax(struct vcpu *vcpu)
{
	vcpu->gpr[GPR_RAX] = 0x80050033;
}

static void smsw_to_rax(struct vcpu *vcpu)
{
	vcpu->gpr[GPR_RAX] = UINT64_C(0xfedcba9880050033);
}

/* RDI points at 0x20ff0. */
static void pointer(struct fake *f)
{
	answer_value(f);
	f->vcpu.gpr[GPR_RDI] = 0x20ff0;
	fake_poke(f, 0x20ff0, 0xbeef, 8);
}

static void pointer_to_nothing(struct fake *f)
{
	pointer(f);
	fake_map(f, 0x20ff0, FAKE_ABSENT);
}

/* Two bytes, and those behind them stay. */
static void smsw_stored(const char *name, struct fake *f)
{
	check_part(name, "memory", fake_peek(f, 0x20ff0, 4), 0x0033);
	check_part(name, "rights", fake_last(f, GE_ACCESS)->access,
		   PFEC_W | PFEC_U);
}

static void pointer_ones(struct fake *f)
{
	pointer(f);
	fake_poke(f, 0x20ff0, 0xffff, 4);
}

static void kernel_gs(struct fake *f)
{
	f->vcpu.seg[SEG_GS].base = UINT64_C(0xffff888000000000);
	f->vcpu.gpr[GPR_RDI] = 8;
}

static void dr_value(struct fake *f)
{
	regs(f);
	f->vcpu.gpr[GPR_RAX] = 0xffffffff;
	f->vcpu.dr[6] = 0xffff4ff1;
}

static void dr_high(struct fake *f)
{
	f->vcpu.gpr[GPR_RAX] = BIT(32);
}

static void dr_ext(struct fake *f)
{
	dr_value(f);
	f->view.cr4 = CR4_DE;
}

static void dr_guarded(struct fake *f)
{
	dr_value(f);
	f->vcpu.dr[7] = 0x2400;
}

static void dr0_is_value(struct vcpu *vcpu)
{
	vcpu->dr[0] = VALUE + GPR_RBX;
}

static void dr6_written(struct vcpu *vcpu)
{
	vcpu->dr[6] = 0xffffefff;
}

static void dr7_written(struct vcpu *vcpu)
{
	vcpu->dr[7] = 0xffff27ff;
}

static void dr6_to_rdx(struct vcpu *vcpu)
{
	vcpu->gpr[GPR_RDX] = 0xffff4ff1;
}

static void dr6_guard(struct vcpu *vcpu)
{
	vcpu->dr[6] |= BIT(13);
}

static void leaf_1(struct fake *f)
{
	regs(f);
	f->vcpu.gpr[GPR_RAX] = UINT64_C(0xffffffff00000001);
}

static void cpuid_1(struct vcpu *vcpu)
{
	struct cpuid_config config = {CPUID_INTEL, 40, 0, 0};
	struct cpuid_regs want = cpuid_query(&config, 1, 0, true);

	vcpu->gpr[GPR_RAX] = want.eax;
	vcpu->gpr[GPR_RBX] = want.ebx;
	vcpu->gpr[GPR_RCX] = want.ecx;
	vcpu->gpr[GPR_RDX] = want.edx;
}

static void leaf_size(struct fake *f)
{
	leaf_1(f);
	f->vcpu.gpr[GPR_RAX] = 0x80000008;
	f->env.maxphyaddr = 46;
	f->env.vendor_amd = true;
	f->env.msrs.amd = true;
}

static void cpuid_size(struct vcpu *vcpu)
{
	struct cpuid_config config = {CPUID_AMD, 46, 0, 0};
	struct cpuid_regs want = cpuid_query(&config, 0x80000008, 0, true);

	assert_int_equal(want.eax & 0xff, 46);
	vcpu->gpr[GPR_RAX] = want.eax;
	vcpu->gpr[GPR_RBX] = want.ebx;
	vcpu->gpr[GPR_RCX] = want.ecx;
	vcpu->gpr[GPR_RDX] = want.edx;
}

static void tsc(struct fake *f)
{
	regs(f);
	f->vcpu.tsc_offset = UINT64_C(0x300000000);
}

static void tsc_read(struct vcpu *vcpu)
{
	vcpu->gpr[GPR_RAX] = 12000;
	vcpu->gpr[GPR_RDX] = 3;
}

static void tsd(struct fake *f)
{
	tsc(f);
	f->view.cr4 = CR4_TSD;
}

static void pce(struct fake *f)
{
	f->view.cr4 = CR4_PCE;
}

static void vmcall_ud(struct fake *f)
{
	fake_answer(f, GE_VMCALL, fake_exception(EXC_UD, false, 0));
}

/* What completion clears. */
static void resuming(struct fake *f)
{
	f->vcpu.rflags |= RFLAGS_RF;
	f->vcpu.irq_shadow = true;
}

/* Single stepping: a trap after the instruction. */
static void stepping(struct fake *f)
{
	f->vcpu.rflags |= RFLAGS_TF;
}

static void stepped(struct vcpu *vcpu)
{
	vcpu->rip += 2;
	vcpu->dr[6] |= BIT(14);
}

static void at_4g(struct fake *f)
{
	f->vcpu.rip = 0xffffffff;
}

static void wrapped(struct vcpu *vcpu)
{
	vcpu->rip = 1;
}

static void at_64k(struct fake *f)
{
	f->vcpu.rip = 0xfffe;
}

static void wrapped_16(struct vcpu *vcpu)
{
	vcpu->rip = 0;
}

#define UD EXC_UD, -1
#define GP EXC_GP, 0
#define OK 0, 0

/* clang-format off */
static const struct insn_case cases[] = {
	{"MOV CR3, RAX", L, 0, "0f 22 d8", regs,
	 INSN_DONE, GE_CR_WRITE, OK, NULL, wrote_cr3_64},
	{"MOV CR3, EBX", P, 0, "0f 22 db", regs,
	 INSN_DONE, GE_CR_WRITE, OK, NULL, wrote_cr3_32},
	{"MOV CR8, R15", L, 0, "45 0f 22 c7", regs,
	 INSN_DONE, GE_CR_WRITE, OK, NULL, wrote_cr8},
	{"MOV RCX, CR0", L, 0, "0f 20 c1", answer_value,
	 INSN_DONE, GE_CR_READ, OK, cr0_to_rcx, read_cr0},
	{"MOV ECX, CR0", P, 0, "0f 20 c1", answer_value,
	 INSN_DONE, GE_CR_READ, OK, cr0_to_ecx, read_cr0},
	{"MOV ECX, CR0 in real mode", R, 0, "0f 20 c1", answer_value,
	 INSN_DONE, GE_CR_READ, OK, cr0_to_ecx, read_cr0},
	{"MOV CR1", L, 0, "0f 22 c8", regs,
	 INSN_FAULT, NO_EVENT, UD, NULL, NULL},
	{"MOV from CR5", L, 0, "0f 20 e8", regs,
	 INSN_FAULT, NO_EVENT, UD, NULL, NULL},
	{"MOV CR3 at CPL 3", L, 1, "0f 22 d8", regs,
	 INSN_FAULT, NO_EVENT, GP, NULL, NULL},
	{"MOV CR3, refused", L, 0, "0f 22 d8", refuse_write,
	 INSN_FAULT, GE_CR_WRITE, GP, NULL, NULL},
	{"MOV CR3, the model stops", L, 0, "0f 22 d8", stop_write,
	 INSN_END, GE_CR_WRITE, OK, NULL, stop_line},
	{"LOCK MOV CR0", L, 0, "f0 0f 22 c0", NULL,
	 INSN_FAULT, NO_EVENT, UD, NULL, NULL},
	{"CLTS", L, 0, "0f 06", NULL,
	 INSN_DONE, GE_CLTS, OK, NULL, NULL},
	{"CLTS at CPL 3", L, 1, "0f 06", NULL,
	 INSN_FAULT, NO_EVENT, GP, NULL, NULL},
	{"LMSW CX", P, 0, "0f 01 f1", regs,
	 INSN_DONE, GE_LMSW, OK, NULL, lmsw_reg},
	{"LMSW [RDI]", L, 0, "0f 01 37", pointer,
	 INSN_DONE, GE_LMSW, OK, NULL, lmsw_mem},
	{"LMSW [RDI], missing", L, 0, "0f 01 37", pointer_to_nothing,
	 INSN_FAULT, NO_EVENT, EXC_PF, 0, NULL, NULL},
	{"LMSW at CPL 3", L, 1, "0f 01 f1", NULL,
	 INSN_FAULT, NO_EVENT, GP, NULL, NULL},
	{"SMSW AX", L, 0, "66 0f 01 e0", answer_value,
	 INSN_DONE, GE_CR_READ, OK, smsw_to_ax, NULL},
	{"SMSW EAX at CPL 3", L, 1, "0f 01 e0", answer_value,
	 INSN_DONE, GE_CR_READ, OK, smsw_to_eax, NULL},
	{"SMSW RAX", L, 0, "48 0f 01 e0", answer_value,
	 INSN_DONE, GE_CR_READ, OK, smsw_to_rax, NULL},
	{"SMSW [RDI]", L, 1, "0f 01 27", pointer_ones,
	 INSN_DONE, GE_CR_READ, OK, NULL, smsw_stored},
	{"SMSW [RDI], missing", L, 1, "0f 01 27", pointer_to_nothing,
	 INSN_FAULT, GE_CR_READ, EXC_PF, PFEC_W | PFEC_U, NULL, NULL},
	{"MOV DR0, RBX", L, 0, "0f 23 c3", dr_value,
	 INSN_DONE, GE_DR, OK, dr0_is_value, NULL},
	{"MOV DR6, RAX", L, 0, "0f 23 f0", dr_value,
	 INSN_DONE, GE_DR, OK, dr6_written, NULL},
	{"MOV DR7, RAX", L, 0, "0f 23 f8", dr_value,
	 INSN_DONE, GE_DR, OK, dr7_written, wrote_dr7},
	{"MOV DR7, too wide", L, 0, "0f 23 f8", dr_high,
	 INSN_FAULT, GE_DR, GP, NULL, NULL},
	{"MOV DR6, too wide", L, 0, "0f 23 f0", dr_high,
	 INSN_FAULT, GE_DR, GP, NULL, NULL},
	{"MOV RDX, DR6", L, 0, "0f 21 f2", dr_value,
	 INSN_DONE, GE_DR, OK, dr6_to_rdx, read_dr6},
	{"MOV DR4 is DR6", L, 0, "0f 23 e0", dr_value,
	 INSN_DONE, GE_DR, OK, dr6_written, wrote_dr4},
	{"MOV DR5 is DR7", L, 0, "0f 23 e8", dr_value,
	 INSN_DONE, GE_DR, OK, dr7_written, NULL},
	{"MOV DR4 with DE: after the exit", L, 0, "0f 23 e0", dr_ext,
	 INSN_FAULT, GE_DR, UD, NULL, NULL},
	{"MOV DR8", L, 0, "44 0f 23 c0", dr_value,
	 INSN_FAULT, NO_EVENT, UD, NULL, NULL},
	{"MOV DR0 at CPL 3: after the exit", L, 1, "0f 23 c3", dr_value,
	 INSN_FAULT, GE_DR, GP, NULL, NULL},
	{"MOV DR0 with GD", L, 0, "0f 23 c3", dr_guarded,
	 INSN_FAULT, GE_DR, EXC_DB, -1, dr6_guard, NULL},
	{"INVLPG [RDI+8]", L, 0, "0f 01 7f 08", pointer,
	 INSN_DONE, GE_INVLPG, OK, NULL, invalidated},
	{"INVLPG GS:[RDI]", L, 0, "65 0f 01 3f", kernel_gs,
	 INSN_DONE, GE_INVLPG, OK, NULL, invalidated_gs},
	{"INVLPG at CPL 3", L, 1, "0f 01 3f", pointer,
	 INSN_FAULT, NO_EVENT, GP, NULL, NULL},
	{"HLT", L, 0, "f4", NULL,
	 INSN_HALT, GE_HLT, OK, NULL, NULL},
	{"HLT at CPL 3", L, 1, "f4", NULL,
	 INSN_FAULT, NO_EVENT, GP, NULL, NULL},
	{"CPUID", L, 1, "0f a2", leaf_1,
	 INSN_DONE, GE_CPUID, OK, cpuid_1, NULL},
	{"CPUID, address size, AMD", L, 0, "0f a2", leaf_size,
	 INSN_DONE, GE_CPUID, OK, cpuid_size, NULL},
	{"RDTSC", L, 1, "0f 31", tsc,
	 INSN_DONE, GE_RDTSC, OK, tsc_read, NULL},
	{"RDTSC with TSD at CPL 3", L, 1, "0f 31", tsd,
	 INSN_FAULT, NO_EVENT, GP, NULL, NULL},
	{"RDTSC with TSD at CPL 0", L, 0, "0f 31", tsd,
	 INSN_DONE, GE_RDTSC, OK, tsc_read, NULL},
	{"RDTSCP is not offered", L, 0, "0f 01 f9", NULL,
	 INSN_FAULT, NO_EVENT, UD, NULL, NULL},
	{"RDPMC", L, 0, "0f 33", NULL,
	 INSN_FAULT, GE_RDPMC, GP, NULL, NULL},
	{"RDPMC at CPL 3", L, 1, "0f 33", NULL,
	 INSN_FAULT, NO_EVENT, GP, NULL, NULL},
	{"RDPMC with PCE at CPL 3", L, 1, "0f 33", pce,
	 INSN_FAULT, GE_RDPMC, GP, NULL, NULL},
	{"INVD", L, 0, "0f 08", NULL,
	 INSN_DONE, GE_INVD, OK, NULL, NULL},
	{"INVD at CPL 3", L, 1, "0f 08", NULL,
	 INSN_FAULT, NO_EVENT, GP, NULL, NULL},
	{"WBINVD", P, 0, "0f 09", NULL,
	 INSN_DONE, GE_WBINVD, OK, NULL, NULL},
	{"WBINVD at CPL 3", P, 1, "0f 09", NULL,
	 INSN_FAULT, NO_EVENT, GP, NULL, NULL},
	{"PAUSE", L, 1, "f3 90", NULL,
	 INSN_DONE, GE_PAUSE, OK, NULL, NULL},
	{"VMCALL", L, 1, "0f 01 c1", NULL,
	 INSN_DONE, GE_VMCALL, OK, NULL, NULL},
	{"VMCALL, refused", L, 0, "0f 01 c1", vmcall_ud,
	 INSN_FAULT, GE_VMCALL, UD, NULL, NULL},
	{"VMLAUNCH", L, 0, "0f 01 c2", NULL,
	 INSN_FAULT, NO_EVENT, UD, NULL, NULL},
	{"MWAIT", L, 0, "0f 01 c9", NULL,
	 INSN_FAULT, NO_EVENT, UD, NULL, NULL},
	{"INT1", L, 1, "f1", NULL,
	 INSN_FAULT, GE_SOFT_INT, EXC_DB, -1, NULL, was_int1},
	{"RF and the interrupt shadow end", L, 0, "0f 06", resuming,
	 INSN_DONE, GE_CLTS, OK, NULL, NULL},
	{"a fault keeps both", L, 1, "0f 06", resuming,
	 INSN_FAULT, NO_EVENT, GP, NULL, NULL},
	{"single step: #DB afterwards", L, 0, "0f 06", stepping,
	 INSN_FAULT, GE_CLTS, EXC_DB, -1, stepped, NULL},
	{"a fault comes before the single step", L, 1, "0f 06", stepping,
	 INSN_FAULT, NO_EVENT, GP, NULL, NULL},
	{"EIP wraps", P, 0, "0f 06", at_4g,
	 INSN_DONE, GE_CLTS, OK, wrapped, NULL},
	{"IP wraps", R, 0, "0f 06", at_64k,
	 INSN_DONE, GE_CLTS, OK, wrapped_16, NULL},
};
/* clang-format on */

static void test_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		run_insn_case(&cases[i]);
}

/* The length is handed on, so that RIP is pushed behind INT1. */
static void test_int1_length(void **state)
{
	struct live_end end;
	struct insn insn;
	struct trap trap;
	struct fake f;

	(void)state;
	fake_init(&f);
	setup_mode(&f, SETUP_LONG);
	decode_hex(&f, "66 f1", &insn);
	assert_int_equal(insn_execute(&f.env, &insn, &trap, &end), INSN_FAULT);
	assert_int_equal(trap.type, EVENT_PRIV_SW_EXC);
	assert_int_equal(trap.insn_len, 2);
	fake_finish(&f);
}

/* Exceptions tell the sink whether they have a code: none in real mode. */
static void test_real_exception(void **state)
{
	struct live_end end;
	struct insn insn;
	struct trap trap;
	struct fake f;

	(void)state;
	fake_init(&f);
	setup_mode(&f, SETUP_REAL);
	decode_hex(&f, "0f 33", &insn);
	assert_int_equal(insn_execute(&f.env, &insn, &trap, &end), INSN_FAULT);
	assert_int_equal(trap.vector, EXC_GP);
	assert_false(fake_last(&f, GE_EXCEPTION)->has_error);
	fake_finish(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_int1_length),
		cmocka_unit_test(test_real_exception),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
