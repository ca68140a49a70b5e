/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The processor's TLBs, as many and of the shape that a geometry says.
 *
 * A lookup asks the first level, then the second.  A walk fills both: the first
 * by an entry of the largest size, up to the page's, that it has an array for;
 * the second by one of the page's size, or of the first's, or by none.  Where
 * pieces and the whole are held, either may be found.  Entries are tagged with
 * the PCID, or are global.  Levels do not include one another.
 *
 * An entry grants what the walk that made it granted: a write through an entry
 * whose page was not dirty misses, as the processor has to set D.  Rights are
 * those of the tables and of SMEP and SMAP: whoever changes what rights depend
 * on flushes, also where hardware would only judge anew.  PKRU changes without
 * a flush: entries keep their protection key, and what it leaves of them is
 * reckoned anew at each WRPKRU.
 *
 * One processor's TLBs hold one VPID's entries: what the host and other guests
 * would have in them is left out.  Flushes are those of the SDM, vol. 3A,
 * "Operations that Invalidate TLBs and Paging-Structure Caches", vol. 3C,
 * "Operations that Invalidate Cached Mappings"; none flushes more than it must.
 */
#ifndef NOTRAP_CPU_TLB_H
#define NOTRAP_CPU_TLB_H

#include "arch/paging.h"
#include "cpu/assoc.h"

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

/* A reference needs one of the first three, which is also its kind. */
#define TLB_KINDS 5u

_Static_assert(TLB_READ == TLB_KIND_LOAD && TLB_WRITE == TLB_KIND_STORE &&
		       TLB_FETCH == TLB_KIND_FETCH,
	       "a need is a kind");

enum tlb_size { TLB_4K, TLB_2M, TLB_1G, NR_TLB_SIZES };

struct tlb_array {
	struct assoc assoc;
	uint16_t *grants; /* a slot */
	/* Address bits of the guest's page, of which an entry may be a piece.
	 */
	uint8_t *from;
	uint8_t kinds, sizes;
	/* By size: it is one of so many alike, and which. */
	uint8_t alike[NR_TLB_SIZES], which[NR_TLB_SIZES];
	uint64_t alike_reciprocal[NR_TLB_SIZES];
};

/*
 * Where a 4 KiB page was found last, so that a hit needs no search: there, if
 * what was there still is.  Kinds with the same arrays share these.
 */
struct tlb_front {
	uint64_t tag; /* page address, epoch */
	uint64_t what;
	const uint64_t *where; /* in assoc->tag */
	const uint16_t *grants;
	const struct assoc *assoc;
	struct assoc_set *set;
	uint32_t way;
};

#define TLB_FRONTS 64u

/* The arrays that a level has for a kind, each with a size that it holds. */
struct tlb_asked {
	struct {
		struct tlb_array *array;
		enum tlb_size size;
	} of[TLB_ARRAYS_MAX * NR_TLB_SIZES];
	uint8_t nr;
	uint8_t sizes; /* all of them */
};

struct tlb {
	/* All that a hit touches, by kind. */
	struct tlb_front *front[TLB_KINDS];
	uint64_t epoch; /* of the fronts: 1..PAGE_MASK */

	unsigned int current, global; /* numbers; global: 0 while none is */
	uint16_t pcid;
	bool has_pieces; /* some entry may be a piece of a guest's page */
	bool has_keys;
	uint8_t held; /* sizes that some entry may be of */
	unsigned int nr;
	unsigned int nr_first; /* of the first level, which come first */
	struct tlb_asked first[TLB_KINDS], second[TLB_KINDS]; /* by kind */
	struct tlb_array array[TLB_ARRAYS_MAX];
	struct tlb_front fronts[3][TLB_FRONTS];
	struct contexts contexts;
};

/* The geometry has no flaw.  -ENOMEM: tlb_finish() is fine. */
int tlb_init(struct tlb *tlb, const struct cpu_geometry *geometry);
void tlb_finish(struct tlb *tlb);

/* --- Lookups ------------------------------------------------------------- */

bool tlb_lookup_first(struct tlb *tlb, gva_t gva, uint32_t needs);

/* Is there a second level for this kind? */
static inline bool tlb_has_second(const struct tlb *tlb, uint32_t needs)
{
	return tlb->second[needs & (TLB_READ | TLB_WRITE | TLB_FETCH)].nr;
}

/* The first level has missed.  A hit fills it. */
bool tlb_lookup_second(struct tlb *tlb, gva_t gva, uint32_t needs);

/* The first level; the hit path. */
static inline bool tlb_lookup(struct tlb *tlb, gva_t gva, uint32_t needs)
{
	uint32_t kind = needs & (TLB_READ | TLB_WRITE | TLB_FETCH);
	const struct tlb_front *front =
		&tlb->front[kind][(gva >> PAGE_SHIFT) % TLB_FRONTS];

	if (likely(front->tag == ((gva & ~PAGE_MASK) | tlb->epoch) &&
		   *front->where == front->what &&
		   !(needs & ~(uint32_t)*front->grants))) {
		assoc_touch_way(front->assoc, front->set, front->way);
		return true;
	}
	return tlb_lookup_first(tlb, gva, needs);
}

/* --- Fills --------------------------------------------------------------- */

struct tlb_page {
	gva_t gva;
	uint32_t grants;
	enum tlb_size size; /* of the translation */
	/* Address bits of the guest's page, if that is larger; else 0. */
	uint8_t from;
	bool global;
};

/* After a walk for this kind of reference. */
void tlb_fill(struct tlb *tlb, uint32_t kind, const struct tlb_page *page);

/*
 * A page with this key is readable, and can be written if `write`.  For a page
 * that has none: TLB_READ, and TLB_WRITE perhaps.
 */
uint32_t tlb_keyed(unsigned int key, bool write, uint32_t pkru);

void tlb_set_pkru(struct tlb *tlb, uint32_t pkru);

/* --- Flushes ------------------------------------------------------------- */

/* Everything: VM exit and entry without VPID, CR4.PGE, INVEPT, INVPCID 2. */
void tlb_flush(struct tlb *tlb);
/* All PCIDs; global entries stay: INVPCID 3. */
void tlb_flush_contexts(struct tlb *tlb);
/* One PCID; global entries stay: INVPCID 1. */
void tlb_flush_pcid(struct tlb *tlb, uint16_t pcid);
/* The current PCID and global entries. */
void tlb_flush_current(struct tlb *tlb);
/* MOV to CR3: pcid is 0 without CR4.PCIDE; keep: bit 63 of the operand. */
void tlb_mov_cr3(struct tlb *tlb, uint16_t pcid, bool keep);
/* INVLPG: the page of the current PCID, and if it is global, all its pieces. */
void tlb_invlpg(struct tlb *tlb, gva_t gva);
/* INVPCID 0: the page of this PCID, not if it is global. */
void tlb_invpcid_page(struct tlb *tlb, uint16_t pcid, gva_t gva);
/* INVVPID 0: the page of any PCID, and if it is global. */
void tlb_invvpid_page(struct tlb *tlb, gva_t gva);

#endif
