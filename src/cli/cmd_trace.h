/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The commands of notrap trace, one file each. */
#ifndef NOTRAP_CLI_CMD_TRACE_H
#define NOTRAP_CLI_CMD_TRACE_H

#include "cli/cli.h"

extern const struct cli_command cmd_trace_info;
extern const struct cli_command cmd_trace_dump;
extern const struct cli_command cmd_trace_verify;
extern const struct cli_command cmd_trace_cut;

#endif
