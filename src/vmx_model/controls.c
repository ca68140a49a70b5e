/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Loading the decision inputs from a VMCS; what a vendor cannot do. */
#include "vmx_model/controls.h"

#include <errno.h>

void vmx_controls_load(const struct vmcs *vmcs, struct vmx_controls *controls)
{
	struct vmx_controls *c = controls;

	c->exception_bitmap = vmcs_get32(vmcs, VMCS_EXCEPTION_BITMAP);
	c->pfec_mask = vmcs_get32(vmcs, VMCS_PFEC_MASK);
	c->pfec_match = vmcs_get32(vmcs, VMCS_PFEC_MATCH);

	c->pin = vmcs_get32(vmcs, VMCS_PIN_CONTROLS);
	c->proc = vmcs_get32(vmcs, VMCS_PROC_CONTROLS);
	c->proc2 = c->proc & VMX_PROC_SECONDARY
			   ? vmcs_get32(vmcs, VMCS_PROC2_CONTROLS)
			   : 0;
	c->exit = vmcs_get32(vmcs, VMCS_EXIT_CONTROLS);

	c->cr0_mask = vmcs_get(vmcs, VMCS_CR0_MASK);
	c->cr0_shadow = vmcs_get(vmcs, VMCS_CR0_SHADOW);
	c->cr4_mask = vmcs_get(vmcs, VMCS_CR4_MASK);
	c->cr4_shadow = vmcs_get(vmcs, VMCS_CR4_SHADOW);
	c->cr3_target[0] = vmcs_get(vmcs, VMCS_CR3_TARGET0);
	c->cr3_target[1] = vmcs_get(vmcs, VMCS_CR3_TARGET1);
	c->cr3_target[2] = vmcs_get(vmcs, VMCS_CR3_TARGET2);
	c->cr3_target[3] = vmcs_get(vmcs, VMCS_CR3_TARGET3);
	c->cr3_target_count = vmcs_get32(vmcs, VMCS_CR3_TARGET_COUNT);
	BUG_ON(c->cr3_target_count > VMX_CR3_TARGETS);
}

int vmx_pf_filter_require(enum cpu_vendor vendor, struct diag *diag)
{
	if (vmx_pf_filter_supported(vendor))
		return 0;
	return diag_set(diag, -EINVAL,
			"bypass=on needs VMX's page-fault error-code filter; "
			"vendor=amd has none: AMD intercepts all page faults "
			"or none (use bypass=off or vendor=intel)");
}
