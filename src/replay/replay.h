/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The other source: a recorded trace drives the simulator.
 *
 * A lane is one virtual machine, of as many processors as the trace has, under
 * one configuration.  One pass over a trace feeds any number of lanes, so
 * decoding is paid for once.  A lane makes sure that what its simulator does to
 * the guest is what the trace says was done: each guest page fault, by address
 * and error code, and each event that is delivered.  It stops at the first
 * difference.
 *
 * The processor's TLBs (cpu/hardware.h) stand between the references and the
 * simulator: what hits never reaches it.
 */
#ifndef NOTRAP_REPLAY_REPLAY_H
#define NOTRAP_REPLAY_REPLAY_H

#include "base/diag.h"
#include "sim/sim.h"
#include "trace/trace.h"

struct replay_lane;

/*
 * Memory is what the trace says, or what the configuration says if the trace
 * does not know or the configuration was given more.  -EINVAL: the trace begins
 * in a state that the model has not got; -ENOMEM.
 */
int replay_lane_create(const struct config *config,
		       const struct trace_info *info, struct replay_lane **ret,
		       struct diag *diag);
void replay_lane_destroy(struct replay_lane *lane); /* NULL is fine */

/* One item, in order.  After the lane has ended: nothing. */
void replay_lane_item(struct replay_lane *lane, const struct trace_item *item);

/* After the last item: brings clocks up to the end. */
void replay_lane_finish(struct replay_lane *lane);

enum replay_status {
	REPLAY_RUNNING,
	REPLAY_DONE,     /* the trace is through */
	REPLAY_SHUTDOWN, /* triple fault, and the trace ends here, too */
	REPLAY_ABSENT,   /* a reference to absent memory, likewise */
	REPLAY_DIFFERS,  /* what the model did is not what the guest saw */
	REPLAY_STOPPED,  /* the model cannot go on */
};

enum replay_status replay_lane_status(const struct replay_lane *lane);
/* REPLAY_DIFFERS, REPLAY_STOPPED: one line with both sides; else "". */
const char *replay_lane_line(const struct replay_lane *lane);

struct sim *replay_lane_sim(struct replay_lane *lane);
uint64_t replay_lane_insns(const struct replay_lane *lane);

/*
 * Where the lane is: number of the last item or reference (run) begun, from 0,
 * the same for every lane of one trace.  For aligning what lanes did.
 */
uint64_t replay_lane_position(const struct replay_lane *lane);

/*
 * Every exit of the lane that its account counts (sim_watch_exits), with the
 * position where it began.  It is told when it is over: an emulated write's
 * when the guest goes on, items later.
 */
struct replay_watch {
	void (*exit)(void *context, uint64_t position,
		     const struct sim_exit_record *record);
	/* None of those told so far is counted (sim_watch_region). */
	void (*region)(void *context);
	void *context;
};

void replay_lane_watch(struct replay_lane *lane,
		       const struct replay_watch *watch);

/* No exit that began before this position will be told any more. */
uint64_t replay_lane_settled(const struct replay_lane *lane);

/*
 * One pass over a trace, from where the reader stands.  Lanes that have ended
 * are left alone; the pass ends when all have, at the trace's end, or when
 * *attention (may be NULL) is set.  -errno: the file could not be read.
 */
struct replay_pass {
	struct trace_reader *reader;
	struct replay_lane **lane;
	size_t nr_lanes;
	const volatile int *attention;
	/* Every lane has had the same items; may be NULL. */
	void (*item)(void *context);
	bool in_step; /* the pass ends when the first lane does */
	/* Called now and then with bytes of the file; may be NULL. */
	void (*progress)(void *context, uint64_t done, uint64_t total);
	void *context;
	/* Result: a lane that could have gone on was left where it is. */
	bool interrupted;
};

int replay_run(struct replay_pass *pass, struct diag *diag);

#endif
