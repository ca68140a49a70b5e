/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A part of a trace as a trace that replays by itself.  It begins and ends
 * where its instructions do, see trace/flow.h; begins with the registers and
 * page tables that the guest has come to; and counts instructions from there.
 * Of all of a trace it is that trace, so that one which is damaged comes out
 * good, and short.
 */
#ifndef NOTRAP_REPLAY_CUT_H
#define NOTRAP_REPLAY_CUT_H

#include "base/diag.h"
#include "trace/trace.h"

enum cut_unit {
	CUT_ITEM, /* as replay_lane_position() counts */
	CUT_REF,  /* sum of the counts of references */
	CUT_INSN, /* sum of the counts of fetches */
};

struct cut_point {
	enum cut_unit unit;
	uint64_t n;
};

#define CUT_END UINT64_MAX

struct cut_request {
	const char *path, *output;
	/* The first place at or behind each where a trace can begin. */
	struct cut_point from, to;
	/* Instead: what is between the guest's markers (roi=on). */
	bool region;
	/* Runs of a full trace are merged; the reverse is -EINVAL. */
	bool has_granularity;
	enum trace_granularity granularity;
	const char *tool;              /* for the header */
	const volatile int *attention; /* set: end here; may be NULL */
	/* Now and then, with bytes of the input; may be NULL. */
	void (*progress)(void *context, uint64_t done, uint64_t total);
	void *context;
};

struct cut_place {
	uint64_t item, ref, insn;
};

struct cut_result {
	struct cut_place from, to;  /* in the trace that was cut */
	uint64_t tables;            /* told at the beginning */
	struct trace_totals totals; /* of the part */
	/* A line: the trace is damaged, the part ends there; or empty. */
	char damage[512];
	bool interrupted; /* the part is shorter than asked for */
};

/*
 * -ERANGE: nothing is left between the two; -ENOENT: there is no region;
 * -EINTR: interrupted before the part began.  With an error, and a line, there
 * is no output.
 */
int cut_run(const struct cut_request *request, struct cut_result *ret,
	    struct diag *diag);

#endif
