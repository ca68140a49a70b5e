/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the exit decisions look at: the VM-execution controls, taken out of a
 * VMCS once so that a decision is loads from one small struct.
 *
 * The VMCS holds addresses of the I/O and MSR bitmaps; this module never looks
 * at memory, so whoever owns the bitmaps sets the pointers.
 */
#ifndef NOTRAP_VMX_MODEL_CONTROLS_H
#define NOTRAP_VMX_MODEL_CONTROLS_H

#include "arch/vendor.h"
#include "arch/vmx.h"
#include "base/diag.h"
#include "base/types.h"
#include "vmx_model/vmcs.h"

#define VMX_CR3_TARGETS 4

struct vmx_controls {
	/*
	 * There is no VMX at all: not even what exits unconditionally does.
	 * All else is to be 0 then.
	 */
	bool off;

	uint32_t exception_bitmap;
	uint32_t pfec_mask;
	uint32_t pfec_match;

	uint32_t pin;
	uint32_t proc;
	uint32_t proc2; /* 0 unless proc activates the secondary controls */
	uint32_t exit;

	uint64_t cr0_mask;
	uint64_t cr0_shadow;
	uint64_t cr4_mask;
	uint64_t cr4_shadow;
	uint64_t cr3_target[VMX_CR3_TARGETS];
	uint32_t cr3_target_count;

	/* 4 KiB each; needed only while proc says that they are used. */
	const uint8_t *io_bitmap_a; /* ports 0000 to 7fff */
	const uint8_t *io_bitmap_b; /* ports 8000 to ffff */
	const uint8_t *msr_bitmap;  /* read low, read high, write low, high */
};

/*
 * Fills all but `off` and the bitmap pointers, which it leaves alone.  Call
 * again after a change to any of these fields.  A CR3-target count above
 * VMX_CR3_TARGETS is our own bug: no VM entry would get past it.
 */
void vmx_controls_load(const struct vmcs *vmcs, struct vmx_controls *controls);

/* Can page faults be told apart by error code before they exit? */
static inline bool vmx_pf_filter_supported(enum cpu_vendor vendor)
{
	return vendor == VENDOR_INTEL;
}

/* For a configuration with the bypass on: 0, or -EINVAL and one clear line. */
int vmx_pf_filter_require(enum cpu_vendor vendor, struct diag *diag);

#endif
