/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * No cache of shadow pages: the shadow is a TLB, as in KVM until January 2007
 * (2.6.20-rc3; cea0f0e7ea54 brought the cache) and in NOVA.
 *
 * Each table belongs to one processor's tree and stands for addresses, not for
 * a guest table: nobody is looked up, protected or told of a guest's write.
 * What an spte says was true when it was filled, and may be stale until the
 * guest flushes, as in a processor.  MOV CR3 drops the leaf tables and leaves
 * what is above them, which says nothing; one that holds global pages alone
 * may stay (kvm_mmu_flush_tlb).  INVLPG drops an spte, or a large page's.
 *
 * 2.6.20-rc3 counted a page as global by its bit, whether CR4.PGE was set or
 * not; and dropped half of a 4 MiB page at INVLPG.  Here both are as in a
 * processor.
 */
#include "shadow_mmu/internal.h"

uint32_t vtlb_key(const struct smmu *smmu, gva_t gva, int level, gfn_t *gfn)
{
	gva_t span = BIT(PAGE_SHIFT + 9 * level);

	*gfn = (gva & ~(span - 1)) >> PAGE_SHIFT;
	return role_make(smmu->cur->glevels, 0, level, true, 0) |
	       (uint32_t)ROLE_PRIVATE | guest_role(smmu) | role_control(smmu);
}

void vtlb_note(struct smmu *smmu, const struct fill *f)
{
	struct sp *sp = sp_of_slot(smmu, f->slot);
	int level = f->walk ? f->walk->level : 1;

	if (level > sp->page_level)
		sp->page_level = (uint8_t)level;
	if (level > 2)
		sp_of_slot(smmu, sp->parents)->page_level = (uint8_t)level;
	if (!(f->gpte & PTE_G) || !smmu->cur->guest.pge)
		sp->has_local = true;
}

uint64_t vtlb_origin(const struct fill *f)
{
	uint64_t gpte = f->gpte & (PTE_P | PTE_A | PTE_D | PTE_G | PTE_PKEY);

	if (!(f->access & ACC_EXEC))
		gpte |= PTE_NX;
	return gpte | (f->access & (ACC_WRITE | ACC_USER)) |
	       f->gfn << PAGE_SHIFT;
}

static void drop_child(struct smmu *smmu, slot_t slot)
{
	struct sp *child = sp_of_table(smmu, spte_get(smmu, slot) & PTE_ADDR);

	parent_remove(smmu, child, slot);
	spte_set(smmu, slot, smmu->v.trap);
	vtlb_drop(smmu, child);
}

static void empty(struct smmu *smmu, struct sp *sp)
{
	for (unsigned int i = 0; i < PT_ENTRIES; i++) {
		slot_t slot = slot_make(sp->table, i);
		uint64_t spte = spte_get(smmu, slot);

		if (spte == smmu->v.trap)
			continue;
		if (!is_shadow_present(&smmu->v, spte)) {
			spte_set(smmu, slot, smmu->v.trap);
		} else if (role_level(sp->role) > 1) {
			drop_child(smmu, slot);
		} else {
			rmap_remove(smmu, slot, spte);
			spte_set(smmu, slot, smmu->v.trap);
		}
	}
}

void vtlb_drop(struct smmu *smmu, struct sp *sp)
{
	empty(smmu, sp);
	if (sp->root_count)
		return;
	account_count(smmu->acct, CNT_mmu_shadow_zapped);
	account_charge(smmu->acct, COST_SP_ZAP, 1);
	sp_free(smmu, sp);
}

