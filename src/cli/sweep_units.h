/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How the points of a sweep are shared out: a unit is some points of one
 * trace, which one pass over it runs.  Decoding is paid once a unit, so units
 * should be large; workers should end together, so they should not be too
 * large.  No processes here, no files.
 */
#ifndef NOTRAP_CLI_SWEEP_UNITS_H
#define NOTRAP_CLI_SWEEP_UNITS_H

#include "base/types.h"

#define SWEEP_WORKERS_MAX 256

/* What is to be run of one trace. */
struct sweep_load {
	uint64_t records; /* to decode */
	size_t points;
};

struct sweep_unit {
	size_t load;  /* which of them */
	size_t first; /* of its points */
	size_t nr;    /* 1..most */
	uint64_t cost;
};

/*
 * Units for all points of all loads, those that take longest first.  The
 * caller frees *ret.  workers: 1..SWEEP_WORKERS_MAX.  -ENOMEM.
 */
int sweep_units(const struct sweep_load *load, size_t nr_loads,
		unsigned int workers, size_t most, struct sweep_unit **ret,
		size_t *nr);

/* When the last of the workers has ended, each taking the next unit. */
uint64_t sweep_makespan(const struct sweep_unit *unit, size_t nr,
			unsigned int workers);

#endif
