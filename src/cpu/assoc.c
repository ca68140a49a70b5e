/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cpu/assoc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define RANDOM_SEED UINT64_C(0x9e3779b97f4a7c15)

static size_t slots(const struct assoc *a)
{
	return (size_t)a->sets * a->ways;
}

static bool has_ring(const struct assoc *a)
{
	return a->policy == CPU_LRU || a->policy == CPU_FIFO;
}

/* No set lies in more lines of the host's cache than it must. */
static uint32_t set_shift(const struct assoc *a)
{
	size_t size = offsetof(struct assoc_set, mark) + a->marks +
		      (has_ring(a) ? 2 * a->ways : sizeof(uint64_t));
	uint32_t shift = 4;

	while ((size_t)1 << shift < size)
		shift++;
	return shift;
}

/* Way 0 is the oldest. */
static void init_rings(struct assoc *a)
{
	for (uint32_t set = 0; set < a->sets; set++) {
		struct assoc_set *s = assoc_at(a, set);
		uint8_t *older = s->mark + a->marks, *newer = older + a->ways;

		s->newest = (uint8_t)(a->ways - 1);
		for (uint32_t i = 0; i < a->ways; i++) {
			older[i] = (uint8_t)((i ? i : a->ways) - 1);
			newer[i] = (uint8_t)(i + 1 < a->ways ? i + 1 : 0);
		}
	}
}

/* What touching a way does to a tree of zeros and to one of ones. */
static int init_plru(struct assoc *a)
{
	if (a->ways & (a->ways - 1))
		return 0;
	a->plru = calloc(a->ways, sizeof(*a->plru));
	if (!a->plru)
		return -ENOMEM;
	for (uint32_t i = 0; i < a->ways; i++) {
		a->plru[i].keep = UINT64_MAX;
		assoc_touch_tree(a, &a->plru[i].keep, i);
		assoc_touch_tree(a, &a->plru[i].set, i);
	}
	return 0;
}

int assoc_init(struct assoc *a, const struct cpu_array *shape)
{
	bool is_pow2 = !(shape->sets & (shape->sets - 1));
	int err = 0;

	*a = (struct assoc){
		.sets = shape->sets,
		.mask = shape->sets && is_pow2 ? shape->sets - 1 : 0,
		.reciprocal = shape->sets ? divide_reciprocal(shape->sets) : 0,
		.ways = shape->ways,
		.marks = (shape->ways + 7u) & ~7u,
		.policy = (enum cpu_policy)shape->policy,
		.random = RANDOM_SEED,
	};
	if (!a->sets)
		return 0;
	a->set_shift = set_shift(a);
	a->tag = calloc(slots(a), sizeof(*a->tag));
	a->set = calloc(a->sets, (size_t)1 << a->set_shift);
	if (!a->tag || !a->set)
		err = -ENOMEM;
	else if (has_ring(a))
		init_rings(a);
	else if (a->policy == CPU_PLRU)
		err = init_plru(a);
	if (err)
		assoc_finish(a);
	return err;
}

void assoc_finish(struct assoc *a)
{
	free(a->tag);
	free(a->set);
	free(a->plru);
	*a = (struct assoc){0};
}

/* --- LRU ----------------------------------------------------------------- */

void assoc_renew(const struct assoc *a, struct assoc_set *s, uint32_t way)
{
	uint8_t *older = s->mark + a->marks, *newer = older + a->ways;
	uint8_t newest = s->newest, oldest = newer[newest];

	s->newest = (uint8_t)way;
	if (way == oldest)
		return;
	newer[older[way]] = newer[way];
	older[newer[way]] = older[way];
	older[way] = newest;
	newer[way] = oldest;
	newer[newest] = older[oldest] = (uint8_t)way;
}

/* --- Tree-PLRU ----------------------------------------------------------- */

/* Leaves of the tree; those beyond the ways are never gone to. */
static uint32_t leaves(uint32_t ways)
{
	uint32_t n = 1;

	while (n < ways)
		n *= 2;
	return n;
}

