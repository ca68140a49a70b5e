/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SYSCALL, SYSRET, SYSENTER, SYSEXIT and the MSRs, modes and vendors. */
#include "check.h"

#include "arch/exception.h"
#include "run_insn.h"

#define L SETUP_LONG
#define P SETUP_PROTECTED
#define R SETUP_REAL

/* Attributes of the flat segments: P, S, type, G and L or D/B, DPL 0 or 3. */
#define CODE64(dpl) (0xa09b00u | (dpl) << 13)
#define CODE32(dpl) (0xc09b00u | (dpl) << 13)
#define STACK(dpl)  (0xc09300u | (dpl) << 13)

#define LSTAR UINT64_C(0xffffffff81000040)
#define CSTAR UINT64_C(0xffffffff81000080)
#define R11   (GPR_R8 + 3)

static void flat(struct vcpu *vcpu, unsigned int cs, uint32_t cs_attr,
		 unsigned int ss, uint8_t cpl)
{
	vcpu->seg[SEG_CS] = (struct segment){
		.selector = (uint16_t)cs, .limit = 0xffffffff, .attr = cs_attr};
	vcpu->seg[SEG_SS] = (struct segment){.selector = (uint16_t)ss,
					     .limit = 0xffffffff,
					     .attr = STACK((uint32_t)cpl)};
	vcpu->cpl = cpl;
}

/* What Linux loads: kernel 0x10/0x18, user 0x23 (32) 0x2b 0x33 (64). */
static void msrs(struct fake *f)
{
	f->vcpu.star = UINT64_C(0x0023001012345678);
	f->vcpu.lstar = LSTAR;
	f->vcpu.cstar = CSTAR;
	f->vcpu.sfmask = RFLAGS_IF | RFLAGS_DF | RFLAGS_TF | RFLAGS_AC;
	f->vcpu.sysenter_cs = 0x60;
	f->vcpu.sysenter_esp = UINT64_C(0xffff800000002000);
	f->vcpu.sysenter_eip = UINT64_C(0xffffffff81000100);
	f->vcpu.gpr[GPR_RCX] = 0x7fff12340000;
	f->vcpu.gpr[GPR_RDX] = 0x7fff56780000;
	f->vcpu.gpr[R11] = ~UINT64_C(0);
	f->vcpu.rflags |= RFLAGS_DF | RFLAGS_AC;
}

static void compat(struct fake *f)
{
	msrs(f);
	setup_segment(f, SEG_CS, f->vcpu.cpl == 3 ? U_CODE32 | 3 : K_CODE32);
}

static void amd(struct fake *f)
{
	msrs(f);
	f->env.vendor_amd = true;
	f->env.msrs.amd = true;
}

static void amd_compat(struct fake *f)
{
	compat(f);
	f->env.vendor_amd = true;
	f->env.msrs.amd = true;
}

static void amd_legacy(struct fake *f)
{
	amd(f);
	f->view.efer = EFER_SCE;
}

static void legacy(struct fake *f)
{
	msrs(f);
	f->view.efer = EFER_SCE;
}

static void no_sce(struct fake *f)
{
	msrs(f);
	f->view.efer &= ~EFER_SCE;
}

static void stepped_over(struct fake *f)
{
	msrs(f);
	f->vcpu.rflags |= RFLAGS_TF | RFLAGS_RF;
}

static void stepped_through(struct fake *f)
{
	stepped_over(f);
	f->vcpu.sfmask = 0;
}

static void wild_rcx(struct fake *f)
{
	msrs(f);
	f->vcpu.gpr[GPR_RCX] = UINT64_C(0x800000000000);
}

static void wild_rdx(struct fake *f)
{
	msrs(f);
	f->vcpu.gpr[GPR_RDX] = UINT64_C(0x800000000000);
}

static void amd_wild_rcx(struct fake *f)
{
	wild_rcx(f);
	f->env.vendor_amd = true;
	f->env.msrs.amd = true;
}

static void no_sysenter_cs(struct fake *f)
{
	msrs(f);
	f->vcpu.sysenter_cs = UINT64_C(0xffff0003);
}

#define USER_FLAGS (RFLAGS_ONE | RFLAGS_IF | RFLAGS_DF | RFLAGS_AC | 0x55)

