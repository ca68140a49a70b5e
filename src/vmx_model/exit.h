/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Exit information, as hardware leaves it in the VMCS.  SDM vol. 3C,
 * "Recording VM-Exit Information and Updating VM-Entry Control Fields".
 *
 * Build a vmx_exit_info with one of the functions below, add the event under
 * delivery if there was one, record it.  Fields the SDM calls undefined are
 * written as 0: results must not depend on what was there before.
 */
#ifndef NOTRAP_VMX_MODEL_EXIT_H
#define NOTRAP_VMX_MODEL_EXIT_H

#include "arch/exit_reasons.h"
#include "vmx_model/controls.h"
#include "vmx_model/event.h"
#include "vmx_model/vmcs.h"

struct vmx_exit_info {
	uint32_t reason; /* enum exit_reason, perhaps with FAILED_ENTRY */
	uint64_t qualification;
	uint32_t intr_info;
	uint32_t intr_error;
	uint32_t vectoring_info;
	uint32_t vectoring_error;
	uint32_t insn_len;
	uint32_t insn_info;
	uint64_t guest_linear;
	uint64_t guest_physical;
};

/* An instruction exits; RIP still points at it. */
struct vmx_exit_info vmx_exit_insn(enum exit_reason reason,
				   uint64_t qualification, uint32_t insn_len);

/*
 * An exception or NMI exits.  qualification: the linear address for #PF, the
 * DR6-like bits for #DB, else 0.  CR2 and DR6 have not changed.
 */
struct vmx_exit_info vmx_exit_exception(const struct vmx_event *event,
					uint64_t qualification);

/* The vector is reported only with "acknowledge interrupt on exit". */
struct vmx_exit_info vmx_exit_external_interrupt(const struct vmx_controls *c,
						 uint8_t vector);

struct vmx_exit_info vmx_exit_triple_fault(void);

/*
 * An access to guest-physical memory that no EPT entry maps.  access: PFEC_W,
 * PFEC_ID of the reference; is_walk: of a guest page-table entry, which is
 * read.  has_linear: but for PDPTEs that MOV CR loads, gva led there.  Without
 * A and D bits in EPT.  SDM vol. 3C, "Exit Qualification for EPT Violations".
 */
struct vmx_exit_info vmx_exit_ept_violation(uint32_t access, bool is_walk,
					    bool has_linear, gva_t gva,
					    gpa_t gpa);

/* One that no processor allows stands there: gpa is all it tells. */
struct vmx_exit_info vmx_exit_ept_misconfig(gpa_t gpa);

/*
 * The exit happened while event was being delivered: fills IDT-vectoring
 * information and, for a software event, the length of its instruction.  No
 * effect if event is not valid.
 *
 * Not for an exit that the event itself causes, nor for the #DF it became, nor
 * for a fault on fetching the handler's first instruction (the delivery is
 * over by then).  A triple fault here is our own bug: it has no vectoring
 * information.  SDM vol. 3C, "Information for VM Exits That Occur During Event
 * Delivery".
 */
void vmx_exit_during(struct vmx_exit_info *info, const struct vmx_event *event);

/*
 * Writes it all, and clears the valid bit of the VM-entry interruption
 * information, as every exit does.  A failed entry (EXIT_REASON_FAILED_ENTRY)
 * is no exit: only reason and qualification change.
 */
void vmx_record_exit(struct vmcs *vmcs, const struct vmx_exit_info *info);

#endif
