/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How many guest faults could go straight to the guest, from their error codes
 * alone, and how many do: a not-present fault exits all the same while its
 * shadow table is not there or its shadow entry is trap.
 */
#ifndef NOTRAP_CLI_BOUND_H
#define NOTRAP_CLI_BOUND_H

#include "base/diag.h"
#include "report/report.h"
#include "sim/config.h"
#include "vmx_model/pf_filter.h"

struct bound_filter {
	struct pf_filter filter;
	uint64_t bound;
	bool is_replayed;
	uint64_t direct; /* if so */
};

struct bound {
	char name[512];
	uint64_t faults[PF_CODES]; /* by error code */
	uint64_t total;
	struct bound_filter *filter; /* the bypass's own comes first */
	size_t nr;
	/* With the bypass's filter replayed: why the others exit. */
	uint64_t no_table, trap;
};

/* -ENOMEM with a line.  A result of the bypass tells what it delivered. */
int bound_of_result(const struct report *report, size_t i, struct bound *ret,
		    struct diag *diag);

struct bound_request {
	const char *path;            /* of a trace */
	const struct config *config; /* to replay it with; NULL: do not */
	bool all; /* replay every filter that is safe, not the bypass's alone */
	const volatile int *attention;
};

/*
 * -errno with a line.  *line: what went wrong and leaves something to tell,
 * as a damaged file or a replay that differs, or "".
 */
int bound_of_trace(const struct bound_request *request, struct bound *ret,
		   char line[512], struct diag *diag);

void bound_finish(struct bound *bound);

/* `all`: filters that no shadow MMU can use as well.  0 or -ENOMEM. */
int bound_print(const struct bound *bounds, size_t nr, bool all,
		enum sheet_format format, FILE *out);

#endif