static void syscall_64(struct vcpu *vcpu)
{
	vcpu->gpr[GPR_RCX] = USER_RIP + 2;
	vcpu->gpr[R11] = USER_FLAGS;
	vcpu->rip = LSTAR;
	vcpu->rflags = RFLAGS_ONE | 0x55;
	flat(vcpu, 0x10, CODE64(0u), 0x18, 0);
}

static void syscall_compat(struct vcpu *vcpu)
{
	syscall_64(vcpu);
	vcpu->rip = CSTAR;
}

static void syscall_legacy(struct vcpu *vcpu)
{
	vcpu->gpr[GPR_RCX] = USER_RIP + 2;
	vcpu->rip = 0x12345678;
	vcpu->rflags = USER_FLAGS & ~RFLAGS_IF;
	flat(vcpu, 0x10, CODE32(0u), 0x18, 0);
}

/* TF goes into R11 without RF and is masked in the handler. */
static void syscall_stepped(struct vcpu *vcpu)
{
	syscall_64(vcpu);
	vcpu->gpr[R11] |= RFLAGS_TF;
}

static void syscall_traced(struct vcpu *vcpu)
{
	syscall_stepped(vcpu);
	vcpu->rflags = USER_FLAGS | RFLAGS_TF;
	vcpu->dr[6] |= BIT(14);
}

static void sysret_64(struct vcpu *vcpu)
{
	vcpu->rip = 0x7fff12340000;
	vcpu->rflags = 0x3c7fd7;
	flat(vcpu, 0x33, CODE64(3u), 0x2b, 3);
}

static void sysret_32(struct vcpu *vcpu)
{
	vcpu->rip = 0x12340000;
	vcpu->rflags = 0x3c7fd7;
	flat(vcpu, 0x23, CODE32(3u), 0x2b, 3);
}

static void sysret_legacy(struct vcpu *vcpu)
{
	vcpu->rip = 0x12340000;
	vcpu->rflags = USER_FLAGS;
	flat(vcpu, 0x23, CODE32(3u), 0x2b, 3);
}

static void sysret_wild(struct vcpu *vcpu)
{
	sysret_64(vcpu);
	vcpu->rip = UINT64_C(0x800000000000);
}

static void sysenter_64(struct vcpu *vcpu)
{
	vcpu->gpr[GPR_RSP] = UINT64_C(0xffff800000002000);
	vcpu->rip = UINT64_C(0xffffffff81000100);
	vcpu->rflags = USER_FLAGS & ~RFLAGS_IF;
	flat(vcpu, 0x60, CODE64(0u), 0x68, 0);
}

static void sysenter_32(struct vcpu *vcpu)
{
	vcpu->gpr[GPR_RSP] = 0x2000;
	vcpu->rip = 0x81000100;
	vcpu->rflags = USER_FLAGS & ~RFLAGS_IF;
	flat(vcpu, 0x60, CODE32(0u), 0x68, 0);
}

static void sysexit_64(struct vcpu *vcpu)
{
	vcpu->gpr[GPR_RSP] = 0x7fff12340000;
	vcpu->rip = 0x7fff56780000;
	flat(vcpu, 0x83, CODE64(3u), 0x8b, 3);
}

static void sysexit_32(struct vcpu *vcpu)
{
	vcpu->gpr[GPR_RSP] = 0x12340000;
	vcpu->rip = 0x56780000;
	flat(vcpu, 0x73, CODE32(3u), 0x7b, 3);
}

#define OK 0, 0
#define UD EXC_UD, -1
#define GP EXC_GP, 0
#define DB EXC_DB, -1

#define DONE  INSN_DONE, NO_EVENT
#define FAULT INSN_FAULT, NO_EVENT

