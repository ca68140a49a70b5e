/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "shadow_mmu/trap.h"

#include "paging/entry.h"
#include "shadow_mmu/spte.h"

const uint32_t trap_uses[TRAP_USES] = {
	0, PFEC_W, PFEC_ID, PFEC_U, PFEC_U | PFEC_W, PFEC_U | PFEC_ID,
};

static const struct trap_value values[] = {
#define TRAP_VALUE(name_, pte_, fills_, level_, width_, used_, what_) \
	{.name = (name_),                                             \
	 .what = (what_),                                             \
	 .pte = (pte_),                                               \
	 .fills = (fills_),                                           \
	 .max_level = (level_),                                       \
	 .max_width = (width_)},
#include "shadow_mmu/traps.def"
#undef TRAP_VALUE
};

const struct trap_value *trap_values(unsigned int *nr)
{
	*nr = ARRAY_LEN(values);
	return values;
}

bool trap_is_used(const struct smmu_config *config,
		  const struct trap_value *value)
{
	const bool used[] = {
#define TRAP_VALUE(name_, pte_, fills_, level_, width_, used_, what_) (used_),
#include "shadow_mmu/traps.def"
#undef TRAP_VALUE
	};

	return used[value - values];
}

enum trap_verdict trap_judge(const struct paging_ctx *ctx, uint64_t pte,
			     int level)
{
	enum trap_verdict worst = TRAP_FAULTS;
	struct paging_ctx hardware = *ctx;

	hardware.wp = true;
	for (size_t i = 0; i < TRAP_USES; i++) {
		struct walk w =
			paging_meet(&hardware, pte, level, trap_uses[i]);

		if (!w.fault)
			return TRAP_MAPS;
		if (w.level < level)
			worst = TRAP_LEADS;
	}
	return worst;
}
