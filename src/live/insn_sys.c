/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SYSCALL, SYSRET, SYSENTER, SYSEXIT.  SDM vol. 2B and AMD APM vol. 3, each
 * under the instruction's name.  No VM exit is possible, so nothing is pushed
 * but the faults.  The two vendors differ in which modes have which pair.
 */
#include "arch/exception.h"
#include "live/exec.h"

/* Type and S of the flat segments these instructions load. */
#define ATTR_CODE (UINT32_C(0xb) << 8 | SEG_ATTR_S | SEG_ATTR_P | SEG_ATTR_G)
#define ATTR_DATA                                                    \
	(UINT32_C(0x3) << 8 | SEG_ATTR_S | SEG_ATTR_P | SEG_ATTR_G | \
	 SEG_ATTR_DB)

/* What SYSRET takes from R11: all but RF, VM and reserved bits. */
#define SYSRET_FLAGS UINT64_C(0x3c7fd7)

/* Selectors keep their bits 15:2; CPL goes into 1:0 and into the DPLs. */
static void load_flat(struct vcpu *vcpu, uint32_t cs, uint32_t ss, uint8_t cpl,
		      bool code64)
{
	uint32_t dpl = (uint32_t)cpl << 13;

	vcpu->seg[SEG_CS] = (struct segment){
		.selector = (uint16_t)((cs & 0xfffc) | cpl),
		.limit = UINT32_MAX,
		.attr = (uint32_t)(ATTR_CODE | dpl |
				   (code64 ? SEG_ATTR_L : SEG_ATTR_DB)),
	};
	vcpu->seg[SEG_SS] = (struct segment){
		.selector = (uint16_t)((ss & 0xfffc) | cpl),
		.limit = UINT32_MAX,
		.attr = (uint32_t)(ATTR_DATA | dpl),
	};
	vcpu->cpl = cpl;
}

static uint32_t star_kernel(const struct vcpu *vcpu)
{
	return (uint16_t)(vcpu->star >> 32);
}

static uint32_t star_user(const struct vcpu *vcpu)
{
	return (uint16_t)(vcpu->star >> 48);
}

static bool is_protected(const struct exec *x)
{
	return x->env->sink->view->cr0 & CR0_PE;
}

/* SYSCALL and SYSRET: enabled, and in a mode that has them. */
static bool has_syscall(const struct exec *x)
{
	if (!(x->env->sink->view->efer & EFER_SCE) || !is_protected(x))
		return false;
	return x->insn->mode == CODE_64 || x->env->vendor_amd;
}

enum insn_status exec_syscall(struct exec *x)
{
	struct vcpu *vcpu = x->env->vcpu;
	uint64_t next = vcpu->rip + x->insn->length;
	uint32_t cs = star_kernel(vcpu);
	bool code64 = x->insn->mode == CODE_64;

	if (!has_syscall(x))
		return exec_raise(x, EXC_UD);
	if (!env_efer_lma(x->env)) {
		vcpu->gpr[GPR_RCX] = (uint32_t)next;
		vcpu->rip = (uint32_t)vcpu->star;
		vcpu->rflags &= ~(RFLAGS_IF | RFLAGS_VM);
		load_flat(vcpu, cs, cs + 8, 0, false);
		return exec_finish(x);
	}
	vcpu->gpr[GPR_RCX] = code64 ? next : (uint32_t)next;
	vcpu->gpr[GPR_R8 + 3] = vcpu->rflags & ~RFLAGS_RF;
	vcpu->rip = code64 ? vcpu->lstar : vcpu->cstar;
	vcpu->rflags = (vcpu->rflags & ~vcpu->sfmask) | RFLAGS_ONE;
	load_flat(vcpu, cs, cs + 8, 0, true);
	return exec_finish(x);
}

/* Intel's processors fault before they are in user mode; AMD's after. */
static bool refuses_target(const struct exec *x, uint64_t rip)
{
	return !x->env->vendor_amd && !env_is_canonical(x->env, rip);
}

enum insn_status exec_sysret(struct exec *x)
{
	struct vcpu *vcpu = x->env->vcpu;
	uint32_t user = star_user(vcpu);
	bool to64 = x->insn->opsize == 8;

	if (!has_syscall(x))
		return exec_raise(x, EXC_UD);
	if (vcpu->cpl || (to64 && refuses_target(x, vcpu->gpr[GPR_RCX])))
		return exec_raise(x, EXC_GP);
	vcpu->rip = to64 ? vcpu->gpr[GPR_RCX] : (uint32_t)vcpu->gpr[GPR_RCX];
	if (env_efer_lma(x->env))
		vcpu->rflags =
			(vcpu->gpr[GPR_R8 + 3] & SYSRET_FLAGS) | RFLAGS_ONE;
	else
		vcpu->rflags |= RFLAGS_IF;
	load_flat(vcpu, to64 ? user + 16 : user, user + 8, 3, to64);
	return exec_finish(x);
}

/* What both of the other pair require; AMD has them in legacy mode only. */
static bool check_sysenter(struct exec *x, enum insn_status *status)
{
	if (x->env->vendor_amd && env_efer_lma(x->env)) {
		*status = exec_raise(x, EXC_UD);
		return false;
	}
	if (!is_protected(x) || !(x->env->vcpu->sysenter_cs & 0xfffc)) {
		*status = exec_raise(x, EXC_GP);
		return false;
	}
	return true;
}

enum insn_status exec_sysenter(struct exec *x)
{
	struct vcpu *vcpu = x->env->vcpu;
	uint32_t cs = (uint32_t)vcpu->sysenter_cs;
	uint64_t mask = env_efer_lma(x->env) ? ~UINT64_C(0) : UINT32_MAX;
	enum insn_status status;

	if (!check_sysenter(x, &status))
		return status;
	vcpu->rflags &= ~(RFLAGS_IF | RFLAGS_VM);
	vcpu->gpr[GPR_RSP] = vcpu->sysenter_esp & mask;
	vcpu->rip = vcpu->sysenter_eip & mask;
	load_flat(vcpu, cs, (cs & 0xfffc) + 8, 0, env_efer_lma(x->env));
	return exec_finish(x);
}

enum insn_status exec_sysexit(struct exec *x)
{
	struct vcpu *vcpu = x->env->vcpu;
	uint32_t cs = (uint32_t)vcpu->sysenter_cs & 0xfffc;
	uint64_t rsp = vcpu->gpr[GPR_RCX];
	uint64_t rip = vcpu->gpr[GPR_RDX];
	bool to64 = x->insn->opsize == 8;
	enum insn_status status;

	if (!check_sysenter(x, &status))
		return status;
	if (vcpu->cpl || (to64 && !(env_is_canonical(x->env, rsp) &&
				    env_is_canonical(x->env, rip))))
		return exec_raise(x, EXC_GP);
	vcpu->gpr[GPR_RSP] = to64 ? rsp : (uint32_t)rsp;
	vcpu->rip = to64 ? rip : (uint32_t)rip;
	cs += to64 ? 32 : 16;
	load_flat(vcpu, cs, cs + 8, 3, to64);
	return exec_finish(x);
}
