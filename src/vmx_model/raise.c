/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Exceptions against the exception bitmap and against each other. */
#include "vmx_model/raise.h"

static bool event_exits(const struct vmx_controls *c,
			const struct vmx_event *event)
{
	BUG_ON(event->type != VMX_TYPE_HW_EXCEPTION &&
	       event->type != VMX_TYPE_PRIV_SW_EXCEPTION &&
	       event->type != VMX_TYPE_SW_EXCEPTION);

	if (event->vector == EXC_PF)
		return vmx_pf_exits(c, event->error);
	return vmx_exception_exits(c, event->vector);
}

static enum exception_outcome combine(const struct vmx_event *delivering,
				      const struct vmx_event *event)
{
	if (event->type != VMX_TYPE_HW_EXCEPTION)
		return EXC_SERIAL;
	return vmx_event_combine(delivering, event->vector);
}

static struct vmx_raised to_exit(struct vmx_exit_info info)
{
	return (struct vmx_raised){.exits = true, .exit = info};
}

static struct vmx_raised double_fault(const struct vmx_controls *c)
{
	struct vmx_event df = vmx_event_exception(EXC_DF, 0);

	/* Directly: no IDT-vectoring information for the two that made it. */
	if (event_exits(c, &df))
		return to_exit(vmx_exit_exception(&df, 0));
	return (struct vmx_raised){.event = df};
}

struct vmx_raised vmx_raise(const struct vmx_controls *c,
			    const struct vmx_event *event,
			    uint64_t qualification,
			    const struct vmx_event *delivering)
{
	if (event_exits(c, event)) {
		struct vmx_exit_info info =
			vmx_exit_exception(event, qualification);

		vmx_exit_during(&info, delivering);
		return to_exit(info);
	}

	switch (combine(delivering, event)) {
	case EXC_DOUBLE_FAULT:
		return double_fault(c);
	case EXC_TRIPLE_FAULT:
		if (c->off)
			return (struct vmx_raised){.shuts_down = true};
		return to_exit(vmx_exit_triple_fault());
	case EXC_SERIAL:
		break;
	}
	return (struct vmx_raised){.event = *event};
}