/* Node k has children 2k and 2k + 1; its bit points to the older half. */
void assoc_touch_tree(const struct assoc *a, uint64_t *tree, uint32_t way)
{
	uint32_t node = leaves(a->ways) + way;

	for (; node > 1; node /= 2) {
		uint64_t bit = BIT(node / 2);

		if (node & 1)
			*tree &= ~bit;
		else
			*tree |= bit;
	}
}

static uint32_t oldest_plru(const struct assoc *a, struct assoc_set *s)
{
	uint64_t tree = *assoc_tree(a, s);
	uint32_t node = 1, first = 0;

	if (a->plru)
		return assoc_oldest_plru(a, tree);
	for (uint32_t half = leaves(a->ways) / 2; half; half /= 2) {
		bool right = (tree & BIT(node)) && first + half < a->ways;

		node = 2 * node + right;
		first += right ? half : 0;
	}
	return first;
}

/* --- Victims ------------------------------------------------------------- */

static bool is_gone(uint64_t tag, const struct contexts *contexts)
{
	return !tag ||
	       (contexts &&
		!contexts_is_live(contexts,
				  (unsigned int)(tag >> ASSOC_CONTEXT_SHIFT)));
}

static uint32_t at_random(struct assoc *a)
{
	a->random ^= a->random << 13;
	a->random ^= a->random >> 7;
	a->random ^= a->random << 17;
	return (uint32_t)((a->random >> 32) % a->ways);
}

/* The first way that is free or gone; with none, a->ways. */
static uint32_t first_gone(const struct assoc *a, uint32_t set,
			   struct assoc_set *s, const struct contexts *contexts)
{
	const uint64_t *tag = &a->tag[set * a->ways];
	uint16_t flushes = contexts ? contexts->flushes : 0;

	if (s->flushes != flushes)
		s->live = 0;
	s->flushes = flushes;
	while (s->live < a->ways && !is_gone(tag[s->live], contexts))
		s->live++;
	return s->live;
}

static uint32_t victim(struct assoc *a, uint32_t set, struct assoc_set *s,
		       const struct contexts *contexts)
{
	uint32_t way = first_gone(a, set, s, contexts);

	if (way < a->ways)
		return way;
	switch (a->policy) {
	case CPU_LRU:
	case CPU_FIFO:
		return assoc_oldest(a, s);
	case CPU_PLRU:
		return oldest_plru(a, s);
	case CPU_RANDOM:
		return at_random(a);
	}
	BUG("a replacement policy");
}

uint32_t assoc_insert_anyhow(struct assoc *a, uint32_t set, uint64_t tag,
			     const struct contexts *contexts)
{
	struct assoc_set *s = assoc_at(a, set);
	uint32_t way = victim(a, set, s, contexts);
	uint32_t slot = set * a->ways + way;

	a->tag[slot] = tag;
	s->mark[way] = assoc_mark(tag);
	if (a->policy != CPU_FIFO)
		assoc_touch_way(a, s, way);
	else if (s->newest != way)
		assoc_renew(a, s, way);
	return slot;
}

void assoc_drop(struct assoc *a, uint32_t slot)
{
	struct assoc_set *s = assoc_at(a, slot / a->ways);

	a->tag[slot] = 0;
	if (slot % a->ways < s->live)
		s->live = (uint16_t)(slot % a->ways);
}

void assoc_clear(struct assoc *a)
{
	for (uint32_t i = 0; i < slots(a); i++)
		assoc_drop(a, i);
}

static void set_context(struct assoc *a, uint32_t slot, uint64_t context)
{
	uint64_t rest = a->tag[slot] & (BIT(ASSOC_CONTEXT_SHIFT) - 1);

	a->tag[slot] = context << ASSOC_CONTEXT_SHIFT | rest;
	assoc_at(a, slot / a->ways)->mark[slot % a->ways] =
		assoc_mark(a->tag[slot]);
}

void assoc_renumber(struct assoc *a, const uint16_t map[CONTEXT_NUMBERS])
{
	for (uint32_t i = 0; i < slots(a); i++) {
		uint16_t n = map[a->tag[i] >> ASSOC_CONTEXT_SHIFT];

		if (n)
			set_context(a, i, n);
		else
			assoc_drop(a, i);
	}
	for (uint32_t set = 0; set < a->sets; set++)
		assoc_at(a, set)->flushes = 0;
}
