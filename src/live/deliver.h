/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Deliver one event through the guest's own IDT: 64-bit mode, 32-bit
 * protected mode and real mode.  SDM vol. 3A, "Interrupt and Exception
 * Handling"; vol. 2A, "INT n".
 *
 * Every reference to IDT, GDT, LDT, TSS and stack is pushed (GE_ACCESS), and
 * a descriptor-level exception in the midst is pushed too (GE_EXCEPTION): the
 * sink decides about exits, #DF and shutdown, and its answer is obeyed by
 * starting over with what it names.  vcpu changes only when a delivery is
 * complete.  Left out: VME, CET.
 */
#ifndef NOTRAP_LIVE_DELIVER_H
#define NOTRAP_LIVE_DELIVER_H

#include "live/env.h"

/*
 * True: delivered (perhaps another event than asked for, as the sink said);
 * *env->vcpu is at the handler's first instruction.  False: *end says why the
 * guest is at its end, vcpu is unchanged.
 */
bool deliver_event(struct live_env *env, const struct trap *trap,
		   struct live_end *end);

#endif
