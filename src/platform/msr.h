/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The model-specific registers of a profile (msrs.def): kept values without
 * effect on the model.  What memory type ranges, the PAT and machine-check
 * banks say changes nothing here, but a guest reads back what it wrote, and
 * #GP(0) comes where the processor raises it.
 */
#ifndef NOTRAP_PLATFORM_MSR_H
#define NOTRAP_PLATFORM_MSR_H

#include "base/types.h"

enum {
/* Where the values of a line begin. */
#define MSR(id, number, count, ...) \
	MSR_AT_##id, MSR_END_##id = MSR_AT_##id + (count)-1,
#include "platform/msrs.def"
#undef MSR
	NR_MSR_VALUES
};

struct msrs {
	uint32_t features; /* the profile, above FEATURE_* */
	bool amd;
	uint8_t maxphyaddr;
	uint64_t value[NR_MSR_VALUES];
};

/* As they are when the guest begins. */
void msrs_init(struct msrs *msrs, uint32_t features, bool amd,
	       uint8_t maxphyaddr);

/* False: there is no such register, or the value is none: #GP(0). */
bool msrs_read(const struct msrs *msrs, uint32_t number, uint64_t *ret);
bool msrs_write(struct msrs *msrs, uint32_t number, uint64_t val);

#endif
