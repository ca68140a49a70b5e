/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What walks read, counted by hand: with nothing cached, with each cache, and
 * beneath EPT.
 */
#include <stdio.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "cpu/walker.h"

/* Every read is one of memory. */
static const struct cpu_geometry bare = {.table_share = 100, .walkers = 1};

static const struct cpu_geometry cached = {
	.psc = {{1, 32, 0}, {1, 4, 0}, {1, 4, 0}, {1, 2, 0}},
	.nested_tlb = {1, 16, 0},
	.nested_psc = {{1, 16, 0}, {1, 4, 0}, {1, 2, 0}, {1, 2, 0}},
	.cache = {{64, 8, 0}, {0, 0, 0}, {4096, 16, 0}},
	.table_share = 100,
	.walkers = 1,
};

static struct walker walker;

static void begin(const struct cpu_geometry *geometry)
{
	assert_int_equal(walker_init(&walker, geometry), 0);
}

/* Tables of a guest: one a prefix of the address, at an address of its own. */
static struct walker_path path_of(enum paging_mode mode, gva_t gva, int leaf)
{
	struct walker_path path = {.mode = mode,
				   .has_page = true,
				   .page = UINT64_C(0x100000000) + gva};

	for (int level = paging_levels(mode); level >= leaf; level--) {
		uint64_t table = gva >> paging_shift(mode, level + 1);

		path.at[path.nr++] = ((uint64_t)level << 40 | table << 12) +
				     8 * paging_index(mode, gva, level);
	}
	return path;
}

static struct walker_counts walk_at(const struct walker_path *path, gva_t gva,
				    uint64_t insns)
{
	struct walker_counts c;

	walker_walk(&walker, path, gva, insns, &c);
	return c;
}

static unsigned int sum(const uint8_t by_level[NR_CACHE_LEVELS])
{
	unsigned int n = 0;

	for (int i = 0; i < NR_CACHE_LEVELS; i++)
		n += by_level[i];
	return n;
}

static unsigned int reads(enum paging_mode mode, gva_t gva, int leaf)
{
	const struct walker_path path = path_of(mode, gva, leaf);
	struct walker_counts c = walk_at(&path, gva, 0);

	return sum(c.refs);
}

static const struct {
	enum paging_mode mode;
	uint8_t ept_levels, ept_leaf;
	int leaf;
	unsigned int reads;
} nothing_cached[] = {
	{PAGING_32, 0, 0, 1, 2},      {PAGING_32, 0, 0, 2, 1},
	{PAGING_PAE, 0, 0, 1, 2},     {PAGING_4LEVEL, 0, 0, 1, 4},
	{PAGING_4LEVEL, 0, 0, 2, 3},  {PAGING_4LEVEL, 0, 0, 3, 2},
	{PAGING_5LEVEL, 0, 0, 1, 5},  {PAGING_4LEVEL, 4, 1, 1, 24},
	{PAGING_5LEVEL, 4, 1, 1, 29}, {PAGING_5LEVEL, 5, 1, 1, 35},
	{PAGING_4LEVEL, 5, 1, 1, 29}, {PAGING_4LEVEL, 4, 2, 1, 19},
	{PAGING_4LEVEL, 4, 1, 2, 19}, {PAGING_4LEVEL, 4, 2, 2, 15},
	{PAGING_PAE, 4, 1, 1, 14},    {PAGING_OFF, 4, 1, 1, 4},
};

/* (g + 1)(h + 1) - 1, every time. */
static void nothing_is_cached(void **state)
{
	(void)state;
	begin(&bare);
	for (size_t i = 0; i < ARRAY_LEN(nothing_cached); i++) {
		gva_t gva = 0x12345678;
		struct walker_path path = path_of(nothing_cached[i].mode, gva,
						  nothing_cached[i].leaf);

		path.ept_levels = nothing_cached[i].ept_levels;
		path.ept_leaf = nothing_cached[i].ept_leaf;
		for (int k = 0; k < 2; k++) {
			struct walker_counts c = walk_at(&path, gva, 0);

			if (sum(c.refs) != nothing_cached[i].reads ||
			    sum(c.charged) != nothing_cached[i].reads)
				fail_msg("case %zu: %u reads, want %u", i,
					 sum(c.refs), nothing_cached[i].reads);
			assert_int_equal(c.refs[CACHE_MEM],
					 nothing_cached[i].reads);
			assert_int_equal(c.psc_level, 0);
			assert_int_equal(c.ept_refs,
					 path.ept_levels
						 ? c.refs[CACHE_MEM] - path.nr
						 : 0);
		}
	}
	walker_finish(&walker);
}

