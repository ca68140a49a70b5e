/* SPDX-License-Identifier: GPL-2.0-or-later */
/* notrap trace: the commands that look at traces, and cut them. */
#include "cli/cmd_trace.h"

static const struct cli_command *const group[] = {
	&cmd_trace_info,
	&cmd_trace_dump,
	&cmd_trace_verify,
	&cmd_trace_cut,
	NULL,
};

const struct cli_command cmd_trace = {
	.name = "trace",
	.operands = "COMMAND [ARGUMENTS]",
	.summary = "look at recorded traces, verify and cut them",
	.about = "A trace is what notrap run --record and notrap import write "
		 "and notrap replay reads: the references, events, page "
		 "tables and page faults of a guest. docs/trace-format.md "
		 "tells what is in it.\n",
	.run = cli_run_group,
	.group = group,
};
