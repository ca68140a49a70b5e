/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The generations: sets of switches over one implementation. */
#include <stddef.h>
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

static const struct {
	const char *name, *what;
	size_t offset;
} switches[] = {
#define SWITCH(name, what) {#name, what, offsetof(struct smmu_switches, name)},
#include "shadow_mmu/switches.def"
#undef SWITCH
};

const char *smmu_switch_name(enum smmu_switch id)
{
	return switches[id].name;
}

const char *smmu_switch_what(enum smmu_switch id)
{
	return switches[id].what;
}

bool smmu_switch_get(const struct smmu_switches *sw, enum smmu_switch id)
{
	return *(const bool *)((const char *)sw + switches[id].offset);
}

void smmu_switch_set(struct smmu_switches *sw, enum smmu_switch id, bool on)
{
	*(bool *)((char *)sw + switches[id].offset) = on;
}

void smmu_set_values(struct smmu_config *config, bool bypass)
{
	config->trap_pte = bypass ? SMMU_TRAP_PTE : 0;
	config->notrap_pte = 0;
	if (config->sw.gnp_sptes && !bypass && config->maxphyaddr < 52)
		config->notrap_pte = SMMU_GNP_PTE;
}
