/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The shadow MMU's state, and what its files call in each other.
 *
 *   smmu.c       create, destroy, the context and its roots
 *   page.c       shadow pages: lookup, creation, prefetch, zap, recycling
 *   rmap.c       who maps a frame, who links a table
 *   walk.c       the guest walk as KVM of the time did it
 *   fault.c      page faults with paging on, fetch
 *   fill.c       the leaf, and what is filled ahead
 *   nonpaging.c  page faults with paging off
 *   sync.c       leaf tables out of sync, INVLPG
 *   vtlb.c       no cache: the shadow as a TLB
 *   pte_write.c  emulated writes to guest tables, the fork detector
 *   slots.c      memory slots and their dirty logs
 *   audit*.c     the invariants, each a named line
 *
 * Memory is allocated at creation alone.  A slot, the number of one spte in
 * the whole pool, is the unit of the lists: an spte of a leaf table is on at
 * most one rmap, one of an upper table on at most one list of parents, so one
 * pair of links a slot serves both and is the worst case.
 */
#ifndef NOTRAP_SHADOW_MMU_INTERNAL_H
#define NOTRAP_SHADOW_MMU_INTERNAL_H

#include "arch/cpu_features.h"
#include "shadow_mmu/role.h"
#include "shadow_mmu/smmu.h"
#include "shadow_mmu/spte.h"

/* facts: KVM_MIN_FREE_MMU_PAGES and KVM_REFILL_PAGES of 2.6.24. */
#define MIN_FREE_PAGES 5
#define REFILL_PAGES   25
/* Writes in a row to one table that the fork detector takes for a flood. */
#define FLOOD_WRITES 3
#define ZERO_WRITES  2 /* of zeros: Xen's */

/* smmu.slot_of: in no memory slot. */
#define NO_SLOT_ID 0xff

typedef uint32_t slot_t; /* pool page * 512 + index */

#define NO_SLOT UINT32_MAX
#define NO_PAGE UINT32_MAX

/* A shadow page (kvm_mmu_page).  Found by its pool page, and by key. */
struct sp {
	gfn_t gfn;
	hpa_t table;
	uint32_t role;
	uint32_t root_count;
	slot_t parents;                /* first upper slot that links here */
	uint32_t hash_next, hash_prev; /* pool pages */
	uint32_t newer, older;         /* active pages, by creation */
	uint8_t slot_bitmap; /* memory slots its leaf sptes have mapped */
	bool in_use;
	bool invalid; /* a root that was zapped: to be freed, never found */
	bool unsync;  /* the guest may write gfn: sptes are as of the last look
		       */
	/* Upper table: out-of-sync tables may be below these entries. */
	uint64_t unsync_child[PT_ENTRIES / 64];
	uint32_t visit; /* see sp_next_shadow() */
	/* Guest writes to gfn went unseen: nonpaging_write was observed. */
	bool blind;
	/*
	 * Of a private table: level of the largest page that it, or the table
	 * above it, holds pieces of; and whether one is not global.
	 */
	uint8_t page_level;
	bool has_local;
	/* Sptes that hold trap only because the written gpte had A clear. */
	uint64_t awaits_a[PT_ENTRIES / 64];
};

struct slot_link {
	slot_t next, prev;
};

/* What the shadow MMU keeps of one processor. */
struct smmu_vcpu {
	struct smmu_guest guest;
	unsigned int glevels; /* 0, 2, 3, 4 or 5 */
	hpa_t root;           /* 0: no context yet */
	hpa_t pae_root;       /* the frame of four PDPTEs */
	/* Before the next entry: load the roots anew; sync what is below them.
	 */
	bool wants_reload, wants_sync;
	/* The fork detector. */
	gfn_t last_pt_write_gfn;
	unsigned int last_pt_write_count;
	slot_t last_updated; /* last spte filled; NO_SLOT: none */
};

