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

struct assoc {
	uint32_t sets;
	uint32_t mask; /* sets - 1 of a power of two, else 0 */
	uint32_t ways;
	enum cpu_policy policy;
	uint64_t *tag;  /* sets * ways; 0: free */
	uint64_t *used; /* a slot: LRU, FIFO; a set: PLRU; else NULL */
	uint8_t *guess; /* many ways: where a tag was last found */
	uint64_t clock; /* of uses; of the random sequence */
};

/* sets 0: an array that holds nothing.  -ENOMEM. */
int assoc_init(struct assoc *a, const struct cpu_array *shape);
void assoc_finish(struct assoc *a);

/* Where tags with this number go. */
static inline uint32_t assoc_set(const struct assoc *a, uint64_t number)
{
	if (likely(a->mask) || a->sets == 1)
		return (uint32_t)number & a->mask;
	return (uint32_t)(number % a->sets);
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

void assoc_touch_plru(struct assoc *a, uint32_t slot);

/* The slot is used. */
static inline void assoc_touch(struct assoc *a, uint32_t slot)
{
	if (likely(a->policy == CPU_LRU))
		a->used[slot] = ++a->clock;
	else if (a->policy == CPU_PLRU)
		assoc_touch_plru(a, slot);
}

/*
 * A tag that is not there comes in place of a victim, and is used.  contexts:
 * of the numbers in the tags, or NULL.
 */
uint32_t assoc_insert(struct assoc *a, uint32_t set, uint64_t tag,
		      const struct contexts *contexts);

static inline void assoc_drop(struct assoc *a, uint32_t slot)
{
	a->tag[slot] = 0;
}

void assoc_clear(struct assoc *a);

/* Contexts have new numbers: map has them by the old ones, 0 for none. */
void assoc_renumber(struct assoc *a, const uint16_t map[CONTEXT_NUMBERS]);

#endif
