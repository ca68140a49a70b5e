/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shadow entries and pages in terms a reader knows; nothing is changed. */
#include "shadow_mmu/internal.h"

enum smmu_spte_kind smmu_spte_kind(const struct smmu *smmu, uint64_t spte)
{
	if (is_mmio_mark(&smmu->v, spte) || is_mmio_spte(&smmu->v, spte))
		return SMMU_SPTE_MMIO;
	if (is_shadow_present(&smmu->v, spte))
		return SMMU_SPTE_PRESENT;
	if (!has_notrap(&smmu->v))
		return SMMU_SPTE_ABSENT;
	return spte == smmu->v.trap ? SMMU_SPTE_TRAP : SMMU_SPTE_NOTRAP;
}

struct smmu_page smmu_page(const struct smmu *smmu, hpa_t table)
{
	const struct sp *sp = sp_of_table(smmu, table);

	for (unsigned int i = 0; i < ARRAY_LEN(smmu->vcpu); i++)
		if (table == smmu->vcpu[i].pae_root)
			return (struct smmu_page){.is_pae_root = true,
						  .level = 3};
	return (struct smmu_page){
		.gfn = sp->gfn,
		.level = role_level(sp->role),
		.glevels = role_glevels(sp->role),
		.quadrant = sp->role >> ROLE_QUADRANT_SHIFT & 3,
		.metaphysical = role_is_metaphysical(sp->role),
		.is_private = role_is_private(sp->role),
		.access = role_access(sp->role),
		.is_root = sp->root_count > 0,
		.unsync = sp->unsync,
	};
}

uint32_t smmu_nr_pages(const struct smmu *smmu)
{
	return smmu->nr_used;
}