/* clang-format off */
static const struct insn_case calls[] = {
	{"SYSCALL", L, 1, "0f 05", msrs,
	 DONE, OK, syscall_64, NULL},
	{"SYSCALL, AMD", L, 1, "0f 05", amd,
	 DONE, OK, syscall_64, NULL},
	{"SYSCALL without SCE", L, 1, "0f 05", no_sce,
	 FAULT, UD, NULL, NULL},
	{"SYSCALL in compatibility mode", L, 1, "0f 05", compat,
	 FAULT, UD, NULL, NULL},
	{"SYSCALL in compatibility mode, AMD", L, 1, "0f 05", amd_compat,
	 DONE, OK, syscall_compat, NULL},
	{"SYSCALL in legacy mode", P, 1, "0f 05", legacy,
	 FAULT, UD, NULL, NULL},
	{"SYSCALL in legacy mode, AMD", P, 1, "0f 05", amd_legacy,
	 DONE, OK, syscall_legacy, NULL},
	{"SYSCALL in real mode, AMD", R, 0, "0f 05", amd_legacy,
	 FAULT, UD, NULL, NULL},
	{"SYSCALL masks TF", L, 1, "0f 05", stepped_over,
	 DONE, OK, syscall_stepped, NULL},
	{"SYSCALL keeps TF", L, 1, "0f 05", stepped_through,
	 FAULT, DB, syscall_traced, NULL},

	{"SYSRET to 64-bit", L, 0, "48 0f 07", msrs,
	 DONE, OK, sysret_64, NULL},
	{"SYSRET to 32-bit", L, 0, "0f 07", msrs,
	 DONE, OK, sysret_32, NULL},
	{"SYSRET at CPL 3", L, 1, "48 0f 07", msrs,
	 FAULT, GP, NULL, NULL},
	{"SYSRET without SCE", L, 0, "48 0f 07", no_sce,
	 FAULT, UD, NULL, NULL},
	{"SYSRET to nowhere", L, 0, "48 0f 07", wild_rcx,
	 FAULT, GP, NULL, NULL},
	{"SYSRET to nowhere, AMD", L, 0, "48 0f 07", amd_wild_rcx,
	 DONE, OK, sysret_wild, NULL},
	{"SYSRET to 32-bit ignores the upper half", L, 0, "0f 07", msrs,
	 DONE, OK, sysret_32, NULL},
	{"SYSRET in compatibility mode", L, 0, "0f 07", compat,
	 FAULT, UD, NULL, NULL},
	{"SYSRET in legacy mode, AMD", P, 0, "0f 07", amd_legacy,
	 DONE, OK, sysret_legacy, NULL},

	{"SYSENTER in long mode", L, 1, "0f 34", msrs,
	 DONE, OK, sysenter_64, NULL},
	{"SYSENTER in compatibility mode", L, 1, "0f 34", compat,
	 DONE, OK, sysenter_64, NULL},
	{"SYSENTER in long mode, AMD", L, 1, "0f 34", amd,
	 FAULT, UD, NULL, NULL},
	{"SYSENTER", P, 1, "0f 34", msrs,
	 DONE, OK, sysenter_32, NULL},
	{"SYSENTER, AMD", P, 1, "0f 34", amd,
	 DONE, OK, sysenter_32, NULL},
	{"SYSENTER without CS", P, 1, "0f 34", no_sysenter_cs,
	 FAULT, GP, NULL, NULL},
	{"SYSENTER in real mode", R, 0, "0f 34", msrs,
	 INSN_FAULT, NO_EVENT, EXC_GP, -1, NULL, NULL},

	{"SYSEXIT to 64-bit", L, 0, "48 0f 35", msrs,
	 DONE, OK, sysexit_64, NULL},
	{"SYSEXIT to 32-bit", L, 0, "0f 35", msrs,
	 DONE, OK, sysexit_32, NULL},
	{"SYSEXIT", P, 0, "0f 35", msrs,
	 DONE, OK, sysexit_32, NULL},
	{"SYSEXIT at CPL 3", P, 1, "0f 35", msrs,
	 FAULT, GP, NULL, NULL},
	{"SYSEXIT without CS", P, 0, "0f 35", no_sysenter_cs,
	 FAULT, GP, NULL, NULL},
	{"SYSEXIT, RSP not canonical", L, 0, "48 0f 35", wild_rcx,
	 FAULT, GP, NULL, NULL},
	{"SYSEXIT, RIP not canonical", L, 0, "48 0f 35", wild_rdx,
	 FAULT, GP, NULL, NULL},
	{"SYSEXIT in long mode, AMD", L, 0, "48 0f 35", amd,
	 FAULT, UD, NULL, NULL},
};
/* clang-format on */

static void test_calls(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(calls); i++)
		run_insn_case(&calls[i]);
}

#define WILD UINT64_C(0x800000000000)

