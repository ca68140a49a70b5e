/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Unicorn's hidden processor state: CPL, segment caches, the flags that choose
 * translated code, what the last exception was.  Its API reaches none of it,
 * and uc_context_save() copies all of it, 6 KiB each way: it is read and
 * written where it lies, and this file alone knows where that is.
 *
 * The place is found by calibration when an engine is created and verified by
 * running code that depends on it.  A Unicorn that is laid out
 * otherwise is refused, never guessed at.
 */
#ifndef NOTRAP_LIVE_HIDDEN_H
#define NOTRAP_LIVE_HIDDEN_H

#include <unicorn/unicorn.h>

#include "base/diag.h"
#include "live/hw.h"
#include "live/scratch.h"
#include "live/vcpu.h"

struct hidden;

/*
 * Runs code in the scratch pages of an engine that has no hooks yet; registers
 * and hardware mode are arbitrary afterwards.  -ENOMEM, -ENOTSUP with a line.
 */
int hidden_create(uc_engine *uc, const struct scratch *scratch, struct hw *hw,
		  struct hidden **ret, struct diag *diag);
void hidden_destroy(struct hidden *hidden); /* NULL is fine */

/* *vcpu's fields that are Unicorn's are set. */
void hidden_load(const struct hidden *hidden, struct vcpu *vcpu);

/*
 * Write *vcpu into Unicorn.  The exception in flight is forgotten (Unicorn
 * would turn the next one into #DF).  Inside a BLOCK or CODE hook RIP must be
 * written as well, to leave the block.
 */
void hidden_store(struct hidden *hidden, const struct vcpu *vcpu);

/*
 * For an instruction that looks at no more than general registers, rip and CPL,
 * and changes no more than the first two: a sixth of the copying.  `plain`: in
 * this mode, and no TF, RF or shadow of an instruction has to be seen to.
 */
bool hidden_is_plain(const struct hidden *hidden, enum code_mode mode);
void hidden_load_registers(const struct hidden *hidden, struct vcpu *vcpu);
void hidden_store_registers(struct hidden *hidden, const struct vcpu *vcpu);

/* The same without changes: the instruction that faulted is tried again. */
void hidden_retry(struct hidden *hidden);

/* The exception Unicorn reports in an INTR hook, until a store or retry. */
struct hidden_event {
	gva_t cr2; /* Unicorn's own, not the guest's CR2 */
	uint32_t error;
	bool is_int; /* INT n, INT3, INTO: rip is behind it */
};

struct hidden_event hidden_event(const struct hidden *hidden);

#endif
