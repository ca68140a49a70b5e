/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * RDMSR and WRMSR: which registers there are and what they accept.  SDM
 * vol. 4, AMD APM vol. 2 "MSR Cross-Reference".
 *
 * A register belongs to a feature: where CPUID does not show that, it is as
 * absent as any other number, #GP(0).  EFER is the sink's, KERNEL_GS_BASE the
 * processor's (SWAPGS runs natively), APIC_BASE the local APIC's, the rest that
 * of platform/msr.h.
 */
#include "arch/cpu_profile.h"
#include "arch/exception.h"
#include "live/exec.h"
#include "platform/cpuid.h"
#include "platform/platform.h"

enum msr_result {
	MSR_DONE,
	MSR_REFUSED, /* #GP(0) */
	MSR_NATIVE,
};

enum msr_kind {
	MSR_ANY,       /* holds what is written */
	MSR_32,        /* 63:32 are reserved */
	MSR_CANONICAL, /* an address */
};

struct msr_slot {
	uint64_t *value;
	enum msr_kind kind;
};

static bool has_long_mode(const struct exec *x)
{
	return env_profile(x->env)->ext_edx & CPUID_EXT_EDX_LM;
}

static bool has_efer(const struct exec *x)
{
	return cpu_efer_bits(x->env->features);
}

/* The plain registers of long mode. */
static bool find_long_slot(struct vcpu *vcpu, uint32_t msr,
			   struct msr_slot *ret)
{
	switch (msr) {
	case MSR_STAR:
		*ret = (struct msr_slot){&vcpu->star, MSR_ANY};
		return true;
	case MSR_LSTAR:
		*ret = (struct msr_slot){&vcpu->lstar, MSR_CANONICAL};
		return true;
	case MSR_CSTAR:
		*ret = (struct msr_slot){&vcpu->cstar, MSR_CANONICAL};
		return true;
	case MSR_SFMASK:
		*ret = (struct msr_slot){&vcpu->sfmask, MSR_32};
		return true;
	case MSR_FS_BASE:
		*ret = (struct msr_slot){&vcpu->seg[SEG_FS].base,
					 MSR_CANONICAL};
		return true;
	case MSR_GS_BASE:
		*ret = (struct msr_slot){&vcpu->seg[SEG_GS].base,
					 MSR_CANONICAL};
		return true;
	default:
		return false;
	}
}

static bool find_sysenter_slot(struct vcpu *vcpu, uint32_t msr,
			       struct msr_slot *ret)
{
	switch (msr) {
	case MSR_SYSENTER_CS:
		*ret = (struct msr_slot){&vcpu->sysenter_cs, MSR_ANY};
		return true;
	case MSR_SYSENTER_ESP:
		*ret = (struct msr_slot){&vcpu->sysenter_esp, MSR_CANONICAL};
		return true;
	case MSR_SYSENTER_EIP:
		*ret = (struct msr_slot){&vcpu->sysenter_eip, MSR_CANONICAL};
		return true;
	default:
		return false;
	}
}

static bool find_slot(const struct exec *x, uint32_t msr, struct msr_slot *ret)
{
	struct vcpu *vcpu = x->env->vcpu;

	if (find_long_slot(vcpu, msr, ret))
		return has_long_mode(x);
	return find_sysenter_slot(vcpu, msr, ret) &&
	       (env_profile(x->env)->edx & CPUID_1_EDX_SEP);
}

static enum msr_result msr_read(const struct exec *x, uint32_t msr,
				uint64_t *ret)
{
	struct msr_slot slot;

	if (find_slot(x, msr, &slot)) {
		*ret = *slot.value;
		return MSR_DONE;
	}
	switch (msr) {
	case MSR_TSC:
		*ret = x->env->tsc + x->env->vcpu->tsc_offset;
		return MSR_DONE;
	case MSR_EFER:
		*ret = x->env->sink->view->efer;
		return has_efer(x) ? MSR_DONE : MSR_REFUSED;
	case MSR_APIC_BASE:
		*ret = x->env->platform->lapic.msr;
		return *ret ? MSR_DONE : MSR_REFUSED;
	case MSR_KERNEL_GS_BASE:
		return has_long_mode(x) ? MSR_NATIVE : MSR_REFUSED;
	default:
		return msrs_read(&x->env->msrs, msr, ret) ? MSR_DONE
							  : MSR_REFUSED;
	}
}

static bool accepts(const struct exec *x, enum msr_kind kind, uint64_t val)
{
	switch (kind) {
	case MSR_ANY:
		return true;
	case MSR_32:
		return !(val >> 32);
	case MSR_CANONICAL:
		return env_may_hold(x->env, val);
	}
	BUG("kind of MSR");
}

static bool write_apic_base(const struct exec *x, uint64_t val)
{
	struct live_env *env = x->env;

	return env->platform->lapic.msr &&
	       platform_write_apic_base(env->platform, val, env->maxphyaddr,
					env->mem->ram_size, env->now);
}

static enum msr_result msr_write(const struct exec *x, uint32_t msr,
				 uint64_t val)
{
	struct msr_slot slot;

	if (find_slot(x, msr, &slot)) {
		if (!accepts(x, slot.kind, val))
			return MSR_REFUSED;
		*slot.value = val;
		return MSR_DONE;
	}
	switch (msr) {
	case MSR_TSC:
		x->env->vcpu->tsc_offset = val - x->env->tsc;
		return MSR_DONE;
	case MSR_EFER: /* the sink has taken it */
		return has_efer(x) ? MSR_DONE : MSR_REFUSED;
	case MSR_APIC_BASE:
		return write_apic_base(x, val) ? MSR_DONE : MSR_REFUSED;
	case MSR_KERNEL_GS_BASE:
		return has_long_mode(x) && env_may_hold(x->env, val)
			       ? MSR_NATIVE
			       : MSR_REFUSED;
	default:
		return msrs_write(&x->env->msrs, msr, val) ? MSR_DONE
							   : MSR_REFUSED;
	}
}

static enum insn_status end_msr(struct exec *x, enum msr_result result)
{
	switch (result) {
	case MSR_DONE:
		return exec_advance(x);
	case MSR_REFUSED:
		return exec_raise(x, EXC_GP);
	case MSR_NATIVE:
		return INSN_NATIVE;
	}
	BUG("result of an MSR access");
}

enum insn_status exec_rdmsr(struct exec *x)
{
	struct guest_event ev = exec_event(x, GE_RDMSR);
	uint64_t *gpr = x->env->vcpu->gpr;
	enum msr_result result;
	uint64_t val;

	if (x->env->vcpu->cpl)
		return exec_raise(x, EXC_GP);
	ev.error = (uint32_t)gpr[GPR_RCX];
	if (!exec_push(x, &ev))
		return exec_obey(x);
	result = msr_read(x, ev.error, &val);
	if (result == MSR_DONE) {
		gpr[GPR_RAX] = (uint32_t)val;
		gpr[GPR_RDX] = val >> 32;
	}
	return end_msr(x, result);
}

enum insn_status exec_wrmsr(struct exec *x)
{
	struct guest_event ev = exec_event(x, GE_WRMSR);
	const uint64_t *gpr = x->env->vcpu->gpr;

	if (x->env->vcpu->cpl)
		return exec_raise(x, EXC_GP);
	ev.error = (uint32_t)gpr[GPR_RCX];
	ev.value = gpr[GPR_RDX] << 32 | (uint32_t)gpr[GPR_RAX];
	if (!exec_push(x, &ev))
		return exec_obey(x);
	return end_msr(x, msr_write(x, ev.error, ev.value));
}
