/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How an instruction ends. */
#include "live/exec.h"

#include "arch/exception.h"
#include "live/debug.h"
#include "live/live.h"

bool exec_push(struct exec *x, const struct guest_event *ev)
{
	event_push(x->env->sink, ev, &x->out);
	return x->out.verdict == GO_DONE;
}

bool exec_push_kind(struct exec *x, enum guest_event_kind kind)
{
	struct guest_event ev = exec_event(x, kind);

	return exec_push(x, &ev);
}

enum insn_status exec_obey(struct exec *x)
{
	switch (x->out.verdict) {
	case GO_FAULT:
		*x->trap = trap_of_outcome(&x->out);
		if (x->trap->type >= EVENT_SOFT_INT)
			x->trap->insn_len = x->insn->length;
		return INSN_FAULT;
	case GO_DONE: /* an exception that was swallowed: try again */
		return INSN_DONE;
	default:
		env_end(x->env, &x->out, x->env->gva, "", x->end);
		return INSN_END;
	}
}

_Static_assert(EVENT_SOFT_INT < EVENT_PRIV_SW_EXC &&
		       EVENT_SOFT_INT < EVENT_SOFT_EXC &&
		       EVENT_SOFT_INT > EVENT_HW_EXC,
	       "software events are the types from SOFT_INT up");

enum insn_status exec_raise(struct exec *x, uint8_t vector)
{
	env_raise(x->env, vector, 0, &x->out);
	return exec_obey(x);
}

/* `insns` of them are complete when a single step traps. */
static enum insn_status end_step(struct exec *x, uint64_t insns)
{
	struct vcpu *vcpu = x->env->vcpu;

	vcpu->rflags &= ~RFLAGS_RF;
	vcpu->irq_shadow = false;
	if (!x->stepping || !(vcpu->rflags & RFLAGS_TF))
		return INSN_DONE;
	vcpu->dr[6] |= DR6_BS;
	x->env->insns += insns;
	return exec_raise(x, EXC_DB);
}

enum insn_status exec_finish(struct exec *x)
{
	return end_step(x, 1);
}

enum insn_status exec_advance(struct exec *x)
{
	struct vcpu *vcpu = x->env->vcpu;

	vcpu->rip += x->insn->length;
	if (x->insn->mode != CODE_64)
		vcpu->rip &= x->insn->mode == CODE_32 ? UINT32_MAX : UINT16_MAX;
	return exec_finish(x);
}

bool exec_is_rep(const struct exec *x)
{
	return x->insn->rep || x->insn->repne;
}

bool exec_rep_is_over(const struct exec *x)
{
	return exec_is_rep(x) &&
	       !(x->env->vcpu->gpr[GPR_RCX] & size_mask(x->insn->adsize));
}

enum insn_status exec_iterated(struct exec *x)
{
	struct vcpu *vcpu = x->env->vcpu;

	if (!exec_is_rep(x))
		return exec_advance(x);
	gpr_add(vcpu, GPR_RCX, x->insn->adsize, ~UINT64_C(0));
	if (exec_rep_is_over(x))
		return exec_advance(x);
	return end_step(x, 0);
}

void exec_step_pointer(struct exec *x, uint8_t reg, unsigned int size)
{
	struct vcpu *vcpu = x->env->vcpu;
	uint64_t by = size;

	gpr_add(vcpu, reg, x->insn->adsize,
		vcpu->rflags & RFLAGS_DF ? -by : by);
}
