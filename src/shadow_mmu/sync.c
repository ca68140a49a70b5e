/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Leaf tables out of sync (4731d4c7a077): instead of emulating each write to a
 * guest page table, let the guest write it, and look at it again when the guest
 * flushes.  What the shadow says meanwhile is what a TLB could have kept: a
 * guest that changes an entry and does not flush may meet the old one.
 *
 * A table that goes out of sync is flagged in all tables above it, so that a
 * root load finds it.  notrap cannot stay in it: nothing tells when the guest
 * makes the entry present.
 */
#include "shadow_mmu/internal.h"

static bool has_unsync_child(const struct sp *sp)
{
	uint64_t any = 0;

	for (size_t i = 0; i < ARRAY_LEN(sp->unsync_child); i++)
		any |= sp->unsync_child[i];
	return any;
}

static bool is_flagged(const struct sp *sp, unsigned int index)
{
	return sp->unsync_child[index / 64] & BIT(index % 64);
}

/* Stop where the way up is flagged already: so is the rest of it. */
void sync_mark_parents(struct smmu *smmu, const struct sp *sp)
{
	slot_t slot = sp->parents;

	for (; slot != NO_SLOT; slot = smmu->link[slot].next) {
		struct sp *parent = sp_of_slot(smmu, slot);
		unsigned int index = slot_index(slot);
		bool known = has_unsync_child(parent);

		parent->unsync_child[index / 64] |= BIT(index % 64);
		if (!known)
			sync_mark_parents(smmu, parent);
	}
}

void sync_linked(struct smmu *smmu, const struct sp *sp)
{
	bool below = has_unsync_child(sp);

	if (below || sp->unsync)
		sync_mark_parents(smmu, sp);
	smmu->cur->wants_sync |= below;
}

/* mmu_convert_notrap */
static void convert_notrap(struct smmu *smmu, const struct sp *sp)
{
	for (unsigned int i = 0; has_notrap(&smmu->v) && i < PT_ENTRIES; i++) {
		slot_t slot = slot_make(sp->table, i);

		if (spte_get(smmu, slot) == smmu->v.notrap)
			spte_set(smmu, slot, smmu->v.trap);
	}
}

static void go_unsync(struct smmu *smmu, struct sp *sp)
{
	account_count(smmu->acct, CNT_mmu_unsync);
	sp->unsync = true;
	sync_mark_parents(smmu, sp);
	convert_notrap(smmu, sp);
}

static bool has_other_role(const struct smmu *smmu, const struct sp *sp)
{
	uint32_t page = sp_bucket_first(smmu, sp->gfn);

	for (; page != NO_PAGE; page = smmu->sp[page].hash_next)
		if (sp_shadows(&smmu->sp[page], sp->gfn) &&
		    smmu->sp[page].role != sp->role)
			return true;
	return false;
}

/* Until 2010: the frame's first table speaks for all, and must be alone. */
static bool needs_protection_alone(struct smmu *smmu, gfn_t gfn,
				   bool can_unsync)
{
	struct sp *sp = sp_lookup(smmu, gfn);

	if (!sp)
		return false;
	if (role_level(sp->role) != 1)
		return true;
	if (sp->unsync)
		return false;
	if (!can_unsync || !smmu->sw.unsync || has_other_role(smmu, sp))
		return true;
	go_unsync(smmu, sp);
	return false;
}

bool sync_needs_protection(struct smmu *smmu, gfn_t gfn, bool can_unsync)
{
	uint32_t page = sp_bucket_first(smmu, gfn);
	bool synced = false;

	if (!smmu->sw.unsync_roles)
		return needs_protection_alone(smmu, gfn, can_unsync);
	for (; page != NO_PAGE; page = smmu->sp[page].hash_next) {
		const struct sp *sp = &smmu->sp[page];

		if (!sp_shadows(sp, gfn))
			continue;
		if (!can_unsync || role_level(sp->role) != 1)
			return true;
		synced |= !sp->unsync;
	}
	if (synced && !smmu->sw.unsync)
		return true;
	page = synced ? sp_bucket_first(smmu, gfn) : NO_PAGE;
	for (; page != NO_PAGE; page = smmu->sp[page].hash_next)
		if (sp_shadows(&smmu->sp[page], gfn) && !smmu->sp[page].unsync)
			go_unsync(smmu, &smmu->sp[page]);
	return false;
}

/* The spte is gone as its guest entry is; false: it stays. */
static bool drop_stale(struct smmu *smmu, slot_t slot, uint64_t spte,
		       uint64_t gpte)
{
	bool present = gpte & PTE_P;

	bool reserved =
		smmu->sw.notrap_bars_reserved && gpte_is_reserved(smmu, gpte);

	if (present && (gpte & PTE_A) && !reserved &&
	    (gpte & PTE_ADDR) >> PAGE_SHIFT == spte_gfn(spte))
		return false;
	rmap_remove(smmu, slot, spte);
	spte_set(smmu, slot, smmu->v.trap);
	if (!present && !reserved)
		spte_absent(smmu, slot, CNT_mmu_sync_notrap);
	return true;
}

/* The same for MMIO (sync_mmio_spte); returns how much is left: 0 or 1. */
static unsigned int sync_mmio(struct smmu *smmu, const struct sp *sp,
			      slot_t slot, uint64_t spte)
{
	uint64_t gpte = sp_gpte(smmu, sp, slot_index(slot));
	gfn_t gfn = spte_gfn(spte & ~smmu->v.mmio);

	account_charge(smmu->acct, COST_SYNC_SPTE, 1);
	if ((gpte & PTE_P) && (gpte & PTE_A) &&
	    (gpte & PTE_ADDR) >> PAGE_SHIFT == gfn) {
		spte_sync_mmio(smmu, sp, slot, gpte);
		return 1;
	}
	spte_set(smmu, slot, smmu->v.trap);
	return 0;
}

