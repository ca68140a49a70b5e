/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One table for every setting: options.def and the costs.  A value is one
 * number, whatever its type; text is made of it and it of text by type alone.
 * Ranges are looked at by config_check(), as some depend on other keys.
 */
#include "sim/config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "arch/cpu_features.h"
#include "arch/cpu_profile.h"
#include "base/bug.h"
#include "base/suggest.h"
#include "mem/mem.h"
#include "sim/config_machine.h"
#include "sim/config_type.h"
#include "sim/mmus.h"
#include "sim/trap_check.h"
#include "vmx_model/controls.h"

static const struct {
	const char *key;
	enum config_type_kind kind;
	const char *choices;
	const char *def;
	const char *help;
} options[NR_OPTIONS] = {
#define OPTION(key, field, type, def, values, help) \
	{key, TYPE_##type, values, def, help},
#include "sim/options.def"
#undef OPTION
};

#define COST_MAX_TEXT "0..1000000, N:MIN..MAX"

/* Keys: options, costs, switches. */
#define FIRST_SWITCH   (NR_OPTIONS + NR_COSTS)
#define SWITCH_CHOICES "auto,off,on"

/* KVM's pages and what the simulator adds to them must fit in the pool. */
#define PAGES_MAX (POOL_PAGES_MAX - 0xff)

#define MIB (UINT64_C(1) << 20)

/* An option without an entry takes any number.  The text is for people. */
static const struct range {
	enum option_id id;
	uint64_t min, max;
	const char *text;
} ranges[] = {
	{OPT_memory, 2 * MIB, RAM_MAX, "2M..3G"},
	{OPT_vcpus, 1, SMMU_MAX_VCPUS, "1..4"},
	{OPT_shadow_pages, SMMU_MIN_PAGES, PAGES_MAX, "64..130816"},
	{OPT_maxphyaddr, 36, 52, "36..52"},
	{OPT_exception_bitmap, 0, UINT32_MAX, "auto or u32"},
	{OPT_pfec_mask, 0, UINT32_MAX, "auto or u32"},
	{OPT_pfec_match, 0, UINT32_MAX, "auto or u32"},
	{OPT_cr3_targets, 0, VMX_CR3_TARGETS, "0..4"},
	{OPT_mhz, 0, 100000, "0..100000"},
};

static const struct range *range_of(unsigned int i)
{
	for (size_t r = 0; r < ARRAY_LEN(ranges); r++)
		if (ranges[r].id == i)
			return &ranges[r];
	return NULL;
}

static struct config_type type_of(unsigned int i)
{
	return (struct config_type){options[i].kind, options[i].choices};
}

/* What an option takes, for a listing or an error. */
static const char *accepted(unsigned int i)
{
	const struct range *range = range_of(i);

	if (range)
		return range->text;
	switch (options[i].kind) {
	case TYPE_CHOICE:
	case TYPE_SET:
		return options[i].choices;
	case TYPE_U64:
		return "a number";
	case TYPE_SIZE:
		return "bytes, or with K, M or G";
	case TYPE_HEX:
		return "auto, or a number";
	case TYPE_MMU:
		return "a generation, ept or native";
	case TYPE_MACHINE:
		return "a name or FILE.ini";
	case TYPE_HYPERVISOR:
		return "era, a name or FILE.ini";
	}
	BUG("unknown type of option");
}

static bool is_file(unsigned int i)
{
	return i == OPT_machine || i == OPT_hypervisor;
}

void config_init(struct config *config)
{
	*config = (struct config){0};
	for (unsigned int i = 0; i < NR_OPTIONS; i++)
		if (!is_file(i))
			BUG_ON(config_parse_value(type_of(i), options[i].def,
						  &config->value[i]));
	config_init_files(config);
}

unsigned int config_nr_keys(void)
{
	return FIRST_SWITCH + NR_SMMU_SWITCHES;
}

bool config_is_switch(unsigned int i)
{
	return i >= FIRST_SWITCH;
}

static enum smmu_switch switch_of(unsigned int i)
{
	return (enum smmu_switch)(i - FIRST_SWITCH);
}

static const char *const switch_keys[] = {
#define SWITCH(name, what) "switch." #name,
#include "shadow_mmu/switches.def"
#undef SWITCH
};

const char *config_key_name(unsigned int i)
{
	if (i < NR_OPTIONS)
		return options[i].key;
	if (config_is_switch(i))
		return switch_keys[switch_of(i)];
	return cost_info((enum cost_id)(i - NR_OPTIONS))->key;
}

void config_key(unsigned int i, struct config_key *ret,
		char buf[COST_RANGE_TEXT_MAX])
{
	const struct cost_info *cost;
	struct config defaults;

	BUG_ON(i >= config_nr_keys());
	if (i < NR_OPTIONS) {
		*ret = (struct config_key){
			.key = options[i].key,
			.def = options[i].def,
			.values = accepted(i),
			.help = options[i].help,
		};
		return;
	}
	if (config_is_switch(i)) {
		*ret = (struct config_key){
			.key = config_key_name(i),
			.def = CONFIG_SWITCH_DEFAULT,
			.values = SWITCH_CHOICES,
			.help = smmu_switch_what(switch_of(i)),
		};
		return;
	}
	cost = cost_info((enum cost_id)(i - NR_OPTIONS));
	config_init(&defaults);
	cost_range_text(defaults.cost[i - NR_OPTIONS], buf);
	*ret = (struct config_key){
		.key = cost->key,
		.def = buf,
		.values = COST_MAX_TEXT,
		.help = cost->what,
	};
}

int config_find(const char *key, struct diag *diag)
{
	struct suggest near;

	suggest_init(&near, key);
	for (unsigned int i = 0; i < config_nr_keys(); i++) {
		if (!strcmp(config_key_name(i), key))
			return (int)i;
		suggest_offer(&near, config_key_name(i));
	}
	if (!suggest_best(&near))
		return diag_set(diag, -ENOENT, "no setting is called \"%.60s\"",
				key);
	return diag_set(diag, -ENOENT,
			"no setting is called \"%.60s\"; did you mean \"%s\"?",
			key, suggest_best(&near));
}

/* They are many and long: name the nearest, or all of them. */
static int bad_mmu(const char *key, const char *text, struct diag *diag)
{
	struct mmu_choice choice;
	struct suggest near;
	char list[256] = "";
	size_t len = 0;

	suggest_init(&near, text);
	for (unsigned int i = 0; mmu_choice(i, &choice) && len < sizeof(list);
	     i++) {
		int n = snprintf(list + len, sizeof(list) - len, "%s%s",
				 i ? ", " : "", choice.name);

		suggest_offer(&near, choice.name);
		len += n > 0 ? (size_t)n : 0;
	}
	if (suggest_best(&near))
		return diag_set(diag, -EINVAL,
				"%s=%.60s: there is no such generation; did "
				"you mean \"%s\"? (there are %s)",
				key, text, suggest_best(&near), list);
	return diag_set(diag, -EINVAL,
			"%s=%.60s: there is no such generation; there are %s",
			key, text, list);
}

static int set_switch(struct config *config, unsigned int i, const char *text,
		      struct diag *diag)
{
	struct config_type type = {TYPE_CHOICE, SWITCH_CHOICES};
	uint64_t val;

	if (config_parse_value(type, text, &val))
		return diag_set(diag, -EINVAL, "%s=%.60s: want one of %s",
				config_key_name(i), text, SWITCH_CHOICES);
	config->sw[switch_of(i)] = (uint8_t)val;
	return 0;
}

int config_set(struct config *config, const char *key, const char *value,
	       struct diag *diag)
{
	int found = config_find(key, diag);
	unsigned int i = (unsigned int)found;
	uint64_t val;

	if (found < 0)
		return found;
	if (config_is_switch(i))
		return set_switch(config, i, value, diag);
	if (i >= NR_OPTIONS)
		return config_set_cost(config, (enum cost_id)(i - NR_OPTIONS),
				       value, COST_MAX_TEXT, diag);
	if (is_file(i))
		return config_set_file(config, (enum option_id)i, value, diag);

	if (config_parse_value(type_of(i), value, &val)) {
		if (options[i].kind == TYPE_MMU)
			return bad_mmu(key, value, diag);
		return diag_set(diag, -EINVAL, "%s=%.60s: want %s%s", key,
				value,
				options[i].kind == TYPE_CHOICE ? "one of "
				: options[i].kind == TYPE_SET
					? "none, all, or with + between them "
					: "",
				accepted(i));
	}
	config->value[i] = val;
	config->given[i] = true;
	return config_derive(config, (enum option_id)i, diag);
}

static int check_range(const struct config *config, const struct range *range,
		       struct diag *diag)
{
	uint64_t val = config_get(config, range->id);
	const char *want = range->text;
	char text[CONFIG_TEXT_MAX];

	if (val == CONFIG_AUTO && options[range->id].kind == TYPE_HEX)
		return 0;
	if (val >= range->min && val <= range->max) {
		if (range->id != OPT_memory || !(val & PAGE_MASK))
			return 0;
		want = "whole pages of 4K";
	}
	config_text(config, range->id, text, sizeof(text));
	return diag_set(diag, -EINVAL, "%s=%s: want %s", options[range->id].key,
			text, want);
}

static bool is_amd(const struct config *config)
{
	return config_get(config, OPT_vendor) == VENDOR_AMD;
}

static bool filters(uint64_t val)
{
	return val != CONFIG_AUTO && val != 0;
}

/* AMD-V looks at the vector alone. */
static int check_amd(const struct config *config, struct diag *diag)
{
	if (!is_amd(config))
		return 0;
	if (config->given[OPT_bypass] &&
	    config_get(config, OPT_bypass) == BYPASS_ON)
		return vmx_pf_filter_require(VENDOR_AMD, diag);
	if (filters(config_get(config, OPT_pfec_mask)) ||
	    filters(config_get(config, OPT_pfec_match)))
		return diag_set(diag, -EINVAL,
				"pfec-mask and pfec-match are VMX's; with "
				"vendor=amd they must be auto or 0");
	return 0;
}

/* The source's clock between two events is one cycle an instruction. */
static int check_clock(const struct config *config, struct diag *diag)
{
	if (config_get(config, OPT_clock) != CLOCK_CYCLES)
		return 0;
	if (!config_get(config, OPT_mhz))
		return diag_set(diag, -EINVAL,
				"clock=cycles: mhz must not be 0");
	if (config->cost[COST_GUEST_INSN].typ != 1)
		return diag_set(diag, -EINVAL,
				"clock=cycles: cost.guest-insn must be 1");
	return 0;
}

/* A flush that the hypervisor does not see would leave stale entries. */
static int check_unsync(const struct config *config, struct diag *diag)
{
	const struct smmu_switches sw = config_switches(config);
	const char *why = sw.vtlb ? "the shadow is a TLB (switch.vtlb)"
				  : "guest tables may go out of sync "
				    "(switch.unsync)";

	if (!sw.unsync && !sw.vtlb)
		return check_amd(config, diag);
	if (!config_invlpg_exits(config))
		return diag_set(diag, -EINVAL,
				"invlpg-exiting=off: INVLPG must exit where %s",
				why);
	if (config_get(config, OPT_cr3_targets))
		return diag_set(diag, -EINVAL,
				"cr3-targets: MOV to CR3 must exit where %s",
				why);
	return check_amd(config, diag);
}

/* What says how a hypervisor with shadow tables is to be. */
static const enum option_id shadow_only[] = {
	OPT_exception_bitmap, OPT_pfec_mask, OPT_pfec_match,
	OPT_cr3_targets,      OPT_dirty_log, OPT_invlpg_exiting,
	OPT_unsafe_trap,
};

static bool is_default(const struct config *config, enum option_id id)
{
	uint64_t def;

	BUG_ON(config_parse_value(type_of(id), options[id].def, &def));
	return config_get(config, id) == def;
}

static int refuse_setting(const struct config *config, unsigned int i,
			  struct diag *diag)
{
	char text[CONFIG_TEXT_MAX];

	config_text(config, i, text, sizeof(text));
	return diag_set(diag, -EINVAL,
			"%s=%s: mmu=%s has no shadow tables for it",
			config_key_name(i), text, config_mmu_name(config));
}

/* No shadow tables, or no hypervisor: nothing may be set that would be lost. */
static int check_direct(const struct config *config, struct diag *diag)
{
	for (size_t i = 0; i < ARRAY_LEN(shadow_only); i++)
		if (!is_default(config, shadow_only[i]))
			return refuse_setting(config, shadow_only[i], diag);
	for (unsigned int i = 0; i < NR_SMMU_SWITCHES; i++)
		if (config->sw[i] != SWITCH_AUTO)
			return refuse_setting(config, FIRST_SWITCH + i, diag);
	if (is_amd(config) && config_mmu_kind(config) == MMU_EPT)
		return diag_set(diag, -EINVAL,
				"mmu=ept is VMX's; with vendor=amd there are "
				"shadow tables or mmu=native");
	return 0;
}

/* Features that belong to long mode. */
#define LONG_FEATURES                                                  \
	(FEATURE_LA57 | FEATURE_PKU | FEATURE_PCID | FEATURE_INVPCID | \
	 FEATURE_1G)

static int check_cpu(const struct config *config, struct diag *diag)
{
	const struct cpu_profile *cpu =
		cpu_profile(profile_of(config_processor(config)));
	uint64_t width = config_get(config, OPT_maxphyaddr);

	if (cpu->vendor != PROFILE_EITHER &&
	    (uint64_t)cpu->vendor != config_get(config, OPT_vendor))
		return diag_set(diag, -EINVAL,
				"vendor=%s: cpu=%s is the other vendor's",
				is_amd(config) ? "amd" : "intel", cpu->name);
	if (cpu->is_fixed && width != cpu->width)
		return diag_set(diag, -EINVAL,
				"maxphyaddr=%" PRIu64
				": cpu=%s has %u bits, and no way to tell "
				"others",
				width, cpu->name, cpu->width);
	if (!(cpu->ext_edx & CPUID_EXT_EDX_LM) &&
	    (config_get(config, OPT_features) & LONG_FEATURES))
		return diag_set(diag, -EINVAL,
				"features: la57, pku, pcid, invpcid and 1g "
				"need long mode, which cpu=%s has not",
				cpu->name);
	return 0;
}

uint32_t config_processor(const struct config *config)
{
	return (uint32_t)(config_get(config, OPT_features) |
			  config_get(config, OPT_cpu) << PROFILE_SHIFT);
}

int config_check(const struct config *config, struct diag *diag)
{
	int err = check_cpu(config, diag);

	if (err)
		return err;

	for (size_t i = 0; i < ARRAY_LEN(ranges); i++) {
		err = check_range(config, &ranges[i], diag);
		if (err)
			return err;
	}
	err = check_clock(config, diag);
	if (!err)
		err = config_check_machine(config, diag);
	if (err)
		return err;
	if (!config_generation(config))
		return check_direct(config, diag);
	err = check_unsync(config, diag);
	return err ? err : trap_check(config, diag);
}

static const char *cost_text(struct cost_range range,
			     char buf[COST_RANGE_TEXT_MAX])
{
	cost_range_text(range, buf);
	return buf;
}

void config_text(const struct config *config, unsigned int i, char *buf,
		 size_t size)
{
	char cost[COST_RANGE_TEXT_MAX];

	BUG_ON(i >= config_nr_keys());
	if (i == OPT_machine)
		snprintf(buf, size, "%s", config->machine_text);
	else if (i == OPT_hypervisor)
		snprintf(buf, size, "%s", config->hypervisor_text);
	else if (i < NR_OPTIONS)
		config_print_value(type_of(i), config->value[i], buf, size);
	else if (config_is_switch(i))
		config_print_value(
			(struct config_type){TYPE_CHOICE, SWITCH_CHOICES},
			config->sw[switch_of(i)], buf, size);
	else
		snprintf(buf, size, "%s",
			 cost_text(config->cost[i - NR_OPTIONS], cost));
}
