/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The modelled processor's control state; its translation hardware is in
 * hardware.h.
 *
 * Control registers as the *guest* sees them, with the conditions under which
 * a load of one is a #GP.  Under shadow paging the hardware registers differ:
 * cpu_translate() walks what the hypervisor has set up, not these.
 *
 * Left out: CET, PKS, LAM.
 */
#ifndef NOTRAP_CPU_CPU_H
#define NOTRAP_CPU_CPU_H

#include "arch/cpu_features.h"
#include "arch/cpu_profile.h"
#include "arch/cr.h"
#include "mem/mem.h"
#include "paging/walk.h"

struct cpu {
	uint64_t cr0, cr2, cr3, cr4, efer;
	uint64_t pdpte[4]; /* loaded with CR3 in PAE mode */
	uint32_t pkru;
	uint32_t features; /* FEATURE_*, and the profile */
	uint8_t maxphyaddr;
	bool no_nx; /* EFER.NXE is reserved */
};

/* 32-bit protected mode, paging off, as a multiboot loader leaves it. */
void cpu_init(struct cpu *cpu, uint8_t maxphyaddr, uint32_t features);

static inline bool cpu_is_paging(const struct cpu *cpu)
{
	return cpu->cr0 & CR0_PG;
}

static inline bool cpu_is_long(const struct cpu *cpu)
{
	return cpu->efer & EFER_LMA;
}

/*
 * Could these registers have been loaded, one after another?  Bits that are
 * reserved, combinations that raise #GP.
 */
bool cpu_is_sane(const struct cpu *cpu);

enum paging_mode cpu_paging(const struct cpu *cpu);

/* How a processor without a hypervisor would walk the guest's own tables. */
struct paging_ctx cpu_guest_paging(const struct cpu *cpu);

/*
 * Load a register.  False: the processor raises #GP(0) and nothing changed.
 * code64: the instruction runs in 64-bit mode (CR0.PG cannot be cleared).
 * CR3 and, in PAE mode, CR0 and CR4 load the PDPTEs from mem.  Bit 63 of what
 * goes to CR3 is no part of it while CR4.PCIDE is set: it asks for no flush.
 * SDM vol. 2, "MOV--Move to/from Control Registers"; vol. 3A, "PDPTE
 * Registers", "Process-Context Identifiers (PCIDs)".
 */
bool cpu_load_cr0(struct cpu *cpu, const struct mem *mem, uint64_t val,
		  bool code64);
bool cpu_load_cr3(struct cpu *cpu, const struct mem *mem, uint64_t val);
bool cpu_load_cr4(struct cpu *cpu, const struct mem *mem, uint64_t val);
bool cpu_load_efer(struct cpu *cpu, uint64_t val);

/*
 * MOV to any of them.  Two refusals are not the processor's: KVM has no root
 * where there is no memory, and models no local APIC behind CR8.
 */
bool cpu_load_cr(struct cpu *cpu, const struct mem *mem, unsigned int cr,
		 uint64_t val, bool code64);

/*
 * INVPCID's type, in a register, and the two halves of its descriptor.
 * False: #GP(0).  That the processor has the instruction and that CPL is 0 was
 * looked at before.
 */
bool cpu_invpcid_is_valid(const struct cpu *cpu, uint64_t type, uint64_t pcid,
			  gva_t gva);

/* What LMSW makes of CR0; it cannot clear PE. */
uint64_t cpu_lmsw(const struct cpu *cpu, uint16_t source);

static inline bool cpu_root_is_ram(const struct mem *mem, uint64_t cr3)
{
	return mem_is_ram(mem, cr3 & PTE_ADDR, PAGE_SIZE);
}

/*
 * The processor translates a reference through the tables that are loaded,
 * here the modelled shadow, and sets A and (for a write) D in the leaf entry.
 * Upper levels keep what they have: shadow MMUs link them with A set.  So does
 * an entry that leads nowhere (unsafe-trap=force), as the A bit would make it
 * a value that no shadow MMU knows.
 */
static inline void cpu_translate(const struct paging_ctx *hardware,
				 struct mem *mem, gva_t gva, uint32_t access,
				 struct walk *ret)
{
	uint64_t ad = PTE_A | (access & PFEC_W ? PTE_D : 0);

	paging_walk_to(hardware, mem, gva, access, ret);
	if (!ret->fault && (~ret->leaf & ad) &&
	    pool_owns(&mem->pool, ret->table) && mem_is_ram(mem, ret->pa, 1))
		pool_set(&mem->pool, ret->table, ret->index, ret->leaf | ad);
}

#endif