/* A walk begins behind the lowest entry that is known. */
static void upper_entries_are_known(void **state)
{
	(void)state;
	begin(&cached);
	assert_int_equal(reads(PAGING_4LEVEL, 0, 1), 4);
	assert_int_equal(reads(PAGING_4LEVEL, 0x1000, 1), 1);
	assert_int_equal(reads(PAGING_4LEVEL, 0x200000, 1), 2);
	assert_int_equal(reads(PAGING_4LEVEL, 0x40000000, 1), 3);
	assert_int_equal(reads(PAGING_4LEVEL, BIT(39), 1), 4);
	/* A 2 MiB page has no entry there, its directory has. */
	assert_int_equal(reads(PAGING_4LEVEL, 0x600000, 2), 1);
	assert_int_equal(reads(PAGING_4LEVEL, 0x600000, 2), 1);
	/* Where a table was and a large page is, all is read anew. */
	assert_int_equal(reads(PAGING_4LEVEL, 0x200000, 2), 3);
	walker_finish(&walker);

	begin(&cached);
	assert_int_equal(reads(PAGING_5LEVEL, 0, 1), 5);
	assert_int_equal(reads(PAGING_5LEVEL, BIT(39), 1), 4);
	assert_int_equal(reads(PAGING_5LEVEL, BIT(39) | 0x1000, 1), 1);
	walker_finish(&walker);

	/* Four kinds of entry by 10 bits of a 32-bit address. */
	begin(&cached);
	assert_int_equal(reads(PAGING_32, 0x400000, 1), 2);
	assert_int_equal(reads(PAGING_32, 0x7ff000, 1), 1);
	assert_int_equal(reads(PAGING_32, 0x800000, 1), 2);
	walker_finish(&walker);
}

/* As many as there is room for. */
static void room_is_limited(void **state)
{
	(void)state;
	begin(&cached);
	for (gva_t i = 0; i < 33; i++)
		reads(PAGING_4LEVEL, i << 21, 1);
	/* The first of 33 has made room for the last. */
	assert_int_equal(reads(PAGING_4LEVEL, UINT64_C(1) << 21, 1), 1);
	assert_int_equal(reads(PAGING_4LEVEL, 0, 1), 2);
	walker_finish(&walker);
}

/* Of 32 the second is the oldest, once the first has been used again. */
static void used_entries_stay(void **state)
{
	(void)state;
	begin(&cached);
	for (gva_t i = 0; i < 32; i++)
		reads(PAGING_4LEVEL, i << 21, 1);
	assert_int_equal(reads(PAGING_4LEVEL, 0, 1), 1);
	reads(PAGING_4LEVEL, UINT64_C(32) << 21, 1);
	assert_int_equal(reads(PAGING_4LEVEL, 0, 1), 1);
	assert_int_equal(reads(PAGING_4LEVEL, UINT64_C(1) << 21, 1), 2);
	walker_finish(&walker);
}

/* Where reads end: nowhere yet, near, and behind what has pushed them out. */
static void reads_end_in_caches(void **state)
{
	struct walker_path path = path_of(PAGING_4LEVEL, 0, 1);
	struct walker_counts c;

	(void)state;
	begin(&cached);
	c = walk_at(&path, 0, 0);
	assert_int_equal(c.refs[CACHE_MEM], 4);
	/* The neighbour's entry is in the same line. */
	c = walk_at(&path, 0x1000, 0);
	assert_int_equal(c.refs[CACHE_L1], 1);
	assert_int_equal(sum(c.refs), 1);
	/* Eight other lines of that set push it out, to the third level. */
	for (uint64_t i = 1; i <= 8; i++) {
		path.at[3] += 64 * 64;
		c = walk_at(&path, 0x1000, 0);
		assert_int_equal(c.refs[CACHE_MEM], 1);
	}
	path = path_of(PAGING_4LEVEL, 0, 1);
	c = walk_at(&path, 0x1000, 0);
	assert_int_equal(c.refs[CACHE_L3], 1);
	c = walk_at(&path, 0x1000, 0);
	assert_int_equal(c.refs[CACHE_L1], 1);
	walker_finish(&walker);
}

