/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/config_machine.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "arch/cpu_features.h"
#include "arch/cpu_profile.h"
#include "base/bug.h"

#define DEFAULT_NAME "generic"
#define ERA          "era"

static bool is_era(const struct config *config)
{
	return !strcmp(config->hypervisor_text, ERA);
}

/* --- What follows --------------------------------------------------------- */

static void derive_costs(struct config *config)
{
	for (int i = 0; i < NR_COSTS; i++) {
		enum cost_owner owner = cost_info((enum cost_id)i)->owner;

		if (!config->cost_given[i])
			config->cost[i] = owner == OWNER_HARDWARE
						  ? config->machine.cost[i]
						  : config->hypervisor.cost[i];
	}
}

/* cpu=plain is no real one. */
static const struct cpu_profile *chosen_cpu(const struct config *config)
{
	uint64_t id = config_get(config, OPT_cpu);

	return id == PROFILE_ID_PLAIN ? NULL
				      : cpu_profile((enum cpu_profile_id)id);
}

/* A cpu= that is a real one says what it is; else the machine does. */
static void derive_processor(struct config *config)
{
	const struct cpu_profile *cpu = chosen_cpu(config);
	enum profile_vendor vendor = cpu ? cpu->vendor : config->machine.vendor;

	if (!config->given[OPT_vendor])
		config->value[OPT_vendor] =
			vendor == PROFILE_AMD ? VENDOR_AMD : VENDOR_INTEL;
	if (!config->given[OPT_maxphyaddr])
		config->value[OPT_maxphyaddr] =
			cpu ? cpu->width : config->machine.width;
	if (!config->given[OPT_mhz])
		config->value[OPT_mhz] = config->machine.mhz;
}

static int load_hypervisor(struct config *config, struct diag *diag)
{
	return is_era(config)
		       ? hypervisor_load_for_mmu(config_mmu_name(config),
						 &config->hypervisor, diag)
		       : hypervisor_load(config->hypervisor_text,
					 &config->hypervisor, diag);
}

int config_derive(struct config *config, enum option_id id, struct diag *diag)
{
	int err = 0;

	if (id == OPT_mmu && is_era(config)) {
		err = load_hypervisor(config, diag);
		derive_costs(config);
	} else if (id == OPT_cpu) {
		derive_processor(config);
	}
	return err;
}

void config_init_files(struct config *config)
{
	struct diag diag = {""};

	snprintf(config->machine_text, sizeof(config->machine_text),
		 DEFAULT_NAME);
	snprintf(config->hypervisor_text, sizeof(config->hypervisor_text),
		 DEFAULT_NAME);
	if (machine_load(config->machine_text, &config->machine, &diag) ||
	    load_hypervisor(config, &diag))
		BUG(diag.msg);
	derive_costs(config);
	derive_processor(config);
}

void config_init_beneath(struct config *ret, const struct config *config)
{
	config_init(ret);
	ret->machine = config->machine;
	ret->hypervisor = config->hypervisor;
	derive_costs(ret);
	derive_processor(ret);
}

/* --- Setting ---------------------------------------------------------------
 */

static int set_machine(struct config *config, const char *text,
		       struct diag *diag)
{
	int err = machine_load(text, &config->machine, diag);

	if (!err)
		snprintf(config->machine_text, sizeof(config->machine_text),
			 "%s", text);
	return err;
}

static int set_hypervisor(struct config *config, const char *text,
			  struct diag *diag)
{
	struct config before = *config;
	int err;

	snprintf(config->hypervisor_text, sizeof(config->hypervisor_text), "%s",
		 text);
	err = load_hypervisor(config, diag);
	if (err)
		*config = before;
	return err;
}

int config_set_file(struct config *config, enum option_id id, const char *text,
		    struct diag *diag)
{
	int err;

	if (strlen(text) >= CONFIG_TEXT_MAX)
		return diag_set(diag, -EINVAL,
				"%s=%.60s...: a path of more than %d letters",
				config_key_name(id), text, CONFIG_TEXT_MAX - 1);
	err = id == OPT_machine ? set_machine(config, text, diag)
				: set_hypervisor(config, text, diag);
	if (err)
		return err;
	config->given[id] = true;
	derive_costs(config);
	derive_processor(config);
	return 0;
}

