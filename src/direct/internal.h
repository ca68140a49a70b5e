/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 *   direct.c   create, state, flushes
 *   tables.c   the tables of the software TLB
 *   fill.c     a miss: walk the guest's tables, remember
 *   ept.c      memory behind guest frames
 *   audit.c    invariants
 */
#ifndef NOTRAP_DIRECT_INTERNAL_H
#define NOTRAP_DIRECT_INTERNAL_H

#include "direct/direct.h"

/* Links grant everything; PDPTEs have no rights. */
#define LINK       (PTE_P | PTE_W | PTE_U | PTE_A)
#define PDPTE_LINK PTE_P
#define PDPTES     4u
/*
 * Bits that processors ignore.  Of a link: some entry below is a piece of a
 * large guest page, of the size that one entry at this level maps (in 32-bit
 * paging: of two).  Of a leaf: level of the guest entry it comes from, 0 with
 * paging off; and whether that is global.
 */
#define LINK_LARGE      BIT(9)
#define LEAF_FROM_SHIFT 9
#define LEAF_FROM       BITS(10, 9)
#define LEAF_GLOBAL     BIT(11)

/* Entries made since they were last all forgotten. */
#define LOG_MAX 16384u

struct log {
	uint32_t entry[LOG_MAX]; /* page * PT_ENTRIES + index */
	uint32_t nr;
	bool overflow;
};

struct direct_vcpu {
	struct paging_ctx guest;
	bool global_pages;
	hpa_t root; /* 0: direct_set_guest() has not been called */
	enum paging_mode mode;
	struct log local, global;
};

struct direct {
	struct direct_config config;
	struct mem *mem;
	struct direct_vcpu *cur;
	struct direct_vcpu *vcpu;
	uint64_t *backed; /* a bit a frame of RAM; NULL without EPT */
	uint64_t *marked; /* a bit a frame below 4 GiB */
	struct direct_audit audit;
};

static inline bool bit_get(const uint64_t *map, uint64_t n)
{
	return map[n / 64] & BIT(n % 64);
}

static inline void bit_set(uint64_t *map, uint64_t n)
{
	map[n / 64] |= BIT(n % 64);
}

/* Level of the table that root is. */
static inline int tables_top(enum paging_mode mode)
{
	return mode == PAGING_PAE ? 3 : paging_levels(mode);
}

/* tables.c */

/* A root for this mode in place of what there was. */
void tables_start(struct direct *direct, struct direct_vcpu *vcpu,
		  enum paging_mode mode);
/* Index of gva's entry in a table of this level. */
unsigned int tables_index(const struct direct_vcpu *vcpu, gva_t gva, int level);
/*
 * The leaf table for gva, made if it is missing.  from: level of the guest
 * page whose piece goes there.
 */
hpa_t tables_leaf(struct direct *direct, gva_t gva, int from);
void tables_put(struct direct *direct, hpa_t table, unsigned int index,
		uint64_t entry, bool global);
/* Forget what INVLPG at gva has to. */
void tables_drop_page(struct direct *direct, gva_t gva);
void tables_drop_local(struct direct *direct);
void tables_drop_all(struct direct *direct);

/* ept.c */

bool ept_is_marked(const struct direct *direct, gpa_t gpa);

/* audit.c */

/* After a fill of gva; after anything else. */
void direct_audit_gva(struct direct *direct, gva_t gva);
static inline void direct_audit_all(struct direct *direct)
{
	if (unlikely(direct->config.audit == DIRECT_AUDIT_ALL))
		direct_run_audit(direct);
}

#endif
