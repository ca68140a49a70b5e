/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One processor's translation hardware, and what each operation takes out of
 * it, by the name that the SDM gives it: vol. 3A, "Operations that Invalidate
 * TLBs and Paging-Structure Caches", vol. 3C, "Operations that Invalidate
 * Cached Mappings".  Where the manual lets a processor flush more than it must,
 * this one does not.
 */
#ifndef NOTRAP_CPU_HARDWARE_H
#define NOTRAP_CPU_HARDWARE_H

#include "cpu/tlb.h"
#include "cpu/walker.h"

struct cpu_hardware {
	struct tlb tlb;
	struct walker walker;
};

/* The geometry has no flaw.  -ENOMEM: hardware_finish() is fine. */
int hardware_init(struct cpu_hardware *hw, const struct cpu_geometry *geometry);
void hardware_finish(struct cpu_hardware *hw);

/* How much an operation took. */
enum hardware_flush { FLUSH_NONE, FLUSH_PAGE, FLUSH_CONTEXT, FLUSH_ALL };

/* VM exit and VM entry without VPID: linear and combined mappings, all PCIDs.
 */
enum hardware_flush hardware_exit_entry(struct cpu_hardware *hw);

/*
 * MOV to CR3.  With CR4.PCIDE bit 63 of val asks to keep the PCID's entries;
 * otherwise they go, those of global pages apart.
 */
enum hardware_flush hardware_mov_cr3(struct cpu_hardware *hw, uint64_t cr4,
				     uint64_t val);

/* CR0 or CR4 becomes `now`. */
enum hardware_flush hardware_mov_cr0(struct cpu_hardware *hw, uint64_t was,
				     uint64_t now);
enum hardware_flush hardware_mov_cr4(struct cpu_hardware *hw, uint64_t was,
				     uint64_t now);

enum hardware_flush hardware_invlpg(struct cpu_hardware *hw, gva_t gva);
/* type: INVPCID_ADDRESS... (arch/cr.h) */
enum hardware_flush hardware_invpcid(struct cpu_hardware *hw,
				     enum paging_mode mode, uint64_t type,
				     uint16_t pcid, gva_t gva);

/* INVVPID of the VPID, all of it; INVEPT of the EPT pointer. */
enum hardware_flush hardware_invvpid(struct cpu_hardware *hw);
enum hardware_flush hardware_invept(struct cpu_hardware *hw);

#endif
