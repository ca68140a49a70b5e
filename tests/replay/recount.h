/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Chains of guest faults, counted once more by time: each step that a probe is
 * told of is kept with its clock, for the whole of a trace; a fault's chain is
 * whatever began on its processor between its access and its retry.
 *
 * A processor's clock stands still while another one has its turn.  What a
 * request for a flush does on the others is the turn's, too.
 */
#ifndef NOTRAP_TESTS_REPLAY_RECOUNT_H
#define NOTRAP_TESTS_REPLAY_RECOUNT_H

#include "lanes.h"

/*
 * Replays a trace in one generation and fails the test unless the account has
 * the chains that are recounted, to the cycle.
 */
void recount_chains(const char *path, const struct lane_kind *kind);

#endif
