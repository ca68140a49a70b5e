/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where the numbers come from that a run's counts are multiplied with. */
#include <stdio.h>
#include <string.h>

#include "cli/describe.h"

#define GIVEN "-D"

static void tell_given(struct result_origin *origin)
{
	snprintf(origin->file, sizeof(origin->file), GIVEN);
	snprintf(origin->source, sizeof(origin->source), "given with the run");
}

static void tell_entry(const struct ini *ini, const struct ini_entry *entry,
		       struct result_origin *origin)
{
	snprintf(origin->file, sizeof(origin->file), "%s", ini->name);
	snprintf(origin->tag, sizeof(origin->tag), "%s",
		 ini_tag_name(entry->tag));
	snprintf(origin->source, sizeof(origin->source), "%s", entry->source);
}

static void tell_kind(const struct config *config, enum cost_owner owner,
		      const struct ini *ini, struct result *result)
{
	for (int i = 0; i < NR_COSTS; i++) {
		const struct cost_info *info = cost_info((enum cost_id)i);
		const struct ini_entry *entry;

		if (info->owner != owner)
			continue;
		entry = ini ? ini_find(ini, "costs", info->key) : NULL;
		if (config->cost_given[i])
			tell_given(&result->origin[i]);
		else if (entry)
			tell_entry(ini, entry, &result->origin[i]);
	}
}

/* A file of the user's that is not there any more has no sources to tell. */
static void tell_file(const struct config *config, enum machine_kind kind,
		      struct result *result)
{
	bool is_machine = kind == KIND_MACHINE;
	const char *which =
		is_machine ? config->machine_text : config->hypervisor_text;
	uint64_t digest =
		is_machine ? config->machine.digest : config->hypervisor.digest;
	enum cost_owner owner = is_machine ? OWNER_HARDWARE : OWNER_SOFTWARE;
	struct diag diag;
	struct ini ini;
	bool found = !machine_read_again(kind, which, digest, &ini, &diag);

	tell_kind(config, owner, found ? &ini : NULL, result);
	if (found)
		ini_finish(&ini);
}

void describe_costs(const struct config *config, struct result *result)
{
	tell_file(config, KIND_MACHINE, result);
	tell_file(config, KIND_HYPERVISOR, result);
}
