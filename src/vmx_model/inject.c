/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Event injection.  Left out: pending MTF exits (type 7) and instruction
 * length 0 for software events, both of which later processors allow.
 */
#include "vmx_model/inject.h"

#include "arch/cr.h"

#define INSN_LEN_MAX 15

void vmx_inject(struct vmcs *vmcs, const struct vmx_event *event)
{
	BUG_ON(!event->valid);
	vmcs_set(vmcs, VMCS_ENTRY_INTR_INFO, vmx_event_info(event));
	vmcs_set(vmcs, VMCS_ENTRY_INTR_ERROR, event->error);
	vmcs_set(vmcs, VMCS_ENTRY_INSN_LEN, event->insn_len);
}

struct vmx_event vmx_entry_event(const struct vmcs *vmcs)
{
	return vmx_event_of_words(vmcs_get32(vmcs, VMCS_ENTRY_INTR_INFO),
				  vmcs_get32(vmcs, VMCS_ENTRY_INTR_ERROR),
				  vmcs_get32(vmcs, VMCS_ENTRY_INSN_LEN));
}

static bool guest_is_real_mode(const struct vmcs *vmcs)
{
	return (vmcs_get32(vmcs, VMCS_PROC_CONTROLS) & VMX_PROC_SECONDARY) &&
	       (vmcs_get32(vmcs, VMCS_PROC2_CONTROLS) &
		VMX_PROC2_UNRESTRICTED) &&
	       !(vmcs_get(vmcs, VMCS_GUEST_CR0) & CR0_PE);
}

static bool wants_error_code(const struct vmcs *vmcs,
			     const struct vmx_event *event)
{
	return event->type == VMX_TYPE_HW_EXCEPTION &&
	       exception_has_error_code(event->vector) &&
	       !guest_is_real_mode(vmcs);
}

/* SDM vol. 3C, "VM-Entry Control Fields".  NULL: nothing wrong. */
static const char *wrong_with_event(const struct vmcs *vmcs,
				    const struct vmx_event *event)
{
	if (event->type == VMX_TYPE_RESERVED || event->type == VMX_TYPE_OTHER)
		return "interruption type is reserved";
	if (event->type == VMX_TYPE_NMI && event->vector != EXC_NMI)
		return "an NMI's vector is not 2";
	if (event->type == VMX_TYPE_HW_EXCEPTION &&
	    event->vector >= NR_EXCEPTIONS)
		return "a hardware exception's vector is above 31";
	if (event->has_error != wants_error_code(vmcs, event))
		return event->has_error ? "event has no error code to deliver"
					: "exception needs its error code";
	if (vmcs_get(vmcs, VMCS_ENTRY_INTR_INFO) & VMX_INTR_RESERVED)
		return "reserved bits 30:12 are not 0";
	if (event->has_error && (event->error & BITS(31, 16)))
		return "error code has bits above 15";
	if (vmx_type_is_software(event->type) &&
	    (event->insn_len == 0 || event->insn_len > INSN_LEN_MAX))
		return "a software event's instruction length is not 1 to 15";
	return NULL;
}

static bool activity_allows(enum vmx_activity activity,
			    const struct vmx_event *event)
{
	bool mc =
		event->type == VMX_TYPE_HW_EXCEPTION && event->vector == EXC_MC;
	bool db =
		event->type == VMX_TYPE_HW_EXCEPTION && event->vector == EXC_DB;
	bool nmi = event->type == VMX_TYPE_NMI;

	switch (activity) {
	case VMX_ACTIVITY_ACTIVE:
		return true;
	case VMX_ACTIVITY_HLT:
		return nmi || mc || db || event->type == VMX_TYPE_EXTERNAL;
	case VMX_ACTIVITY_SHUTDOWN:
		return nmi || mc;
	case VMX_ACTIVITY_WAIT_SIPI:
		break;
	}
	return false;
}