struct smmu {
	struct mem *mem;
	struct account *acct;
	struct smmu_switches sw;
	struct spte_values v;
	uint8_t maxphyaddr;
	uint32_t features;

	struct smmu_vcpu *cur; /* the processor at work */
	struct smmu_vcpu vcpu[SMMU_MAX_VCPUS];
	unsigned int nr_vcpus;
	bool flush_others; /* until smmu_take_remote_flush() */
	struct smmu_window window;

	struct sp *sp;          /* by pool page */
	struct slot_link *link; /* by slot */
	slot_t *rmap;           /* by gfn: first slot */
	uint64_t nr_gfns;       /* of mem's RAM */
	struct smmu_slot slot[SMMU_MAX_SLOTS];
	uint8_t *slot_of; /* by gfn: memory slot, NO_SLOT_ID */
	uint64_t *dirty;  /* by gfn, a bit: may have been written */
	uint32_t *hash;   /* first pool page of each bucket */
	uint32_t hash_mask;
	uint32_t newest, oldest;
	uint32_t max_pages, nr_used;
	uint32_t visit; /* see sp_next_shadow() */
	/* By slot, the guest entry an spte was made from; NULL: no audits. */
	uint64_t *made_from;

	enum smmu_audit audit;
	struct smmu_audit_report total;
	/* Sticky: rights in old sptes may stem from these. */
	bool paging_seen, wp0_seen, nxe0_seen;
	/* The emulated write under way; its bytes are not in RAM yet. */
	struct {
		gpa_t gpa;
		unsigned int len; /* 0: none */
		uint8_t bytes[8];
	} pending;
};

/* The guest walk's result (walk.c).  Arrays are indexed by level - 1. */
struct guest_walk {
	uint32_t pfec;  /* of the fault, if there is one */
	int top, level; /* first and last level read */
	gfn_t table_gfn[PT_LEVEL_MAX];
	uint64_t gpte[PT_LEVEL_MAX];      /* after A and D were set */
	gfn_t gfn;                        /* of the 4 KiB page */
	unsigned int above[PT_LEVEL_MAX]; /* rights above that table */
	unsigned int pt_access;           /* rights above the leaf */
	unsigned int pte_access;          /* rights with the leaf's */
	bool was_accessed, was_dirty;     /* the leaf, before the walk */
};

/* What a leaf spte is made from. */
struct fill {
	slot_t slot;
	gfn_t gfn;
	unsigned int access;
	bool dirty;
	bool write, user;              /* of the fault */
	bool ahead;                    /* not what was asked for */
	uint64_t gpte;                 /* of a leaf table */
	const struct guest_walk *walk; /* NULL: not from a guest walk */
};

enum fill_result {
	FILL_DONE,
	FILL_WRITE_PT, /* a write to a shadowed frame */
	FILL_EMULATE,  /* a write that no spte can let through */
	FILL_MMIO,
};

static inline slot_t slot_make(hpa_t table, unsigned int index)
{
	return pool_page(table) * PT_ENTRIES + index;
}

static inline hpa_t slot_table(slot_t slot)
{
	return pool_page_hpa(slot / PT_ENTRIES);
}

static inline unsigned int slot_index(slot_t slot)
{
	return slot % PT_ENTRIES;
}

static inline struct sp *sp_of_table(const struct smmu *smmu, hpa_t table)
{
	return &smmu->sp[pool_page(table)];
}

static inline struct sp *sp_of_slot(const struct smmu *smmu, slot_t slot)
{
	return &smmu->sp[slot / PT_ENTRIES];
}

static inline uint64_t spte_get(const struct smmu *smmu, slot_t slot)
{
	return pool_get(&smmu->mem->pool, slot_table(slot), slot_index(slot));
}

static inline bool sp_awaits_a(const struct smmu *smmu, slot_t slot)
{
	unsigned int index = slot_index(slot);

	return sp_of_slot(smmu, slot)->awaits_a[index / 64] & BIT(index % 64);
}

