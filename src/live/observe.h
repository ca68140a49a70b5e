/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Watching every instruction, for an observer (event/observe.h).
 *
 * Two sources that must agree: a CODE hook before each instruction, whose
 * decoded operands and registers tell linear addresses; and MEM hooks, which
 * tell what was accessed, in which order, with physical addresses.  An access
 * is matched to an operand whose linear address the installed tables lead to
 * that physical address.  One that matches none is told as lost.
 */
#ifndef NOTRAP_LIVE_OBSERVE_H
#define NOTRAP_LIVE_OBSERVE_H

#include "base/diag.h"
#include "event/observe.h"

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

/* Registers, mode or mappings may have changed by C code; NULL is fine. */
void observe_stale(struct observe *observe);

/* Around the push of the access on which an instruction faulted. */
void observe_fault(struct observe *observe);
void observe_restart(struct observe *observe);

#endif
