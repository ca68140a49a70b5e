/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Watching every instruction, for an observer (event/observe.h).
 *
 * Which instructions are executed is known from blocks and the clock.  MEM
 * hooks tell what was accessed, in which order, with physical addresses; by
 * whom says Unicorn's rip, which is right there for most instructions
 * (nature.unstamped), and for the others after a CODE hook.  An access is
 * matched to an operand whose linear address, by the registers at that moment,
 * the installed tables lead to that physical address: two sources that must
 * agree.  One that matches none is told as lost.
 */
#ifndef NOTRAP_LIVE_OBSERVE_H
#define NOTRAP_LIVE_OBSERVE_H

#include "base/diag.h"
#include "event/observe.h"

struct block;
struct live;
struct observe;

/*
 * Before any code is translated; nothing is told before observe_start().
 * -ENOMEM with a line.
 */
int observe_create(struct live *live, struct insn_observer *to,
		   struct diag *diag);
void observe_destroy(struct observe *observe); /* NULL is fine */
void observe_start(struct observe *observe);

/* In a BLOCK hook, when the block is about to be executed. */
void observe_block(struct observe *observe, const struct block *block);

/*
 * The instruction at pc of the present block is about to be executed, or has
 * come to an exception or an event; more than once is fine, and so is NULL.
 */
void observe_insn(struct observe *observe, gva_t pc);

/*
 * Mappings may have changed, or code; NULL is fine.  What code lies where only
 * changes with live->code_epoch.
 */
void observe_stale(struct observe *observe);

/* Around the push of the access on which an instruction faulted. */
void observe_fault(struct observe *observe);
void observe_restart(struct observe *observe);

#endif
