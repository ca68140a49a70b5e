/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which keys a file has: all of these, and no others. */
#ifndef NOTRAP_MACHINE_KEYS_H
#define NOTRAP_MACHINE_KEYS_H

#include "machine/machine.h"

struct machine_key {
	const char *section, *key, *what;
};

/* Key i of such a file; false: there are no more. */
bool machine_key(enum machine_kind kind, unsigned int i,
		 struct machine_key *ret);

/* Its keys are names that the file gives: [tlb]. */
bool machine_has_free_keys(enum machine_kind kind, const char *section);

/* -EINVAL with a line: a key that is none, or one that is not there. */
int machine_check_keys(enum machine_kind kind, const struct ini *ini,
		       struct diag *diag);

#endif
