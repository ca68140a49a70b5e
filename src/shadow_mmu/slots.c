/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory slots: which guest frames there are, and the log of those written.
 *
 * The log works by write protection: reading it takes W from every spte of the
 * slot (kvm_mmu_slot_remove_write_access), and a fill that gives W back marks
 * the frame.  So a frame is logged when it may be written, not when it is.
 */
#include <errno.h>
#include <string.h>

#include "shadow_mmu/internal.h"

static int check_slot(const struct smmu *smmu, unsigned int id,
		      const struct smmu_slot *slot, struct diag *diag)
{
	if (id >= SMMU_MAX_SLOTS)
		return diag_set(diag, -EINVAL,
				"memory slot %u: there are %u slots", id,
				SMMU_MAX_SLOTS);
	if (slot->first > smmu->nr_gfns ||
	    slot->nr > smmu->nr_gfns - slot->first)
		return diag_set(diag, -EINVAL,
				"memory slot %u: %llu frames from 0x%llx on "
				"are more than the 0x%llx of guest memory",
				id, (unsigned long long)slot->nr,
				(unsigned long long)slot->first,
				(unsigned long long)smmu->nr_gfns);
	for (gfn_t gfn = slot->first; gfn < slot->first + slot->nr; gfn++) {
		unsigned int there = smmu->slot_of[gfn];

		if (there != NO_SLOT_ID && there != id)
			return diag_set(diag, -EINVAL,
					"memory slot %u: frame 0x%llx is in "
					"slot %u already",
					id, (unsigned long long)gfn, there);
	}
	return 0;
}

static void zap_all(struct smmu *smmu)
{
	uint32_t visit = ++smmu->visit;
	struct sp *sp;

	while ((sp = sp_next_any(smmu, visit)))
		sp_zap(smmu, sp);
	flush_remote(smmu);
}

int smmu_set_slot(struct smmu *smmu, unsigned int id,
		  const struct smmu_slot *slot, struct diag *diag)
{
	int err = check_slot(smmu, id, slot, diag);
	struct smmu_slot *old;

	if (err)
		return err;
	old = &smmu->slot[id];
	if (old->first != slot->first || old->nr != slot->nr) {
		memset(smmu->slot_of + old->first, NO_SLOT_ID, old->nr);
		memset(smmu->slot_of + slot->first, (int)id, slot->nr);
		zap_all(smmu);
	}
	*old = *slot;
	for (gfn_t gfn = slot->first; gfn < slot->first + slot->nr; gfn++)
		smmu->dirty[gfn / 64] &= ~BIT(gfn % 64);
	if (slot->log_dirty)
		slot_protect(smmu, id);
	return 0;
}

void smmu_get_slot(const struct smmu *smmu, unsigned int id,
		   struct smmu_slot *ret)
{
	BUG_ON(id >= SMMU_MAX_SLOTS);
	*ret = smmu->slot[id];
}

/*
 * Every spte with W of a table that the slot's bit is set for.  W alone is
 * looked at, which is why trap has it clear.  Returns how many lost it.
 */
static uint64_t protect_table(struct smmu *smmu, const struct sp *sp,
			      unsigned int id)
{
	uint64_t protected = 0;

	for (unsigned int i = 0; i < PT_ENTRIES; i++) {
		slot_t slot = slot_make(sp->table, i);
		uint64_t spte = pool_pull_ad(&smmu->mem->pool, sp->table, i);

		if (!(spte & PTE_W) || !is_shadow_present(&smmu->v, spte) ||
		    smmu->slot_of[spte_gfn(spte)] != id)
			continue;
		rmap_remove(smmu, slot, spte);
		spte_set(smmu, slot, spte & ~PTE_W);
		rmap_add(smmu, slot, spte & ~PTE_W);
		protected++;
	}
	return protected;
}

uint64_t slot_protect(struct smmu *smmu, unsigned int id)
{
	uint64_t protected = 0;

	for (uint32_t page = smmu->newest; page != NO_PAGE;
	     page = smmu->sp[page].older) {
		const struct sp *sp = &smmu->sp[page];

		if (role_level(sp->role) == 1 && (sp->slot_bitmap & BIT(id)))
		protected += protect_table(smmu, sp, id);
	}
	if (protected)
		flush_remote(smmu);
	smmu->acct->counter[CNT_dirty_log_protected] += protected;
	account_charge(smmu->acct, COST_DIRTY_PROTECT, protected);
	return protected;
}

uint64_t smmu_read_dirty_log(struct smmu *smmu, unsigned int id,
			     void (*tell)(void *context, gfn_t gfn),
			     void *context)
{
	const struct smmu_slot *slot = &smmu->slot[id];
	uint64_t nr = 0;

	BUG_ON(id >= SMMU_MAX_SLOTS);
	if (!slot->log_dirty)
		return 0;
	audit_all(smmu, "pre dirty log");
	for (gfn_t gfn = slot->first; gfn < slot->first + slot->nr; gfn++) {
		if (!slot_is_dirty(smmu, gfn))
			continue;
		smmu->dirty[gfn / 64] &= ~BIT(gfn % 64);
		if (tell)
			tell(context, gfn);
		nr++;
	}
	if (nr)
		slot_protect(smmu, id);
	smmu->acct->counter[CNT_dirty_log_frames] += nr;
	account_count(smmu->acct, CNT_dirty_log_reads);
	account_charge(smmu->acct, COST_DIRTY_LOG, 1);
	audit_all(smmu, "post dirty log");
	return nr;
}
