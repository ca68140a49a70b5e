/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The instruction clock.
 *
 * A block is charged whole when it begins; leaving it midway takes back what
 * was not executed.  A repeated string instruction counts one, when it is
 * complete, however many iterations ran natively, one by one or in an
 * emulator: so the clock does not depend on how the guest's pages were mapped.
 */
#ifndef NOTRAP_LIVE_CLOCK_H
#define NOTRAP_LIVE_CLOCK_H

#include "base/bug.h"
#include "live/blocks.h"

struct clock {
	uint64_t after; /* instructions completed when the present block is */
	const struct block *block; /* being executed, or &between */
	/* The block hook looks up when a block would pass this. */
	uint64_t deadline;
	uint64_t idle; /* cycles skipped while halted */
	/* No instructions; rep_at is kept if its instruction is under way. */
	struct block between;
};

static inline void clock_init(struct clock *clock)
{
	*clock = (struct clock){.between = {.rep_at = NO_REP}};
	clock->block = &clock->between;
}

/* A block begins at pc.  True: it would pass the deadline. */
static inline bool clock_enter(struct clock *clock, const struct block *block,
			       gva_t pc)
{
	gva_t rep_at = clock->block->rep_at;
	uint64_t after = clock->after + block->charge;

	if (unlikely(rep_at != NO_REP) && rep_at != pc)
		after++;
	clock->after = after;
	clock->block = block;
	return after >= clock->deadline;
}

static inline bool clock_is_between(const struct clock *clock)
{
	return clock->block == &clock->between;
}

/* Instructions completed before the present block. */
static inline uint64_t clock_base(const struct clock *clock)
{
	return clock->after - clock->block->charge;
}

/* Between blocks: one more has been completed, in C. */
static inline void clock_retire(struct clock *clock)
{
	BUG_ON(!clock_is_between(clock));
	clock->after++;
}

/* The block has begun a second time; `base` was right the first time. */
static inline void clock_restart(struct clock *clock, uint64_t base)
{
	clock->after = base + clock->block->charge;
}

/*
 * The block is complete, the next one at pc has not begun.  Harmless when
 * between blocks already.
 */
void clock_complete(struct clock *clock, gva_t pc);

/* The block that has just begun was left before its first instruction. */
void clock_undo(struct clock *clock);

/* Instructions completed when the one at pc is about to be executed. */
uint64_t clock_at(const struct clock *clock, const struct blocks *blocks,
		  gva_t pc);

/* The block was left with the instruction at pc not executed. */
void clock_leave(struct clock *clock, const struct blocks *blocks, gva_t pc);

#endif
