/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a configuration comes to: the MMU, its switches, the bypass. */
#include <string.h>

#include "base/bug.h"
#include "sim/config.h"

static struct mmu_choice choice_of(const struct config *config)
{
	struct mmu_choice choice;

	BUG_ON(!mmu_choice(config_get(config, OPT_mmu), &choice));
	return choice;
}

enum mmu_kind config_mmu_kind(const struct config *config)
{
	return choice_of(config).kind;
}

const char *config_mmu_name(const struct config *config)
{
	return choice_of(config).name;
}

const struct smmu_generation *config_generation(const struct config *config)
{
	return choice_of(config).generation;
}

static struct smmu_switches own_switches(const struct config *config)
{
	const struct smmu_generation *gen = config_generation(config);

	return gen ? gen->sw : (struct smmu_switches){false};
}

struct smmu_switches config_switches(const struct config *config)
{
	struct smmu_switches sw = own_switches(config);

	for (int i = 0; i < NR_SMMU_SWITCHES; i++)
		if (config->sw[i] != SWITCH_AUTO)
			smmu_switch_set(&sw, (enum smmu_switch)i,
					config->sw[i] == SWITCH_ON);
	return sw;
}

const char *config_bypass_obstacle(const struct config *config)
{
	if (config_mmu_kind(config) == MMU_NATIVE)
		return "there is no hypervisor";
	if (config_mmu_kind(config) == MMU_EPT)
		return "no guest fault exits under EPT";
	if (config_get(config, OPT_vendor) == VENDOR_AMD)
		return "AMD cannot filter page faults by error code";
	if (!machine_has(&config->machine, MACHINE_PFEC_FILTER))
		return "the machine cannot filter page faults by error code";
	if (!config_generation(config)->has_bypass)
		return "this generation has none";
	return NULL;
}

bool config_has_bypass(const struct config *config)
{
	return config_get(config, OPT_bypass) == BYPASS_ON &&
	       !config_bypass_obstacle(config);
}

struct smmu_config config_mmu(const struct config *config)
{
	struct smmu_config mmu = {
		.sw = config_switches(config),
		.max_pages = (uint32_t)config_get(config, OPT_shadow_pages),
		.maxphyaddr = (uint8_t)config_get(config, OPT_maxphyaddr),
		.features = (uint32_t)config_get(config, OPT_features),
		.nr_vcpus = (uint8_t)config_get(config, OPT_vcpus),
		.audit = (enum smmu_audit)config_get(config, OPT_audit),
	};

	smmu_set_values(&mmu, config_has_bypass(config));
	return mmu;
}

struct config config_effective(const struct config *config)
{
	struct smmu_switches sw = own_switches(config);
	struct config ret = *config;

	if (!config_has_bypass(config))
		ret.value[OPT_bypass] = BYPASS_OFF;
	if (config_mmu_kind(config) != MMU_EPT)
		ret.value[OPT_ept_pages] = 0;
	ret.value[OPT_vpid] = SWITCH_AUTO;
	if (config_has_vpid(config) != config_has_vpid(&ret))
		ret.value[OPT_vpid] = config_get(config, OPT_vpid);
	for (int i = 0; i < NR_SMMU_SWITCHES; i++) {
		bool own = smmu_switch_get(&sw, (enum smmu_switch)i);

		if (ret.sw[i] == (own ? SWITCH_ON : SWITCH_OFF))
			ret.sw[i] = SWITCH_AUTO;
	}
	return ret;
}

bool config_is_equal(const struct config *a, const struct config *b)
{
	return !memcmp(a->value, b->value, sizeof(a->value)) &&
	       a->machine.digest == b->machine.digest &&
	       !strcmp(a->machine_text, b->machine_text) &&
	       !strcmp(a->hypervisor_text, b->hypervisor_text) &&
	       !memcmp(a->cost, b->cost, sizeof(a->cost)) &&
	       !memcmp(a->sw, b->sw, sizeof(a->sw));
}

/* KVM has it since 2.6.26; shadow generations ran on processors without. */
bool config_has_vpid(const struct config *config)
{
	enum mmu_kind kind = config_mmu_kind(config);
	uint64_t set = config_get(config, OPT_vpid);

	if (kind == MMU_NATIVE)
		return false;
	if (set == SWITCH_AUTO)
		return kind == MMU_EPT &&
		       machine_has(&config->machine, MACHINE_VPID);
	return set == SWITCH_ON;
}

bool config_invlpg_exits(const struct config *config)
{
	struct smmu_switches sw = config_switches(config);
	uint64_t set = config_get(config, OPT_invlpg_exiting);

	return set == SWITCH_AUTO ? sw.unsync || sw.vtlb || sw.invlpg_exits
				  : set == SWITCH_ON;
}