/* kvm_mmu_flush_tlb: tables above the leaves stay as they are. */
static void drop_local(struct smmu *smmu, const struct sp *sp)
{
	for (unsigned int i = 0; i < PT_ENTRIES; i++) {
		slot_t slot = slot_make(sp->table, i);
		uint64_t spte = spte_get(smmu, slot);
		const struct sp *child;

		if (!is_shadow_present(&smmu->v, spte))
			continue;
		child = sp_of_table(smmu, spte & PTE_ADDR);
		if (role_level(child->role) > 1)
			drop_local(smmu, child);
		else if (child->has_local || !smmu->sw.vtlb_spares_global)
			drop_child(smmu, slot);
	}
}

static void flush_root(struct smmu *smmu, hpa_t table, bool spare)
{
	struct sp *sp = sp_of_table(smmu, table);

	if (spare)
		drop_local(smmu, sp);
	else
		vtlb_drop(smmu, sp);
}

static void flush_vcpu(struct smmu *smmu, const struct smmu_vcpu *vcpu,
		       bool spare)
{
	if (!vcpu->root)
		return;
	if (vcpu->root != vcpu->pae_root) {
		flush_root(smmu, vcpu->root, spare);
		return;
	}
	for (unsigned int i = 0; i < 4; i++) {
		uint64_t pdpte = pool_get(&smmu->mem->pool, vcpu->pae_root, i);

		if (pdpte & PTE_P)
			flush_root(smmu, pdpte & PTE_ADDR, spare);
	}
}

void vtlb_flush(struct smmu *smmu, bool spare)
{
	flush_vcpu(smmu, smmu->cur, spare);
}

void vtlb_flush_all(struct smmu *smmu)
{
	uint32_t used = smmu->nr_used;

	for (unsigned int i = 0; i < smmu->nr_vcpus; i++)
		flush_vcpu(smmu, &smmu->vcpu[i], false);
	smmu->acct->counter[CNT_mmu_recycled] += used - smmu->nr_used;
}

/* The table of level 2 on the way to gva; NULL: none. */
static struct sp *directory_of(const struct smmu *smmu, gva_t gva)
{
	hpa_t table = smmu->cur->root;
	int level = paging_levels(smmu_shadow_mode(smmu));

	if (table == smmu->cur->pae_root) {
		uint64_t pdpte =
			pool_get(&smmu->mem->pool, table, (gva >> 30) & 3);

		return pdpte & PTE_P ? sp_of_table(smmu, pdpte & PTE_ADDR)
				     : NULL;
	}
	for (; level > 2; level--) {
		uint64_t spte =
			spte_get(smmu, slot_make(table, pt_index(gva, level)));

		if (!is_shadow_present(&smmu->v, spte))
			return NULL;
		table = spte & PTE_ADDR;
	}
	return sp_of_table(smmu, table);
}

/* The leaf table of gva goes if it holds pieces of a large page. */
static bool drop_pieces(struct smmu *smmu, gva_t gva)
{
	slot_t slot = shadow_leaf(smmu, gva);
	const struct sp *sp = slot == NO_SLOT ? NULL : sp_of_slot(smmu, slot);

	if (!sp || sp->page_level < 2)
		return false;
	drop_child(smmu, sp->parents);
	return true;
}

static void drop_leaf(struct smmu *smmu, gva_t gva)
{
	slot_t slot = shadow_leaf(smmu, gva);

	if (slot == NO_SLOT)
		return;
	rmap_remove(smmu, slot, spte_get(smmu, slot));
	spte_set(smmu, slot, smmu->v.trap);
}

void vtlb_flush_page(struct smmu *smmu, gva_t gva)
{
	const struct sp *directory = directory_of(smmu, gva);

	if (!directory)
		return;
	audit_gva(smmu, gva, "pre INVLPG");
	if (directory->page_level > 2)
		drop_child(smmu, directory->parents);
	else if (!drop_pieces(smmu, gva))
		drop_leaf(smmu, gva);
	/* The other half of 4 MiB. */
	if (smmu->cur->guest.mode == PAGING_32)
		drop_pieces(smmu, gva ^ BIT(pt_shift(2)));
	audit_gva(smmu, gva, "post INVLPG");
}