static inline void spte_set(struct smmu *smmu, slot_t slot, uint64_t val)
{
	unsigned int index = slot_index(slot);

	sp_of_slot(smmu, slot)->awaits_a[index / 64] &= ~BIT(index % 64);
	pool_set(&smmu->mem->pool, slot_table(slot), index, val);
}

static inline bool gfn_is_ram(const struct smmu *smmu, gfn_t gfn)
{
	return gfn < smmu->nr_gfns && smmu->slot_of[gfn] != NO_SLOT_ID;
}

/* Of a frame that is RAM: its slot keeps a log. */
static inline bool slot_logs(const struct smmu *smmu, gfn_t gfn)
{
	return smmu->slot[smmu->slot_of[gfn]].log_dirty;
}

static inline bool slot_is_dirty(const struct smmu *smmu, gfn_t gfn)
{
	return smmu->dirty[gfn / 64] & BIT(gfn % 64);
}

/* mark_page_dirty: gfn is or may be written. */
static inline void slot_mark_dirty(const struct smmu *smmu, gfn_t gfn)
{
	if (gfn_is_ram(smmu, gfn) && slot_logs(smmu, gfn))
		smmu->dirty[gfn / 64] |= BIT(gfn % 64);
}

/* The table has a leaf spte for this frame of RAM (page_header_update_slot). */
static inline void sp_note_slot(struct smmu *smmu, struct sp *sp, gfn_t gfn)
{
	sp->slot_bitmap |= (uint8_t)BIT(smmu->slot_of[gfn]);
}

static inline gfn_t spte_gfn(uint64_t spte)
{
	return (spte & PTE_ADDR) >> PAGE_SHIFT;
}

/* Leaf sptes carry protection keys. */
static inline bool has_pkeys(const struct smmu *smmu, enum paging_mode mode)
{
	return (smmu->features & FEATURE_PKU) && paging_is_long(mode);
}

/* What of the guest's mode is in the key of every table. */
static inline uint32_t guest_role(const struct smmu *smmu)
{
	const struct smmu_guest *guest = &smmu->cur->guest;

	return guest->mode == PAGING_32 && guest->pse ? (uint32_t)ROLE_PSE : 0;
}

static inline uint32_t nr_free_pages(const struct smmu *smmu)
{
	return smmu->max_pages - smmu->nr_used;
}

static inline uint32_t role_control(const struct smmu *smmu)
{
	const struct smmu_guest *g = &smmu->cur->guest;
	uint32_t control = 0;

	if (smmu->sw.role_wp && g->wp)
		control |= (uint32_t)ROLE_WP;
	if (smmu->sw.role_nxe && g->nxe)
		control |= (uint32_t)ROLE_NXE;
	if (g->smep && !g->wp)
		control |= (uint32_t)ROLE_SMEP_ANDNOT_WP;
	/* A page made the supervisor's would be closed to neither. */
	if (g->smap && !g->wp)
		control |= (uint32_t)ROLE_SMAP_ANDNOT_WP;
	if (g->pke && !g->wp)
		control |= (uint32_t)ROLE_PKE_ANDNOT_WP;
	return control;
}

/* page.c */

/* A table that shadows gfn, of any role but metaphysical; NULL: none. */
struct sp *sp_lookup(const struct smmu *smmu, gfn_t gfn);
/* A table of gfn that is found, of any role but metaphysical. */
static inline bool sp_shadows(const struct sp *sp, gfn_t gfn)
{
	return sp->gfn == gfn && !role_is_metaphysical(sp->role) &&
	       !sp->invalid;
}
/*
 * The tables of gfn one after the other, while any may be zapped: visit is
 * ++smmu->visit, and NULL comes when each was returned once.
 */
