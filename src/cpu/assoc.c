/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cpu/assoc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* From so many ways on a search begins with a guess. */
#define GUESS_WAYS 16

#define RANDOM_SEED UINT64_C(0x9e3779b97f4a7c15)

static size_t slots(const struct assoc *a)
{
	return (size_t)a->sets * a->ways;
}

static size_t used_size(const struct assoc *a)
{
	switch (a->policy) {
	case CPU_LRU:
	case CPU_FIFO:
		return slots(a);
	case CPU_PLRU:
		return a->sets;
	case CPU_RANDOM:
		break;
	}
	return 0;
}

/* What touching a way does to a tree of zeros and to one of ones. */
static int init_plru(struct assoc *a)
{
	if (a->policy != CPU_PLRU || (a->ways & (a->ways - 1)))
		return 0;
	a->plru = calloc(a->ways, sizeof(*a->plru));
	if (!a->plru)
		return -ENOMEM;
	a->way_shift = (uint32_t)__builtin_ctz(a->ways);
	for (uint32_t i = 0; i < a->ways; i++) {
		a->used[0] = 0;
		assoc_touch_plru(a, i);
		a->plru[i].set = a->used[0];
		a->used[0] = UINT64_MAX;
		assoc_touch_plru(a, i);
		a->plru[i].keep = a->used[0];
	}
	a->used[0] = 0;
	return 0;
}

int assoc_init(struct assoc *a, const struct cpu_array *shape)
{
	bool is_pow2 = !(shape->sets & (shape->sets - 1));

	*a = (struct assoc){
		.sets = shape->sets,
		.mask = shape->sets && is_pow2 ? shape->sets - 1 : 0,
		.reciprocal = shape->sets ? UINT64_MAX / shape->sets : 0,
		.ways = shape->ways,
		.policy = (enum cpu_policy)shape->policy,
		.clock = shape->policy == CPU_RANDOM ? RANDOM_SEED : 0,
	};
	if (!a->sets)
		return 0;
	a->tag = calloc(slots(a), sizeof(*a->tag));
	if (used_size(a))
		a->used = calloc(used_size(a), sizeof(*a->used));
	if (a->sets == 1 && a->ways >= GUESS_WAYS)
		a->guess = calloc(CPU_WAYS_MAX, sizeof(*a->guess));
	if (a->tag && (a->used || !used_size(a)) &&
	    (a->guess || a->sets > 1 || a->ways < GUESS_WAYS) && !init_plru(a))
		return 0;
	assoc_finish(a);
	return -ENOMEM;
}

void assoc_finish(struct assoc *a)
{
	free(a->tag);
	free(a->used);
	free(a->guess);
	free(a->plru);
	*a = (struct assoc){0};
}

/* One set: a slot is a way. */
uint32_t assoc_find_guessing(const struct assoc *a, uint64_t tag)
{
	uint8_t *guess = assoc_guess(a, tag);

	if (likely(a->tag[*guess] == tag))
		return *guess;
	for (uint32_t i = 0; i < a->ways; i++) {
		if (a->tag[i] != tag)
			continue;
		*guess = (uint8_t)i;
		return i;
	}
	return ASSOC_NONE;
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
void assoc_touch_plru(struct assoc *a, uint32_t slot)
{
	uint64_t *tree = &a->used[slot / a->ways];
	uint32_t node = leaves(a->ways) + slot % a->ways;

	for (; node > 1; node /= 2) {
		uint64_t bit = BIT(node / 2);

		if (node & 1)
			*tree &= ~bit;
		else
			*tree |= bit;
	}
}

static uint32_t oldest_plru(const struct assoc *a, uint32_t set)
{
	uint64_t tree = a->used[set];
	uint32_t node = 1, half = leaves(a->ways) / 2, first = 0;

	for (; half; half /= 2) {
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

static uint32_t oldest_stamp(const struct assoc *a, uint32_t first)
{
	const uint64_t *used = &a->used[first];
	uint64_t least = used[0];
	uint32_t oldest = 0;

	for (uint32_t i = 1; i < a->ways; i++) {
		oldest = used[i] < least ? i : oldest;
		least = used[i] < least ? used[i] : least;
	}
	return oldest;
}

static uint32_t at_random(struct assoc *a)
{
	a->clock ^= a->clock << 13;
	a->clock ^= a->clock >> 7;
	a->clock ^= a->clock << 17;
	return (uint32_t)((a->clock >> 32) % a->ways);
}

static bool has_stamps(const struct assoc *a)
{
	return a->policy == CPU_LRU || a->policy == CPU_FIFO;
}

/* A free slot's stamp is 0, so that it is the oldest. */
static uint32_t victim(struct assoc *a, uint32_t set,
		       const struct contexts *contexts)
{
	uint32_t first = set * a->ways;

	if (!contexts && has_stamps(a))
		return oldest_stamp(a, first);
	for (uint32_t i = 0; i < a->ways; i++)
		if (is_gone(a->tag[first + i], contexts))
			return i;
	switch (a->policy) {
	case CPU_LRU:
	case CPU_FIFO:
		return oldest_stamp(a, first);
	case CPU_PLRU:
		return oldest_plru(a, set);
	case CPU_RANDOM:
		return at_random(a);
	}
	BUG("a replacement policy");
}

uint32_t assoc_insert(struct assoc *a, uint32_t set, uint64_t tag,
		      const struct contexts *contexts)
{
	uint32_t slot = set * a->ways + victim(a, set, contexts);

	a->tag[slot] = tag;
	if (a->policy == CPU_FIFO)
		a->used[slot] = ++a->clock;
	else
		assoc_touch(a, slot);
	if (a->guess)
		*assoc_guess(a, tag) = (uint8_t)slot;
	return slot;
}

void assoc_drop(struct assoc *a, uint32_t slot)
{
	a->tag[slot] = 0;
	if (has_stamps(a))
		a->used[slot] = 0;
}

void assoc_clear(struct assoc *a)
{
	if (!a->sets)
		return;
	memset(a->tag, 0, slots(a) * sizeof(*a->tag));
	if (has_stamps(a))
		memset(a->used, 0, slots(a) * sizeof(*a->used));
}

void assoc_renumber(struct assoc *a, const uint16_t map[CONTEXT_NUMBERS])
{
	for (uint32_t i = 0; i < slots(a); i++) {
		uint64_t n = map[a->tag[i] >> ASSOC_CONTEXT_SHIFT];

		if (n)
			a->tag[i] =
				n << ASSOC_CONTEXT_SHIFT |
				(a->tag[i] & (BIT(ASSOC_CONTEXT_SHIFT) - 1));
		else
			assoc_drop(a, i);
	}
}
