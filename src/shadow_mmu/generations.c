/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The generations: sets of switches over one implementation. */
#include <string.h>

#include "shadow_mmu/smmu.h"

#define GENERATION(name_, bypass_, what_, ...) \
	{.name = (name_),                      \
	 .what = (what_),                      \
	 .sw = {__VA_ARGS__},                  \
	 .has_bypass = (bypass_)},

static const struct smmu_generation generations[] = {
#include "shadow_mmu/generations.def"
};

#undef GENERATION

const struct smmu_generation *smmu_generations(unsigned int *nr)
{
	*nr = ARRAY_LEN(generations);
	return generations;
}

const struct smmu_generation *smmu_generation_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(generations); i++)
		if (!strcmp(generations[i].name, name))
			return &generations[i];
	return NULL;
}
