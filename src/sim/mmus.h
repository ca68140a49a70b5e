/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What "mmu" can be set to: the generations of the shadow MMU in order of time,
 * then what does without shadow tables.
 */
#ifndef NOTRAP_SIM_MMUS_H
#define NOTRAP_SIM_MMUS_H

#include "shadow_mmu/smmu.h"

enum mmu_kind {
	MMU_SHADOW,
	MMU_EPT,    /* two-dimensional paging */
	MMU_NATIVE, /* no hypervisor */
};

struct mmu_choice {
	const char *name;
	const char *what; /* one line */
	enum mmu_kind kind;
	const struct smmu_generation *generation; /* NULL: no shadow tables */
};

/* Choice i; false: there are no more. */
bool mmu_choice(uint64_t i, struct mmu_choice *ret);

#endif
