/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/trap_check.h"

#include <errno.h>
#include <inttypes.h>

/* Modes of shadow tables. */
static const enum paging_mode modes[] = {PAGING_PAE, PAGING_4LEVEL,
					 PAGING_5LEVEL};

struct paging_ctx config_hardware(const struct config *config)
{
	/* CR0.WP is on, whatever the guest's is. */
	return (struct paging_ctx){
		.wp = true,
		.nxe = config_get(config, OPT_host_nxe),
		.maxphyaddr = (uint8_t)config_get(config, OPT_maxphyaddr),
	};
}

static bool is_dangerous(const struct config *config,
			 const struct trap_danger *use)
{
	struct paging_ctx ctx = config_hardware(config);

	ctx.mode = use->mode;
	return use->level <= use->value->max_level &&
	       trap_judge(&ctx, trap_pte(use->value, ctx.maxphyaddr),
			  use->level) != TRAP_FAULTS;
}

static bool find_danger_of(const struct config *config,
			   const struct trap_value *value,
			   struct trap_danger *ret)
{
	for (size_t m = 0; m < ARRAY_LEN(modes); m++) {
		*ret = (struct trap_danger){.value = value, .mode = modes[m]};
		for (ret->level = 1; ret->level <= paging_levels(modes[m]);
		     ret->level++)
			if (is_dangerous(config, ret))
				return true;
	}
	return false;
}

bool trap_find_danger(const struct config *config, struct trap_danger *ret)
{
	struct smmu_config mmu = config_mmu(config);
	unsigned int nr;
	const struct trap_value *values = trap_values(&nr);

	for (unsigned int i = 0; i < nr; i++)
		if (trap_is_used(&mmu, &values[i]) &&
		    find_danger_of(config, &values[i], ret))
			return true;
	return false;
}

int trap_check(const struct config *config, struct diag *diag)
{
	struct trap_danger danger;

	if (config_get(config, OPT_unsafe_trap) == UNSAFE_TRAP_FORCE ||
	    !trap_find_danger(config, &danger))
		return 0;
	return diag_set(
		diag, -EINVAL,
		"maxphyaddr=%" PRIu64 ", host-nxe=%s: no bit of the "
		"shadow entry \"%s\" (0x%016" PRIx64 ") is reserved "
		"in %s tables, so that reads would go through it "
		"(notrap trap-safety); unsafe-trap=force counts those",
		config_get(config, OPT_maxphyaddr),
		config_get(config, OPT_host_nxe) ? "on" : "off",
		danger.value->name,
		trap_pte(danger.value, (int)config_get(config, OPT_maxphyaddr)),
		paging_mode_name(danger.mode));
}
