/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What stands behind the '=' of an entry, as a number or an array.  All: 0, or
 * -EINVAL with a line that names file, line and key; *ret is untouched then.
 */
#ifndef NOTRAP_MACHINE_VALUE_H
#define NOTRAP_MACHINE_VALUE_H

#include "account/cost_range.h"
#include "cpu/geometry.h"
#include "machine/ini.h"

/* Of an entry that must be min..max; brackets are refused. */
int value_number(const struct ini *ini, const struct ini_entry *entry,
		 uint64_t min, uint64_t max, uint64_t *ret, struct diag *diag);

/* "N" or "N [MIN..MAX]", MIN <= N <= MAX; without brackets all three are N. */
int value_range(const struct ini *ini, const struct ini_entry *entry,
		uint64_t min, uint64_t max, struct cost_range *ret,
		struct diag *diag);

int value_yes_no(const struct ini *ini, const struct ini_entry *entry,
		 bool *ret, struct diag *diag);

/* At most size - 1 letters. */
int value_text(const struct ini *ini, const struct ini_entry *entry, char *ret,
	       size_t size, struct diag *diag);

/* "ENTRIES/WAYS [POLICY]", WAYS may be "full"; "0": there is none. */
int value_array(const struct ini *ini, const struct ini_entry *entry,
		struct cpu_array *ret, struct diag *diag);

/* "BYTES/WAYS [POLICY]" of lines of 64 bytes; bytes with K or M; "0". */
int value_cache(const struct ini *ini, const struct ini_entry *entry,
		struct cpu_array *ret, struct diag *diag);

/* "LEVEL KINDS SIZES ENTRIES/WAYS [POLICY]"; the key is the name. */
int value_tlb(const struct ini *ini, const struct ini_entry *entry,
	      struct tlb_array_desc *ret, struct diag *diag);

#endif
