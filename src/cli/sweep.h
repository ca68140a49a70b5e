/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A sweep: every trace under every configuration.  One of these runs is a
 * point, known by a hash of both, whatever the trace's file is called.
 */
#ifndef NOTRAP_CLI_SWEEP_H
#define NOTRAP_CLI_SWEEP_H

#include "base/diag.h"
#include "cli/plan.h"

struct sweep_trace {
	const char *path;    /* as given */
	uint64_t digest;     /* of the items, as results tell it */
	uint64_t identity;   /* that, and the state the first item finds */
	uint64_t records;    /* what a replay has to decode */
	uint64_t refs;       /* what these stand for */
	bool is_guest_image; /* what the user meant to record first */
	bool is_repeated;    /* the same as an earlier one */
	int err;             /* 0, or why it cannot be replayed */
	struct diag why;     /* if so, or if it is repeated */
};

struct sweep_point {
	size_t trace;
	size_t config;
	size_t number; /* from 0, in all there would be: what slices count */
	uint64_t id;
};

struct sweep {
	struct sweep_trace *trace;
	size_t nr_traces;
	const struct plan_point *config; /* the caller's */
	size_t nr_configs;
	/* Trace by trace, of those that can be replayed, once each. */
	struct sweep_point *point;
	size_t nr_points;
};

/*
 * Looks into every trace.  One that is no trace, or has no end, has no points;
 * its `why` tells.  -ENOMEM with a line.
 */
int sweep_init(struct sweep *sweep, const struct plan *plan,
	       const struct plan_point *config, size_t nr_configs,
	       struct diag *diag);
void sweep_finish(struct sweep *sweep);

/* One of `of` parts that are as even as can be, counted from 1. */
struct sweep_slice {
	size_t part, of;
};

/* "2/5".  -EINVAL with a line. */
int sweep_slice_parse(const char *text, struct sweep_slice *ret,
		      struct diag *diag);
bool sweep_slice_has(const struct sweep_slice *slice,
		     const struct sweep_point *point);

#endif
