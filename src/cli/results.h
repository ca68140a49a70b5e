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

#endif
