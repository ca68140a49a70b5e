/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Task switches in protected mode without long mode.  SDM vol. 3A, "Task
 * Switching".
 *
 * References to GDT and TSSs are made as the processor makes them; then
 * GE_TASK_SWITCH is pushed, which always exits.  Left out: 16-bit TSSs, the
 * T flag.
 */
#ifndef NOTRAP_LIVE_TASK_H
#define NOTRAP_LIVE_TASK_H

#include "live/env.h"

/* As in the VMX exit qualification. */
enum task_how {
	TASK_CALL,
	TASK_IRET,
	TASK_JMP,
	TASK_EVENT, /* through a gate of the IDT */
};

struct task_switch {
	struct live_env *env;
	enum task_how how;
	uint16_t selector; /* of the new TSS */
	uint32_t ext;      /* 1: the event is no part of the program */
	uint64_t ip;       /* what the old task goes on with */
	uint64_t flags;    /* its RFLAGS as saved */
	bool has_error;    /* pushed on the new stack */
	uint32_t error;
	uint8_t insn_len;
	/* Results, if it fails: *out is to be obeyed, or what is not modelled.
	 */
	struct guest_outcome *out;
	const char *refused;
};

/*
 * True: *env->vcpu is in the new task.  False: in the old one, unchanged, or,
 * when the new one's segments are at fault, in the new one.
 */
bool task_switch(struct task_switch *t);

/*
 * What a far CALL or JMP to `selector` leads to, by a look without side
 * effects.  TASK_NONE: no task.
 */
enum task_target {
	TASK_NONE,
	TASK_TSS,
	TASK_GATE,
};

enum task_target task_target(const struct live_env *env, uint16_t selector,
			     uint64_t *desc);

#define DESC_P          BIT(47)
#define DESC_DPL(desc)  ((uint8_t)((desc) >> 45 & 3))
#define DESC_TYPE(desc) ((uint8_t)((desc) >> 40 & 0x1f)) /* with S */

#endif
