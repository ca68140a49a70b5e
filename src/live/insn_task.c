/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Far CALL and JMP, and IRET, in 32-bit and 16-bit code: the processor
 * executes them itself unless they switch tasks.
 */
#include "arch/exception.h"
#include "live/exec.h"
#include "live/task.h"

/* Long mode has no task switches: #GP there, by the processor itself. */
static bool may_switch(const struct exec *x)
{
	return (x->env->sink->view->cr0 & CR0_PE) && !env_efer_lma(x->env) &&
	       !(x->env->vcpu->rflags & RFLAGS_VM);
}

static enum insn_status raise_of(struct exec *x, uint8_t vector,
				 uint16_t selector)
{
	env_raise(x->env, vector, selector & 0xfffc, &x->out);
	return exec_obey(x);
}

static enum insn_status switch_to(struct exec *x, enum task_how how,
				  uint16_t selector)
{
	struct vcpu *vcpu = x->env->vcpu;
	struct task_switch t = {
		.env = x->env,
		.how = how,
		.selector = selector,
		.ip = (uint32_t)(vcpu->rip + x->insn->length),
		.flags = vcpu->rflags & ~RFLAGS_RF,
		.insn_len = x->insn->length,
		.out = &x->out,
	};

	if (how == TASK_IRET)
		t.flags &= ~RFLAGS_NT;
	if (task_switch(&t))
		return INSN_DONE;
	if (!t.refused)
		return exec_obey(x);
	env_stop(x->env, x->end, "%s is not modelled", t.refused);
	return INSN_END;
}

/* Where the selector is: the last two bytes, or behind the offset. */
static bool read_selector(const struct exec *x, uint16_t *ret)
{
	const struct operand *op = &x->insn->operand[0];
	const struct vcpu *vcpu = x->env->vcpu;
	gva_t gva;

	if (x->insn->nr_operands && op->type == OPERAND_MEM)
		gva = insn_linear(x->insn, op, vcpu) + x->insn->opsize;
	else
		gva = vcpu->seg[SEG_CS].base + vcpu->rip + x->insn->length - 2;
	return lin_peek(x->env, (uint32_t)gva, ret, sizeof(*ret)) ==
	       sizeof(*ret);
}

enum insn_status exec_far(struct exec *x)
{
	uint8_t cpl = x->env->vcpu->cpl;
	uint16_t selector = 0;
	enum task_target target;
	uint64_t desc = 0;

	if (!may_switch(x) || !read_selector(x, &selector))
		return INSN_NATIVE;
	target = task_target(x->env, selector, &desc);
	if (target == TASK_NONE)
		return INSN_NATIVE;
	if (DESC_DPL(desc) < cpl || DESC_DPL(desc) < (selector & 3))
		return raise_of(x, EXC_GP, selector);
	if (target == TASK_GATE) {
		if (!(desc & DESC_P))
			return raise_of(x, EXC_NP, selector);
		selector = (uint16_t)(desc >> 16);
	}
	return switch_to(x, x->insn->op == OP_FAR_CALL ? TASK_CALL : TASK_JMP,
			 selector);
}

enum insn_status exec_iret(struct exec *x)
{
	struct lin_ref ref = {.gva = x->env->vcpu->tr.base, .size = 2};
	uint16_t link;

	if (!(x->env->vcpu->rflags & RFLAGS_NT) || !may_switch(x))
		return INSN_NATIVE;
	if (!lin_read(x->env, &ref, &link, &x->out))
		return exec_obey(x);
	return switch_to(x, TASK_IRET, link);
}
