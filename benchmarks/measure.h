/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the benchmarks of replays share.  Trouble ends the program. */
#ifndef NOTRAP_BENCHMARKS_MEASURE_H
#define NOTRAP_BENCHMARKS_MEASURE_H

#include "streams.h"

/* Seconds that this process has had a processor. */
double measure_now(void);

_Noreturn void measure_die(const char *line);

/* Of the guest that the references of a stream are folded into. */
struct measure_guest {
	uint64_t memory; /* bytes */
	enum trace_granularity granularity;
	/*
	 * Four levels of tables in the last 16 MiB: every page below mapped to
	 * itself, accessed and dirty.  Else paging is off.
	 */
	bool is_paged;
};

void measure_write(const struct stream *s, const struct measure_guest *guest,
		   const char *path);

struct trace_reader *measure_open(const char *path);

static inline double measure_least(double a, double b)
{
	return a < b ? a : b;
}

#endif
