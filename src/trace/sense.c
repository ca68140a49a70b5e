/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "trace/sense.h"

#include "arch/exception.h"

static bool is_cr(const struct guest_event *ev)
{
	return ev->cr == 0 || ev->cr == 2 || ev->cr == 3 || ev->cr == 4 ||
	       ev->cr == 8;
}

static bool is_software(uint8_t type, uint8_t vector)
{
	switch (type) {
	case EVENT_SOFT_INT:
		return true;
	case EVENT_PRIV_SW_EXC:
		return vector == EXC_DB;
	case EVENT_SOFT_EXC:
		return vector == EXC_BP || vector == EXC_OF;
	default:
		return false;
	}
}

static bool is_deliverable(const struct guest_event *ev)
{
	switch (ev->type) {
	case EVENT_EXT_INT:
		return !ev->has_error;
	case EVENT_NMI:
		return ev->vector == EXC_NMI && !ev->has_error;
	case EVENT_HW_EXC:
		return ev->vector < 32 && ev->vector != EXC_NMI;
	default:
		return is_software(ev->type, ev->vector) && !ev->has_error;
	}
}

const char *trace_event_nonsense(const struct guest_event *ev)
{
	switch (ev->kind) {
	case GE_CR_WRITE:
	case GE_CR_READ:
		return is_cr(ev) ? NULL : "no such control register";
	case GE_TASK_SWITCH:
		return ev->reg < 4 && !(ev->error >> 16) && !(ev->value >> 32)
			       ? NULL
			       : "not a task switch";
	case GE_DR:
		return ev->cr < 8 ? NULL : "no such debug register";
	case GE_WRPKRU:
		return ev->value >> 32 ? "PKRU has 32 bits" : NULL;
	case GE_IO:
		return ev->size == 1 || ev->size == 2 || ev->size == 4
			       ? NULL
			       : "not the size of a port access";
	case GE_EXCEPTION:
		return ev->vector < 32 && ev->vector != EXC_NMI &&
				       ev->vector != EXC_PF
			       ? NULL
			       : "not the vector of an exception";
	case GE_DEVICE:
		return (ev->gva ^ ev->value) & PAGE_MASK
			       ? "no page leads from there to that device"
			       : NULL;
	case GE_SOFT_INT:
		return is_software(ev->type, ev->vector)
			       ? NULL
			       : "not an interrupt by software";
	case GE_DELIVER:
		return is_deliverable(ev) ? NULL : "nothing to be delivered";
	case GE_ACCESS:
	case GE_STORE:
	case NR_GUEST_EVENTS:
		return "not an event of a trace";
	default:
		return NULL;
	}
}