/* Half of 64 sets, and one set of its ways. */
static void tables_have_a_share(void **state)
{
	struct cpu_geometry g = bare;
	struct caches caches;

	(void)state;
	g.cache[0] = (struct cpu_array){64, 2, CPU_LRU};
	g.cache[1] = (struct cpu_array){1, 8, CPU_LRU};
	g.table_share = 50;
	assert_int_equal(caches_init(&caches, &g), 0);
	assert_int_equal(caches.level[0].sets, 32);
	assert_int_equal(caches.level[1].ways, 4);
	caches_finish(&caches);
	g.table_share = 1;
	assert_int_equal(caches_init(&caches, &g), 0);
	assert_int_equal(caches.level[0].sets, 1);
	assert_int_equal(caches.level[1].ways, 1);
	caches_finish(&caches);
}

static struct walker_path nested(gva_t gva)
{
	struct walker_path path = path_of(PAGING_4LEVEL, gva, 1);

	path.ept_levels = 4;
	path.ept_leaf = 1;
	return path;
}

static void both_dimensions_are_cached(void **state)
{
	struct walker_path path = nested(0);
	struct walker_counts c;

	(void)state;
	begin(&cached);
	/*
	 * Four tables a page of their own, 1 TiB apart, and the page: each has
	 * its EPT walk.  The second to fourth level of EPT is as far apart.
	 */
	c = walk_at(&path, 0, 0);
	assert_int_equal(sum(c.refs), 24);
	assert_int_equal(c.ept_refs, 20);
	assert_int_equal(c.nested_lookups, 5);
	assert_int_equal(c.nested_hits, 0);
	/*
	 * The next page: behind the directory's entry.  Its table's gpa is in
	 * the nested TLB; the page's is not, but the EPT entry above it is.
	 */
	path = nested(0x1000);
	c = walk_at(&path, 0x1000, 0);
	assert_int_equal(c.psc_level, 2);
	assert_int_equal(sum(c.refs), 2);
	assert_int_equal(c.ept_refs, 1);
	assert_int_equal(c.nested_lookups, 2);
	assert_int_equal(c.nested_hits, 1);
	/* INVEPT takes all of it: 1 + 4 guest reads, 2 translations. */
	walker_flush_nested(&walker);
	c = walk_at(&path, 0x1000, 0);
	assert_int_equal(sum(c.refs), 1 + 2 * 4);
	walker_finish(&walker);
}

/* Two walkers: a second walk within the window is behind the first. */
static void walks_overlap(void **state)
{
	struct cpu_geometry g = bare;
	struct walker_path four = path_of(PAGING_4LEVEL, 0, 1);
	struct walker_path five = path_of(PAGING_5LEVEL, 0, 1);
	static const struct {
		uint64_t insns;
		bool five;
		unsigned int charged;
		bool overlaps;
	} walks[] = {
		{100, false, 4, false}, /* the first */
		{110, true, 1, true},   /* one read longer than it */
		{110, false, 4, false}, /* both walkers are at work: next */
		{120, false, 0, true},  {131, false, 4, false},
		{142, false, 4, false}, /* beyond the window */
	};

	(void)state;
	g.walkers = 2;
	g.walk_window = 10;
	begin(&g);
	for (size_t i = 0; i < ARRAY_LEN(walks); i++) {
		struct walker_counts c = walk_at(walks[i].five ? &five : &four,
						 0, walks[i].insns);

		assert_int_equal(sum(c.refs), walks[i].five ? 5 : 4);
		assert_int_equal(sum(c.charged), walks[i].charged);
		assert_int_equal(c.overlaps, walks[i].overlaps);
	}
	walker_serialize(&walker);
	assert_int_equal(sum(walk_at(&four, 0, 142).charged), 4);
	walker_finish(&walker);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_cached),
		cmocka_unit_test(upper_entries_are_known),
		cmocka_unit_test(room_is_limited),
		cmocka_unit_test(used_entries_stay),
		cmocka_unit_test(reads_end_in_caches),
		cmocka_unit_test(tables_have_a_share),
		cmocka_unit_test(both_dimensions_are_cached),
		cmocka_unit_test(walks_overlap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