/* Write, then read back. */
/* clang-format off */
static const struct {
	const char *name;
	uint32_t msr;
	bool amd;
	uint64_t val;
	enum insn_status write, read;
	uint64_t back; /* what is read after a write that is done */
} msr_cases[] = {
	{"STAR", 0xc0000081, 0, ~UINT64_C(0),
	 INSN_DONE, INSN_DONE, ~UINT64_C(0)},
	{"LSTAR", 0xc0000082, 0, LSTAR,
	 INSN_DONE, INSN_DONE, LSTAR},
	{"LSTAR, not canonical", 0xc0000082, 0, WILD,
	 INSN_FAULT, INSN_DONE, 0},
	{"CSTAR", 0xc0000083, 0, CSTAR,
	 INSN_DONE, INSN_DONE, CSTAR},
	{"SFMASK", 0xc0000084, 0, 0x47700,
	 INSN_DONE, INSN_DONE, 0x47700},
	{"SFMASK, reserved", 0xc0000084, 0, BIT(32),
	 INSN_FAULT, INSN_DONE, 0},
	{"FS_BASE", 0xc0000100, 0, LSTAR,
	 INSN_DONE, INSN_DONE, LSTAR},
	{"FS_BASE, not canonical", 0xc0000100, 0, WILD,
	 INSN_FAULT, INSN_DONE, 0},
	{"GS_BASE", 0xc0000101, 0, LSTAR,
	 INSN_DONE, INSN_DONE, LSTAR},
	{"KERNEL_GS_BASE", 0xc0000102, 0, LSTAR,
	 INSN_NATIVE, INSN_NATIVE, 0},
	{"KERNEL_GS_BASE, not canonical", 0xc0000102, 0, WILD,
	 INSN_FAULT, INSN_NATIVE, 0},
	{"SYSENTER_CS", 0x174, 0, 0x10,
	 INSN_DONE, INSN_DONE, 0x10},
	{"SYSENTER_ESP", 0x175, 0, LSTAR,
	 INSN_DONE, INSN_DONE, LSTAR},
	{"SYSENTER_EIP, not canonical", 0x176, 0, WILD,
	 INSN_FAULT, INSN_DONE, 0},
	{"TSC", 0x10, 0, 123,
	 INSN_DONE, INSN_DONE, 123},
	{"EFER is the sink's", 0xc0000080, 0, 0x500,
	 INSN_DONE, INSN_DONE, EFER_LMA | EFER_LME | EFER_SCE},
	{"microcode revision", 0x8b, 0, 5,
	 INSN_DONE, INSN_DONE, 0},
	{"platform id", 0x17, 0, 5,
	 INSN_FAULT, INSN_DONE, 0},
	{"platform id on AMD", 0x17, 1, 5,
	 INSN_FAULT, INSN_FAULT, 0},
	{"HWCR on AMD", 0xc0010015, 1, 8,
	 INSN_DONE, INSN_DONE, 8},
	{"HWCR on Intel", 0xc0010015, 0, 8,
	 INSN_FAULT, INSN_FAULT, 0},
	/* CPUID shows no PAT, no APIC, no machine check. */
	{"PAT", 0x277, 0, 0,
	 INSN_FAULT, INSN_FAULT, 0},
	{"APIC_BASE", 0x1b, 0, 0,
	 INSN_FAULT, INSN_FAULT, 0},
	{"MCG_CAP", 0x179, 0, 0,
	 INSN_FAULT, INSN_FAULT, 0},
	{"unknown", 0x12345, 0, 0,
	 INSN_FAULT, INSN_FAULT, 0},
};
/* clang-format on */

static enum insn_status run_msr(struct fake *f, const char *bytes, uint32_t msr,
				struct trap *trap)
{
	struct live_end end;
	struct insn insn;

	f->vcpu.gpr[GPR_RCX] = UINT64_C(0xffffffff00000000) | msr;
	decode_hex(f, bytes, &insn);
	return insn_execute(&f->env, &insn, trap, &end);
}