/* Returns what is left; an spte that was absent is not looked at. */
static unsigned int sync_sptes(struct smmu *smmu, const struct sp *sp)
{
	unsigned int present = 0;
	bool shrinks = false;

	for (unsigned int i = 0; i < PT_ENTRIES; i++) {
		slot_t slot = slot_make(sp->table, i);
		uint64_t spte = spte_get(smmu, slot);
		uint64_t gpte;

		if (is_mmio_spte(&smmu->v, spte))
			present += sync_mmio(smmu, sp, slot, spte);
		if (!is_shadow_present(&smmu->v, spte))
			continue;
		account_charge(smmu->acct, COST_SYNC_SPTE, 1);
		gpte = sp_gpte(smmu, sp, i);
		if (!drop_stale(smmu, slot, spte, gpte)) {
			spte_sync(smmu, sp, slot, gpte);
			present++;
		}
		shrinks |= spte_shrinks(&smmu->v, spte, spte_get(smmu, slot));
	}
	if (shrinks)
		flush_remote(smmu);
	return present;
}

static bool is_of_this_mode(const struct smmu *smmu, const struct sp *sp)
{
	return role_glevels(sp->role) == smmu->cur->glevels &&
	       !((sp->role ^ role_control(smmu)) & ROLE_CONTROL);
}

/*
 * kvm_sync_page_transient: true for now, but the guest may go on writing.
 * False: nothing was left of it.
 */
bool sync_transient(struct smmu *smmu, struct sp *sp)
{
	account_charge(smmu->acct, COST_SYNC_PAGE, 1);
	account_count(smmu->acct, CNT_mmu_sync);
	if (is_of_this_mode(smmu, sp) && sync_sptes(smmu, sp))
		return true;
	sp_zap(smmu, sp);
	return false;
}

/* kvm_sync_page.  False: nothing was left of it, or it is of another mode. */
static bool sync_table(struct smmu *smmu, struct sp *sp)
{
	account_charge(smmu->acct, COST_SYNC_PAGE, 1);
	account_count(smmu->acct, CNT_mmu_sync);
	rmap_write_protect(smmu, sp->gfn);
	sp->unsync = false;
	if (is_of_this_mode(smmu, sp) && sync_sptes(smmu, sp)) {
		account_count(smmu->acct, CNT_tlb_flush);
		return true;
	}
	sp_zap(smmu, sp);
	return false;
}

void sync_gfn(struct smmu *smmu, gfn_t gfn)
{
	uint32_t visit = ++smmu->visit;
	struct sp *sp;

	while ((sp = sp_next_shadow(smmu, gfn, visit)))
		if (sp->unsync)
			sync_table(smmu, sp);
}

/* What is flagged below sp is handled, by syncing or by zapping. */
static void each_unsync(struct smmu *smmu, struct sp *sp, bool zap)
{
	if (likely(!has_unsync_child(sp)))
		return;
	for (unsigned int i = 0; i < PT_ENTRIES; i++) {
		struct sp *child;

		if (!is_flagged(sp, i))
			continue;
		child = sp_of_table(smmu,
				    spte_get(smmu, slot_make(sp->table, i)) &
					    PTE_ADDR);
		sp->unsync_child[i / 64] &= ~BIT(i % 64);
		if (role_level(child->role) > 1)
			each_unsync(smmu, child, zap);
		else if (child->unsync && zap)
			sp_zap(smmu, child);
		else if (child->unsync)
			sync_table(smmu, child);
	}
}

void sync_zap_children(struct smmu *smmu, struct sp *sp)
{
	each_unsync(smmu, sp, true);
}

void sync_roots(struct smmu *smmu)
{
	const struct smmu_vcpu *vcpu = smmu->cur;

	if (!smmu->sw.unsync || !vcpu->root)
		return;
	if (vcpu->root != vcpu->pae_root) {
		each_unsync(smmu, sp_of_table(smmu, vcpu->root), false);
		return;
	}
	for (unsigned int i = 0; i < 4; i++) {
		uint64_t pdpte = pool_get(&smmu->mem->pool, vcpu->pae_root, i);

		if (pdpte & PTE_P)
			each_unsync(smmu, sp_of_table(smmu, pdpte & PTE_ADDR),
				    false);
	}
}

void smmu_sync(struct smmu *smmu)
{
	if (smmu->sw.vtlb && smmu->cur->guest.mode != PAGING_OFF)
		vtlb_flush(smmu, false);
	sync_roots(smmu);
	smmu->cur->wants_sync = false;
	audit_synced(smmu, "sync");
}

void smmu_invlpg(struct smmu *smmu, gva_t gva)
{
	slot_t slot = shadow_leaf(smmu, gva);
	struct sp *sp;
	uint64_t spte;

	if (smmu->sw.vtlb)
		vtlb_flush_page(smmu, gva);
	if (smmu->sw.vtlb || !smmu->sw.unsync || slot == NO_SLOT)
		return;
	sp = sp_of_slot(smmu, slot);
	if (smmu->sw.invlpg_unsync_only && !sp->unsync)
		return;
	audit_gva(smmu, gva, "pre INVLPG");
	spte = spte_get(smmu, slot);
	if (is_shadow_present(&smmu->v, spte)) {
		rmap_remove(smmu, slot, spte);
		flush_remote(smmu);
	}
	spte_set(smmu, slot, smmu->v.trap);
	if (smmu->sw.invlpg_prefills && !role_is_metaphysical(sp->role))
		pte_prefill(smmu, sp, slot_index(slot));
	audit_gva(smmu, gva, "post INVLPG");
}
