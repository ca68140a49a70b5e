/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is no geometry is told, and the generic one is one. */
#include <stdio.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "cpu/geometry.h"

static void generic_is_one(void **state)
{
	(void)state;
	assert_null(cpu_geometry_flaw(&cpu_geometry_generic));
}

static void no_ways(struct cpu_geometry *g)
{
	g->tlb[1].array.ways = 0;
}

static void many_ways(struct cpu_geometry *g)
{
	g->nested_tlb.ways = CPU_WAYS_MAX + 1;
}

static void policy(struct cpu_geometry *g)
{
	g->psc[PSC_PDPTE].policy = CPU_RANDOM + 1;
}

static void wide_tree(struct cpu_geometry *g)
{
	g->cache[1].policy = CPU_PLRU;
	g->cache[1].ways = CPU_PLRU_WAYS_MAX + 1;
}

static void level(struct cpu_geometry *g)
{
	g->tlb[2].level = 3;
}

static void no_kind(struct cpu_geometry *g)
{
	g->tlb[0].kinds = 0;
}

static void no_size(struct cpu_geometry *g)
{
	g->tlb[0].sizes = 0;
}

static void no_sets(struct cpu_geometry *g)
{
	g->tlb[3].array.sets = 0;
}

static void many_tlbs(struct cpu_geometry *g)
{
	g->nr_tlbs = TLB_ARRAYS_MAX + 1;
}

static void no_small_fetch(struct cpu_geometry *g)
{
	g->tlb[0].sizes = TLB_SIZE_2M;
}

static void crossed(struct cpu_geometry *g)
{
	g->tlb[5].kinds = TLB_KIND_LOAD;
	g->tlb[4].sizes |= TLB_SIZE_2M;
}

static void no_share(struct cpu_geometry *g)
{
	g->table_share = 0;
}

static void no_walker(struct cpu_geometry *g)
{
	g->walkers = 0;
}

static const struct {
	const char *name;
	void (*spoil)(struct cpu_geometry *g);
	const char *says;
} flaws[] = {
	{"a TLB without ways", no_ways, "no ways"},
	{"a nested TLB of too many ways", many_ways, "too many"},
	{"an unknown policy", policy, "policy"},
	{"a tree of 65 ways", wide_tree, "64 ways"},
	{"a TLB of level 3", level, "level"},
	{"a TLB for no kind", no_kind, "kind"},
	{"a TLB for no size", no_size, "page size"},
	{"a TLB without sets", no_sets, "entries"},
	{"too many TLBs", many_tlbs, "too many TLBs"},
	{"no small pages for fetches", no_small_fetch, "4 KiB"},
	{"kinds that overlap", crossed, "share a page size"},
	{"no share of the caches", no_share, "share"},
	{"no walker", no_walker, "walker"},
};

static void flaws_are_told(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(flaws) / sizeof(*flaws); i++) {
		struct cpu_geometry g = cpu_geometry_generic;
		const char *said;

		flaws[i].spoil(&g);
		said = cpu_geometry_flaw(&g);
		if (!said || !strstr(said, flaws[i].says))
			fail_msg("%s: told \"%s\", wanted \"%s\"",
				 flaws[i].name, said ? said : "",
				 flaws[i].says);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(generic_is_one),
		cmocka_unit_test(flaws_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
