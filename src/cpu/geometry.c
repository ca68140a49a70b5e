/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cpu/geometry.h"

#include <stddef.h>

/*
 * TLBs, caches: InstLatx64's dumps of CPUID leaves 2 and 4, Core 2.  The
 * paging-structure caches are ChampSim's defaults for a core of today; the
 * nested TLB is of the size of K10's (Bhargava et al., ASPLOS 2008, from
 * memory, medium confidence).  That a quarter of each cache holds tables is an
 * assumption.
 */
const struct cpu_geometry cpu_geometry_generic = {
	.tlb =
		{
			{"itlb-4k", 1, TLB_KIND_FETCH, TLB_SIZE_4K, {32, 4, 0}},
			{"itlb-2m", 1, TLB_KIND_FETCH, TLB_SIZE_2M, {2, 4, 0}},
			{"dtlb0-4k",
			 1,
			 TLB_KIND_LOAD | TLB_KIND_STORE,
			 TLB_SIZE_4K,
			 {4, 4, 0}},
			{"dtlb0-2m",
			 1,
			 TLB_KIND_LOAD | TLB_KIND_STORE,
			 TLB_SIZE_2M,
			 {4, 4, 0}},
			{"dtlb1-4k",
			 2,
			 TLB_KIND_LOAD | TLB_KIND_STORE,
			 TLB_SIZE_4K,
			 {64, 4, 0}},
			{"dtlb1-2m",
			 2,
			 TLB_KIND_LOAD | TLB_KIND_STORE,
			 TLB_SIZE_2M,
			 {8, 4, 0}},
		},
	.nr_tlbs = 6,
	.psc =
		{
			[PSC_PDE] = {4, 8, CPU_LRU},
			[PSC_PDPTE] = {2, 4, CPU_LRU},
			[PSC_PML4E] = {1, 4, CPU_LRU},
			[PSC_PML5E] = {1, 2, CPU_LRU},
		},
	.nested_tlb = {1, 16, CPU_LRU},
	.cache = {{64, 8, CPU_LRU}, {4096, 16, CPU_LRU}},
	.table_share = 25,
	.walkers = 1,
};

static const char *array_flaw(const struct cpu_array *a)
{
	if (!a->sets)
		return NULL;
	if (!a->ways || a->ways > CPU_WAYS_MAX)
		return "an array has no ways, or too many";
	if (a->policy > CPU_RANDOM)
		return "a replacement policy that there is not";
	if (a->policy == CPU_PLRU && a->ways > CPU_PLRU_WAYS_MAX)
		return "tree-PLRU of more than 64 ways";
	return NULL;
}

static const char *desc_flaw(const struct tlb_array_desc *d)
{
	const uint32_t kinds = TLB_KIND_FETCH | TLB_KIND_LOAD | TLB_KIND_STORE;
	const uint32_t sizes = TLB_SIZE_4K | TLB_SIZE_2M | TLB_SIZE_1G;

	if (d->level < 1 || d->level > TLB_LEVELS)
		return "a TLB's level is neither 1 nor 2";
	if (!d->kinds || (d->kinds & ~kinds) || !d->sizes ||
	    (d->sizes & ~sizes))
		return "a TLB without a kind or without a page size";
	if (!d->array.sets)
		return "a TLB without entries";
	return array_flaw(&d->array);
}

static bool is_crossed(const struct tlb_array_desc *a,
		       const struct tlb_array_desc *b)
{
	return a->level == b->level && (a->sizes & b->sizes) &&
	       (a->kinds & b->kinds) && a->kinds != b->kinds;
}

static const char *crossing(const struct cpu_geometry *g)
{
	for (unsigned int i = 0; i < g->nr_tlbs; i++)
		for (unsigned int k = 0; k < i; k++)
			if (is_crossed(&g->tlb[i], &g->tlb[k]))
				return "two TLBs of a level share a page size "
				       "and some, but not all kinds";
	return NULL;
}

/* Every kind finds 4 KiB pages in the first level. */
static const char *tlb_flaw(const struct cpu_geometry *g)
{
	unsigned int small = 0;

	if (g->nr_tlbs > TLB_ARRAYS_MAX)
		return "too many TLBs";
	for (unsigned int i = 0; i < g->nr_tlbs; i++) {
		const char *flaw = desc_flaw(&g->tlb[i]);

		if (flaw)
			return flaw;
		if (g->tlb[i].level == 1 && (g->tlb[i].sizes & TLB_SIZE_4K))
			small |= g->tlb[i].kinds;
	}
	if (small != (TLB_KIND_FETCH | TLB_KIND_LOAD | TLB_KIND_STORE))
		return "a kind of reference has no first-level TLB of 4 KiB "
		       "pages";
	return crossing(g);
}

const char *cpu_geometry_flaw(const struct cpu_geometry *g)
{
	const char *flaw = tlb_flaw(g);

	for (unsigned int i = 0; !flaw && i < NR_PSC; i++) {
		flaw = array_flaw(&g->psc[i]);
		if (!flaw)
			flaw = array_flaw(&g->nested_psc[i]);
	}
	if (!flaw)
		flaw = array_flaw(&g->nested_tlb);
	for (unsigned int i = 0; !flaw && i < CPU_CACHES; i++)
		flaw = array_flaw(&g->cache[i]);
	if (flaw)
		return flaw;
	if (!g->table_share || g->table_share > 100)
		return "the tables' share of the caches is not 1..100";
	return g->walkers ? NULL : "a processor without a page walker";
}
