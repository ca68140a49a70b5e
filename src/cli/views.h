/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * --timeline, --log and --window: one run over time, in files beside the
 * report.
 */
#ifndef NOTRAP_CLI_VIEWS_H
#define NOTRAP_CLI_VIEWS_H

#include "cli/cli.h"
#include "cli/output.h"
#include "sim/config.h"
#include "sim/sim.h"
#include "timeline/timeline.h"

/* For a table of flags. */
#define VIEWS_FLAGS                                                            \
	{FLAG_TIMELINE, "timeline", "FILE",                                    \
	 "write the run over time to FILE, as trace-event JSON that Perfetto " \
	 "and Chrome show (docs/timeline.md); of one configuration"},          \
		{FLAG_LOG, "log", "FILE",                                      \
		 "write what KVM's tracepoints would have told to FILE, as "   \
		 "the lines "                                                  \
		 "of trace-cmd report; of one configuration"},                 \
	{                                                                      \
		FLAG_WINDOW, "window", "FROM:TO",                              \
			"of both only what begins in these us of the model's " \
			"time; without "                                       \
			"TO, to the end"                                       \
	}

struct views_request {
	const char *timeline, *log; /* NULL: not wanted; "-": stdout */
	bool has_window;
	uint64_t from, to; /* us */
};

static inline bool views_are_wanted(const struct views_request *request)
{
	return request->timeline || request->log;
}

/* One of the flags above; -EINVAL with a line. */
int views_take_flag(struct views_request *request, int flag, const char *arg,
		    struct diag *diag);

/*
 * Can it be done?  output: the report's file, or NULL.  -EINVAL with a line:
 * not one run, the same file twice, a window of nothing.
 */
int views_check(const struct views_request *request, const char *output,
		size_t nr_configs, size_t nr_traces, struct diag *diag);

struct views {
	struct timeline *timeline; /* NULL: there are none */
	struct output json, log;
};

/* From now on.  -EIO, -ENOMEM with a line; nothing is left then. */
int views_begin(const struct views_request *request, struct sim *sim,
		const struct config *config, struct views *ret,
		struct diag *diag);

/* One cannot be written: the run is for nothing, and views_end() says why. */
bool views_have_failed(const struct views *views);

/*
 * The files are whole and have their names.  -EIO with a line: one could not be
 * written.  Ends the views either way, before the simulator.
 */
int views_end(struct views *views, struct diag *diag);

/* There are no files; fine for what never began. */
void views_abandon(struct views *views);

#endif
