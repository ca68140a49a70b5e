/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One pass over a recorded trace under several configurations, to results. */
#ifndef NOTRAP_CLI_RERUN_H
#define NOTRAP_CLI_RERUN_H

#include "base/diag.h"
#include "cli/views.h"
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
	/* Told of every exit, may be NULL; configurations keep in step then. */
	const struct rerun_watch *watch;
	/* NULL: none; else there is one configuration. */
	const struct views_request *views;
	void *context; /* of all of these */
};

/* See struct replay_watch; lane: which configuration. */
struct rerun_watch {
	void (*exit)(void *context, size_t lane, uint64_t position,
		     const struct sim_exit_record *record);
	void (*region)(void *context, size_t lane);
	/* No exit that began before this position comes any more. */
	void (*settled)(void *context, uint64_t position);
};

struct rerun_end {
	bool ok;          /* replayed to its end, and no check failed */
	char line[768];   /* if not ok: why, unless it is the file's damage */
	char strays[256]; /* what describe_strays() says, or "" */
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
