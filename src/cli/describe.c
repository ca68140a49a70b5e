/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/describe.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/bug.h"

/* Built-in ones are of this version; a file's name says nothing of it. */
static void note_file(const char *which, uint64_t digest,
		      struct result_setting *set)
{
	if (machine_is_path(which))
		snprintf(set->note, sizeof(set->note), "digest 0x%016" PRIx64,
			 digest);
}

static void note_setting(const struct config *config, unsigned int key,
			 struct result_setting *set)
{
	if (key == OPT_bypass && config_bypass_obstacle(config))
		snprintf(set->note, sizeof(set->note), "%s",
			 config_bypass_obstacle(config));
	if (key == OPT_machine)
		note_file(set->value, config->machine.digest, set);
	if (key == OPT_hypervisor)
		note_file(set->value, config->hypervisor.digest, set);
}

void describe_config(const struct config *config, struct result *result)
{
	struct config defaults;
	char def[sizeof(result->config[0].value)];

	_Static_assert(sizeof(def) >= CONFIG_TEXT_MAX, "any value fits");
	BUG_ON(config_nr_keys() > RESULT_SETTINGS_MAX);
	config_init_beneath(&defaults, config);
	for (unsigned int i = 0; i < config_nr_keys(); i++) {
		struct result_setting *set = &result->config[result->nr_config];

		snprintf(set->key, sizeof(set->key), "%s", config_key_name(i));
		config_text(config, i, set->value, sizeof(set->value));
		config_text(&defaults, i, def, sizeof(def));
		set->changed = strcmp(set->value, def) != 0;
		/* Switches as the generation has them go without saying. */
		if (config_is_switch(i) && !set->changed)
			continue;
		result->nr_config++;
		note_setting(config, i, set);
	}
}

void describe_exit(struct where *where, const struct sim_exit_record *record)
{
	struct where_exit exit = {
		.rip = record->rip,
		.user = record->user,
		.gpa = record->gpa == SIM_NO_GPA ? WHERE_NO_FRAME : record->gpa,
		.cause = record->is_page_fault ? (int)record->cause
					       : WHERE_NO_CAUSE,
		.cycles = record->cycles,
	};

	where_add(where, &exit);
}

static void tell_where(void *context, const struct sim_exit_record *record)
{
	describe_exit(context, record);
}

static void forget_where(void *context)
{
	where_reset(context);
}

void describe_watch(struct sim *sim, struct where *where)
{
	sim_watch_exits(sim, tell_where, where);
	sim_watch_region(sim, forget_where, where);
}

void describe_check(const struct sim *sim, const struct where *where, char *buf,
		    size_t size)
{
	struct sim_audit audit = sim_audit(sim);
	uint64_t exits = account_exits_total(sim_account(sim));
	const char *law = sim_check(sim);

	buf[0] = 0;
	if (law)
		snprintf(buf, size, "%s", law);
	else if (where_total(where, WHERE_RIP) != exits)
		snprintf(buf, size,
			 "exits by page of code sum to %" PRIu64
			 ", not to %" PRIu64,
			 where_total(where, WHERE_RIP), exits);
	else if (audit.violations)
		snprintf(buf, size, "%" PRIu64 " audit violations, first: %s",
			 audit.violations, audit.first);
}

static const char *use_of(uint32_t access)
{
	if (access & PFEC_ID)
		return "fetch";
	return access & PFEC_W ? "write" : "read";
}

void describe_strays(const struct sim *sim, struct result *result, char *buf,
		     size_t size)
{
	uint64_t total = sim_account(sim)->counter[CNT_wrong_translations];
	unsigned int nr;
	const struct sim_stray *stray = sim_strays(sim, &nr);

	_Static_assert((int)SIM_STRAYS_MAX == (int)RESULT_STRAYS_MAX,
		       "there is room for all that are kept");
	buf[0] = 0;
	for (unsigned int i = 0; i < nr; i++)
		result->stray[i] = (struct result_stray){
			.gva = stray[i].gva,
			.hpa = stray[i].hpa,
			.rip = stray[i].rip,
			.gpa = stray[i].gpa,
			.user = stray[i].access & PFEC_U,
			.use = use_of(stray[i].access),
		};
	result->nr_strays = nr;
	if (total)
		snprintf(buf, size,
			 "%" PRIu64
			 " WRONG TRANSLATIONS, the first at 0x%" PRIx64
			 " (rip 0x%" PRIx64 ") to 0x%" PRIx64
			 ": the processor takes \"trap\" for a mapping",
			 total, stray[0].gva, stray[0].rip, stray[0].hpa);
}
