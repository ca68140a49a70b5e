/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writing exit information.  Left out: what an exit saves into the guest-state
 * area (whoever holds the registers does that) and NMI unblocking by IRET.
 */
#include "vmx_model/exit.h"

struct vmx_exit_info vmx_exit_insn(enum exit_reason reason,
				   uint64_t qualification, uint32_t insn_len)
{
	return (struct vmx_exit_info){
		.reason = reason,
		.qualification = qualification,
		.insn_len = insn_len,
	};
}

struct vmx_exit_info vmx_exit_exception(const struct vmx_event *event,
					uint64_t qualification)
{
	return (struct vmx_exit_info){
		.reason = EXIT_REASON_EXCEPTION_NMI,
		.qualification = qualification,
		.intr_info = vmx_event_info(event),
		.intr_error = event->error,
		.insn_len = event->insn_len,
	};
}

struct vmx_exit_info vmx_exit_external_interrupt(const struct vmx_controls *c,
						 uint8_t vector)
{
	struct vmx_event event = vmx_event_interrupt(vector);
	bool acked = c->exit & VMX_EXIT_ACK_INTR;

	return (struct vmx_exit_info){
		.reason = EXIT_REASON_EXTERNAL_INTERRUPT,
		.intr_info = acked ? vmx_event_info(&event) : 0,
	};
}

struct vmx_exit_info vmx_exit_triple_fault(void)
{
	return (struct vmx_exit_info){.reason = EXIT_REASON_TRIPLE_FAULT};
}

void vmx_exit_during(struct vmx_exit_info *info, const struct vmx_event *event)
{
	if (!event->valid)
		return;
	BUG_ON(info->reason == EXIT_REASON_TRIPLE_FAULT);

	info->vectoring_info = vmx_event_info(event);
	info->vectoring_error = event->error;
	if (vmx_type_is_software(event->type))
		info->insn_len = event->insn_len;
}

void vmx_record_exit(struct vmcs *vmcs, const struct vmx_exit_info *info)
{
	uint32_t entry = vmcs_get32(vmcs, VMCS_ENTRY_INTR_INFO);

	vmcs_set(vmcs, VMCS_EXIT_REASON, info->reason);
	vmcs_set(vmcs, VMCS_EXIT_QUALIFICATION, info->qualification);
	if (info->reason & EXIT_REASON_FAILED_ENTRY)
		return;

	vmcs_set(vmcs, VMCS_EXIT_INTR_INFO, info->intr_info);
	vmcs_set(vmcs, VMCS_EXIT_INTR_ERROR, info->intr_error);
	vmcs_set(vmcs, VMCS_IDT_VECTORING_INFO, info->vectoring_info);
	vmcs_set(vmcs, VMCS_IDT_VECTORING_ERROR, info->vectoring_error);
	vmcs_set(vmcs, VMCS_EXIT_INSN_LEN, info->insn_len);
	vmcs_set(vmcs, VMCS_EXIT_INSN_INFO, info->insn_info);
	vmcs_set(vmcs, VMCS_GUEST_LINEAR_ADDRESS, info->guest_linear);
	vmcs_set(vmcs, VMCS_GUEST_PHYSICAL_ADDRESS, info->guest_physical);
	vmcs_set(vmcs, VMCS_ENTRY_INTR_INFO, entry & ~VMX_INTR_VALID);
}