/* SDM vol. 3C, "Checks on Guest RIP, RFLAGS..." and "Non-Register State". */
static const char *wrong_with_guest(const struct vmcs *vmcs,
				    const struct vmx_event *event)
{
	uint32_t blocked = vmcs_get32(vmcs, VMCS_GUEST_INTERRUPTIBILITY);
	uint64_t rflags = vmcs_get(vmcs, VMCS_GUEST_RFLAGS);
	bool external = event->type == VMX_TYPE_EXTERNAL;
	bool nmi = event->type == VMX_TYPE_NMI;

	if (external && !(rflags & RFLAGS_IF))
		return "external interrupt with RFLAGS.IF=0";
	if (external && (blocked & VMX_BLOCKED_BY_STI))
		return "external interrupt while blocked by STI";
	if ((external || nmi) && (blocked & VMX_BLOCKED_BY_MOV_SS))
		return "interrupt while blocked by MOV SS";
	if (nmi && (blocked & VMX_BLOCKED_BY_NMI) &&
	    (vmcs_get32(vmcs, VMCS_PIN_CONTROLS) & VMX_PIN_VIRTUAL_NMIS))
		return "NMI while NMIs are blocked";
	if (!activity_allows(
		    (enum vmx_activity)vmcs_get32(vmcs, VMCS_GUEST_ACTIVITY),
		    event))
		return "event does not wake the activity state";
	return NULL;
}

enum vmx_entry_verdict vmx_check_entry_event(const struct vmcs *vmcs,
					     const char **why)
{
	struct vmx_event event = vmx_entry_event(vmcs);
	const char *wrong;

	if (!event.valid)
		return VMX_ENTRY_OK;

	wrong = wrong_with_event(vmcs, &event);
	if (wrong) {
		*why = wrong;
		return VMX_ENTRY_BAD_CONTROLS;
	}
	wrong = wrong_with_guest(vmcs, &event);
	if (wrong) {
		*why = wrong;
		return VMX_ENTRY_BAD_GUEST;
	}
	return VMX_ENTRY_OK;
}

struct vmx_event vmx_exit_event(const struct vmcs *vmcs)
{
	return vmx_event_of_words(vmcs_get32(vmcs, VMCS_EXIT_INTR_INFO),
				  vmcs_get32(vmcs, VMCS_EXIT_INTR_ERROR),
				  vmcs_get32(vmcs, VMCS_EXIT_INSN_LEN));
}

struct vmx_event vmx_vectoring_event(const struct vmcs *vmcs)
{
	return vmx_event_of_words(vmcs_get32(vmcs, VMCS_IDT_VECTORING_INFO),
				  vmcs_get32(vmcs, VMCS_IDT_VECTORING_ERROR),
				  vmcs_get32(vmcs, VMCS_EXIT_INSN_LEN));
}

bool vmx_reinject(struct vmcs *vmcs)
{
	struct vmx_event event = vmx_vectoring_event(vmcs);

	if (!event.valid || vmx_entry_event(vmcs).valid)
		return false;

	if (event.type == VMX_TYPE_NMI &&
	    (vmcs_get32(vmcs, VMCS_PIN_CONTROLS) & VMX_PIN_VIRTUAL_NMIS)) {
		uint32_t blocked =
			vmcs_get32(vmcs, VMCS_GUEST_INTERRUPTIBILITY);

		vmcs_set(vmcs, VMCS_GUEST_INTERRUPTIBILITY,
			 blocked & ~VMX_BLOCKED_BY_NMI);
	}
	vmx_inject(vmcs, &event);
	return true;
}

static enum exception_outcome reflection_of(enum vmx_reflection how,
					    const struct vmx_event *first)
{
	bool is_exception =
		first->valid && first->type == VMX_TYPE_HW_EXCEPTION;

	if (how == VMX_REFLECT_TABLE)
		return vmx_event_combine(first, EXC_PF);
	if (!is_exception || how == VMX_REFLECT_REPLACE)
		return EXC_SERIAL;
	if (first->vector == EXC_PF)
		return EXC_DOUBLE_FAULT;
	if (first->vector == EXC_DF && how == VMX_REFLECT_QUEUE)
		return EXC_TRIPLE_FAULT;
	return EXC_SERIAL;
}

struct vmx_reflected vmx_reflect_page_fault(struct vmcs *vmcs, uint32_t pfec,
					    enum vmx_reflection how)
{
	struct vmx_event first = vmx_vectoring_event(vmcs);
	struct vmx_reflected r = {.sets_cr2 = how == VMX_REFLECT_TABLE};

	switch (reflection_of(how, &first)) {
	case EXC_TRIPLE_FAULT:
		r.triple_fault = true;
		return r;
	case EXC_DOUBLE_FAULT:
		r.event = vmx_event_exception(EXC_DF, 0);
		break;
	case EXC_SERIAL:
		if (how == VMX_REFLECT_QUEUE && first.valid &&
		    first.type == VMX_TYPE_HW_EXCEPTION)
			return r;
		r.event = vmx_event_exception(EXC_PF, pfec);
		r.sets_cr2 = true;
		break;
	}
	vmx_inject(vmcs, &r.event);
	return r;
}
