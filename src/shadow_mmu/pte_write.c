/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Emulated writes to guest tables (kvm_mmu_pte_write), and the fork detector:
 * several writes in a row to one table look like fork or like memory that is
 * no table any more, and the table is zapped so that the rest runs natively.
 */
#include <string.h>

#include "shadow_mmu/internal.h"

struct pt_write {
	gpa_t gpa;
	unsigned int offset; /* in the page */
	unsigned int len;
	uint64_t gpte; /* the bytes, as if they began an entry */
};

/* 12b7d28fc102: the guest has used what the last write gave it. */
static bool is_last_updated_accessed(struct smmu *smmu)
{
	slot_t slot = smmu->cur->last_updated;

	if (slot == NO_SLOT)
		return false;
	return pool_pull_ad(&smmu->mem->pool, slot_table(slot),
			    slot_index(slot)) &
	       PTE_A;
}

static bool is_flooded(struct smmu *smmu, const struct pt_write *w)
{
	gfn_t gfn = w->gpa >> PAGE_SHIFT;
	struct smmu_vcpu *vcpu = smmu->cur;
	bool used =
		smmu->sw.flood_sees_accessed && is_last_updated_accessed(smmu);

	if (smmu->sw.zero_writes_zap && w->gpte) {
		vcpu->last_pt_write_count = 0;
		return false;
	}
	if (gfn == vcpu->last_pt_write_gfn && !used) {
		unsigned int writes = ++vcpu->last_pt_write_count;

		return (smmu->sw.flood_zaps && writes >= FLOOD_WRITES) ||
		       (smmu->sw.zero_writes_zap && writes >= ZERO_WRITES);
	}
	vcpu->last_pt_write_gfn = gfn;
	vcpu->last_pt_write_count = 1;
	vcpu->last_updated = NO_SLOT;
	return false;
}

/* Xen looks at zeros alone, and never takes a top table away. */
static bool may_flood(const struct smmu *smmu, const struct sp *sp)
{
	int top = paging_levels(smmu_shadow_mode(smmu));

	return !smmu->sw.zero_writes_zap || role_level(sp->role) < top;
}

static bool is_misaligned(const struct smmu *smmu, const struct sp *sp,
			  const struct pt_write *w)
{
	unsigned int size = role_gpte_size(sp->role);

	if ((w->offset ^ (w->offset + w->len - 1)) & ~(size - 1))
		return true;
	return smmu->sw.short_write_zaps && w->len < 4;
}

/* mmu_pte_write_zap_pte */
static void zap_spte(struct smmu *smmu, struct sp *sp, slot_t slot)
{
	uint64_t spte = spte_get(smmu, slot);

	if (is_shadow_present(&smmu->v, spte)) {
		if (role_level(sp->role) == 1)
			rmap_remove(smmu, slot, spte);
		else
			parent_remove(smmu, sp_of_table(smmu, spte & PTE_ADDR),
				      slot);
	}
	spte_set(smmu, slot, smmu->v.trap);
}

static void set_awaits_a(struct smmu *smmu, slot_t slot)
{
	unsigned int index = slot_index(slot);

	sp_of_slot(smmu, slot)->awaits_a[index / 64] |= BIT(index % 64);
}

/* All of the entry was written. */
static bool is_whole(const struct smmu *smmu, slot_t slot,
		     const struct pt_write *w)
{
	return w->len == role_gpte_size(sp_of_slot(smmu, slot)->role);
}

/* The new entry does not translate at once: notrap, or leave trap. */
static void leave_absent(struct smmu *smmu, slot_t slot,
			 const struct pt_write *w, unsigned int offset_in_pte)
{
	bool present = w->gpte & PTE_P;

	if (present) {
		if (is_whole(smmu, slot, w))
			set_awaits_a(smmu, slot);
		return;
	}
	if (!offset_in_pte)
		spte_absent(smmu, slot, CNT_mmu_update_notrap);
}

