/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Saved results by file name, as the operands of a command. */
#ifndef NOTRAP_CLI_RESULTS_H
#define NOTRAP_CLI_RESULTS_H

#include "base/diag.h"
#include "cli/cli.h"
#include "report/report.h"

/*
 * files ends with NULL; "-" is standard input.  Directories of sweeps stand
 * for their points, all together where the first of them stands; what is
 * missing there is told on stderr.  -errno with a line.
 */
int results_read(const struct cli_command *command, char **files,
		 struct report **ret, struct diag *diag);

#define RESULTS_ONLY_MAX 16

/* What --only was given, see report_keep(). */
struct results_only {
	const char *text[RESULTS_ONLY_MAX];
	size_t nr;
};

/* -EINVAL with a line: too many. */
int results_only_add(struct results_only *only, const char *text,
		     struct diag *diag);
int results_only_apply(const struct results_only *only, struct report *report,
		       struct diag *diag);

#endif
