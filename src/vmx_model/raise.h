/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An exception arises: what becomes of it?  Either a VM exit with its
 * information, or an event for the guest's own IDT: the exception itself, or
 * the #DF that it makes together with an event still under delivery.
 *
 * The order is hardware's: the new exception is first held against the
 * exception bitmap by itself; only if it does not exit is it combined with
 * the first, and the #DF that may come of it is held against bit 8.  A triple
 * fault always exits; without VMX (controls.off) it shuts the processor down.
 */
#ifndef NOTRAP_VMX_MODEL_RAISE_H
#define NOTRAP_VMX_MODEL_RAISE_H

#include "vmx_model/decide.h"
#include "vmx_model/event.h"
#include "vmx_model/exit.h"

struct vmx_raised {
	bool exits;
	bool shuts_down;
	struct vmx_exit_info exit; /* if it exits: to record */
	struct vmx_event event;    /* if not: to deliver through the IDT */
};

/*
 * event: a hardware exception, INT1, INT3 or INTO (its trap, not its checks).
 * qualification: as for vmx_exit_exception.
 * delivering: the event whose delivery met it; not valid if there is none.
 */
struct vmx_raised vmx_raise(const struct vmx_controls *c,
			    const struct vmx_event *event,
			    uint64_t qualification,
			    const struct vmx_event *delivering);

#endif
