/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the tests of the seed patch share. */
#ifndef NOTRAP_TESTS_SHADOW_MMU_SEED_H
#define NOTRAP_TESTS_SHADOW_MMU_SEED_H

#include "rig.h"

#define GVA  UINT64_C(0x400000)
#define DATA UINT64_C(0x100000)

static const struct rig_config seed_on = {
	.gen = "seed",
	.bypass = true,
	.mode = PAGING_4LEVEL,
	.audit = SMMU_AUDIT_ALL,
};

static const struct rig_config seed_off = {
	.gen = "seed",
	.mode = PAGING_4LEVEL,
	.audit = SMMU_AUDIT_ALL,
};

static inline uint64_t trap(const struct rig *rig)
{
	return rig->smmu->v.trap;
}

static inline uint64_t notrap(const struct rig *rig)
{
	return rig->smmu->v.notrap;
}

/* GVA mapped and used: all four shadow tables exist. */
static inline void open_mapped(struct rig *rig, const struct rig_config *config)
{
	rig_open(rig, config);
	rig_map(rig, GVA, 1, DATA, G_RW);
	check_eq("first access", rig_access(rig, GVA, ACC_W).end, RIG_OK);
}

#endif
