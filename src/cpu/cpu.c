/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cpu/cpu.h"

#include <string.h>

static uint64_t efer_known(const struct cpu *cpu)
{
	return cpu_efer_bits(cpu->features) & ~(cpu->no_nx ? EFER_NXE : 0);
}

void cpu_init(struct cpu *cpu, uint8_t maxphyaddr, uint32_t features)
{
	*cpu = (struct cpu){
		.cr0 = CR0_PE | CR0_ET,
		.features = features,
		.maxphyaddr = maxphyaddr,
	};
}

enum paging_mode cpu_paging(const struct cpu *cpu)
{
	if (!cpu_is_paging(cpu))
		return PAGING_OFF;
	if (cpu_is_long(cpu))
		return cpu->cr4 & CR4_LA57 ? PAGING_5LEVEL : PAGING_4LEVEL;
	return cpu->cr4 & CR4_PAE ? PAGING_PAE : PAGING_32;
}

struct paging_ctx cpu_guest_paging(const struct cpu *cpu)
{
	struct paging_ctx ctx = {
		.mode = cpu_paging(cpu),
		.root = cpu->cr3 & PTE_ADDR,
		.wp = cpu->cr0 & CR0_WP,
		.nxe = cpu->efer & EFER_NXE,
		.pse = cpu->cr4 & CR4_PSE,
		.smep = cpu->cr4 & CR4_SMEP,
		.smap = cpu->cr4 & CR4_SMAP,
		.pke = cpu->cr4 & CR4_PKE,
		.pkru = cpu->pkru,
		.has_1g = cpu->features & FEATURE_1G,
		.maxphyaddr = cpu->maxphyaddr,
	};

	memcpy(ctx.pdpte, cpu->pdpte, sizeof(ctx.pdpte));
	return ctx;
}

bool cpu_is_sane(const struct cpu *cpu)
{
	bool long_mode = (cpu->efer & EFER_LME) && (cpu->cr0 & CR0_PG);
	uint64_t width = cpu_is_long(cpu) ? BITS(63, cpu->maxphyaddr) : 0;

	if (cpu->cr0 >> 32 || (cpu->cr4 & ~cpu_cr4_bits(cpu->features)) ||
	    (cpu->efer & ~efer_known(cpu)) || (cpu->cr3 & width))
		return false;
	if ((cpu->cr0 & CR0_PG) && !(cpu->cr0 & CR0_PE))
		return false;
	if ((cpu->cr0 & CR0_NW) && !(cpu->cr0 & CR0_CD))
		return false;
	if ((cpu->cr4 & CR4_PCIDE) && !long_mode)
		return false;
	return long_mode == cpu_is_long(cpu) &&
	       (!long_mode || (cpu->cr4 & CR4_PAE));
}

/* SDM vol. 3A, "PDPTE Registers": a present PDPTE has 2:1, 8:5, 63:M clear. */
static bool load_pdptes(struct cpu *cpu, const struct mem *mem, uint64_t cr3)
{
	uint64_t reserved = BITS(2, 1) | BITS(8, 5) | BITS(63, cpu->maxphyaddr);
	uint64_t pdpte[4];

	for (unsigned int i = 0; i < 4; i++) {
		hpa_t at = (cr3 & BITS(31, 5)) + 8 * i;

		pdpte[i] = mem_is_ram(mem, at, 8) ? mem_read_u64(mem, at)
						  : ~UINT64_C(0);
		if ((pdpte[i] & PTE_P) && (pdpte[i] & reserved))
			return false;
	}
	memcpy(cpu->pdpte, pdpte, sizeof(pdpte));
	return true;
}

static bool uses_pdptes(uint64_t cr0, uint64_t cr4, uint64_t efer)
{
	return (cr0 & CR0_PG) && (cr4 & CR4_PAE) && !(efer & EFER_LME);
}

