/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reverse maps: from a guest frame to the leaf sptes that map it, and from a
 * shadow page to the upper sptes that link it.
 *
 * KVM chained descriptors of 4 and 5 pointers; here a slot carries its own
 * links, so that adding and removing take constant time and no memory.
 */
#include "shadow_mmu/internal.h"

static void list_add(struct smmu *smmu, slot_t *head, slot_t slot)
{
	smmu->link[slot] = (struct slot_link){.next = *head, .prev = NO_SLOT};
	if (*head != NO_SLOT)
		smmu->link[*head].prev = slot;
	*head = slot;
}

static void list_remove(struct smmu *smmu, slot_t *head, slot_t slot)
{
	struct slot_link link = smmu->link[slot];

	if (link.prev != NO_SLOT) {
		smmu->link[link.prev].next = link.next;
	} else {
		BUG_ON(*head != slot);
		*head = link.next;
	}
	if (link.next != NO_SLOT)
		smmu->link[link.next].prev = link.prev;
}

void flush_remote(struct smmu *smmu)
{
	account_count(smmu->acct, CNT_remote_tlb_flush);
	smmu->flush_others = true;
}

/* Before 2.6.25 read-only sptes were in no rmap. */
bool is_rmap_spte(const struct smmu *smmu, uint64_t spte)
{
	if (!is_shadow_present(&smmu->v, spte))
		return false;
	return smmu->sw.rmap_all_present || (spte & PTE_W);
}

void rmap_add(struct smmu *smmu, slot_t slot, uint64_t spte)
{
	gfn_t gfn = spte_gfn(spte);

	if (!is_rmap_spte(smmu, spte))
		return;
	BUG_ON(!gfn_is_ram(smmu, gfn));
	list_add(smmu, &smmu->rmap[gfn], slot);
}

void rmap_remove(struct smmu *smmu, slot_t slot, uint64_t spte)
{
	if (is_rmap_spte(smmu, spte))
		list_remove(smmu, &smmu->rmap[spte_gfn(spte)], slot);
}

/* The frame becomes a guest table: no spte may write it any more. */
void rmap_write_protect(struct smmu *smmu, gfn_t gfn)
{
	bool protected = false;
	slot_t next;

	if (!gfn_is_ram(smmu, gfn))
		return;
	for (slot_t slot = smmu->rmap[gfn]; slot != NO_SLOT; slot = next) {
		uint64_t spte = pool_pull_ad(&smmu->mem->pool, slot_table(slot),
					     slot_index(slot));

		next = smmu->link[slot].next;
		if (!(spte & PTE_W))
			continue;
		rmap_remove(smmu, slot, spte);
		spte &= ~PTE_W;
		spte_set(smmu, slot, spte);
		rmap_add(smmu, slot, spte);
		protected = true;
		if (!smmu->sw.flush_only_shrinking)
			flush_remote(smmu);
	}
	if (protected && smmu->sw.flush_only_shrinking)
		flush_remote(smmu);
}

void parent_add(struct smmu *smmu, struct sp *sp, slot_t slot)
{
	list_add(smmu, &sp->parents, slot);
}

void parent_remove(struct smmu *smmu, struct sp *sp, slot_t slot)
{
	unsigned int index = slot_index(slot);

	sp_of_slot(smmu, slot)->unsync_child[index / 64] &= ~BIT(index % 64);
	list_remove(smmu, &sp->parents, slot);
}
