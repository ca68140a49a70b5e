/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Page faults with paging off: guest-physical is linear, the shadow is a PAE
 * tree of metaphysical tables that grants everything.
 *
 * Until 2.6.25 the map ignored write protection: a guest that turns paging
 * off, writes its tables and turns paging on again meets stale shadows.  Kept;
 * the tables concerned are marked, so that audits know.
 */
#include "shadow_mmu/internal.h"

/* Writes to gfn go unseen from here on. */
static void observe_unseen_writes(struct smmu *smmu, gfn_t gfn)
{
	uint32_t page = sp_bucket_first(smmu, gfn);

	for (; page != NO_PAGE; page = smmu->sp[page].hash_next) {
		struct sp *sp = &smmu->sp[page];

		if (sp->gfn != gfn || role_is_metaphysical(sp->role))
			continue;
		sp->blind = true;
		audit_observe(smmu, SMMU_SEEN_nonpaging_write);
	}
}

/* 2.6.24's nonpaging_map, at the leaf. */
static enum fill_result map_unprotected(struct smmu *smmu, slot_t slot,
					gfn_t gfn)
{
	uint64_t old = spte_get(smmu, slot);
	uint64_t spte = (gfn << PAGE_SHIFT) | SPTE_NONPAGING;

	if (is_shadow_present(&smmu->v, old) && (old & PTE_W))
		return FILL_DONE;
	account_charge(smmu->acct, COST_SPTE_FILL, 1);
	observe_unseen_writes(smmu, gfn);
	rmap_remove(smmu, slot, old);
	spte_set(smmu, slot, spte);
	rmap_add(smmu, slot, spte);
	sp_note_slot(smmu, sp_of_slot(smmu, slot), gfn);
	slot_mark_dirty(smmu, gfn);
	return FILL_DONE;
}

static enum fill_result map_leaf(struct smmu *smmu, slot_t slot, gfn_t gfn,
				 uint32_t access)
{
	struct fill f = {
		.slot = slot,
		.gfn = gfn,
		.access = ACC_ALL,
		.dirty = true,
		.write = access & PFEC_W,
	};

	if (!smmu->sw.nonpaging_protects)
		return map_unprotected(smmu, slot, gfn);
	return spte_fill(smmu, &f);
}

/* No guest table is behind it: the key is the 2 MiB it maps. */
static hpa_t link_pseudo(struct smmu *smmu, slot_t slot, gva_t gva)
{
	gfn_t gfn = (gva & ~(BIT(pt_shift(2)) - 1)) >> PAGE_SHIFT;
	unsigned int access = smmu->sw.role_access ? ACC_ALL : 0;
	uint32_t role = role_control(smmu) | role_make(0, gva, 1, true, access);
	struct sp *sp = sp_get(smmu, gfn, role, slot);

	spte_set(smmu, slot, sp->table | SPTE_NONPAGING);
	return sp->table;
}

enum fill_result nonpaging_map(struct smmu *smmu, gva_t gva, uint32_t access)
{
	gfn_t gfn = gva >> PAGE_SHIFT;
	slot_t upper;
	hpa_t table;

	if (!gfn_is_ram(smmu, gfn) && !(smmu->sw.nonpaging_protects &&
					(smmu->sw.mmio_mark || smmu->v.mmio)))
		return FILL_MMIO;

	table = pool_get(&smmu->mem->pool, smmu->cur->pae_root,
			 (gva >> 30) & 3) &
		PTE_ADDR;
	upper = slot_make(table, pt_index(gva, 2));
	if (spte_get(smmu, upper) == smmu->v.trap)
		table = link_pseudo(smmu, upper, gva);
	else
		table = spte_get(smmu, upper) & PTE_ADDR;
	return map_leaf(smmu, slot_make(table, pt_index(gva, 1)), gfn, access);
}