bool cpu_load_cr0(struct cpu *cpu, const struct mem *mem, uint64_t val,
		  bool code64)
{
	bool pg_on = (val & CR0_PG) && !(cpu->cr0 & CR0_PG);
	bool pg_off = !(val & CR0_PG) && (cpu->cr0 & CR0_PG);

	if (val >> 32)
		return false;
	if ((val & CR0_PG) && !(val & CR0_PE))
		return false;
	if ((val & CR0_NW) && !(val & CR0_CD))
		return false;
	if (pg_on && (cpu->efer & EFER_LME) && !(cpu->cr4 & CR4_PAE))
		return false;
	if (pg_off && (code64 || (cpu->cr4 & CR4_PCIDE)))
		return false;
	if (uses_pdptes(val, cpu->cr4, cpu->efer) &&
	    ((val ^ cpu->cr0) & (CR0_PG | CR0_CD | CR0_NW)) &&
	    !load_pdptes(cpu, mem, cpu->cr3))
		return false;

	cpu->cr0 = val | CR0_ET;
	if (pg_on && (cpu->efer & EFER_LME))
		cpu->efer |= EFER_LMA;
	if (pg_off)
		cpu->efer &= ~EFER_LMA;
	return true;
}

bool cpu_load_cr3(struct cpu *cpu, const struct mem *mem, uint64_t val)
{
	if (cpu->cr4 & CR4_PCIDE)
		val &= ~CR3_NO_FLUSH;
	if (cpu_is_long(cpu) && (val & BITS(63, cpu->maxphyaddr)))
		return false;
	if (uses_pdptes(cpu->cr0, cpu->cr4, cpu->efer) &&
	    !load_pdptes(cpu, mem, val))
		return false;
	cpu->cr3 = val;
	return true;
}

/* SDM vol. 2, "MOV--Move to/from Control Registers", on CR4. */
static bool cr4_is_valid(const struct cpu *cpu, uint64_t val)
{
	uint64_t changes = val ^ cpu->cr4;

	if (val & ~cpu_cr4_bits(cpu->features))
		return false;
	if (cpu_is_long(cpu) && (!(val & CR4_PAE) || (changes & CR4_LA57)))
		return false;
	return !(val & changes & CR4_PCIDE) ||
	       (cpu_is_long(cpu) && !(cpu->cr3 & PCID_BITS));
}

bool cpu_load_cr4(struct cpu *cpu, const struct mem *mem, uint64_t val)
{
	const uint64_t reloads = CR4_PAE | CR4_PGE | CR4_PSE | CR4_SMEP;

	if (!cr4_is_valid(cpu, val))
		return false;
	if (uses_pdptes(cpu->cr0, val, cpu->efer) &&
	    ((val ^ cpu->cr4) & reloads) && !load_pdptes(cpu, mem, cpu->cr3))
		return false;
	cpu->cr4 = val;
	return true;
}

bool cpu_load_efer(struct cpu *cpu, uint64_t val)
{
	if (val & ~efer_known(cpu))
		return false;
	if (cpu_is_paging(cpu) && ((val ^ cpu->efer) & EFER_LME))
		return false;
	cpu->efer = (val & ~EFER_LMA) | (cpu->efer & EFER_LMA);
	return true;
}

bool cpu_load_cr(struct cpu *cpu, const struct mem *mem, unsigned int cr,
		 uint64_t val, bool code64)
{
	switch (cr) {
	case 0:
		return cpu_load_cr0(cpu, mem, val, code64);
	case 3:
		return cpu_root_is_ram(mem, val) && cpu_load_cr3(cpu, mem, val);
	case 4:
		return cpu_load_cr4(cpu, mem, val);
	default:
		return cr == 8 && val <= 0xf;
	}
}

/* SDM vol. 2, "INVPCID--Invalidate Process-Context Identifier". */
bool cpu_invpcid_is_valid(const struct cpu *cpu, uint64_t type, uint64_t pcid,
			  gva_t gva)
{
	if (type > INVPCID_ALL || (pcid & ~PCID_BITS))
		return false;
	if (type <= INVPCID_CONTEXT && pcid && !(cpu->cr4 & CR4_PCIDE))
		return false;
	return type != INVPCID_ADDRESS ||
	       paging_is_canonical(cpu_paging(cpu), gva);
}

uint64_t cpu_lmsw(const struct cpu *cpu, uint16_t source)
{
	const uint64_t lmsw = CR0_PE | CR0_MP | CR0_EM | CR0_TS;

	return (cpu->cr0 & ~(lmsw & ~CR0_PE)) | (source & lmsw);
}