/* update_pte, in the seed's order: absence is looked at before the length. */
static void update_pte(struct smmu *smmu, struct sp *sp, slot_t slot,
		       const struct pt_write *w, unsigned int offset_in_pte)
{
	struct fill f = {
		.slot = slot,
		.gfn = (w->gpte & PTE_ADDR) >> PAGE_SHIFT,
		.access = gpte_access(smmu, w->gpte),
		.dirty = w->gpte & PTE_D,
		.gpte = w->gpte,
	};

	if (smmu->sw.notrap_bars_reserved && gpte_is_reserved(smmu, w->gpte))
		return;
	if (~w->gpte & (PTE_P | PTE_A)) {
		leave_absent(smmu, slot, w, offset_in_pte);
		return;
	}
	if (!is_whole(smmu, slot, w))
		return;
	/* Before role_access the rights above were taken for granted. */
	if (smmu->sw.role_access)
		f.access &= role_access(sp->role);
	if (gfn_is_ram(smmu, f.gfn) || smmu->sw.mmio_mark || smmu->v.mmio)
		spte_fill(smmu, &f);
}

/* mmu_pte_write_new_pte */
static void new_pte(struct smmu *smmu, struct sp *sp, slot_t slot,
		    const struct pt_write *w, unsigned int offset_in_pte)
{
	if (role_level(sp->role) != 1) {
		account_count(smmu->acct, CNT_mmu_pde_zapped);
		return;
	}
	if (!smmu->sw.pt_write_updates)
		return;
	/* Made for other control state than the writer's. */
	if ((sp->role ^ role_control(smmu)) & ROLE_CONTROL)
		return;
	account_count(smmu->acct, CNT_mmu_pte_updated);
	update_pte(smmu, sp, slot, w, offset_in_pte);
}

static void flush_written(struct smmu *smmu, uint64_t old, uint64_t new)
{
	if (!smmu->sw.flush_only_shrinking || spte_shrinks(&smmu->v, old, new))
		flush_remote(smmu);
	else
		account_count(smmu->acct, CNT_tlb_flush);
}

static void write_one(struct smmu *smmu, struct sp *sp,
		      const struct pt_write *w)
{
	unsigned int size = role_gpte_size(sp->role);
	slot_t slot = NO_SLOT;
	unsigned int nr = sp_slots_at(sp, w->offset, &slot);

	for (; nr; nr--, slot++) {
		uint64_t old = spte_get(smmu, slot);

		zap_spte(smmu, sp, slot);
		new_pte(smmu, sp, slot, w, w->offset & (size - 1));
		flush_written(smmu, old, spte_get(smmu, slot));
	}
}

static void write_all(struct smmu *smmu, const struct pt_write *w, bool flooded)
{
	gfn_t gfn = w->gpa >> PAGE_SHIFT;
	uint32_t visit = ++smmu->visit;
	struct sp *sp;

	while ((sp = sp_next_shadow(smmu, gfn, visit))) {
		if ((flooded && may_flood(smmu, sp)) ||
		    is_misaligned(smmu, sp, w)) {
			sp_zap(smmu, sp);
			account_count(smmu->acct, CNT_mmu_flooded);
			continue;
		}
		write_one(smmu, sp, w);
	}
}

void smmu_pte_write(struct smmu *smmu, gpa_t gpa, const void *bytes,
		    unsigned int len)
{
	struct pt_write w = {
		.gpa = gpa,
		.offset = (unsigned int)(gpa & PAGE_MASK),
		.len = len,
	};

	BUG_ON(!len || len > sizeof(w.gpte) || w.offset + len > PAGE_SIZE);
	memcpy(&w.gpte, bytes, len);
	account_count(smmu->acct, CNT_mmu_pte_write);

	audit_gpa(smmu, gpa, "pre pte write");
	smmu->pending.gpa = gpa;
	smmu->pending.len = len;
	memcpy(smmu->pending.bytes, bytes, len);
	slot_mark_dirty(smmu, gpa >> PAGE_SHIFT);
	write_all(smmu, &w, is_flooded(smmu, &w));
	audit_gpa(smmu, gpa, "post pte write");
	smmu->pending.len = 0;
}

void pte_prefill(struct smmu *smmu, const struct sp *sp, unsigned int index)
{
	gpa_t gpa = sp_gpte_gpa(sp, index);
	struct pt_write w = {
		.gpa = gpa,
		.offset = (unsigned int)(gpa & PAGE_MASK),
		.len = role_gpte_size(sp->role),
		.gpte = sp_gpte(smmu, sp, index),
	};

	if (gfn_is_ram(smmu, sp->gfn))
		write_all(smmu, &w, false);
}
