/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Never writes CR2: Unicorn 2.1.1 overwrites CR3 when told to. */
#include "live/hw.h"

#define CR0_ALWAYS (CR0_PG | CR0_WP | CR0_ET)
#define CR0_GUEST  (CR0_PE | CR0_MP | CR0_EM | CR0_TS | CR0_NE | CR0_AM)
#define CR4_ALWAYS CR4_PAE
#define CR4_GUEST                                                   \
	(CR4_VME | CR4_PVI | CR4_DE | CR4_OSFXSR | CR4_OSXMMEXCPT | \
	 CR4_FSGSBASE)
/* These judge user pages; without paging the guest has none. */
#define CR4_PAGING (CR4_SMEP | CR4_SMAP | CR4_PKE)

static void write_reg(const struct hw *hw, int reg, uint64_t val)
{
	uc_reg_write(hw->uc, reg, &val);
}

static void write_efer(const struct hw *hw, uint64_t val)
{
	uc_x86_msr msr = {.rid = MSR_EFER, .value = val};

	uc_reg_write(hw->uc, UC_X86_REG_MSR, &msr);
}

/* LMA follows LME when paging is turned off and on again. */
static void switch_mode(struct hw *hw, enum paging_mode mode)
{
	bool lma = paging_is_long(mode);

	write_reg(hw, UC_X86_REG_CR0, hw->cr0 & ~CR0_PG);
	write_efer(hw, EFER_SCE | EFER_NXE | (lma ? EFER_LME : 0));
	write_reg(hw, UC_X86_REG_CR4, hw->cr4);
	write_reg(hw, UC_X86_REG_CR3, hw->root);
	write_reg(hw, UC_X86_REG_CR0, hw->cr0);
	hw->mode = mode;
}

void hw_init(struct hw *hw, uc_engine *uc, enum paging_mode mode, hpa_t root)
{
	*hw = (struct hw){.uc = uc,
			  .root = root,
			  .cr0 = CR0_ALWAYS | CR0_PE,
			  .cr4 = CR4_ALWAYS};

	/* LMA is only cleared by turning paging off. */
	write_reg(hw, UC_X86_REG_CR4, hw->cr4);
	write_reg(hw, UC_X86_REG_CR3, root);
	write_reg(hw, UC_X86_REG_CR0, hw->cr0);
	switch_mode(hw, mode);
}

static uint64_t wanted_cr4(enum paging_mode mode, uint64_t guest_cr0,
			   uint64_t guest_cr4)
{
	uint64_t cr4 = CR4_ALWAYS | (guest_cr4 & CR4_GUEST);

	if (guest_cr0 & CR0_PG)
		cr4 |= guest_cr4 & CR4_PAGING;
	if (mode == PAGING_5LEVEL)
		cr4 |= CR4_LA57;
	return cr4;
}

void hw_set_mode(struct hw *hw, enum paging_mode mode, uint64_t guest_cr0,
		 uint64_t guest_cr4)
{
	uint64_t cr0 = CR0_ALWAYS | (guest_cr0 & CR0_GUEST);
	uint64_t cr4 = wanted_cr4(mode, guest_cr0, guest_cr4);

	if (mode == hw->mode && cr0 == hw->cr0 && cr4 == hw->cr4)
		return;
	hw->cr0 = cr0;
	hw->cr4 = cr4;
	if (mode != hw->mode) {
		switch_mode(hw, mode);
		return;
	}
	write_reg(hw, UC_X86_REG_CR4, cr4);
	write_reg(hw, UC_X86_REG_CR0, cr0);
}

static void write_root(struct hw *hw, hpa_t root, uint64_t cr4)
{
	if (hw->cr4 & CR4_SMEP)
		write_reg(hw, UC_X86_REG_CR4, cr4);
	hw->root = root;
	write_reg(hw, UC_X86_REG_CR3, root);
}

void hw_set_root(struct hw *hw, hpa_t root)
{
	write_root(hw, root, hw->cr4);
}

void hw_open(struct hw *hw, hpa_t root)
{
	write_root(hw, root, hw->cr4 & ~CR4_SMEP);
}
