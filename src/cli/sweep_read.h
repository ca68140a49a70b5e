/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Directories of sweeps as operands: the results of all of them, which may be
 * of slices of one sweep, in the order of their plans.
 */
#ifndef NOTRAP_CLI_SWEEP_READ_H
#define NOTRAP_CLI_SWEEP_READ_H

#include "base/diag.h"
#include "report/report.h"

struct sweep_count {
	size_t planned; /* points in the plans */
	size_t there;   /* of these, with a result in any of the directories */
	size_t damaged; /* files that hold no result */
	struct diag first_damaged;
};

/*
 * A point that is in several directories counts once: the first that has it
 * is read.  -ENOENT: not a directory of a sweep; -EINVAL: its plan is none;
 * others: the host's trouble; with a line.
 */
int sweep_read(char *const *paths, size_t nr, struct report *report,
	       struct sweep_count *ret, struct diag *diag);

#endif
