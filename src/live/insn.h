/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Execute one sensitive instruction met at vcpu->rip.
 *
 * Checks that the processor makes before a VM exit come first (#UD, #GP for
 * privilege, I/O permission), then the event is pushed and its outcome
 * obeyed, then the effect on vcpu and devices takes place.
 */
#ifndef NOTRAP_LIVE_INSN_H
#define NOTRAP_LIVE_INSN_H

#include "live/decode.h"
#include "live/env.h"

enum insn_status {
	/*
	 * vcpu is as after the instruction.  A REP INS or OUTS does one
	 * iteration and leaves rip in place while more are to come.
	 */
	INSN_DONE,
	/* Pushed and allowed; let the processor execute it itself now. */
	INSN_NATIVE,
	/*
	 * Deliver `trap` at the present rip: a fault (vcpu unchanged), or the
	 * single-step #DB after the instruction (done).  It has been pushed
	 * as GE_EXCEPTION where it was not the sink who named it.
	 */
	INSN_FAULT,
	/* HLT: rip is behind it; wait for an interrupt. */
	INSN_HALT,
	/* The run ends; see `end`. */
	INSN_END,
};

/*
 * *trap is set for INSN_FAULT, *end for INSN_END, otherwise untouched.
 * `completed` instructions: INSN_DONE and INSN_HALT count as one (an
 * unfinished REP as none); the caller keeps the clock.
 */
enum insn_status insn_execute(struct live_env *env, const struct insn *insn,
			      struct trap *trap, struct live_end *end);

#endif
