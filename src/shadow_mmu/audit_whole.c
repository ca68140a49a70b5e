/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The invariants of a table, and of the whole: lists, hash, rmaps and roots. */
#include "shadow_mmu/internal.h"

static bool table_level_matches(const struct smmu *smmu, const struct sp *sp)
{
	return smmu->mem->pool.level[pool_page(sp->table)] ==
	       role_level(sp->role);
}

static bool table_is_hashed_once(const struct smmu *smmu, const struct sp *sp)
{
	uint32_t page = sp_bucket_first(smmu, sp->gfn), prev = NO_PAGE;
	unsigned int found = 0;

	for (; page != NO_PAGE; page = smmu->sp[page].hash_next) {
		const struct sp *other = &smmu->sp[page];

		if (other->hash_prev != prev)
			return false;
		prev = page;
		if (smmu->sw.vtlb)
			found += other == sp;
		else
			found += other->gfn == sp->gfn &&
				 other->role == sp->role && !other->invalid;
	}
	return sp->invalid || found == 1;
}

static bool table_parents_link(const struct smmu *smmu, const struct sp *sp)
{
	slot_t slot = sp->parents, prev = NO_SLOT;

	for (; slot != NO_SLOT; slot = smmu->link[slot].next) {
		uint64_t spte = spte_get(smmu, slot);

		if (smmu->link[slot].prev != prev ||
		    !sp_of_slot(smmu, slot)->in_use ||
		    !is_shadow_present(&smmu->v, spte) ||
		    (spte & PTE_ADDR) != sp->table)
			return false;
		prev = slot;
	}
	return true;
}

/* How often the processor has this table as a root. */
static uint32_t roots_of(const struct smmu *smmu, const struct smmu_vcpu *vcpu,
			 const struct sp *sp)
{
	uint32_t held = 0;

	if (!vcpu->root || vcpu->root != vcpu->pae_root)
		return vcpu->root == sp->table;
	for (unsigned int i = 0; i < 4; i++)
		held += pool_get(&smmu->mem->pool, vcpu->pae_root, i) ==
			(sp->table | PTE_P);
	return held;
}

static bool table_roots_counted(const struct smmu *smmu, const struct sp *sp)
{
	uint32_t held = 0;

	for (unsigned int i = 0; i < smmu->nr_vcpus; i++)
		held += roots_of(smmu, &smmu->vcpu[i], sp);
	return sp->root_count == held;
}

/* A vTLB's table is in one tree, at one place. */
static bool table_is_owned(const struct smmu *smmu, const struct sp *sp)
{
	bool linked = sp->parents != NO_SLOT;

	if (!smmu->sw.vtlb)
		return true;
	if (linked && smmu->link[sp->parents].next != NO_SLOT)
		return false;
	return linked ? !sp->root_count : sp->root_count == 1;
}

static bool table_may_be_unsync(const struct smmu *smmu, const struct sp *sp)
{
	(void)smmu;
	return !sp->unsync ||
	       (role_level(sp->role) == 1 && !role_is_metaphysical(sp->role));
}

static bool table_unsync_is_alone(const struct smmu *smmu, const struct sp *sp)
{
	uint32_t page = sp_bucket_first(smmu, sp->gfn);

	if (smmu->sw.unsync_roles)
		return true;
	for (; sp->unsync && page != NO_PAGE; page = smmu->sp[page].hash_next)
		if (sp_shadows(&smmu->sp[page], sp->gfn) &&
		    &smmu->sp[page] != sp)
			return false;
	return true;
}

static bool table_unsync_is_flagged(const struct smmu *smmu,
				    const struct sp *sp)
{
	slot_t slot = sp->parents;
	bool unsync = sp->unsync;

	for (size_t i = 0; i < ARRAY_LEN(sp->unsync_child); i++)
		unsync |= sp->unsync_child[i] != 0;
	for (; unsync && slot != NO_SLOT; slot = smmu->link[slot].next) {
		const struct sp *parent = sp_of_slot(smmu, slot);
		unsigned int index = slot_index(slot);

		if (!(parent->unsync_child[index / 64] & BIT(index % 64)))
			return false;
	}
	return true;
}

static const struct {
	const char *name;
	bool (*holds)(const struct smmu *smmu, const struct sp *sp);
} table_invariants[] = {
	{"the pool knows a table's level", table_level_matches},
	{"a table is in its bucket once", table_is_hashed_once},
	{"a table's parents link to it", table_parents_link},
	{"a table's root count is that of the roots", table_roots_counted},
	{"a vTLB's table is a root or has one parent", table_is_owned},
	{"only a guest's leaf table is out of sync", table_may_be_unsync},
	{"a table out of sync is its frame's only shadow",
	 table_unsync_is_alone},
	{"what is out of sync is flagged in each parent",
	 table_unsync_is_flagged},
};

