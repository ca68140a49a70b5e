/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Page-table entries and page-fault error codes as the processor defines them.
 * Facts only, no state.  SDM vol. 3A, "Paging": "4-Level Paging and 5-Level
 * Paging", "PAE Paging", "Page-Fault Exceptions".
 */
#ifndef NOTRAP_ARCH_PAGING_H
#define NOTRAP_ARCH_PAGING_H

#include "base/types.h"

#define PTE_P    BIT(0)
#define PTE_W    BIT(1)
#define PTE_U    BIT(2)
#define PTE_PWT  BIT(3)
#define PTE_PCD  BIT(4)
#define PTE_A    BIT(5)
#define PTE_D    BIT(6)
#define PTE_PS   BIT(7)
#define PTE_G    BIT(8)
#define PTE_NX   BIT(63)
#define PTE_ADDR BITS(51, 12)

_Static_assert((PTE_ADDR & (PTE_NX | BITS(11, 0))) == 0,
	       "address field overlaps flag bits");

/* Page-fault error code; the same bits describe an access to a walker. */
#define PFEC_P    BIT(0)
#define PFEC_W    BIT(1)
#define PFEC_U    BIT(2)
#define PFEC_RSVD BIT(3)
#define PFEC_ID   BIT(4)
#define PFEC_PK   BIT(5)

/* Levels count up from the leaf: 1 maps 4K, 2 maps 2M, 3 maps 1G. */
#define PT_ENTRIES   512
#define PT_LEVEL_MAX 4

static inline unsigned int pt_shift(int level)
{
	return (unsigned int)(PAGE_SHIFT + 9 * (level - 1));
}

static inline unsigned int pt_index(gva_t va, int level)
{
	return (unsigned int)(va >> pt_shift(level)) & (PT_ENTRIES - 1);
}

/* How the guest has set paging up; the walker's first question. */
enum paging_mode {
	PAGING_OFF,
	PAGING_PAE,    /* 3 levels, 8-byte entries, 4 PDPTEs held in the CPU */
	PAGING_4LEVEL, /* long mode */
};

/* Bits 47..63 all equal: the 48-bit canonical form. */
static inline bool is_canonical(gva_t va)
{
	return (uint64_t)((int64_t)(va << 16) >> 16) == va;
}

#endif
