/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The access matrix as a source of events for src/sim: a guest without a
 * processor that sets controls, stores entries and makes references.
 */
#ifndef NOTRAP_TESTS_ORACLE_PLAY_H
#define NOTRAP_TESTS_ORACLE_PLAY_H

#include "seen.h"
#include "sim/sim.h"

struct play {
	struct matrix_space space;
	struct mem *mem;
	struct sim *sim;
	struct event_sink *sink;
	uint64_t insns;
};

void play_start(struct play *p, const struct matrix_space *space,
		const struct config *config);
void play_end(struct play *p); /* checks sim_check() and audits, too */

void play_controls(struct play *p, const struct matrix_controls *controls);

/* Stores the pair where RAM has another, and INVLPGs the address. */
void play_pair(struct play *p, const struct matrix_pair *pair);

struct matrix_seen play_access(struct play *p,
			       const struct matrix_access *access);

#endif
