/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Does it exit?  Pure functions of the controls and of what the guest does;
 * where it does not exit, also what the hardware then does instead.
 *
 * They answer for an instruction that is otherwise fine: a fault with higher
 * priority (#GP by privilege level, #UD, the I/O permission bitmap) is the
 * caller's to raise first, SDM vol. 3C, "Relative Priority of Faults and VM
 * Exits".  A second exception during delivery: vmx_model/raise.h.
 */
#ifndef NOTRAP_VMX_MODEL_DECIDE_H
#define NOTRAP_VMX_MODEL_DECIDE_H

#include "arch/cr.h"
#include "arch/exception.h"
#include "arch/exit_reasons.h"
#include "vmx_model/controls.h"

/*
 * SDM vol. 3C, "Other Causes of VM Exits": if the error code, masked, equals
 * the match value, bit 14 of the exception bitmap holds as it is; if not, its
 * meaning is reversed.  The comparison is over all 32 bits.
 */
static inline bool vmx_pf_exits(const struct vmx_controls *c, uint32_t pfec)
{
	bool bit14 = c->exception_bitmap & BIT(EXC_PF);
	bool match = (pfec & c->pfec_mask) == c->pfec_match;

	return bit14 == match;
}

/*
 * Any exception but #PF, by the exception bitmap; INT3, INTO, BOUND and UD2
 * raise exceptions too.  Not for NMI (vmx_nmi_exits) and not for INT n, which
 * never exits.
 */
static inline bool vmx_exception_exits(const struct vmx_controls *c,
				       unsigned int vector)
{
	BUG_ON(vector >= NR_EXCEPTIONS || vector == EXC_PF ||
	       vector == EXC_NMI);
	return c->exception_bitmap & BIT(vector);
}

static inline bool vmx_external_interrupt_exits(const struct vmx_controls *c)
{
	return c->pin & VMX_PIN_EXT_INTR_EXITING;
}

static inline bool vmx_nmi_exits(const struct vmx_controls *c)
{
	return c->pin & VMX_PIN_NMI_EXITING;
}

/* An external interrupt could be delivered before the next instruction. */
static inline bool vmx_interrupt_window_open(uint64_t rflags,
					     uint32_t interruptibility)
{
	return (rflags & RFLAGS_IF) &&
	       !(interruptibility &
		 (VMX_BLOCKED_BY_STI | VMX_BLOCKED_BY_MOV_SS));
}

static inline bool vmx_interrupt_window_exits(const struct vmx_controls *c,
					      uint64_t rflags,
					      uint32_t interruptibility)
{
	return (c->proc & VMX_PROC_INTR_WINDOW_EXITING) &&
	       vmx_interrupt_window_open(rflags, interruptibility);
}

/* Instructions that depend on controls alone; the list is insns.def. */
enum vmx_insn {
#define INSN(name, reason, proc, proc2) VMX_INSN_##name,
#include "vmx_model/insns.def"
#undef INSN
	NR_VMX_INSNS
};

bool vmx_insn_exits(const struct vmx_controls *c, enum vmx_insn insn);
enum exit_reason vmx_insn_reason(enum vmx_insn insn);

/*
 * Control registers.  value means something only if it does not exit: a write
 * (MOV, CLTS, LMSW) leaves it in the hardware register, a read gives it to the
 * guest.  hw is what the hardware register holds now.
 *
 * Left out: #GP for values VMX cannot hold, bit 63 of a CR3 source with
 * CR4.PCIDE, and the TPR shadow for CR8 (a CR8 that does not exit is plain).
 */
struct vmx_cr_result {
	bool exits;
	uint64_t value;
};

/* cr is 0, 2, 3, 4 or 8; CR2 never exits. */
struct vmx_cr_result vmx_cr_write(const struct vmx_controls *c, unsigned int cr,
				  uint64_t hw, uint64_t source);
struct vmx_cr_result vmx_cr_read(const struct vmx_controls *c, unsigned int cr,
				 uint64_t hw);
struct vmx_cr_result vmx_clts(const struct vmx_controls *c, uint64_t hw);
struct vmx_cr_result vmx_lmsw(const struct vmx_controls *c, uint64_t hw,
			      uint16_t source);

/* size is 1, 2 or 4; the port of a string instruction is as good as another. */
bool vmx_io_exits(const struct vmx_controls *c, uint16_t port,
		  unsigned int size);

/* RDMSR and WRMSR, msr being ECX. */
bool vmx_msr_exits(const struct vmx_controls *c, uint32_t msr, bool write);

#endif
