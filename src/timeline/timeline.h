/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A run over time, written while it happens: as a trace of slices that Perfetto
 * and Chrome show (docs/timeline.md), and as the lines that ftrace prints of
 * KVM's tracepoints.  Both come from the simulator's probe, and their memory
 * does not grow with the run.
 *
 * Time is the account's clock of cycles, in us by the processor's MHz, and
 * rounded to ns the same way everywhere, so that slices nest and never overlap.
 * What a slice has cost it tells in cycles, exactly: of all slices that lie in
 * no other one they sum to the account's total.
 *
 * With roi=on the region is all there is, and its beginning is time 0.
 */
#ifndef NOTRAP_TIMELINE_TIMELINE_H
#define NOTRAP_TIMELINE_TIMELINE_H

#include <stdio.h>

#include "sim/sim.h"

struct timeline;

#define TIMELINE_TO_THE_END UINT64_MAX

struct timeline_options {
	FILE *json; /* the slices; NULL: not wanted */
	FILE *log;  /* the lines; NULL: not wanted */
	/* "mmu=kvm-2.6.25 bypass=on": what the guest is called there; nothing
	 * in it needs quoting.  Wanted during the call only. */
	const char *title;
	uint64_t mhz; /* 0: a cycle is told as 1 us */
	unsigned int nr_vcpus;
	bool region; /* roi=on */
	/* us: what begins before or not before them is left out, with what is
	 * in it. */
	uint64_t from, to;
};

/*
 * From now on, until timeline_end(); the simulator's probe is taken.  Where
 * writing fails, the file's error flag tells.  NULL: out of memory.
 */
struct timeline *timeline_begin(struct sim *sim,
				const struct timeline_options *options);

/*
 * What is open is closed at the clock's time, so that the files are whole
 * whatever ended the run; they are not flushed.  NULL is fine.
 */
void timeline_end(struct timeline *timeline);

#endif
