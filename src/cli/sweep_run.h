/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Run points of a sweep in worker processes.  A worker takes a unit, points of
 * one trace that share a pass over it, saves the result of each and ends; what
 * kills a worker kills no other, and its points are run again one by one.
 */
#ifndef NOTRAP_CLI_SWEEP_RUN_H
#define NOTRAP_CLI_SWEEP_RUN_H

#include "base/diag.h"
#include "cli/sweep.h"

struct sweep_request {
	const struct sweep *sweep;
	const char *dir;    /* sweep_dir_begin() has been there */
	const size_t *todo; /* points, ascending */
	size_t nr;
	unsigned int workers;          /* 1..SWEEP_WORKERS_MAX */
	bool verbose;                  /* a line to stderr for each unit */
	const volatile int *attention; /* NULL: nobody interrupts */
};

enum sweep_state {
	SWEEP_TO_DO, /* or interrupted */
	SWEEP_DONE,  /* saved */
	SWEEP_FAILED,
};

struct sweep_end {
	enum sweep_state state;
	int err;    /* if failed: 0 or -errno */
	char *line; /* if failed: why; the caller's to free */
};

/*
 * end[i] is that of todo[i], all zero before.  Failed points are no error.
 * -errno with a line: a result could not be saved, or there are no workers;
 * what was saved until then stays.
 */
int sweep_run(const struct sweep_request *request, struct sweep_end *end,
	      struct diag *diag);

#endif
