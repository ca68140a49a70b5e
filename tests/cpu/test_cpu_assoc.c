/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Replacement against slow models: LRU and FIFO as lists, tree-PLRU as a tree
 * of halves, each of them in sets of any number and of any number of ways.
 */
#include <stdio.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "cpu/assoc.h"

#define WAYS_MAX 128

static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/* --- One set of a slow model --------------------------------------------- */

struct slow_set {
	unsigned int ways;
	enum cpu_policy policy;
	uint64_t tag[WAYS_MAX];         /* 0: free */
	unsigned int order[WAYS_MAX];   /* ways, oldest first */
	bool old_half[WAYS_MAX * 4][2]; /* [first way, size]: by node */
};

static void slow_init(struct slow_set *s, unsigned int ways,
		      enum cpu_policy policy)
{
	memset(s, 0, sizeof(*s));
	s->ways = ways;
	s->policy = policy;
	for (unsigned int i = 0; i < ways; i++)
		s->order[i] = i;
}

static unsigned int round_up(unsigned int ways)
{
	unsigned int n = 1;

	while (n < ways)
		n <<= 1;
	return n;
}

/* upper[node]: the upper half is the older one. */
static void slow_tree_use(bool *upper, unsigned int node, unsigned int first,
			  unsigned int size, unsigned int way)
{
	unsigned int half = size / 2;

	if (!half)
		return;
	upper[node] = way < first + half;
	if (way < first + half)
		slow_tree_use(upper, 2 * node + 1, first, half, way);
	else
		slow_tree_use(upper, 2 * node + 2, first + half, half, way);
}

static unsigned int slow_tree_oldest(const bool *upper, unsigned int node,
				     unsigned int first, unsigned int size,
				     unsigned int ways)
{
	unsigned int half = size / 2;

	if (!half)
		return first;
	if (upper[node] && first + half < ways)
		return slow_tree_oldest(upper, 2 * node + 2, first + half, half,
					ways);
	return slow_tree_oldest(upper, 2 * node + 1, first, half, ways);
}

static void slow_to_back(struct slow_set *s, unsigned int way)
{
	unsigned int at = 0;

	while (s->order[at] != way)
		at++;
	memmove(&s->order[at], &s->order[at + 1],
		(s->ways - at - 1) * sizeof(*s->order));
	s->order[s->ways - 1] = way;
}

static void slow_use(struct slow_set *s, unsigned int way, bool inserted)
{
	if (s->policy == CPU_LRU || (s->policy == CPU_FIFO && inserted))
		slow_to_back(s, way);
	if (s->policy == CPU_PLRU)
		slow_tree_use(&s->old_half[0][0], 0, 0, round_up(s->ways), way);
}

static unsigned int slow_victim(const struct slow_set *s)
{
	for (unsigned int i = 0; i < s->ways; i++)
		if (!s->tag[i])
			return i;
	if (s->policy == CPU_PLRU)
		return slow_tree_oldest(&s->old_half[0][0], 0, 0,
					round_up(s->ways), s->ways);
	return s->order[0];
}

static unsigned int slow_find(const struct slow_set *s, uint64_t tag)
{
	unsigned int way = 0;

	while (way < s->ways && s->tag[way] != tag)
		way++;
	return way;
}

/* --- The same references to both ----------------------------------------- */

static void step(struct assoc *a, struct slow_set *slow, uint64_t r)
{
	uint64_t number = (r >> 8) % (a->sets * a->ways * 3 / 2 + 1);
	uint64_t tag = number + 1;
	uint32_t set = assoc_set(a, number);
	struct slow_set *s = &slow[number % a->sets];
	uint32_t slot = assoc_find(a, set, tag);
	unsigned int way = slow_find(s, tag);

	assert_int_equal(set, number % a->sets);
	assert_int_equal(slot == ASSOC_NONE, way == s->ways);
	if (slot != ASSOC_NONE)
		assert_int_equal(slot, set * a->ways + way);
	if (r % 16 == 0) {
		if (slot != ASSOC_NONE) {
			assoc_drop(a, slot);
			s->tag[way] = 0;
		}
		return;
	}
	if (slot != ASSOC_NONE) {
		assoc_touch(a, set, slot);
		slow_use(s, way, false);
		return;
	}
	way = slow_victim(s);
	s->tag[way] = tag;
	slow_use(s, way, true);
	assert_int_equal(assoc_insert(a, set, tag, NULL), set * a->ways + way);
}

