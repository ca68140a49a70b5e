/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What readings of both kinds of files share. */
#ifndef NOTRAP_MACHINE_INTERNAL_H
#define NOTRAP_MACHINE_INTERNAL_H

#include "account/account.h"
#include "base/diag.h"
#include "machine/ini.h"

struct machine_reader {
	const struct ini *ini;
	struct diag *diag;
};

/* The entry of a key that machine_check_keys() has found. */
const struct ini_entry *machine_entry(const struct machine_reader *r,
				      const char *section, const char *key);

int machine_take_text(const struct machine_reader *r, const char *section,
		      const char *key, char *ret, size_t size);

/* [costs]: those of this owner. */
int machine_take_costs(const struct machine_reader *r, enum cost_owner owner,
		       struct cost_range cost[NR_COSTS]);

#endif
