/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Event injection: what a hypervisor writes before VM entry, what VM entry
 * checks and delivers, and giving back an event whose delivery an exit cut
 * short.  SDM vol. 3C, "VM-Entry Controls for Event Injection" and "Event
 * Injection".
 *
 * An injected event never exits by itself, whatever the exception bitmap says;
 * exceptions met while delivering it are raised as usual (vmx_model/raise.h).
 */
#ifndef NOTRAP_VMX_MODEL_INJECT_H
#define NOTRAP_VMX_MODEL_INJECT_H

#include "vmx_model/event.h"
#include "vmx_model/vmcs.h"

/* Replaces an event injected since the last exit.  CR2 is the caller's. */
void vmx_inject(struct vmcs *vmcs, const struct vmx_event *event);

/* What the next VM entry delivers; not valid if nothing. */
struct vmx_event vmx_entry_event(const struct vmcs *vmcs);

enum vmx_entry_verdict {
	VMX_ENTRY_OK,
	VMX_ENTRY_BAD_CONTROLS, /* VMfailValid, instruction error 7 */
	VMX_ENTRY_BAD_GUEST,    /* exit reason INVALID_STATE, failed entry */
};

/*
 * The checks VM entry makes on the event to inject: its own fields, then the
 * guest state it must suit.  why is one clause, set only if the verdict is
 * not OK.  Everything else VM entry checks is left out.
 */
enum vmx_entry_verdict vmx_check_entry_event(const struct vmcs *vmcs,
					     const char **why);

/* The event that caused the last exit, and the one it cut short. */
struct vmx_event vmx_exit_event(const struct vmcs *vmcs);
struct vmx_event vmx_vectoring_event(const struct vmcs *vmcs);

/*
 * Injects again the event that the last exit cut short, if there is one and
 * nothing was injected since; returns whether it did.  The undefined bit 12 is
 * dropped, a software event takes its instruction's length along, and with
 * virtual NMIs an NMI lifts the blocking that its own first delivery set.
 */
bool vmx_reinject(struct vmcs *vmcs);

/*
 * What KVM makes of a guest page fault whose exit cut an event's delivery
 * short.  Only exceptions count: an interrupt or INT n is replaced always.
 */
enum vmx_reflection {
	VMX_REFLECT_REPLACE, /* the #PF, whatever was cut short */
	VMX_REFLECT_PF,      /* a #PF cut short makes #DF */
	/*
	 * Likewise; a #DF cut short makes a triple fault, and any other
	 * exception stays while the #PF is dropped.
	 */
	VMX_REFLECT_QUEUE,
	VMX_REFLECT_TABLE, /* as hardware combines them */
};

struct vmx_reflected {
	struct vmx_event event; /* injected; not valid: what was cut stays */
	bool triple_fault;      /* nothing is injected, the guest ends */
	bool sets_cr2;          /* the guest's CR2 becomes the address */
};

/* The caller has CR2. */
struct vmx_reflected vmx_reflect_page_fault(struct vmcs *vmcs, uint32_t pfec,
					    enum vmx_reflection how);

#endif
