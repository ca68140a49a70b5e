/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A guest that does random things to its page tables, against the simulator,
 * with the slow model beside it (O5).
 *
 * Its kernel behaves: upper entries grant all rights, no reserved bit is set,
 * and the TLB is flushed after what needs it.  Then every MMU of the simulator
 * must be as transparent as the processor itself, in every mode:
 *
 *   through   a reference is through if and only if the tables allow it, to
 *             that address, with A and D set in the entries that need them
 *   faults    else the guest sees the model's fault: code and CR2
 *   sound     the simulator's own checks and audits hold
 *
 * Several processors take turns, operation by operation, each with its own CR3
 * and controls; what one flushes it makes the others flush, too.
 *
 * Operation number n draws from a stream of its own, so that any of them can
 * be left out and the others stay what they are: what a shrinker needs.
 */
#ifndef NOTRAP_TESTS_ORACLE_WANDER_H
#define NOTRAP_TESTS_ORACLE_WANDER_H

#include "oracle.h"
#include "sim/mmus.h"
#include "sim/sim.h"

#define WANDER_OPS   2000u  /* in an episode: a machine's life */
#define WANDER_SLOTS 12288u /* table entries that can start non-zero */

enum wander_end {
	WANDER_THROUGH,
	WANDER_DIRECT,
	WANDER_INJECTED,
	WANDER_EMULATED,
	WANDER_MMIO,
	NR_WANDER_ENDS
};

struct wander_config {
	enum oracle_mode mode;
	struct mmu_choice mmu;
	bool bypass;
	bool features; /* SMEP, SMAP, PKU, 1G pages... */
	unsigned int vcpus;
	uint64_t seed;
};

struct wander_counts {
	uint64_t ops;
	uint64_t ends[NR_WANDER_ENDS];
	uint64_t stores;    /* parts of table entries written by the kernel */
	uint64_t fetch_bit; /* I/D in a code that should not have it */
};

/* What to do of an episode; NULL: all of it. */
struct wander_choice {
	const bool *ops;   /* WANDER_OPS */
	const bool *slots; /* WANDER_SLOTS, in the order they are filled */
	bool tell;         /* print each operation */
};

/*
 * One episode.  Prints a line and ends the process with status 1 when
 * something is wrong: run it in a child.  counts is added to as it goes.
 */
void wander(const struct wander_config *config, uint64_t episode,
	    const struct wander_choice *choice, struct wander_counts *counts);

#endif
