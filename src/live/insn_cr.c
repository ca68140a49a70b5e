/* SPDX-License-Identifier: GPL-2.0-or-later */
/* MOV CR, LMSW, SMSW and MOV DR. */
#include "arch/exception.h"
#include "live/debug.h"
#include "live/exec.h"

static bool cr_exists(uint8_t cr)
{
	return cr == 0 || cr == 2 || cr == 3 || cr == 4 || cr == 8;
}

enum insn_status exec_mov_cr(struct exec *x)
{
	const struct insn *insn = x->insn;
	struct vcpu *vcpu = x->env->vcpu;
	bool to = insn->op == OP_MOV_TO_CR;
	struct guest_event ev = exec_event(x, to ? GE_CR_WRITE : GE_CR_READ);

	if (!cr_exists(insn->cr))
		return exec_raise(x, EXC_UD);
	if (vcpu->cpl)
		return exec_raise(x, EXC_GP);
	ev.cr = insn->cr;
	ev.reg = insn->reg;
	ev.size = insn->opsize;
	if (to)
		ev.value = vcpu->gpr[insn->reg] & size_mask(insn->opsize);
	if (!exec_push(x, &ev))
		return exec_obey(x);
	if (!to)
		gpr_merge(&vcpu->gpr[insn->reg], insn->opsize, x->out.value);
	return exec_advance(x);
}

enum insn_status exec_lmsw(struct exec *x)
{
	const struct operand *src = &x->insn->operand[0];
	struct guest_event ev = exec_event(x, GE_LMSW);
	struct lin_ref ref = {.size = 2, .access = env_access(x->env)};
	uint16_t val;

	if (x->env->vcpu->cpl)
		return exec_raise(x, EXC_GP);
	if (src->type == OPERAND_MEM) {
		ref.gva = insn_linear(x->insn, src, x->env->vcpu);
		if (!lin_read(x->env, &ref, &val, &x->out))
			return exec_obey(x);
		ev.reg = 1;
		ev.gva = ref.gva;
	} else {
		val = (uint16_t)gpr_read(x->env->vcpu, src);
	}
	ev.value = val;
	if (!exec_push(x, &ev))
		return exec_obey(x);
	return exec_advance(x);
}

/* Any CPL may: UMIP is not offered.  VMX has no exit for it either. */
enum insn_status exec_smsw(struct exec *x)
{
	const struct operand *dest = &x->insn->operand[0];
	struct guest_event ev = exec_event(x, GE_CR_READ);
	struct lin_ref ref = {.size = 2, .access = env_access(x->env)};

	if (dest->type == OPERAND_GPR)
		ev.reg = dest->reg;
	if (!exec_push(x, &ev))
		return exec_obey(x);
	if (dest->type == OPERAND_GPR) {
		gpr_write(x->env->vcpu, dest, x->out.value);
		return exec_advance(x);
	}
	ev.value = x->out.value;
	ref.gva = insn_linear(x->insn, dest, x->env->vcpu);
	if (!lin_write(x->env, &ref, &ev.value, &x->out))
		return exec_obey(x);
	return exec_advance(x);
}

static enum insn_status write_dr(struct exec *x, uint8_t dr, uint64_t val)
{
	struct vcpu *vcpu = x->env->vcpu;

	if (dr < 4) {
		vcpu->dr[dr] = val;
		return exec_advance(x);
	}
	if (val >> 32)
		return exec_raise(x, EXC_GP);
	if (dr == 6)
		vcpu->dr[6] = (val & DR6_WRITABLE) | DR6_ONES;
	else
		vcpu->dr[7] = (val & DR7_WRITABLE) | DR7_ONES;
	return exec_advance(x);
}

/*
 * MOV DR is the exception to the rule: its exit comes before the checks of
 * privilege and of DR4 and DR5.
 */
enum insn_status exec_mov_dr(struct exec *x)
{
	const struct insn *insn = x->insn;
	struct vcpu *vcpu = x->env->vcpu;
	struct guest_event ev = exec_event(x, GE_DR);
	uint8_t dr = insn->cr;

	if (dr > 7)
		return exec_raise(x, EXC_UD);
	ev.cr = dr;
	ev.reg = insn->reg;
	ev.value = insn->op == OP_MOV_TO_DR;
	if (!exec_push(x, &ev))
		return exec_obey(x);

	if (dr == 4 || dr == 5) {
		if (x->env->sink->view->cr4 & CR4_DE)
			return exec_raise(x, EXC_UD);
		dr += 2;
	}
	if (vcpu->cpl)
		return exec_raise(x, EXC_GP);
	if (vcpu->dr[7] & DR7_GD) {
		vcpu->dr[6] |= DR6_BD;
		return exec_raise(x, EXC_DB);
	}
	if (insn->op == OP_MOV_TO_DR)
		return write_dr(x, dr,
				vcpu->gpr[insn->reg] & size_mask(insn->opsize));
	gpr_merge(&vcpu->gpr[insn->reg], insn->opsize, vcpu->dr[dr]);
	return exec_advance(x);
}