struct sp *sp_next_shadow(struct smmu *smmu, gfn_t gfn, uint32_t visit);
/* The same, of all pages in use, newest first. */
struct sp *sp_next_any(struct smmu *smmu, uint32_t visit);
static inline gpa_t sp_gpte_gpa(const struct sp *sp, unsigned int index)
{
	return (sp->gfn << PAGE_SHIFT) +
	       (gpa_t)role_gpte_size(sp->role) *
		       role_guest_index(sp->role, index);
}
/* The guest entry behind sp's entry. */
uint64_t sp_gpte(const struct smmu *smmu, const struct sp *sp,
		 unsigned int index);
/*
 * The slots of sp that stand for the guest entry at this offset of its frame:
 * how many (0, 1 or 2), from *first on.
 */
unsigned int sp_slots_at(const struct sp *sp, unsigned int offset,
			 slot_t *first);
/* First and next page of gfn's bucket; pages of other gfns are among them. */
uint32_t sp_bucket_first(const struct smmu *smmu, gfn_t gfn);
/*
 * Find or create (kvm_mmu_get_page) and note the parent slot, which the
 * caller links; NO_SLOT for a root.  There must be a free page.
 */
struct sp *sp_get(struct smmu *smmu, gfn_t gfn, uint32_t role, slot_t parent);
/* Nothing links it, it links nothing, and all of it is trap. */
void sp_free(struct smmu *smmu, struct sp *sp);
/* Free it, or only empty it while it is a root (kvm_mmu_zap_page). */
void sp_zap(struct smmu *smmu, struct sp *sp);
/* Zap all that shadow gfn; returns their number. */
unsigned int sp_unprotect(struct smmu *smmu, gfn_t gfn);
/* Make sure that one operation finds free pages (kvm_mmu_free_some_pages). */
void sp_recycle(struct smmu *smmu);
/* The leaf slot of gva as the shadow stands; NO_SLOT: no leaf table. */
slot_t shadow_leaf(const struct smmu *smmu, gva_t gva);

/* rmap.c */
bool is_rmap_spte(const struct smmu *smmu, uint64_t spte);
/* Both look at what the slot holds (or held), and do nothing for the rest. */
void rmap_add(struct smmu *smmu, slot_t slot, uint64_t spte);
void rmap_remove(struct smmu *smmu, slot_t slot, uint64_t spte);
void rmap_write_protect(struct smmu *smmu, gfn_t gfn);
void parent_add(struct smmu *smmu, struct sp *sp, slot_t slot);
void parent_remove(struct smmu *smmu, struct sp *sp, slot_t slot);
/* kvm_flush_remote_tlbs. */
void flush_remote(struct smmu *smmu);

/* walk.c */

/* False: a guest fault, ret->pfec tells.  Sets A (and D) in guest tables. */
bool walk_guest(struct smmu *smmu, gva_t gva, uint32_t access,
		struct guest_walk *ret);
/* Rights of one guest entry. */
unsigned int gpte_access(const struct smmu *smmu, uint64_t gpte);
/* Set bits in the guest entry of this level of the walk. */
void walk_set_bits(const struct smmu *smmu, struct guest_walk *w, gva_t gva,
		   int level, uint64_t bits);
/* A present entry on the way has a reserved bit set, as the processor sees. */
bool walk_saw_reserved(const struct smmu *smmu, const struct guest_walk *w);
/* An entry of a leaf table, present or not, has a reserved bit set. */
bool gpte_is_reserved(const struct smmu *smmu, uint64_t gpte);
uint64_t guest_entry_read(const struct smmu *smmu, gfn_t table,
			  unsigned int size, unsigned int index);
/* How a processor would walk the guest's own tables. */
struct paging_ctx guest_paging(const struct smmu *smmu);

/* sync.c */

