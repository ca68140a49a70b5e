/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Exit-reason names, spelled as in exit_reasons.def. */
#include "arch/exit_reasons.h"

#define EXIT(name, number) \
	_Static_assert((number) < NR_EXIT_REASONS, #name " is out of range");
#include "arch/exit_reasons.def"
#undef EXIT

static const char *const names[NR_EXIT_REASONS] = {
#define EXIT(name, number) [number] = #name,
#include "arch/exit_reasons.def"
#undef EXIT
};

const char *exit_reason_name(uint32_t reason)
{
	uint32_t basic = reason & EXIT_REASON_BASIC;

	if (basic >= NR_EXIT_REASONS || !names[basic])
		return "UNKNOWN";
	return names[basic];
}