static const struct cpu_array shapes[] = {
	{4, 4, 0}, {1, 64, 0}, {1, 48, 0}, {3, 5, 0},    {6, 12, 0},
	{1, 1, 0}, {7, 1, 0},  {16, 6, 0}, {128, 12, 0}, {1, 16, 0},
};

static void follows_its_policy(void **state)
{
	static const enum cpu_policy policies[] = {CPU_LRU, CPU_PLRU, CPU_FIFO};
	static struct slow_set slow[128];
	uint64_t seed = 1;

	(void)state;
	for (size_t k = 0; k < ARRAY_LEN(shapes) * ARRAY_LEN(policies); k++) {
		struct cpu_array shape = shapes[k / ARRAY_LEN(policies)];
		struct assoc a;

		shape.policy = (uint8_t)policies[k % ARRAY_LEN(policies)];
		assert_int_equal(assoc_init(&a, &shape), 0);
		for (unsigned int i = 0; i < shape.sets; i++)
			slow_init(&slow[i], shape.ways,
				  (enum cpu_policy)shape.policy);
		for (int i = 0; i < 60000; i++)
			step(&a, slow, next_random(&seed));
		assoc_finish(&a);
	}
}

/* A fixed sequence: every way has its turn, and the next run is the same. */
static void random_is_fixed(void **state)
{
	const struct cpu_array shape = {2, 6, CPU_RANDOM};
	unsigned int victims[6] = {0};
	struct assoc a, b;

	(void)state;
	assert_int_equal(assoc_init(&a, &shape), 0);
	assert_int_equal(assoc_init(&b, &shape), 0);
	for (uint64_t i = 1; i < 600; i++) {
		uint32_t slot = assoc_insert(&a, 1, i, NULL);

		assert_int_equal(slot, assoc_insert(&b, 1, i, NULL));
		assert_true(slot >= 6 && slot < 12);
		/* Free ways come first, from the lowest. */
		if (i <= 6)
			assert_int_equal(slot, 6 + i - 1);
		victims[slot - 6]++;
	}
	for (unsigned int i = 0; i < 6; i++)
		assert_true(victims[i] > 50);
	assoc_finish(&a);
	assoc_finish(&b);
}

/* What a flush has left behind goes first, whatever the policy says. */
static void flushed_goes_first(void **state)
{
	const struct cpu_array shape = {1, 4, CPU_LRU};
	static struct contexts c;
	uint64_t old, now;
	struct assoc a;

	(void)state;
	contexts_init(&c);
	old = (uint64_t)contexts_give(&c, 7) << ASSOC_CONTEXT_SHIFT;
	now = (uint64_t)contexts_give(&c, 8) << ASSOC_CONTEXT_SHIFT;
	assert_int_equal(assoc_init(&a, &shape), 0);
	assert_int_equal(assoc_insert(&a, 0, now | 1, &c), 0);
	assert_int_equal(assoc_insert(&a, 0, now | 2, &c), 1);
	assert_int_equal(assoc_insert(&a, 0, old | 3, &c), 2);
	assert_int_equal(assoc_insert(&a, 0, old | 4, &c), 3);
	contexts_flush(&c, 7);
	assert_int_equal(assoc_insert(&a, 0, now | 5, &c), 2);
	assert_int_equal(assoc_insert(&a, 0, now | 6, &c), 3);
	assert_int_equal(assoc_insert(&a, 0, now | 7, &c), 0);
	contexts_flush_all(&c);
	assert_int_equal(assoc_insert(&a, 0, now | 8, NULL), 1);
	assert_int_equal(assoc_insert(&a, 0, now | 9, &c), 0);
	assoc_finish(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(follows_its_policy),
		cmocka_unit_test(random_is_fixed),
		cmocka_unit_test(flushed_goes_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
