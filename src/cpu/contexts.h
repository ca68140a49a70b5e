/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Contexts of cached translations: one for each PCID and one for global pages.
 * Each has a number, which is part of its entries' tags, and a flush of a
 * context is a new number: what has an old one is as good as gone.
 */
#ifndef NOTRAP_CPU_CONTEXTS_H
#define NOTRAP_CPU_CONTEXTS_H

#include "base/types.h"

#define CONTEXT_GLOBAL  4096u /* the PCIDs are below */
#define CONTEXTS        4097u
#define CONTEXT_NUMBERS (1u << 14)

struct contexts {
	uint16_t next; /* number that is given next, from 1 */
	uint16_t base; /* numbers below are nobody's */
	/* From 1: flushes that took something since numbers began.  Each takes
	 * a number, one by one or all below base: no more than 2 of each. */
	uint16_t flushes;
	uint16_t number[CONTEXTS];
	uint64_t live[CONTEXT_NUMBERS / 64];
};

void contexts_init(struct contexts *c);

static inline bool contexts_is_live(const struct contexts *c, unsigned int n)
{
	return n >= c->base && (c->live[n / 64] >> n % 64 & 1);
}

/* 0: it has none, as nothing of it can be cached. */
static inline unsigned int contexts_number(const struct contexts *c,
					   unsigned int context)
{
	unsigned int n = c->number[context];

	return n >= c->base ? n : 0;
}

/* A number for one that has none; 0: they have run out, contexts_renumber(). */
unsigned int contexts_give(struct contexts *c, unsigned int context);

void contexts_flush(struct contexts *c, unsigned int context);
void contexts_flush_all(struct contexts *c);

/* Numbers from 1 again.  map: by the old number, the new one or 0. */
void contexts_renumber(struct contexts *c, uint16_t map[CONTEXT_NUMBERS]);

#endif
