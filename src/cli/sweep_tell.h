/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a person is told of a sweep: before it, without it, and at its end. */
#ifndef NOTRAP_CLI_SWEEP_TELL_H
#define NOTRAP_CLI_SWEEP_TELL_H

#include "cli/formats.h"
#include "cli/sweep_run.h"

/* One slice of a sweep, and how far it has come. */
struct sweep_job {
	struct sweep sweep;
	const char *dir;
	struct sweep_slice slice;
	enum format format; /* of lists */
	bool uncertainty;
	size_t nr;    /* points of the slice */
	size_t *todo; /* numbers of those that were not done */
	size_t nr_todo;
	struct sweep_end *end; /* of each of them */
};

/* Lines to stderr; an enum cli_status. */
int sweep_tell_traces(const struct sweep *sweep);
int sweep_tell_failures(const struct sweep_job *job);
int sweep_tell_interruption(const struct sweep_job *job);

/* To standard output.  -errno with a line. */
int sweep_tell_list(const struct sweep_job *job, struct diag *diag);
/* A row for each point that is done. */
int sweep_tell_summary(const struct sweep_job *job, struct diag *diag);

#endif