/* Must gfn stay write-protected?  If not, its table may have gone unsync. */
bool sync_needs_protection(struct smmu *smmu, gfn_t gfn, bool can_unsync);
/* sp or what is below it is out of sync: flag the tables above. */
void sync_mark_parents(struct smmu *smmu, const struct sp *sp);
/* sp was found and has a parent more: what is below it is to be synced. */
void sync_linked(struct smmu *smmu, const struct sp *sp);
/* sp is true now, but stays out of sync; false: it was zapped. */
bool sync_transient(struct smmu *smmu, struct sp *sp);
/* All tables of gfn are in sync after this, or zapped. */
void sync_gfn(struct smmu *smmu, gfn_t gfn);
/* All tables below the roots are. */
void sync_roots(struct smmu *smmu);
/* Zap the out-of-sync tables below sp (mmu_zap_unsync_children). */
void sync_zap_children(struct smmu *smmu, struct sp *sp);

/* fill.c */

/* A present spte gets the rights that gpte, of the same frame, gives now. */
void spte_sync(struct smmu *smmu, const struct sp *sp, slot_t slot,
	       uint64_t gpte);
void spte_sync_mmio(struct smmu *smmu, const struct sp *sp, slot_t slot,
		    uint64_t gpte);
enum fill_result spte_fill(struct smmu *smmu, const struct fill *f);
/* Absent in the guest: notrap, counted, where the generation says so. */
void spte_absent(struct smmu *smmu, slot_t slot, enum counter_id count);
/* The spte was filled by a fault: its neighbours, too. */
void fill_ahead(struct smmu *smmu, slot_t filled);

/* vtlb.c */

/* The key of a private table for gva at this level; *gfn: of its address. */
uint32_t vtlb_key(const struct smmu *smmu, gva_t gva, int level, gfn_t *gfn);
/* A leaf was filled by this walk. */
void vtlb_note(struct smmu *smmu, const struct fill *f);
/* What its guest entry would be, were there one for these 4 KiB alone. */
uint64_t vtlb_origin(const struct fill *f);
/* Free the tree below sp, and sp itself unless it is a root. */
void vtlb_drop(struct smmu *smmu, struct sp *sp);
/* Below this processor's roots; spare: what holds global pages alone stays. */
void vtlb_flush(struct smmu *smmu, bool spare);
void vtlb_flush_page(struct smmu *smmu, gva_t gva);
/* Every processor's, as the pages have run out (nonpaging_flush). */
void vtlb_flush_all(struct smmu *smmu);

/* slots.c: no spte of the memory slot has W; returns how many lost it. */
uint64_t slot_protect(struct smmu *smmu, unsigned int id);

/* pte_write.c */

/* As if the guest wrote the entry behind it as it is; no flood
 * (ad218f85e388). */
void pte_prefill(struct smmu *smmu, const struct sp *sp, unsigned int index);

/* nonpaging.c */
enum fill_result nonpaging_map(struct smmu *smmu, gva_t gva, uint32_t access);

/* audit.c: at the named points, at the configured level. */
void audit_gva(struct smmu *smmu, gva_t gva, const char *when);
void audit_gpa(struct smmu *smmu, gpa_t gpa, const char *when);
void audit_all(struct smmu *smmu, const char *when);
/* The table is about to be freed, or was just allocated. */
void audit_freed(struct smmu *smmu, const struct sp *sp);
void audit_fresh(struct smmu *smmu, const struct sp *sp);
/* Nothing below the roots is out of sync. */
void audit_synced(struct smmu *smmu, const char *when);
void audit_observe(struct smmu *smmu, enum smmu_observation id);

/* audit_entry.c, audit_whole.c: the invariants. */
struct audit {
	struct smmu *smmu;
	const char *when;
	struct smmu_audit_report *report;
};

void audit_violation(struct audit *a, const char *name, const struct sp *sp,
		     unsigned int index);
void audit_entry(struct audit *a, const struct sp *sp, unsigned int index);
void audit_table(struct audit *a, const struct sp *sp);
void audit_whole(struct audit *a);

/* Frees the memory; what is in it is not looked at, the pool not told. */
void smmu_drop(struct smmu *smmu);

#endif
