/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Shadow pages: found by gfn and role, created with every entry trap or
 * notrap, zapped, and recycled under the budget.
 *
 * The active list is ordered by creation, not by use; only roots are pinned.
 * Zapping a table leaves its children in the hash, to be linked again.
 */
#include <string.h>

#include "shadow_mmu/internal.h"

static uint32_t sp_page(const struct smmu *smmu, const struct sp *sp)
{
	return (uint32_t)(sp - smmu->sp);
}

static uint32_t *bucket_of(const struct smmu *smmu, gfn_t gfn)
{
	return &smmu->hash[gfn & smmu->hash_mask];
}

uint32_t sp_bucket_first(const struct smmu *smmu, gfn_t gfn)
{
	return *bucket_of(smmu, gfn);
}

static void hash_insert(struct smmu *smmu, struct sp *sp)
{
	uint32_t *bucket = bucket_of(smmu, sp->gfn);

	sp->hash_prev = NO_PAGE;
	sp->hash_next = *bucket;
	if (*bucket != NO_PAGE)
		smmu->sp[*bucket].hash_prev = sp_page(smmu, sp);
	*bucket = sp_page(smmu, sp);
}

static void hash_remove(struct smmu *smmu, struct sp *sp)
{
	if (sp->hash_prev != NO_PAGE)
		smmu->sp[sp->hash_prev].hash_next = sp->hash_next;
	else
		*bucket_of(smmu, sp->gfn) = sp->hash_next;
	if (sp->hash_next != NO_PAGE)
		smmu->sp[sp->hash_next].hash_prev = sp->hash_prev;
}

static void active_insert(struct smmu *smmu, struct sp *sp)
{
	sp->newer = NO_PAGE;
	sp->older = smmu->newest;
	if (smmu->newest != NO_PAGE)
		smmu->sp[smmu->newest].newer = sp_page(smmu, sp);
	else
		smmu->oldest = sp_page(smmu, sp);
	smmu->newest = sp_page(smmu, sp);
}

static void active_remove(struct smmu *smmu, struct sp *sp)
{
	if (sp->newer != NO_PAGE)
		smmu->sp[sp->newer].older = sp->older;
	else
		smmu->newest = sp->older;
	if (sp->older != NO_PAGE)
		smmu->sp[sp->older].newer = sp->newer;
	else
		smmu->oldest = sp->newer;
}

struct sp *sp_lookup(const struct smmu *smmu, gfn_t gfn)
{
	uint32_t page = sp_bucket_first(smmu, gfn);

	for (; page != NO_PAGE; page = smmu->sp[page].hash_next) {
		struct sp *sp = &smmu->sp[page];

		if (sp_shadows(sp, gfn))
			return sp;
	}
	return NULL;
}

struct sp *sp_next_shadow(struct smmu *smmu, gfn_t gfn, uint32_t visit)
{
	uint32_t page = sp_bucket_first(smmu, gfn);

	for (; page != NO_PAGE; page = smmu->sp[page].hash_next) {
		struct sp *sp = &smmu->sp[page];

		if (!sp_shadows(sp, gfn) || sp->visit == visit)
			continue;
		sp->visit = visit;
		return sp;
	}
	return NULL;
}

struct sp *sp_next_any(struct smmu *smmu, uint32_t visit)
{
	uint32_t page = smmu->newest;

	for (; page != NO_PAGE; page = smmu->sp[page].older) {
		struct sp *sp = &smmu->sp[page];

		if (sp->visit == visit)
			continue;
		sp->visit = visit;
		return sp;
	}
	return NULL;
}

uint64_t sp_gpte(const struct smmu *smmu, const struct sp *sp,
		 unsigned int index)
{
	return guest_entry_read(smmu, sp->gfn, role_gpte_size(sp->role),
				role_guest_index(sp->role, index));
}

/*
 * facts A.6: KVM doubled the offset for entries of 4 bytes, twice for those of
 * a directory, and asked whether the quadrant is this table's.
 */
unsigned int sp_slots_at(const struct sp *sp, unsigned int offset,
			 slot_t *first)
{
	unsigned int index = offset / role_gpte_size(sp->role);
	unsigned int per_entry = 1;

	if (role_glevels(sp->role) == 2) {
		per_entry = role_level(sp->role) == 2 ? 2 : 1;
		index *= per_entry;
		if (index / PT_ENTRIES != role_quadrant_of(sp->role))
			return 0;
	}
	*first = slot_make(sp->table, index % PT_ENTRIES);
	return per_entry;
}