/* It goes with CPUID.APIC, and takes that away. */
static void test_apic_base(void **state)
{
	static const struct {
		uint64_t val;
		enum insn_status status;
		uint64_t edx; /* CPUID.1:EDX.APIC */
	} cases[] = {
		{0xfee00900, INSN_DONE, 1 << 9},
		{0xfee00100, INSN_DONE, 0},
		{0xfee00901, INSN_FAULT, 0}, /* reserved */
		{0xd0000800, INSN_DONE, 1 << 9},
		{UINT64_C(1) << 40 | 0x900, INSN_FAULT, 1 << 9},
		{0x1ff900, INSN_FAULT, 1 << 9}, /* RAM */
	};
	uint64_t base = 0xfee00900;
	struct live_end end;
	struct insn insn;
	struct trap trap;
	struct fake f;

	(void)state;
	fake_init(&f);
	setup_mode(&f, SETUP_LONG);
	platform_add_apic(f.platform);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		f.vcpu.gpr[GPR_RAX] = (uint32_t)cases[i].val;
		f.vcpu.gpr[GPR_RDX] = cases[i].val >> 32;
		assert_int_equal(run_msr(&f, "0f 30", 0x1b, &trap),
				 cases[i].status);
		if (cases[i].status == INSN_DONE)
			base = cases[i].val | 0x100;
		assert_int_equal(run_msr(&f, "0f 32", 0x1b, &trap), INSN_DONE);
		check_eq("base", f.vcpu.gpr[GPR_RAX], base);
		f.vcpu.gpr[GPR_RAX] = 1;
		decode_hex(&f, "0f a2", &insn);
		insn_execute(&f.env, &insn, &trap, &end);
		check_eq("CPUID", f.vcpu.gpr[GPR_RDX] & 1 << 9, cases[i].edx);
	}
	fake_finish(&f);
}

static void test_msrs(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(msr_cases); i++) {
		const char *name = msr_cases[i].name;
		const struct guest_event *ev;
		struct trap trap = {.vector = EXC_GP, .has_error = true};
		struct fake f;
		uint64_t rip;

		fake_init(&f);
		setup_mode(&f, SETUP_LONG);
		f.env.vendor_amd = msr_cases[i].amd;
		f.env.msrs.amd = msr_cases[i].amd;
		rip = f.vcpu.rip;
		f.vcpu.gpr[GPR_RAX] = UINT64_C(0xdddddddd00000000) |
				      (msr_cases[i].val & 0xffffffff);
		f.vcpu.gpr[GPR_RDX] =
			UINT64_C(0xdddddddd00000000) | msr_cases[i].val >> 32;
		check_part(name, "write",
			   run_msr(&f, "0f 30", msr_cases[i].msr, &trap),
			   msr_cases[i].write);
		check_part(name, "write: vector", trap.vector, EXC_GP);
		ev = fake_last(&f, GE_WRMSR);
		check_part(name, "number", ev->error, msr_cases[i].msr);
		check_part(name, "value", ev->value, msr_cases[i].val);
		check_part(name, "rip", f.vcpu.rip,
			   rip + (msr_cases[i].write == INSN_DONE ? 2 : 0));

		f.vcpu.gpr[GPR_RAX] = ~UINT64_C(0);
		f.vcpu.gpr[GPR_RDX] = ~UINT64_C(0);
		check_part(name, "read",
			   run_msr(&f, "0f 32", msr_cases[i].msr, &trap),
			   msr_cases[i].read);
		check_part(name, "read: number", fake_last(&f, GE_RDMSR)->error,
			   msr_cases[i].msr);
		if (msr_cases[i].read == INSN_DONE) {
			check_part(name, "EAX", f.vcpu.gpr[GPR_RAX],
				   msr_cases[i].back & 0xffffffff);
			check_part(name, "EDX", f.vcpu.gpr[GPR_RDX],
				   msr_cases[i].back >> 32);
		}
		fake_finish(&f);
	}
}

static void refuse_efer(struct fake *f)
{
	f->vcpu.gpr[GPR_RCX] = MSR_EFER;
	fake_answer(f, GE_WRMSR, fake_exception(EXC_GP, true, 0));
}

/* clang-format off */
static const struct insn_case msr_faults[] = {
	{"RDMSR at CPL 3", L, 1, "0f 32", NULL,
	 FAULT, GP, NULL, NULL},
	{"WRMSR at CPL 3", L, 1, "0f 30", NULL,
	 FAULT, GP, NULL, NULL},
	{"WRMSR EFER, refused by the sink", L, 0, "0f 30", refuse_efer,
	 INSN_FAULT, GE_WRMSR, GP, NULL, NULL},
};
/* clang-format on */

static void test_msr_faults(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(msr_faults); i++)
		run_insn_case(&msr_faults[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_calls),
		cmocka_unit_test(test_msrs),
		cmocka_unit_test(test_apic_base),
		cmocka_unit_test(test_msr_faults),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
