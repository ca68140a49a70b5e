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
#include "base/divide.h"
#include "cpu/contexts.h"
#include "cpu/geometry.h"

#define ASSOC_NONE UINT32_MAX

/* The context's number is a tag's upper bits; 0 is no tag. */
#define ASSOC_CONTEXT_SHIFT 50

/*
 * A set, its tags apart.  Marks are a byte of each way's tag, mixed, so that a
 * search looks at the tags of those ways alone that may have it; after them, of
 * LRU and FIFO, comes the ring of ways: of each the next older one, then of
 * each the next newer.  The newest's newer one is the oldest.  Of PLRU the tree
 * comes there, 64 bits.
 */
struct assoc_set {
	/* Ways below hold entries of live contexts, since so many flushes. */
	uint16_t live, flushes;
	uint8_t newest;
	uint8_t unused[3];
	uint8_t mark[];
};

/* What a use of a way leaves of its set's tree, and sets in it. */
struct assoc_plru {
	uint64_t keep, set;
};

struct assoc {
	uint32_t sets;
	uint32_t mask;       /* sets - 1 of a power of two, else 0 */
	uint64_t reciprocal; /* of sets */
	uint32_t ways;
	uint32_t marks; /* ways, in words of eight */
	enum cpu_policy policy;
	uint32_t set_shift; /* of the bytes of a set */
	uint8_t *set;       /* struct assoc_set */
	uint64_t *tag;      /* sets * ways; 0: free */
	/* Tree-PLRU of a power of two of ways: by way.  Else NULL. */
	struct assoc_plru *plru;
	uint64_t random; /* the last of the sequence */
};

/* sets 0: an array that holds nothing.  -ENOMEM. */
int assoc_init(struct assoc *a, const struct cpu_array *shape);
void assoc_finish(struct assoc *a);

/* Where tags with this number go. */
static inline uint32_t assoc_set(const struct assoc *a, uint64_t number)
{
	uint32_t rest;

	if (likely(a->mask) || a->sets == 1)
		return (uint32_t)number & a->mask;
	divide(number, a->sets, a->reciprocal, &rest);
	return rest;
}

static inline struct assoc_set *assoc_at(const struct assoc *a, uint32_t set)
{
	return (struct assoc_set *)(void *)(a->set +
					    ((size_t)set << a->set_shift));
}

/* 1..128: no way's is 0 that no tag has been in. */
static inline uint8_t assoc_mark(uint64_t tag)
{
	return (uint8_t)((tag * UINT64_C(0x9e3779b97f4a7c15) >> 57) + 1);
}

/* Bit 7 of each byte that is 0. */
static inline uint64_t assoc_zeros(uint64_t word)
{
	const uint64_t low = UINT64_C(0x7f7f7f7f7f7f7f7f);

	return ~(((word & low) + low) | word | low);
}

/* The slot, or ASSOC_NONE. */
specialised uint32_t assoc_find(const struct assoc *a, uint32_t set,
				uint64_t tag)
{
	const uint8_t *mark = assoc_at(a, set)->mark;
	uint64_t wanted = assoc_mark(tag) * UINT64_C(0x0101010101010101);
	uint32_t first = set * a->ways;

	for (uint32_t i = 0; i < a->marks; i += 8) {
		uint64_t word;

		__builtin_memcpy(&word, mark + i, sizeof(word));
		word = assoc_zeros(word ^ wanted);
		for (; word; word &= word - 1) {
			uint32_t slot =
				first + i + (uint32_t)__builtin_ctzll(word) / 8;

			if (likely(a->tag[slot] == tag))
				return slot;
		}
	}
	return ASSOC_NONE;
}

/* LRU, FIFO. */
static inline uint8_t assoc_oldest(const struct assoc *a,
				   const struct assoc_set *s)
{
	return s->mark[a->marks + a->ways + s->newest];
}

/* LRU, FIFO: the way, which is not the newest, becomes it. */
void assoc_renew(const struct assoc *a, struct assoc_set *s, uint32_t way);

/* PLRU of any number of ways. */
void assoc_touch_tree(const struct assoc *a, uint64_t *tree, uint32_t way);

static inline uint64_t *assoc_tree(const struct assoc *a, struct assoc_set *s)
{
	return (uint64_t *)(void *)(s->mark + a->marks);
}

/* Of a power of two of ways: without a branch that the tree's bits choose. */
static inline uint32_t assoc_oldest_plru(const struct assoc *a, uint64_t tree)
{
	uint32_t node = 1;

	while (node < a->ways)
		node = 2 * node + (uint32_t)(tree >> node & 1);
	return node - a->ways;
}

static inline void assoc_touch_way(const struct assoc *a, struct assoc_set *s,
				   uint32_t way)
{
	if (likely(a->policy == CPU_LRU)) {
		if (s->newest != way)
			assoc_renew(a, s, way);
	} else if (likely(a->plru != NULL)) {
		uint64_t *tree = assoc_tree(a, s);

		*tree = (*tree & a->plru[way].keep) | a->plru[way].set;
	} else if (a->policy == CPU_PLRU) {
		assoc_touch_tree(a, assoc_tree(a, s), way);
	}
}

/* The slot, of this set, is used. */
static inline void assoc_touch(struct assoc *a, uint32_t set, uint32_t slot)
{
	assoc_touch_way(a, assoc_at(a, set), slot - set * a->ways);
}

/* What assoc_insert() does, of any policy, of a set as it may be. */
uint32_t assoc_insert_anyhow(struct assoc *a, uint32_t set, uint64_t tag,
			     const struct contexts *contexts);

/*
 * A tag that is not there comes in place of a victim, and is used.  contexts:
 * of the numbers in the tags, or NULL.  Returns the slot.
 */
specialised uint32_t assoc_insert(struct assoc *a, uint32_t set, uint64_t tag,
				  const struct contexts *contexts)
{
	struct assoc_set *s = assoc_at(a, set);
	uint32_t way;

	if (unlikely(s->live != a->ways) ||
	    unlikely(s->flushes != (contexts ? contexts->flushes : 0)))
		return assoc_insert_anyhow(a, set, tag, contexts);
	/* The set is full. */
	if (a->policy == CPU_LRU) {
		way = assoc_oldest(a, s);
		s->newest = (uint8_t)way;
	} else if (likely(a->plru != NULL)) {
		way = assoc_oldest_plru(a, *assoc_tree(a, s));
		assoc_touch_way(a, s, way);
	} else {
		return assoc_insert_anyhow(a, set, tag, contexts);
	}
	a->tag[set * a->ways + way] = tag;
	s->mark[way] = assoc_mark(tag);
	return set * a->ways + way;
}

/* True: the tag was there, and is used.  Else it is inserted. */
specialised bool assoc_use(struct assoc *a, uint32_t set, uint64_t tag,
			   const struct contexts *contexts)
{
	uint32_t slot = assoc_find(a, set, tag);

	if (slot == ASSOC_NONE)
		assoc_insert(a, set, tag, contexts);
	else
		assoc_touch(a, set, slot);
	return slot != ASSOC_NONE;
}

void assoc_drop(struct assoc *a, uint32_t slot);

void assoc_clear(struct assoc *a);

/* Contexts have new numbers: map has them by the old ones, 0 for none. */
void assoc_renumber(struct assoc *a, const uint16_t map[CONTEXT_NUMBERS]);

#endif
