/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Private to insn_execute() and emulate_insn(): one instruction under way,
 * and the ways it can end.
 */
#ifndef NOTRAP_LIVE_EXEC_H
#define NOTRAP_LIVE_EXEC_H

#include "live/gpr.h"
#include "live/insn.h"
#include "live/lin.h"
#include "platform/cpuid.h"

struct device_ref;

struct exec {
	struct live_env *env;
	const struct insn *insn;
	struct trap *trap;
	struct live_end *end;
	struct guest_outcome out;  /* of the last push */
	bool stepping;             /* TF was set when the instruction began */
	struct device_ref *device; /* NULL: no operand is a device's */
};

/*
 * An event of this instruction: env_event() with a length, in one piece, as a
 * change to its copy costs as much as all the rest of the exit's dispatch.
 */
static inline struct guest_event exec_event(const struct exec *x,
					    enum guest_event_kind kind)
{
	return (struct guest_event){
		.kind = kind,
		.rip = x->env->vcpu->rip,
		.cpl = x->env->vcpu->cpl,
		.insns = x->env->insns,
		.insn_len = x->insn->length,
	};
}

/* True if the outcome is GO_DONE. */
bool exec_push(struct exec *x, const struct guest_event *ev);
bool exec_push_kind(struct exec *x, enum guest_event_kind kind);

/* What x->out makes of the instruction, when it cannot just go on. */
enum insn_status exec_obey(struct exec *x);

/* The instruction raises this; pushed and obeyed. */
enum insn_status exec_raise(struct exec *x, uint8_t vector);

/* rip may have been set by the instruction, or goes behind it. */
enum insn_status exec_finish(struct exec *x);
enum insn_status exec_advance(struct exec *x);

/* Ends one iteration of a string instruction: more to come, or done. */
enum insn_status exec_iterated(struct exec *x);

/* REP with a count of 0: the string instruction does nothing. */
bool exec_is_rep(const struct exec *x);
bool exec_rep_is_over(const struct exec *x);

/* Move rSI or rDI past one element of a string. */
void exec_step_pointer(struct exec *x, uint8_t reg, unsigned int size);

/* What CPUID says on this processor, in its present state. */
struct cpuid_regs exec_cpuid_leaf(const struct exec *x, uint32_t leaf,
				  uint32_t subleaf, bool long64);

/* The groups of insn.c's dispatch. */
enum insn_status exec_io(struct exec *x);
enum insn_status exec_string_io(struct exec *x);
enum insn_status exec_rdmsr(struct exec *x);
enum insn_status exec_wrmsr(struct exec *x);
enum insn_status exec_syscall(struct exec *x);
enum insn_status exec_sysret(struct exec *x);
enum insn_status exec_sysenter(struct exec *x);
enum insn_status exec_sysexit(struct exec *x);
enum insn_status exec_mov_cr(struct exec *x);
enum insn_status exec_lmsw(struct exec *x);
enum insn_status exec_smsw(struct exec *x);
enum insn_status exec_mov_dr(struct exec *x);
enum insn_status exec_invpcid(struct exec *x);
enum insn_status exec_wrpkru(struct exec *x);
enum insn_status exec_far(struct exec *x);
enum insn_status exec_iret(struct exec *x);
enum insn_status exec_lgdt(struct exec *x);
enum insn_status exec_ltr(struct exec *x);
enum insn_status exec_load_mxcsr(struct exec *x);

#endif
