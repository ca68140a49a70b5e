/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which two configurations over which trace to compare: as settings for one
 * trace, or as two results of replaying it.
 */
#ifndef NOTRAP_CLI_PAIR_H
#define NOTRAP_CLI_PAIR_H

#include "base/diag.h"
#include "cli/plan.h"
#include "report/report.h"

struct pair {
	char path[4096]; /* of the trace */
	struct config config[2];
	char digest[24]; /* that the trace must have, or "" */
};

/* -EINVAL with a line: these are not two different configurations. */
int pair_of_plan(const struct plan *plan, const char *trace, struct pair *ret,
		 struct diag *diag);

/*
 * -EINVAL with a line that says what to do: not two, not of a replay, not of
 * one trace, or with settings that this program does not have.
 */
int pair_of_results(const struct report *results, struct pair *ret,
		    struct diag *diag);

#endif
