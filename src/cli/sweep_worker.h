/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a worker process of a sweep does, and what it tells its parent. */
#ifndef NOTRAP_CLI_SWEEP_WORKER_H
#define NOTRAP_CLI_SWEEP_WORKER_H

#include <sys/types.h>

#include "cli/rerun.h"
#include "cli/sweep_run.h"

enum slot_result {
	SLOT_DIED, /* said nothing else */
	SLOT_DONE,
	SLOT_INTERRUPTED,
	SLOT_REFUSED,   /* the trace cannot be replayed like that */
	SLOT_NOT_SAVED, /* a result was there, but its file is not */
};

/* In memory that both share; written by the worker alone. */
struct sweep_slot {
	volatile uint64_t insns, insns_total; /* replayed; 0: not known */
	enum slot_result result;
	int err; /* of the last two */
	char line[512];
	struct {
		bool is_saved;
		char line[sizeof(((struct rerun_end *)NULL)->line)];
	} point[RERUN_LANES_MAX];
};

/* End when the parent does, however that ends. */
void sweep_worker_follow(pid_t parent);

/* Replay todo[first..first + nr) in one pass and save their results. */
void sweep_worker_run(const struct sweep_request *request, size_t first,
		      size_t nr, struct sweep_slot *slot);

#endif
