/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Dispatch of sensitive instructions, and those that need few lines.  SDM
 * vol. 3C, "Relative Priority of Faults and VM Exits": faults based on
 * privilege and #UD come before the exit.
 */
#include "arch/exception.h"
#include "live/exec.h"
#include "platform/cpuid.h"
#include "platform/platform.h"

static bool may_read_counter(const struct exec *x, uint64_t cr4_bit, bool needs)
{
	bool set = x->env->sink->view->cr4 & cr4_bit;

	return !x->env->vcpu->cpl || set == needs;
}

static enum insn_status exec_plain(struct exec *x, enum guest_event_kind kind)
{
	if (!exec_push_kind(x, kind))
		return exec_obey(x);
	return exec_advance(x);
}

static enum insn_status exec_privileged(struct exec *x,
					enum guest_event_kind kind)
{
	if (x->env->vcpu->cpl)
		return exec_raise(x, EXC_GP);
	return exec_plain(x, kind);
}

static enum insn_status exec_invlpg(struct exec *x)
{
	struct guest_event ev = exec_event(x, GE_INVLPG);

	if (x->env->vcpu->cpl)
		return exec_raise(x, EXC_GP);
	ev.gva = insn_linear(x->insn, &x->insn->operand[0], x->env->vcpu);
	if (!exec_push(x, &ev))
		return exec_obey(x);
	return exec_advance(x);
}

static enum insn_status exec_hlt(struct exec *x)
{
	enum insn_status status;

	if (x->env->vcpu->cpl)
		return exec_raise(x, EXC_GP);
	if (!exec_push_kind(x, GE_HLT))
		return exec_obey(x);
	status = exec_advance(x);
	return status == INSN_DONE ? INSN_HALT : status;
}

struct cpuid_regs exec_cpuid_leaf(const struct exec *x, uint32_t leaf,
				  uint32_t subleaf, bool long64)
{
	struct cpuid_config config = {
		.vendor = x->env->vendor_amd ? CPUID_AMD : CPUID_INTEL,
		.maxphyaddr = x->env->maxphyaddr,
		.features = x->env->features,
		.cr4 = x->env->sink->view->cr4,
		.no_nx = x->env->no_nx,
		.apic = lapic_is_enabled(&x->env->platform->lapic),
	};

	return cpuid_query(&config, leaf, subleaf, long64);
}

static enum insn_status exec_cpuid(struct exec *x)
{
	uint64_t *gpr = x->env->vcpu->gpr;
	struct cpuid_regs regs;

	if (!exec_push_kind(x, GE_CPUID))
		return exec_obey(x);
	regs = exec_cpuid_leaf(x, (uint32_t)gpr[GPR_RAX],
			       (uint32_t)gpr[GPR_RCX],
			       x->insn->mode == CODE_64);
	gpr[GPR_RAX] = regs.eax;
	gpr[GPR_RBX] = regs.ebx;
	gpr[GPR_RCX] = regs.ecx;
	gpr[GPR_RDX] = regs.edx;
	return exec_advance(x);
}

static enum insn_status exec_rdtsc(struct exec *x)
{
	struct vcpu *vcpu = x->env->vcpu;
	uint64_t tsc;

	if (!may_read_counter(x, CR4_TSD, false))
		return exec_raise(x, EXC_GP);
	if (!exec_push_kind(x, GE_RDTSC))
		return exec_obey(x);
	tsc = x->env->tsc + vcpu->tsc_offset;
	vcpu->gpr[GPR_RAX] = (uint32_t)tsc;
	vcpu->gpr[GPR_RDX] = tsc >> 32;
	if (x->insn->op == OP_RDTSCP) {
		uint64_t aux = 0;

		msrs_read(&x->env->msrs, MSR_TSC_AUX, &aux);
		vcpu->gpr[GPR_RCX] = aux;
	}
	return exec_advance(x);
}

static enum insn_status exec_rdtscp(struct exec *x)
{
	if (!(env_profile(x->env)->ext_edx & CPUID_EXT_EDX_RDTSCP))
		return exec_raise(x, EXC_UD);
	return exec_rdtsc(x);
}

/* No performance counter exists, so every index is wrong. */
static enum insn_status exec_rdpmc(struct exec *x)
{
	if (may_read_counter(x, CR4_PCE, true) && !exec_push_kind(x, GE_RDPMC))
		return exec_obey(x);
	return exec_raise(x, EXC_GP);
}

static enum insn_status exec_int1(struct exec *x)
{
	struct guest_event ev = exec_event(x, GE_SOFT_INT);

	ev.vector = EXC_DB;
	ev.type = EVENT_PRIV_SW_EXC;
	if (!exec_push(x, &ev))
		return exec_obey(x);
	return exec_advance(x);
}

static enum insn_status dispatch(struct exec *x)
{
	switch (x->insn->op) {
	case OP_MOV_TO_CR:
	case OP_MOV_FROM_CR:
		return exec_mov_cr(x);
	case OP_CLTS:
		return exec_privileged(x, GE_CLTS);
	case OP_LMSW:
		return exec_lmsw(x);
	case OP_SMSW:
		return exec_smsw(x);
	case OP_MOV_TO_DR:
	case OP_MOV_FROM_DR:
		return exec_mov_dr(x);
	case OP_INVLPG:
		return exec_invlpg(x);
	case OP_INVPCID:
		return exec_invpcid(x);
	case OP_WRPKRU:
		return exec_wrpkru(x);
	case OP_HLT:
		return exec_hlt(x);
	case OP_IN:
	case OP_OUT:
		return exec_io(x);
	case OP_INS:
	case OP_OUTS:
		return exec_string_io(x);
	case OP_CPUID:
		return exec_cpuid(x);
	case OP_RDMSR:
		return exec_rdmsr(x);
	case OP_WRMSR:
		return exec_wrmsr(x);
	case OP_RDTSC:
		return exec_rdtsc(x);
	case OP_RDTSCP:
		return exec_rdtscp(x);
	case OP_RDPMC:
		return exec_rdpmc(x);
	case OP_SYSCALL:
		return exec_syscall(x);
	case OP_SYSRET:
		return exec_sysret(x);
	case OP_SYSENTER:
		return exec_sysenter(x);
	case OP_SYSEXIT:
		return exec_sysexit(x);
	case OP_VMCALL:
		return exec_plain(x, GE_VMCALL);
	case OP_INVD:
		return exec_privileged(x, GE_INVD);
	case OP_WBINVD:
		return exec_privileged(x, GE_WBINVD);
	case OP_PAUSE:
		return exec_plain(x, GE_PAUSE);
	case OP_INT1:
		return exec_int1(x);
	case OP_FAR_CALL:
	case OP_FAR_JMP:
		return exec_far(x);
	case OP_IRET:
		return exec_iret(x);
	case OP_LGDT:
		return exec_lgdt(x);
	case OP_LTR:
		return exec_ltr(x);
	case OP_LOAD_MXCSR:
		return exec_load_mxcsr(x);
	default:
		return exec_raise(x, EXC_UD);
	}
}

enum insn_status insn_execute(struct live_env *env, const struct insn *insn,
			      struct trap *trap, struct live_end *end)
{
	struct exec x = {
		.env = env,
		.insn = insn,
		.trap = trap,
		.end = end,
		.stepping = env->vcpu->rflags & RFLAGS_TF,
	};

	BUG_ON(!op_is_sensitive(insn->op));
	return dispatch(&x);
}
