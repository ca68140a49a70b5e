/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * When and how much to audit.  As KVM did: before and after each page fault
 * and each emulated write, here at three grades: the sptes concerned, their
 * whole tables, everything.
 */
#include <inttypes.h>
#include <stdio.h>

#include "shadow_mmu/internal.h"

static const struct {
	const char *name, *what;
} observations[] = {
#define OBSERVATION(name, what) {#name, what},
#include "shadow_mmu/observations.def"
#undef OBSERVATION
};

const char *smmu_observation_name(enum smmu_observation id)
{
	return observations[id].name;
}

const char *smmu_observation_what(enum smmu_observation id)
{
	return observations[id].what;
}

void audit_violation(struct audit *a, const char *name, const struct sp *sp,
		     unsigned int index)
{
	if (a->report->violations++)
		return;
	if (!sp) {
		snprintf(a->report->first, sizeof(a->report->first), "%s: %s",
			 a->when, name);
		return;
	}
	snprintf(a->report->first, sizeof(a->report->first),
		 "%s: %s (gfn 0x%" PRIx64 " role 0x%05" PRIx32
		 " level %d index %u spte 0x%" PRIx64 ")",
		 a->when, name, sp->gfn, sp->role, role_level(sp->role), index,
		 spte_get(a->smmu, slot_make(sp->table, index)));
}

static struct audit audit_begin(struct smmu *smmu, const char *when)
{
	account_count(smmu->acct, CNT_audits);
	return (struct audit){smmu, when, &smmu->total};
}

static void audit_slot(struct audit *a, slot_t slot)
{
	const struct sp *sp = sp_of_slot(a->smmu, slot);

	if (a->smmu->audit == SMMU_AUDIT_TABLE)
		audit_table(a, sp);
	else
		audit_entry(a, sp, slot_index(slot));
}

static void audit_path(struct audit *a, gva_t gva)
{
	const struct smmu *smmu = a->smmu;
	hpa_t table = smmu->cur->root;
	int level = paging_levels(smmu->cur->guest.mode);

	if (smmu->cur->root == smmu->cur->pae_root) {
		uint64_t pdpte = pool_get(&smmu->mem->pool, smmu->cur->pae_root,
					  (gva >> 30) & 3);

		if (!(pdpte & PTE_P))
			return;
		table = pdpte & PTE_ADDR;
		level = 2;
	}
	for (; level; level--) {
		slot_t slot = slot_make(table, pt_index(gva, level));

		audit_slot(a, slot);
		if (!is_shadow_present(&smmu->v, spte_get(smmu, slot)))
			return;
		table = spte_get(smmu, slot) & PTE_ADDR;
	}
}

void audit_gva(struct smmu *smmu, gva_t gva, const char *when)
{
	struct audit a;

	if (likely(smmu->audit == SMMU_AUDIT_OFF))
		return;
	a = audit_begin(smmu, when);
	if (smmu->audit == SMMU_AUDIT_ALL)
		audit_whole(&a);
	else
		audit_path(&a, gva);
}

void audit_all(struct smmu *smmu, const char *when)
{
	struct audit a;

	if (likely(smmu->audit == SMMU_AUDIT_OFF))
		return;
	a = audit_begin(smmu, when);
	audit_whole(&a);
}

void audit_gpa(struct smmu *smmu, gpa_t gpa, const char *when)
{
	unsigned int offset = (unsigned int)(gpa & PAGE_MASK);
	gfn_t gfn = gpa >> PAGE_SHIFT;
	uint32_t page = sp_bucket_first(smmu, gfn);
	struct audit a;

	if (likely(smmu->audit == SMMU_AUDIT_OFF))
		return;
	a = audit_begin(smmu, when);
	if (smmu->audit == SMMU_AUDIT_ALL) {
		audit_whole(&a);
		return;
	}
	for (; page != NO_PAGE; page = smmu->sp[page].hash_next) {
		const struct sp *sp = &smmu->sp[page];

		slot_t slot = NO_SLOT;
		unsigned int nr = 0;

		if (sp_shadows(sp, gfn))
			nr = sp_slots_at(sp, offset, &slot);
		for (; nr; nr--, slot++)
			audit_slot(&a, slot);
	}
}

