/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * INVPCID and WRPKRU.  SDM vol. 2, under each name.  RDPKRU, STAC and CLAC run
 * natively: Unicorn has PKRU and RFLAGS.AC.
 */
#include "arch/exception.h"
#include "live/exec.h"

/* The descriptor: PCID, reserved bits, address. */
struct invpcid {
	uint64_t pcid;
	uint64_t gva;
};

enum insn_status exec_invpcid(struct exec *x)
{
	const struct operand *mem = &x->insn->operand[1];
	struct guest_event ev = exec_event(x, GE_INVPCID);
	struct invpcid desc;
	struct lin_ref ref = {.size = sizeof(desc),
			      .access = env_access(x->env)};
	uint64_t type;

	if (!env_has(x->env, FEATURE_INVPCID))
		return exec_raise(x, EXC_UD);
	if (x->env->vcpu->cpl)
		return exec_raise(x, EXC_GP);
	type = gpr_read(x->env->vcpu, &x->insn->operand[0]);
	ref.gva = insn_linear(x->insn, mem, x->env->vcpu);
	if (!lin_read(x->env, &ref, &desc, &x->out))
		return exec_obey(x);
	/* A wrong type is one of several: the sink refuses it. */
	ev.reg = (uint8_t)min_u64(type, INVPCID_TYPE_MAX);
	ev.value = desc.pcid;
	ev.gva = desc.gva;
	if (!exec_push(x, &ev))
		return exec_obey(x);
	return exec_advance(x);
}

/* Unicorn has to write its own PKRU, so the instruction is left to it. */
enum insn_status exec_wrpkru(struct exec *x)
{
	const uint64_t *gpr = x->env->vcpu->gpr;
	struct guest_event ev = exec_event(x, GE_WRPKRU);

	if (!(x->env->sink->view->cr4 & CR4_PKE))
		return exec_raise(x, EXC_UD);
	if ((uint32_t)gpr[GPR_RCX] || (uint32_t)gpr[GPR_RDX])
		return exec_raise(x, EXC_GP);
	ev.value = (uint32_t)gpr[GPR_RAX];
	if (!exec_push(x, &ev))
		return exec_obey(x);
	return INSN_NATIVE;
}
