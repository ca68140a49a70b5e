/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One pass over a recorded trace under several configurations, to results. */
#ifndef NOTRAP_CLI_RERUN_H
#define NOTRAP_CLI_RERUN_H

#include "base/diag.h"
#include "replay/replay.h"
#include "report/report.h"

/* Configurations in one pass; each has the guest's memory. */
#define RERUN_LANES_MAX 16

struct rerun_request {
	const char *path;
	const struct config *const *config;
	size_t nr;                     /* 1..RERUN_LANES_MAX */
	const volatile int *attention; /* NULL: nobody interrupts */
	/*
	 * Called now and then with instructions replayed, and how many there
	 * are (0: not known); may be NULL.
	 */
	void (*progress)(void *context, uint64_t insns, uint64_t total);
	void *context;
};

struct rerun_end {
	bool ok;        /* replayed to its end, and no check failed */
	char line[768]; /* if not ok: why, unless it is the file's damage */
};

struct rerun_result {
	bool interrupted;
	char damage[512]; /* of the file: a line, or "" */
	struct rerun_end end[RERUN_LANES_MAX];
};

/*
 * Adds a result a configuration to the report, in their order.  A trace that
 * does not replay is no error: *ret tells.  -errno with a line.
 */
int rerun(const struct rerun_request *request, struct report *report,
	  struct rerun_result *ret, struct diag *diag);

#endif
