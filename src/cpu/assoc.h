/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One set-associative array of tags: TLBs, paging-structure caches and caches
 * are made of it.
 *
 * An entry keeps its place from insertion to eviction, so that what belongs to
 * it can lie in arrays beside, by slot.  A victim is the first way of the set
 * that is free, or whose context is no longer one (contexts.h); else the policy
 * chooses.  Sets need not be a power of two.
 */
#ifndef NOTRAP_CPU_ASSOC_H
#define NOTRAP_CPU_ASSOC_H

#include "base/bug.h"
#include "cpu/contexts.h"
#include "cpu/geometry.h"

#define ASSOC_NONE UINT32_MAX

/* The context's number is a tag's upper bits; 0 is no tag. */
#define ASSOC_CONTEXT_SHIFT 50

/* What a use of a way leaves of its set's tree, and sets in it. */
struct assoc_plru {
	uint64_t keep, set;
};

struct assoc {
	uint32_t sets;
	uint32_t mask;       /* sets - 1 of a power of two, else 0 */
	uint64_t reciprocal; /* 2^64 / sets, rounded down; of a power of two,
				less */
	uint32_t ways;
	enum cpu_policy policy;
	uint64_t *tag; /* sets * ways; 0: free */
	/* Of a slot: LRU, FIFO; 0 of a free one.  Of a set: PLRU.  Else NULL.
	 */
	uint64_t *used;
	/* Tree-PLRU of 1 << way_shift ways: by way.  Else NULL. */
	struct assoc_plru *plru;
	uint32_t way_shift;
	uint8_t *guess; /* many ways: where a tag was last found */
	uint64_t clock; /* of uses; of the random sequence */
};

/* sets 0: an array that holds nothing.  -ENOMEM. */
int assoc_init(struct assoc *a, const struct cpu_array *shape);
void assoc_finish(struct assoc *a);

/*
 * number % sets, by a product with the reciprocal, which is too small by less
 * than 1 / 2^64: so the quotient is right or one too small.
 */
static inline uint32_t assoc_modulo(const struct assoc *a, uint64_t number)
{
	uint64_t quotient = mul_high(number, a->reciprocal);
	uint64_t rest = number - quotient * a->sets;

	return (uint32_t)(rest < a->sets ? rest : rest - a->sets);
}

/* Where tags with this number go. */
static inline uint32_t assoc_set(const struct assoc *a, uint64_t number)
{
	if (likely(a->mask) || a->sets == 1)
		return (uint32_t)number & a->mask;
	return assoc_modulo(a, number);
}

static inline uint8_t *assoc_guess(const struct assoc *a, uint64_t tag)
{
	return &a->guess[(tag ^ tag >> 8) % CPU_WAYS_MAX];
}

uint32_t assoc_find_guessing(const struct assoc *a, uint64_t tag);

/* The slot, or ASSOC_NONE. */
static inline uint32_t assoc_find(const struct assoc *a, uint32_t set,
				  uint64_t tag)
{
	uint32_t first = set * a->ways;

	if (a->guess)
		return assoc_find_guessing(a, tag);
	for (uint32_t i = first; i < first + a->ways; i++)
		if (a->tag[i] == tag)
			return i;
	return ASSOC_NONE;
}

static inline void assoc_touch_way(struct assoc *a, uint32_t slot)
{
	const struct assoc_plru *way = &a->plru[slot & (a->ways - 1)];
	uint64_t *tree = &a->used[slot >> a->way_shift];

	*tree = (*tree & way->keep) | way->set;
}

/* Of any number of ways. */
void assoc_touch_plru(struct assoc *a, uint32_t slot);

/* The slot is used. */
static inline void assoc_touch(struct assoc *a, uint32_t slot)
{
	if (likely(a->policy == CPU_LRU))
		a->used[slot] = ++a->clock;
	else if (likely(a->plru != NULL))
		assoc_touch_way(a, slot);
	else if (a->policy == CPU_PLRU)
		assoc_touch_plru(a, slot);
}

/*
 * A tag that is not there comes in place of a victim, and is used.  contexts:
 * of the numbers in the tags, or NULL.
 */
uint32_t assoc_insert(struct assoc *a, uint32_t set, uint64_t tag,
		      const struct contexts *contexts);

void assoc_drop(struct assoc *a, uint32_t slot);

void assoc_clear(struct assoc *a);

/* Contexts have new numbers: map has them by the old ones, 0 for none. */
void assoc_renumber(struct assoc *a, const uint16_t map[CONTEXT_NUMBERS]);

#endif
