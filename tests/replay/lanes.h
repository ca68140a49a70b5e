/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lanes for tests: every generation there is, audited all the time. */
#ifndef NOTRAP_TESTS_REPLAY_LANES_H
#define NOTRAP_TESTS_REPLAY_LANES_H

#include "replay/replay.h"

struct lane_kind {
	const char *mmu, *bypass;
};

#define NR_LANE_KINDS 7
extern const struct lane_kind lane_kinds[NR_LANE_KINDS];

/* Fails the test if there is none. */
struct replay_lane *lane_of(const char *mmu, const char *bypass,
			    const struct trace_info *info);

#endif
