/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One virtual machine, from a guest image to a result: memory, devices, the
 * simulator and Unicorn put together, run to their end and taken apart.
 */
#ifndef NOTRAP_CLI_MACHINE_H
#define NOTRAP_CLI_MACHINE_H

#include <stdio.h>

#include "base/diag.h"
#include "cli/guest.h"
#include "cli/views.h"
#include "report/report.h"
#include "sim/config.h"
#include "trace/trace.h"

struct machine_request {
	const struct guest *guest;
	const struct config *config;
	const char *record;                 /* a trace's path; NULL: none */
	enum trace_granularity granularity; /* of model=full, too */
	const struct views_request *views;
	FILE *console; /* NULL: nowhere */
	/* An enum attention: stop if it is not 0.  NULL: nobody asks. */
	const volatile int *attention;
	/* Called now and then with the instructions executed; may be NULL. */
	void (*progress)(void *context, uint64_t insns);
	void *context;
};

struct machine_end {
	bool ok; /* the guest ended by itself with 0 and no check failed */
	bool interrupted, timed_out;
	uint64_t insns;
	char line[768];    /* if not ok: why */
	char strays[256];  /* what describe_strays() says, or "" */
	int console_errno; /* 0, or why the console FILE was given up */
};

/*
 * Run, and add the result to the report.  With model=full its counts are those
 * of a replay_lane that is given what a recording would hold.  A guest that
 * fails is no error: `ret` tells.  -errno with a line: it could not be run.
 */
int machine_run(const struct machine_request *request, struct report *report,
		struct machine_end *ret, struct diag *diag);

#endif