static struct sp *sp_find(const struct smmu *smmu, gfn_t gfn, uint32_t role)
{
	uint32_t page = sp_bucket_first(smmu, gfn);

	for (; page != NO_PAGE; page = smmu->sp[page].hash_next) {
		struct sp *sp = &smmu->sp[page];

		if (sp->gfn == gfn && sp->role == role && !sp->invalid)
			return sp;
	}
	return NULL;
}

/* A new frame is zeros: writing those again would cost the most. */
static void fill_new(struct smmu *smmu, const struct sp *sp, unsigned int index,
		     uint64_t spte)
{
	if (spte)
		pool_set(&smmu->mem->pool, sp->table, index, spte);
}

/* nonpaging_prefetch_page: nothing is known of the guest, all must exit. */
static void fill_trap(struct smmu *smmu, const struct sp *sp)
{
	for (unsigned int i = 0; smmu->v.trap && i < PT_ENTRIES; i++)
		fill_new(smmu, sp, i, smmu->v.trap);
}

/* Tables of 4-byte entries came late, and their directories never. */
static bool can_prefetch(const struct smmu *smmu, const struct sp *sp)
{
	if (!smmu->sw.notrap_entries || role_is_metaphysical(sp->role))
		return false;
	if (smmu->sw.prefetch_if_bypass && !has_notrap(&smmu->v))
		return false;
	/* Xen reads nothing ahead of the first fault. */
	if (smmu->sw.gnp_sptes)
		return false;
	if (role_glevels(sp->role) == 2 &&
	    (!smmu->sw.prefetch_32bit || role_level(sp->role) > 1))
		return false;
	return gfn_is_ram(smmu, sp->gfn) || !smmu->sw.prefetch_atomic;
}

/* prefetch_page: what the guest lacks need not exit. */
static void prefetch_page(struct smmu *smmu, const struct sp *sp)
{
	uint64_t notraps = 0;

	if (!can_prefetch(smmu, sp)) {
		fill_trap(smmu, sp);
		return;
	}

	account_charge(smmu->acct, COST_PREFETCH_PAGE, 1);
	for (unsigned int i = 0; i < PT_ENTRIES; i++) {
		bool present = sp_gpte(smmu, sp, i) & PTE_P;

		fill_new(smmu, sp, i, present ? smmu->v.trap : smmu->v.notrap);
		notraps += !present;
	}
	if (has_notrap(&smmu->v))
		smmu->acct->counter[CNT_mmu_prefetch_notrap] += notraps;
}

static struct sp *sp_alloc(struct smmu *smmu, gfn_t gfn, uint32_t role)
{
	hpa_t table = pool_alloc(&smmu->mem->pool, role_level(role));
	struct sp *sp = sp_of_table(smmu, table);

	BUG_ON(!table || sp->in_use);
	*sp = (struct sp){
		.gfn = gfn,
		.table = table,
		.role = role,
		.parents = NO_SLOT,
		.in_use = true,
	};
	smmu->nr_used++;
	active_insert(smmu, sp);
	account_count(smmu->acct, CNT_mmu_cache_miss);
	account_charge(smmu->acct, COST_SP_ALLOC, 1);
	audit_fresh(smmu, sp);
	return sp;
}

/*
 * What the guest has in the frame is read, and nobody may write it any more.
 * Until unsync the protection came last (facts A.2): what another processor
 * stores between the two is neither read nor seen.
 */
static void sp_fill(struct smmu *smmu, const struct sp *sp)
{
	bool protect_first = smmu->sw.protect_before_prefetch;

	if (protect_first)
		rmap_write_protect(smmu, sp->gfn);
	else
		prefetch_page(smmu, sp);
	if (smmu->sw.unsync_roles && role_level(sp->role) > 1)
		sync_gfn(smmu, sp->gfn);
	if (unlikely(smmu->window.open))
		smmu->window.open(smmu->window.context, sp->gfn);
	if (protect_first)
		prefetch_page(smmu, sp);
	else
		rmap_write_protect(smmu, sp->gfn);
}

struct sp *sp_get(struct smmu *smmu, gfn_t gfn, uint32_t role, slot_t parent)
{
	struct sp *sp;

	/* What is known of the frame must be true from here on. */
	if (smmu->sw.unsync && !smmu->sw.unsync_roles)
		sync_gfn(smmu, gfn);
	sp = smmu->sw.vtlb ? NULL : sp_find(smmu, gfn, role);
	if (sp && sp->unsync && !sync_transient(smmu, sp))
		sp = NULL;
	if (!sp) {
		sp = sp_alloc(smmu, gfn, role);
		hash_insert(smmu, sp);
		if (role_is_metaphysical(role))
			prefetch_page(smmu, sp);
		else
			sp_fill(smmu, sp);
	}
	if (parent != NO_SLOT)
		parent_add(smmu, sp, parent);
	sync_linked(smmu, sp);
	return sp;
}

