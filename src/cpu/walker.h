/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The page walker: which table entries a walk reads, given what the paging-
 * structure caches know, and how far away each of them is.
 *
 * Beneath EPT every guest-physical address on the way is translated, too: by
 * the nested TLB, or by a walk of EPT tables through caches of their own.  With
 * nothing cached, g guest levels and h of EPT are (g + 1)(h + 1) - 1 reads.  An
 * upper guest entry that is cached leads to its table's host address (SDM vol.
 * 3C, "Information That May Be Cached": combined mappings), so that it spares
 * that table's EPT walk.  EPT tables are at made-up addresses: a linear array a
 * level, far above memory.
 *
 * A processor of several walkers works on so many walks at a time.  Those that
 * begin within a window of instructions are one group, which takes as long as
 * its longest: what a walk reads up to there is hidden behind it.
 */
#ifndef NOTRAP_CPU_WALKER_H
#define NOTRAP_CPU_WALKER_H

#include "cpu/caches.h"
#include "cpu/psc.h"

/* What a walk is to read, from the top, if nothing is cached. */
struct walker_path {
	enum paging_mode mode;
	uint8_t nr;
	uint8_t ept_levels;     /* 4, 5; 0: not beneath EPT */
	uint8_t ept_leaf;       /* level of its leaf entries */
	bool has_page;          /* the walk has come to a page: beneath EPT, */
	gpa_t page;             /* which is translated as well */
	hpa_t at[PT_LEVEL_MAX]; /* of each entry; beneath EPT, a gpa */
};

struct walker_counts {
	/* Reads by where they ended: all, and those that take time. */
	uint8_t refs[NR_CACHE_LEVELS];
	uint8_t charged[NR_CACHE_LEVELS];
	uint8_t reads, hidden; /* all; those that take none */
	uint8_t ept_refs;      /* among refs: of EPT tables */
	uint8_t nested_lookups, nested_hits;
	uint8_t psc_level; /* 2..5: of the cached entry it began behind; 0 */
	bool overlaps;     /* it is not the first of its group */
};

struct walker {
	struct psc psc;
	struct assoc nested_tlb;
	struct psc nested_psc;
	struct caches caches;

	unsigned int walkers;
	uint64_t window;
	/* The group at hand. */
	unsigned int group;
	uint64_t group_began;
	unsigned int longest;
};

/* -ENOMEM: walker_finish() is fine. */
int walker_init(struct walker *walker, const struct cpu_geometry *geometry);
void walker_finish(struct walker *walker);

/* insns: instruction clock. */
void walker_walk(struct walker *walker, const struct walker_path *path,
		 gva_t gva, uint64_t insns, struct walker_counts *ret);

/* An exit, a fault: what comes then overlaps nothing before. */
static inline void walker_serialize(struct walker *walker)
{
	walker->group = 0;
}

/* Guest-physical mappings are gone. */
void walker_flush_nested(struct walker *walker);

#endif
