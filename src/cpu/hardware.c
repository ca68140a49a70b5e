/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cpu/hardware.h"

#include <string.h>

#include "arch/cr.h"

int hardware_init(struct cpu_hardware *hw, const struct cpu_geometry *geometry)
{
	int err = tlb_init(&hw->tlb, geometry);

	memset(&hw->walker, 0, sizeof(hw->walker));
	return err ? err : walker_init(&hw->walker, geometry);
}

void hardware_finish(struct cpu_hardware *hw)
{
	tlb_finish(&hw->tlb);
	walker_finish(&hw->walker);
}

static enum hardware_flush flush_all(struct cpu_hardware *hw)
{
	tlb_flush(&hw->tlb);
	psc_flush(&hw->walker.psc);
	return FLUSH_ALL;
}

enum hardware_flush hardware_exit_entry(struct cpu_hardware *hw)
{
	return flush_all(hw);
}

enum hardware_flush hardware_mov_cr3(struct cpu_hardware *hw, uint64_t cr4,
				     uint64_t val)
{
	bool has_pcid = cr4 & CR4_PCIDE;
	uint16_t pcid = has_pcid ? (uint16_t)(val & PCID_BITS) : 0;
	bool keep = has_pcid && (val & CR3_NO_FLUSH);

	tlb_mov_cr3(&hw->tlb, pcid, keep);
	psc_mov_cr3(&hw->walker.psc, pcid, keep);
	return keep ? FLUSH_NONE : FLUSH_CONTEXT;
}

enum hardware_flush hardware_mov_cr0(struct cpu_hardware *hw, uint64_t was,
				     uint64_t now)
{
	if ((was & CR0_PG) && !(now & CR0_PG))
		return flush_all(hw);
	return FLUSH_NONE;
}

enum hardware_flush hardware_mov_cr4(struct cpu_hardware *hw, uint64_t was,
				     uint64_t now)
{
	uint64_t changed = was ^ now;

	if ((changed & CR4_PGE) || (changed & was & CR4_PCIDE))
		return flush_all(hw);
	if ((changed & CR4_PAE) || (changed & now & CR4_SMEP)) {
		tlb_flush_current(&hw->tlb);
		psc_flush_pcid(&hw->walker.psc, hw->walker.psc.pcid);
		return FLUSH_CONTEXT;
	}
	return FLUSH_NONE;
}

enum hardware_flush hardware_invlpg(struct cpu_hardware *hw, gva_t gva)
{
	tlb_invlpg(&hw->tlb, gva);
	psc_invlpg(&hw->walker.psc);
	return FLUSH_PAGE;
}

static void flush_but_global(struct cpu_hardware *hw)
{
	tlb_flush_contexts(&hw->tlb);
	psc_flush(&hw->walker.psc);
}

enum hardware_flush hardware_invpcid(struct cpu_hardware *hw,
				     enum paging_mode mode, uint64_t type,
				     uint16_t pcid, gva_t gva)
{
	struct psc *psc = &hw->walker.psc;

	switch (type) {
	case INVPCID_ADDRESS:
		tlb_invpcid_page(&hw->tlb, pcid, gva);
		psc_invpcid_page(psc, mode, pcid, gva);
		return FLUSH_PAGE;
	case INVPCID_CONTEXT:
		tlb_flush_pcid(&hw->tlb, pcid);
		psc_flush_pcid(psc, pcid);
		return FLUSH_CONTEXT;
	case INVPCID_ALL:
		flush_but_global(hw);
		return FLUSH_ALL;
	default:
		return flush_all(hw);
	}
}

enum hardware_flush hardware_invvpid(struct cpu_hardware *hw)
{
	return flush_all(hw);
}

enum hardware_flush hardware_invept(struct cpu_hardware *hw)
{
	walker_flush_nested(&hw->walker);
	return flush_all(hw);
}
