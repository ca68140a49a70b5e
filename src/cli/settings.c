/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/settings.h"

#include <stdio.h>
#include <string.h>

#include "base/bug.h"
#include "machine/machine.h"
#include "sim/config.h"

static void describe_mmus(char *buf, size_t size)
{
	struct mmu_choice choice;
	size_t len = strlen(buf);

	for (unsigned int i = 0; mmu_choice(i, &choice) && len < size; i++)
		len += (size_t)snprintf(buf + len, size - len, "%s%s (%s)",
					i ? ", " : ": ", choice.name,
					choice.what);
}

/* Where the default of a cost comes from. */
static void describe_cost(const struct ini files[NR_MACHINE_KINDS],
			  const struct config_key *key, enum cost_id id,
			  struct setting *ret)
{
	const struct cost_info *cost = cost_info(id);
	const struct ini *ini =
		&files[cost->owner == OWNER_HARDWARE ? KIND_MACHINE
						     : KIND_HYPERVISOR];
	const struct ini_entry *entry = ini_find(ini, "costs", cost->key);

	snprintf(ret->text, sizeof(ret->text),
		 "cycles for: %s (part: %s; source: %s %s) [%s]", key->help,
		 part_name(cost->part), ini_tag_name(entry->tag), entry->source,
		 key->values);
}

static void describe(const struct ini files[NR_MACHINE_KINDS], unsigned int i,
		     struct setting *ret)
{
	struct config_key key;
	char buf[COST_RANGE_TEXT_MAX];

	config_key(i, &key, buf);
	snprintf(ret->term, sizeof(ret->term), "%s=%s", key.key, key.def);
	if (i == OPT_mmu) {
		snprintf(ret->text, sizeof(ret->text), "%s", key.help);
		describe_mmus(ret->text, sizeof(ret->text));
	} else if (i < NR_OPTIONS || config_is_switch(i)) {
		snprintf(ret->text, sizeof(ret->text), "%s [%s]", key.help,
			 key.values);
	} else {
		describe_cost(files, &key, (enum cost_id)(i - NR_OPTIONS), ret);
	}
}

/* The files that config_init() takes its numbers from. */
static void read_defaults(struct ini files[NR_MACHINE_KINDS])
{
	struct config defaults;
	struct diag diag;
	uint64_t digest;

	config_init(&defaults);
	if (machine_read(KIND_MACHINE, defaults.machine_text,
			 &files[KIND_MACHINE], &digest, &diag) ||
	    machine_read(KIND_HYPERVISOR, defaults.hypervisor_text,
			 &files[KIND_HYPERVISOR], &digest, &diag))
		BUG(diag.msg);
}

void settings_each(void (*take)(void *context, const struct setting *setting),
		   void *context)
{
	struct ini files[NR_MACHINE_KINDS];
	struct setting setting;

	read_defaults(files);
	for (unsigned int i = 0; i < config_nr_keys(); i++) {
		describe(files, i, &setting);
		take(context, &setting);
	}
	for (int i = 0; i < NR_MACHINE_KINDS; i++)
		ini_finish(&files[i]);
}
