/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The processor's TLBs, 4 KiB pages.
 *
 * Those of a Core 2 (Merom), the machine of the patch: an instruction TLB of
 * 128 entries, a data TLB of 16 in front of one of 256, each 4 ways, LRU
 * (InstLatx64's dumps of CPUID leaf 2).  There is no VPID, so a VM exit and
 * entry flushes all; a flush is a new epoch.
 *
 * An entry grants what the walk that made it granted: a write through an entry
 * whose page was not dirty misses, as the processor has to set D.  Rights are
 * those of the tables and of SMEP and SMAP, whose bits flush when they change.
 * PKRU changes without a flush: entries keep their protection key, and what it
 * leaves of them is reckoned anew at each WRPKRU.  CR0.WP and NXE are on, as
 * under shadow paging they are.
 */
#ifndef NOTRAP_CPU_TLB_H
#define NOTRAP_CPU_TLB_H

#include "arch/paging.h"
#include "base/bug.h"
#include "base/types.h"

#define TLB_WAYS     4
#define TLB_L1I_SETS 32
#define TLB_L1D_SETS 4
#define TLB_L2_SETS  64

/* What a reference needs and an entry grants. */
#define TLB_READ       BIT(0)
#define TLB_WRITE      BIT(1)
#define TLB_FETCH      BIT(2)
#define TLB_SUPERVISOR BIT(3) /* but not with RFLAGS.AC: any page will do */
#define TLB_USER       BIT(4)
/* What only an entry has: the right to be written if its key allows. */
#define TLB_KEYED     BIT(5) /* keys count for this page */
#define TLB_MAY_WRITE BIT(6)
#define TLB_KEY_SHIFT 8 /* four bits */

/* Ways in the order of their last use. */
struct tlb_set {
	uint64_t tag[TLB_WAYS]; /* page address, epoch; 0: free */
	uint16_t grants[TLB_WAYS];
};

struct tlb {
	uint64_t epoch; /* 1..EPOCH_MAX */
	struct tlb_set l1i[TLB_L1I_SETS];
	struct tlb_set l1d[TLB_L1D_SETS];
	struct tlb_set l2[TLB_L2_SETS];
	uint64_t flushes;
};

void tlb_init(struct tlb *tlb);
void tlb_flush(struct tlb *tlb);
void tlb_flush_page(struct tlb *tlb, gva_t gva);

/*
 * After a walk: the entry, most recently used, in the first level and, for
 * data, in the second.
 */
void tlb_fill(struct tlb *tlb, gva_t gva, bool fetch, uint32_t grants);

/*
 * For tlb_fill(): a page with this key is readable, and can be written if
 * `write`.  For a page that has none: TLB_READ, and TLB_WRITE perhaps.
 */
uint32_t tlb_keyed(unsigned int key, bool write, uint32_t pkru);

void tlb_set_pkru(struct tlb *tlb, uint32_t pkru);

/* After tlb_lookup() of data missed: found in the second level? */
bool tlb_lookup_l2(struct tlb *tlb, gva_t gva, uint32_t needs);

static inline uint64_t tlb_tag(const struct tlb *tlb, gva_t gva)
{
	return (gva & ~PAGE_MASK) | tlb->epoch;
}

/* Way i becomes the most recent one; the ones before it move back. */
static inline void tlb_to_front(struct tlb_set *set, unsigned int i,
				uint64_t tag, uint16_t grants)
{
	for (; i; i--) {
		set->tag[i] = set->tag[i - 1];
		set->grants[i] = set->grants[i - 1];
	}
	set->tag[0] = tag;
	set->grants[0] = grants;
}

static inline bool tlb_set_lookup(struct tlb_set *set, uint64_t tag,
				  uint32_t needs)
{
	if (likely(set->tag[0] == tag && !(needs & ~set->grants[0])))
		return true;
	for (unsigned int i = 1; i < TLB_WAYS; i++) {
		if (set->tag[i] != tag)
			continue;
		if (needs & ~set->grants[i])
			return false;
		tlb_to_front(set, i, tag, set->grants[i]);
		return true;
	}
	return false;
}

/* The first level; the hit path. */
static inline bool tlb_lookup(struct tlb *tlb, gva_t gva, uint32_t needs)
{
	uint64_t page = gva >> PAGE_SHIFT;
	struct tlb_set *set = needs & TLB_FETCH
				      ? &tlb->l1i[page % TLB_L1I_SETS]
				      : &tlb->l1d[page % TLB_L1D_SETS];

	return tlb_set_lookup(set, tlb_tag(tlb, gva), needs);
}

#endif
