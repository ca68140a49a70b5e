/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "live/clock.h"

static void go_between(struct clock *clock, uint64_t completed, gva_t rep_at)
{
	clock->after = completed;
	clock->between.rep_at = rep_at;
	clock->block = &clock->between;
}

void clock_complete(struct clock *clock, gva_t pc)
{
	gva_t rep_at = clock->block->rep_at;

	if (rep_at != NO_REP && rep_at != pc)
		go_between(clock, clock->after + 1, NO_REP);
	else
		go_between(clock, clock->after, rep_at);
}

void clock_undo(struct clock *clock)
{
	go_between(clock, clock_base(clock), NO_REP);
}

uint64_t clock_at(const struct clock *clock, const struct blocks *blocks,
		  gva_t pc)
{
	const struct block *block = clock->block;
	uint16_t before;

	/* Bytes no decoder agrees on: the block counts as executed. */
	if (clock_is_between(clock) ||
	    !block_insns_before(blocks, block, pc - block->pc, &before))
		return clock->after;
	return clock_base(clock) + before;
}

void clock_leave(struct clock *clock, const struct blocks *blocks, gva_t pc)
{
	go_between(clock, clock_at(clock, blocks, pc), NO_REP);
}
