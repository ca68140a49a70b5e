/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The role of a shadow page: with its gfn, the key under which it is found
 * again.  One 32-bit word, compared whole; the layout is KVM's.
 */
#ifndef NOTRAP_SHADOW_MMU_ROLE_H
#define NOTRAP_SHADOW_MMU_ROLE_H

#include "shadow_mmu/spte.h"

#define ROLE_GLEVELS_SHIFT  0 /* the guest's levels: 0 (paging off), 2..5 */
#define ROLE_LEVEL_SHIFT    4 /* of this table, 1..5 */
#define ROLE_QUADRANT_SHIFT 8 /* part of a 32-bit guest's wider table */
/*
 * Two keys that KVM of the time did not have: CR4.PSE, by which entries of a
 * 32-bit guest's directories are read, and a split large page's protection key.
 */
#define ROLE_PSE          BIT(10)
#define ROLE_PKEY_SHIFT   11
#define ROLE_METAPHYSICAL BIT(16) /* no guest table behind it */
#define ROLE_ACCESS_SHIFT 17      /* ACC_*: see role_access in switches.def */

/* The guest's control state: see role_wp and role_nxe in switches.def. */
#define ROLE_WP             BIT(20)
#define ROLE_NXE            BIT(21)
#define ROLE_SMEP_ANDNOT_WP BIT(22)
#define ROLE_SMAP_ANDNOT_WP BIT(23)
#define ROLE_PKE_ANDNOT_WP  BIT(24)
/* Of the vTLB: a part of one processor's translations, no table's shadow. */
#define ROLE_PRIVATE BIT(25)
#define ROLE_CONTROL                                                      \
	(ROLE_WP | ROLE_NXE | ROLE_SMEP_ANDNOT_WP | ROLE_SMAP_ANDNOT_WP | \
	 ROLE_PKE_ANDNOT_WP)

_Static_assert((ACC_ALL << ROLE_ACCESS_SHIFT) == BITS(19, 17),
	       "access bits where KVM has them");

static inline unsigned int role_glevels(uint32_t role)
{
	return (role >> ROLE_GLEVELS_SHIFT) & 15;
}

static inline int role_level(uint32_t role)
{
	return (int)(role >> ROLE_LEVEL_SHIFT) & 15;
}

static inline bool role_is_metaphysical(uint32_t role)
{
	return role & ROLE_METAPHYSICAL;
}

/* Also metaphysical: no guest table is looked for under its gfn. */
static inline bool role_is_private(uint32_t role)
{
	return role & ROLE_PRIVATE;
}

static inline unsigned int role_access(uint32_t role)
{
	return (role >> ROLE_ACCESS_SHIFT) & ACC_ALL;
}

static inline unsigned int role_quadrant_of(uint32_t role)
{
	return role >> ROLE_QUADRANT_SHIFT & 3;
}

static inline uint64_t role_pkey(uint32_t role)
{
	return (uint64_t)(role >> ROLE_PKEY_SHIFT & 15) << 59;
}

/* How the guest entries behind the table are to be read. */
static inline enum paging_mode role_mode(uint32_t role)
{
	switch (role_glevels(role)) {
	case 0:
		return PAGING_OFF;
	case 2:
		return PAGING_32;
	case 3:
		return PAGING_PAE;
	case 4:
		return PAGING_4LEVEL;
	default:
		return PAGING_5LEVEL;
	}
}

/*
 * A table of 1024 guest entries is shadowed in parts of 512 sptes; those of a
 * directory map half of what its entries do, so that two stand for each.
 */
static inline unsigned int role_guest_index(uint32_t role, unsigned int index)
{
	unsigned int part = role_quadrant_of(role) * PT_ENTRIES + index;

	if (role_glevels(role) != 2)
		return index;
	return role_level(role) == 1 ? part : part / 2;
}

/* Bytes of a guest entry behind this table: 4 for two-level guests. */
static inline unsigned int role_gpte_size(uint32_t role)
{
	return role_glevels(role) == 2 ? 4 : 8;
}

/* A guest of at most two levels has wider tables, or none at all. */
static inline uint32_t role_quadrant(unsigned int glevels, gva_t gva, int level)
{
	if (glevels > 2)
		return 0;
	return (uint32_t)(gva >> (PAGE_SHIFT + 9 * level)) &
	       ((1u << level) - 1);
}

static inline uint32_t role_make(unsigned int glevels, gva_t gva, int level,
				 bool metaphysical, unsigned int access)
{
	return glevels << ROLE_GLEVELS_SHIFT |
	       (uint32_t)level << ROLE_LEVEL_SHIFT |
	       role_quadrant(glevels, gva, level) << ROLE_QUADRANT_SHIFT |
	       (metaphysical ? (uint32_t)ROLE_METAPHYSICAL : 0) |
	       access << ROLE_ACCESS_SHIFT;
}

#endif
