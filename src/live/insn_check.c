/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Instructions that Unicorn executes well but for one check.  They read their
 * operand without side effects; whatever else is wrong (privilege, a page that
 * is not there) the processor finds by itself.  SDM vol. 2, under each name.
 */
#include "arch/exception.h"
#include "live/exec.h"

static bool peek(const struct exec *x, uint32_t offset, void *ret, size_t n)
{
	gva_t gva = insn_linear(x->insn, &x->insn->operand[0], x->env->vcpu);

	return lin_peek(x->env, gva + offset, ret, n) == n;
}

/* 64-bit code: limit and base. */
enum insn_status exec_lgdt(struct exec *x)
{
	uint64_t base;

	if (!x->env->vcpu->cpl && peek(x, 2, &base, sizeof(base)) &&
	    !env_may_hold(x->env, base))
		return exec_raise(x, EXC_GP);
	return INSN_NATIVE;
}

/* Unicorn takes a null selector. */
enum insn_status exec_ltr(struct exec *x)
{
	const struct operand *src = &x->insn->operand[0];
	uint16_t selector = 0;

	if (x->env->vcpu->cpl || (x->env->vcpu->rflags & RFLAGS_VM) ||
	    !(x->env->sink->view->cr0 & CR0_PE))
		return INSN_NATIVE;
	if (src->type == OPERAND_GPR)
		selector = (uint16_t)gpr_read(x->env->vcpu, src);
	else if (!peek(x, 0, &selector, sizeof(selector)))
		return INSN_NATIVE;
	return selector & ~3 ? INSN_NATIVE : exec_raise(x, EXC_GP);
}

#define FXSAVE_MXCSR   24u
#define MXCSR_RESERVED BITS(31, 16)

/* LDMXCSR and FXRSTOR: reserved bits.  #NM and #UD come first. */
enum insn_status exec_load_mxcsr(struct exec *x)
{
	const struct guest_view *view = x->env->sink->view;
	bool fxrstor = x->insn->operand[0].size == 0;
	uint32_t mxcsr;

	if ((view->cr0 & (CR0_EM | CR0_TS)) || !(view->cr4 & CR4_OSFXSR))
		return INSN_NATIVE;
	if (peek(x, fxrstor ? FXSAVE_MXCSR : 0, &mxcsr, sizeof(mxcsr)) &&
	    (mxcsr & MXCSR_RESERVED))
		return exec_raise(x, EXC_GP);
	return INSN_NATIVE;
}
