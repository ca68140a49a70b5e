/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A lane's state, and what its files call in each other.
 *
 *   lane.c    create, items in order, the end
 *   vcpu.c    whose turn it is
 *   refs.c    references: the TLB, and what happens on a miss
 *   expect.c  what has to come next, and differences
 *   run.c     one pass over a file
 */
#ifndef NOTRAP_REPLAY_INTERNAL_H
#define NOTRAP_REPLAY_INTERNAL_H

#include "cpu/tlb.h"
#include "replay/replay.h"

/* What the simulator has said and the trace has to go on with. */
enum expected {
	EXPECT_ANYTHING,
	EXPECT_FAULT,    /* lane->fault by address and error code */
	EXPECT_DELIVERY, /* deliver of lane->trap */
	EXPECT_VALUE,    /* of the write lane->ref to a shadowed table */
	EXPECT_DEVICE,   /* device at lane->device, or nothing more */
	EXPECT_END,      /* absent memory, triple fault: lane->at_end */
};

/* A delivery makes fewer than 20. */
#define DELIVERY_REFS_MAX 64

struct delivery {
	bool under_way;
	struct guest_event event;
	gva_t cr2; /* as it began */
	struct trace_ref ref[DELIVERY_REFS_MAX];
	uint32_t nr;
};

/* Of a processor whose turn it is not. */
struct lane_vcpu {
	struct sim_state state;
	bool begun;
	struct trace_ref kept[2];
	struct guest_event retry;
	bool retrying;
};

struct replay_lane {
	struct mem *mem;
	struct sim *sim;
	struct event_sink *sink;
	struct tlb *tlb;
	struct account *acct;

	bool is_full; /* granularity */

	/*
	 * Below, what is one processor's is of `vcpu`; the rest are here.  A
	 * turn ends between two instructions: nothing is expected then, and no
	 * delivery under way.
	 */
	uint8_t vcpu;
	unsigned int nr_vcpus;
	struct lane_vcpu left[TRACE_VCPUS_MAX];
	struct sim_state reset; /* as the simulator has them begin */
	struct sim_state state;
	bool begun; /* state is loaded */

	enum replay_status status;
	char line[512];
	uint64_t position; /* of the item or reference at hand */
	uint64_t next;     /* items and references begun */

	uint64_t insns; /* sum of the counts of fetches */
	/*
	 * The last two fetches, latest first: that may be the rest of the one
	 * before.  They are in the batch at hand, or kept from an earlier one.
	 */
	const struct trace_ref *fetch[2];
	struct trace_ref kept[2];

	enum expected expected;
	struct trace_ref ref; /* that asked for it */
	bool stored; /* just now: what the trace has next shows what goes on */
	gva_t cr2;
	gpa_t device;
	struct guest_outcome trap;
	enum replay_status at_end;

	struct delivery delivery;
	struct replay_watch watch;
	/* An exit lasts until the emulated instruction is through. */
	bool exit_open;
	uint64_t exit_position;

	struct guest_event retry; /* GE_RETRY that has not been seen through */
	bool retrying;
};

/* refs.c */
void lane_refs(struct replay_lane *lane, const struct trace_ref *refs,
	       uint32_t nr);

/* The last write to a shadowed table: the emulator gives up on it. */
void lane_emulate_failed(struct replay_lane *lane);

/* vcpu.c */
void lane_init_vcpus(struct replay_lane *lane, const struct trace_info *info);

/* The first item that needs a processor. */
void lane_begin(struct replay_lane *lane);
void lane_use_vcpu(struct replay_lane *lane, uint32_t vcpu);

/* expect.c */

/* The simulator wants this event delivered, or the guest to end. */
void lane_obey(struct replay_lane *lane, const struct guest_outcome *out,
	       const struct trace_ref *ref);

/* May this item come now?  False: the lane has ended. */
bool lane_may_come(struct replay_lane *lane, const struct trace_item *item);

__attribute__((format(printf, 2, 3))) void
lane_differs(struct replay_lane *lane, const char *fmt, ...);
void lane_stop(struct replay_lane *lane);

static inline bool lane_is_running(const struct replay_lane *lane)
{
	return lane->status == REPLAY_RUNNING;
}

#endif