/*
 * is_empty_shadow_page: the seed knows one empty value, trap.  So it holds
 * when a table is freed, and not when one is new.
 */
static bool is_empty(const struct smmu *smmu, const struct sp *sp)
{
	for (unsigned int i = 0; i < PT_ENTRIES; i++) {
		uint64_t spte = spte_get(smmu, slot_make(sp->table, i));

		if ((spte & ~SPTE_IO_MARK) != smmu->v.trap)
			return false;
	}
	return true;
}

void audit_freed(struct smmu *smmu, const struct sp *sp)
{
	struct audit a = {smmu, "free", &smmu->total};

	if (smmu->audit != SMMU_AUDIT_OFF && !is_empty(smmu, sp))
		audit_violation(&a, "a freed table is empty", sp, 0);
}

void audit_fresh(struct smmu *smmu, const struct sp *sp)
{
	if (smmu->audit != SMMU_AUDIT_OFF && !is_empty(smmu, sp))
		audit_observe(smmu, SMMU_SEEN_fresh_table_not_empty);
}

static bool is_root(const struct smmu_vcpu *vcpu, const struct pool *pool,
		    hpa_t table)
{
	if (vcpu->root != vcpu->pae_root)
		return vcpu->root == table;
	for (unsigned int i = 0; i < 4; i++)
		if (pool_get(pool, vcpu->pae_root, i) == (table | PTE_P))
			return true;
	return false;
}

static bool is_synced_below(const struct smmu *smmu, const struct sp *sp)
{
	for (unsigned int i = 0; i < PT_ENTRIES; i++) {
		uint64_t spte = spte_get(smmu, slot_make(sp->table, i));
		const struct sp *child;

		if (!is_shadow_present(&smmu->v, spte))
			continue;
		child = sp_of_table(smmu, spte & PTE_ADDR);
		if (child->unsync || (role_level(child->role) > 1 &&
				      !is_synced_below(smmu, child)))
			return false;
	}
	return true;
}

void audit_synced(struct smmu *smmu, const char *when)
{
	struct audit a = {smmu, when, &smmu->total};

	if (likely(smmu->audit < SMMU_AUDIT_TABLE) || !smmu->sw.unsync)
		return;
	account_count(smmu->acct, CNT_audits);
	for (uint32_t page = smmu->newest; page != NO_PAGE;
	     page = smmu->sp[page].older) {
		const struct sp *sp = &smmu->sp[page];

		if (is_root(smmu->cur, &smmu->mem->pool, sp->table) &&
		    !is_synced_below(smmu, sp))
			audit_violation(&a,
					"no table below the roots is out of "
					"sync after a flush",
					sp, 0);
	}
}

void audit_observe(struct smmu *smmu, enum smmu_observation id)
{
	smmu->total.observed[id]++;
}

static void audit_each(struct audit *a, enum smmu_audit level)
{
	for (uint32_t i = 0; i < a->smmu->mem->pool.nr_pages; i++) {
		const struct sp *sp = &a->smmu->sp[i];

		if (!sp->in_use)
			continue;
		if (level == SMMU_AUDIT_TABLE)
			audit_table(a, sp);
		else
			for (unsigned int j = 0; j < PT_ENTRIES; j++)
				audit_entry(a, sp, j);
	}
}

void smmu_run_audit(struct smmu *smmu, enum smmu_audit level,
		    struct smmu_audit_report *ret)
{
	struct smmu_audit_report report = {0};
	struct audit a = {smmu, "on demand", &report};

	if (level == SMMU_AUDIT_ALL)
		audit_whole(&a);
	else if (level != SMMU_AUDIT_OFF)
		audit_each(&a, level);
	*ret = report;
}