int config_set_cost(struct config *config, enum cost_id id, const char *text,
		    const char *want, struct diag *diag)
{
	struct cost_range range;

	if (cost_range_parse(text, &range) || range.max > MACHINE_COST_MAX)
		return diag_set(diag, -EINVAL,
				"%s=%.60s: want a number of cycles, %s",
				cost_info(id)->key, text, want);
	config->cost[id] = range;
	config->cost_given[id] = true;
	return 0;
}

/* --- What the machine lacks ------------------------------------------------
 */

static int lacks(const struct config *config, enum machine_feature id,
		 const char *asked, struct diag *diag)
{
	return diag_set(diag, -EINVAL, "%s: machine=%s has no %s (%s)", asked,
			config->machine_text, machine_feature_key(id),
			machine_feature_what(id));
}

static bool has(const struct config *config, enum machine_feature id)
{
	return machine_has(&config->machine, id);
}

static int check_vendor(const struct config *config, struct diag *diag)
{
	enum profile_vendor vendor = config->machine.vendor;
	bool amd = config_get(config, OPT_vendor) == VENDOR_AMD;

	if (vendor == PROFILE_EITHER || (vendor == PROFILE_AMD) == amd)
		return 0;
	return diag_set(diag, -EINVAL,
			"vendor=%s: machine=%s is the other vendor's",
			amd ? "amd" : "intel", config->machine_text);
}

static int check_width(const struct config *config, struct diag *diag)
{
	const struct machine_model *machine = &config->machine;
	uint64_t width = config_get(config, OPT_maxphyaddr);

	if (width >= machine->width_min && width <= machine->width_max)
		return 0;
	return diag_set(diag, -EINVAL,
			"maxphyaddr=%" PRIu64
			": machine=%s has %u bits, and its relatives %u to %u",
			width, config->machine_text, machine->width,
			machine->width_min, machine->width_max);
}

/* Words of features=. */
static int check_features(const struct config *config, struct diag *diag)
{
	uint64_t asked = config_get(config, OPT_features);

	for (int i = 0; i < NR_MACHINE_FEATURES; i++) {
		enum machine_feature id = (enum machine_feature)i;
		char text[64];

		if (!(asked & machine_feature_guest(id)) || has(config, id))
			continue;
		snprintf(text, sizeof(text), "features=%s",
			 machine_feature_key(id));
		return lacks(config, id, text, diag);
	}
	return 0;
}

static bool filters(const struct config *config, enum option_id id)
{
	uint64_t val = config_get(config, id);

	return val && val != CONFIG_AUTO;
}

static int check_virtualization(const struct config *config, struct diag *diag)
{
	bool amd = config_get(config, OPT_vendor) == VENDOR_AMD;
	enum machine_feature vm = amd ? MACHINE_SVM : MACHINE_VMX;
	char mmu[64];

	snprintf(mmu, sizeof(mmu), "mmu=%s", config_mmu_name(config));
	if (config_mmu_kind(config) == MMU_NATIVE)
		return 0;
	if (!has(config, vm))
		return lacks(config, vm, mmu, diag);
	if (config_mmu_kind(config) == MMU_EPT && !has(config, MACHINE_EPT))
		return lacks(config, MACHINE_EPT, mmu, diag);
	if (config_has_vpid(config) && !has(config, MACHINE_VPID))
		return lacks(config, MACHINE_VPID, "vpid=on", diag);
	if (amd || has(config, MACHINE_PFEC_FILTER))
		return 0; /* the vendor's own check says it for AMD */
	if (config->given[OPT_bypass] &&
	    config_get(config, OPT_bypass) == BYPASS_ON)
		return lacks(config, MACHINE_PFEC_FILTER, "bypass=on", diag);
	if (filters(config, OPT_pfec_mask) || filters(config, OPT_pfec_match))
		return lacks(config, MACHINE_PFEC_FILTER,
			     "pfec-mask, pfec-match", diag);
	return 0;
}

int config_check_machine(const struct config *config, struct diag *diag)
{
	int err = check_vendor(config, diag);

	if (!err)
		err = check_width(config, diag);
	if (!err)
		err = check_features(config, diag);
	return err ? err : check_virtualization(config, diag);
}
