/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Shadow page-table entries: the bits KVM added to the processor's, and the
 * questions asked of them.
 *
 * Two values mean "not present".  trap: the fault exits.  notrap: it does not,
 * as the guest has nothing there either.  With the bypass trap is ~0xffe: P
 * set and reserved bits set, so the error code has P=1; W clear keeps it out
 * of the rmap and of write protection, U and PS clear, bit 9 free for the IO
 * mark.  notrap is 0.  Without the bypass both are 0.
 */
#ifndef NOTRAP_SHADOW_MMU_SPTE_H
#define NOTRAP_SHADOW_MMU_SPTE_H

#include "arch/paging.h"

/* trap with this bit stands for MMIO. */
#define SPTE_IO_MARK BIT(9)

/* Upper entries grant everything; rights are enforced in the leaf. */
#define SPTE_LINK (PTE_P | PTE_A | PTE_W | PTE_U)
/* What a link has when paging is off: the processor sets A itself. */
#define SPTE_NONPAGING (PTE_P | PTE_W | PTE_U)

#define SPTE_PERM (PTE_P | PTE_W | PTE_U | PTE_NX)

/* Rights as the walk and the role hold them. */
#define ACC_EXEC  1u
#define ACC_WRITE 2u
#define ACC_USER  4u
#define ACC_ALL   (ACC_EXEC | ACC_WRITE | ACC_USER)

_Static_assert(ACC_WRITE == PTE_W && ACC_USER == PTE_U,
	       "rights are taken from entries by a mask");
_Static_assert(!(SPTE_IO_MARK & (PTE_ADDR | SPTE_PERM | PTE_A | PTE_D)),
	       "the IO mark is a bit the processor ignores");

struct spte_values {
	uint64_t trap;
	uint64_t notrap;
	uint64_t mmio; /* all set: an MMIO spte; 0: there are none */
};

/* Holds the frame, and W and U as the guest gives them. */
static inline bool is_mmio_spte(const struct spte_values *v, uint64_t spte)
{
	return v->mmio && (spte & v->mmio) == v->mmio && spte != v->trap &&
	       spte != v->notrap;
}

static inline bool is_shadow_present(const struct spte_values *v, uint64_t spte)
{
	if (unlikely(is_mmio_spte(v, spte)))
		return false;
	spte &= ~SPTE_IO_MARK;
	return spte != v->trap && spte != (v->notrap & ~SPTE_IO_MARK);
}

static inline bool is_mmio_mark(const struct spte_values *v, uint64_t spte)
{
	return spte == (v->trap | SPTE_IO_MARK);
}

/* The bypass is on: the two values can be told apart. */
static inline bool has_notrap(const struct spte_values *v)
{
	return v->trap != v->notrap;
}

/* May a processor with CR0.WP and NXE on, as KVM's always is, do this? */
static inline bool spte_allows(uint64_t spte, uint32_t access)
{
	if ((access & PFEC_W) && !(spte & PTE_W))
		return false;
	if ((access & PFEC_U) && !(spte & PTE_U))
		return false;
	return !((access & PFEC_ID) && (spte & PTE_NX));
}

/* Another processor's TLB could hold more than the new spte grants. */
static inline bool spte_shrinks(const struct spte_values *v, uint64_t from,
				uint64_t to)
{
	if (!is_shadow_present(v, from))
		return false;
	if (!is_shadow_present(v, to) || ((from ^ to) & PTE_ADDR))
		return true;
	from ^= PTE_NX;
	to ^= PTE_NX;
	return from & ~to & SPTE_PERM;
}

#endif