void audit_table(struct audit *a, const struct sp *sp)
{
	for (size_t i = 0; i < ARRAY_LEN(table_invariants); i++)
		if (!table_invariants[i].holds(a->smmu, sp))
			audit_violation(a, table_invariants[i].name, sp, 0);
	for (unsigned int i = 0; i < PT_ENTRIES; i++)
		audit_entry(a, sp, i);
}

static bool active_list_is_whole(const struct smmu *smmu)
{
	uint32_t page = smmu->newest, newer = NO_PAGE, listed = 0, used = 0;

	for (; page != NO_PAGE; page = smmu->sp[page].older, listed++) {
		if (smmu->sp[page].newer != newer || !smmu->sp[page].in_use)
			return false;
		newer = page;
	}
	for (uint32_t i = 0; i < smmu->mem->pool.nr_pages; i++)
		used += smmu->sp[i].in_use;
	return newer == smmu->oldest && listed == used &&
	       listed == smmu->nr_used;
}

static bool budget_is_kept(const struct smmu *smmu)
{
	return smmu->nr_used <= smmu->max_pages;
}

static bool hash_is_whole(const struct smmu *smmu)
{
	uint32_t hashed = 0;

	for (uint32_t i = 0; i <= smmu->hash_mask; i++) {
		uint32_t page = smmu->hash[i];

		for (; page != NO_PAGE; page = smmu->sp[page].hash_next)
			hashed++;
	}
	return hashed == smmu->nr_used;
}

static uint64_t count_rmap_sptes(const struct smmu *smmu)
{
	uint64_t n = 0;

	for (uint32_t page = smmu->newest; page != NO_PAGE;
	     page = smmu->sp[page].older) {
		const struct sp *sp = &smmu->sp[page];

		if (role_level(sp->role) != 1)
			continue;
		for (unsigned int i = 0; i < PT_ENTRIES; i++)
			n += is_rmap_spte(
				smmu, spte_get(smmu, slot_make(sp->table, i)));
	}
	return n;
}

static bool rmaps_are_whole(const struct smmu *smmu)
{
	uint64_t n = 0;

	for (gfn_t gfn = 0; gfn < smmu->nr_gfns; gfn++) {
		slot_t slot = smmu->rmap[gfn];

		for (; slot != NO_SLOT; slot = smmu->link[slot].next, n++)
			if (spte_gfn(spte_get(smmu, slot)) != gfn)
				return false;
	}
	return n == count_rmap_sptes(smmu);
}

static bool pae_roots_are_level2(const struct smmu *smmu,
				 const struct smmu_vcpu *vcpu)
{
	if (vcpu->root != vcpu->pae_root)
		return true;
	for (unsigned int i = 0; i < 4; i++) {
		uint64_t pdpte = pool_get(&smmu->mem->pool, vcpu->pae_root, i);
		const struct sp *sp;

		if (!pdpte)
			continue;
		sp = sp_of_table(smmu, pdpte & PTE_ADDR);
		if ((pdpte & ~PTE_ADDR) != PTE_P || !sp->in_use ||
		    role_level(sp->role) != 2)
			return false;
	}
	return true;
}

static bool roots_are_level2(const struct smmu *smmu)
{
	for (unsigned int i = 0; i < smmu->nr_vcpus; i++)
		if (!pae_roots_are_level2(smmu, &smmu->vcpu[i]))
			return false;
	return true;
}

static const struct {
	const char *name;
	bool (*holds)(const struct smmu *smmu);
} whole_invariants[] = {
	{"the active list holds what is in use", active_list_is_whole},
	{"the page budget is kept", budget_is_kept},
	{"the hash holds what is in use", hash_is_whole},
	{"rmaps are the inverse of the sptes", rmaps_are_whole},
	{"PAE roots are absent or level 2, P alone", roots_are_level2},
};

void audit_whole(struct audit *a)
{
	for (size_t i = 0; i < ARRAY_LEN(whole_invariants); i++)
		if (!whole_invariants[i].holds(a->smmu))
			audit_violation(a, whole_invariants[i].name, NULL, 0);
	for (uint32_t page = a->smmu->newest; page != NO_PAGE;
	     page = a->smmu->sp[page].older)
		audit_table(a, &a->smmu->sp[page]);
}
