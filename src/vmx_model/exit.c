/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writing exit information.  Left out: what an exit saves into the guest-state
 * area (whoever holds the registers does that) and NMI unblocking by IRET.
 */
#include "vmx_model/exit.h"

#include "arch/paging.h"

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

static uint64_t ept_attempted(uint32_t access, bool is_walk)
{
	if (is_walk)
		return VMX_QUAL_EPT_READ;
	if (access & PFEC_ID)
		return VMX_QUAL_EPT_FETCH;
	return access & PFEC_W ? VMX_QUAL_EPT_WRITE : VMX_QUAL_EPT_READ;
}

struct vmx_exit_info vmx_exit_ept_violation(uint32_t access, bool is_walk,
					    bool has_linear, gva_t gva,
					    gpa_t gpa)
{
	uint64_t qual = ept_attempted(access, is_walk);

	if (has_linear)
		qual |= VMX_QUAL_EPT_LINEAR_VALID;
	if (has_linear && !is_walk)
		qual |= VMX_QUAL_EPT_FINAL;
	return (struct vmx_exit_info){
		.reason = EXIT_REASON_EPT_VIOLATION,
		.qualification = qual,
		.guest_linear = has_linear ? gva : 0,
		.guest_physical = gpa,
	};
}

struct vmx_exit_info vmx_exit_ept_misconfig(gpa_t gpa)
{
	return (struct vmx_exit_info){
		.reason = EXIT_REASON_EPT_MISCONFIG,
		.guest_physical = gpa,
	};
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
