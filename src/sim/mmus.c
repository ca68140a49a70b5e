/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/mmus.h"

static const struct mmu_choice others[] = {
	{"ept", "two-dimensional paging, the rest of KVM as it was in 3.1",
	 MMU_EPT, NULL},
	{"native", "no virtualization: nothing exits", MMU_NATIVE, NULL},
};

bool mmu_choice(uint64_t i, struct mmu_choice *ret)
{
	unsigned int nr;
	const struct smmu_generation *gens = smmu_generations(&nr);

	if (i < nr)
		*ret = (struct mmu_choice){gens[i].name, gens[i].what,
					   MMU_SHADOW, &gens[i]};
	else if (i - nr < ARRAY_LEN(others))
		*ret = others[i - nr];
	else
		return false;
	return true;
}
