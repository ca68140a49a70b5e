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
#define PTE_PKEY BITS(62, 59) /* protection key, 4 and 5 levels */

_Static_assert((PTE_ADDR & (PTE_NX | BITS(11, 0))) == 0,
	       "address field overlaps flag bits");

/* Page-fault error code; the same bits describe an access to a walker. */
#define PFEC_P    BIT(0)
#define PFEC_W    BIT(1)
#define PFEC_U    BIT(2)
#define PFEC_RSVD BIT(3)
#define PFEC_ID   BIT(4)
#define PFEC_PK   BIT(5)
/*
 * Not of the error code, but of the access: an explicit supervisor access with
 * RFLAGS.AC=1, which SMAP lets pass.  Never set for a user access, a fetch or
 * an implicit access (descriptor tables, TSS, event delivery).
 */
#define ACCESS_AC BIT(16)

/*
 * Levels count up from the leaf: 1 maps 4K, 2 maps 2M (4M in 32-bit paging),
 * 3 maps 1G.  A table of 32-bit paging has 1024 entries of 4 bytes.
 */
#define PT_ENTRIES   512
#define PT_LEVEL_MAX 5

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
	PAGING_32,     /* 2 levels, 4-byte entries */
	PAGING_PAE,    /* 3 levels, 8-byte entries, 4 PDPTEs held in the CPU */
	PAGING_4LEVEL, /* long mode */
	PAGING_5LEVEL, /* long mode with CR4.LA57 */
	NR_PAGING_MODES
};

/* "32-bit", "PAE", "4-level" */
const char *paging_mode_name(enum paging_mode mode);

static inline bool paging_is_long(enum paging_mode mode)
{
	return mode == PAGING_4LEVEL || mode == PAGING_5LEVEL;
}

/* Levels of tables that a walk reads; PDPTEs held in the CPU are not read. */
static inline int paging_levels(enum paging_mode mode)
{
	static const int levels[NR_PAGING_MODES] = {
		[PAGING_OFF] = 0,    [PAGING_32] = 2,     [PAGING_PAE] = 2,
		[PAGING_4LEVEL] = 4, [PAGING_5LEVEL] = 5,
	};

	return levels[mode];
}

/* Address bits below those that index a table of this level. */
static inline unsigned int paging_shift(enum paging_mode mode, int level)
{
	return mode == PAGING_32 ? (unsigned int)(PAGE_SHIFT + 10 * (level - 1))
				 : pt_shift(level);
}

static inline unsigned int paging_index(enum paging_mode mode, gva_t va,
					int level)
{
	unsigned int entries = mode == PAGING_32 ? 2 * PT_ENTRIES : PT_ENTRIES;

	return (unsigned int)(va >> paging_shift(mode, level)) & (entries - 1);
}

/* Bytes of a table entry. */
static inline unsigned int paging_entry_size(enum paging_mode mode)
{
	return mode == PAGING_32 ? 4 : 8;
}

/* Linear addresses are 32 bits wide outside of long mode. */
static inline gva_t paging_linear(enum paging_mode mode, gva_t va)
{
	return paging_is_long(mode) ? va : va & UINT32_MAX;
}

/*
 * Where the page of a leaf entry begins.  PSE-36: bits 20:13 of a 4 MiB entry
 * are 39:32 of the address.
 */
static inline uint64_t paging_leaf_base(enum paging_mode mode, uint64_t entry,
					int level)
{
	if (mode == PAGING_32 && level == 2)
		return (entry & BITS(31, 22)) | (entry & BITS(20, 13)) << 19;
	return entry & PTE_ADDR & ~(BIT(paging_shift(mode, level)) - 1);
}

/* The protection key of a leaf entry, and its two bits in PKRU. */
static inline unsigned int pte_pkey(uint64_t entry)
{
	return (unsigned int)((entry & PTE_PKEY) >> 59);
}

#define PKRU_AD 1u /* no data access */
#define PKRU_WD 2u /* no write */

static inline unsigned int pkru_bits(uint32_t pkru, unsigned int key)
{
	return pkru >> (2 * key) & (PKRU_AD | PKRU_WD);
}

/* Bits 63:width-1 all equal; width: 48, or 57 with CR4.LA57. */
static inline bool is_canonical_in(gva_t va, unsigned int width)
{
	unsigned int unused = 64 - width;

	return (uint64_t)((int64_t)(va << unused) >> unused) == va;
}

static inline bool is_canonical(gva_t va)
{
	return is_canonical_in(va, 48);
}

/* Outside of long mode every linear address is one. */
static inline bool paging_is_canonical(enum paging_mode mode, gva_t va)
{
	if (!paging_is_long(mode))
		return true;
	return is_canonical_in(va, mode == PAGING_5LEVEL ? 57 : 48);
}

#endif