static void unlink_children(struct smmu *smmu, struct sp *sp)
{
	for (unsigned int i = 0; i < PT_ENTRIES; i++) {
		slot_t slot = slot_make(sp->table, i);
		uint64_t spte = spte_get(smmu, slot);

		if (spte == smmu->v.trap)
			continue;
		if (is_shadow_present(&smmu->v, spte)) {
			if (role_level(sp->role) == 1)
				rmap_remove(smmu, slot, spte);
			else
				parent_remove(
					smmu,
					sp_of_table(smmu, spte & PTE_ADDR),
					slot);
		}
		spte_set(smmu, slot, smmu->v.trap);
	}
	memset(sp->awaits_a, 0, sizeof(sp->awaits_a));
	flush_remote(smmu);
}

/* kvm_mmu_reset_last_pte_updated: each processor has a fork detector. */
static void forget_last_updated(struct smmu *smmu)
{
	for (unsigned int i = 0; i < smmu->nr_vcpus; i++)
		smmu->vcpu[i].last_updated = NO_SLOT;
}

void sp_free(struct smmu *smmu, struct sp *sp)
{
	forget_last_updated(smmu);
	audit_freed(smmu, sp);
	hash_remove(smmu, sp);
	active_remove(smmu, sp);
	sp->in_use = false;
	smmu->nr_used--;
	pool_free(&smmu->mem->pool, sp->table);
}

/* kvm_reload_remote_mmus */
static void reload_roots(struct smmu *smmu)
{
	for (unsigned int i = 0; i < SMMU_MAX_VCPUS; i++)
		smmu->vcpu[i].wants_reload = true;
}

void sp_zap(struct smmu *smmu, struct sp *sp)
{
	account_count(smmu->acct, CNT_mmu_shadow_zapped);
	account_charge(smmu->acct, COST_SP_ZAP, 1);
	sync_zap_children(smmu, sp);

	while (sp->parents != NO_SLOT) {
		slot_t parent = sp->parents;

		parent_remove(smmu, sp, parent);
		spte_set(smmu, parent, smmu->v.trap);
	}
	unlink_children(smmu, sp);
	sp->unsync = false;

	if (!sp->root_count) {
		sp_free(smmu, sp);
	} else {
		if (smmu->sw.zapped_root_reloads) {
			sp->invalid = true;
			reload_roots(smmu);
		}
		active_remove(smmu, sp);
		active_insert(smmu, sp);
	}
	forget_last_updated(smmu);
}

unsigned int sp_unprotect(struct smmu *smmu, gfn_t gfn)
{
	uint32_t visit = ++smmu->visit;
	unsigned int zapped = 0;
	struct sp *sp;

	for (; (sp = sp_next_shadow(smmu, gfn, visit)); zapped++)
		sp_zap(smmu, sp);
	return zapped;
}

void sp_recycle(struct smmu *smmu)
{
	if (likely(nr_free_pages(smmu) >= MIN_FREE_PAGES))
		return;
	if (smmu->sw.vtlb) {
		vtlb_flush_all(smmu);
		return;
	}
	/* A root is emptied and moves to the young end: four a processor. */
	while (nr_free_pages(smmu) < REFILL_PAGES) {
		sp_zap(smmu, &smmu->sp[smmu->oldest]);
		account_count(smmu->acct, CNT_mmu_recycled);
	}
}

slot_t shadow_leaf(const struct smmu *smmu, gva_t gva)
{
	hpa_t table = smmu->cur->root;
	int level = paging_levels(smmu_shadow_mode(smmu));

	if (!paging_is_long(smmu_shadow_mode(smmu))) {
		uint64_t pdpte = pool_get(&smmu->mem->pool, smmu->cur->pae_root,
					  (gva >> 30) & 3);

		if (!(pdpte & PTE_P))
			return NO_SLOT;
		table = pdpte & PTE_ADDR;
		level = 2;
	}
	for (;; level--) {
		slot_t slot = slot_make(table, pt_index(gva, level));
		uint64_t spte;

		if (level == 1)
			return slot;
		spte = spte_get(smmu, slot);
		if (!is_shadow_present(&smmu->v, spte))
			return NO_SLOT;
		table = spte & PTE_ADDR;
	}
}
