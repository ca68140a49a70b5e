/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/bug.h"
#include "machine/internal.h"
#include "machine/machine.h"
#include "machine/value.h"

const struct ini_entry *machine_entry(const struct machine_reader *r,
				      const char *section, const char *key)
{
	const struct ini_entry *entry = ini_find(r->ini, section, key);

	BUG_ON(!entry);
	return entry;
}

int machine_take_text(const struct machine_reader *r, const char *section,
		      const char *key, char *ret, size_t size)
{
	return value_text(r->ini, machine_entry(r, section, key), ret, size,
			  r->diag);
}

int machine_take_costs(const struct machine_reader *r, enum cost_owner owner,
		       struct cost_range cost[NR_COSTS])
{
	for (int i = 0; i < NR_COSTS; i++) {
		const struct cost_info *info = cost_info((enum cost_id)i);
		int err;

		if (info->owner != owner)
			continue;
		err = value_range(r->ini, machine_entry(r, "costs", info->key),
				  0, MACHINE_COST_MAX, &cost[i], r->diag);
		if (err)
			return err;
	}
	return 0;
}
