/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cpu/walker.h"

#include <string.h>

/* What an EPT entry of this level and address is said to be at. */
#define EPT_TABLES_SHIFT 54

int walker_init(struct walker *walker, const struct cpu_geometry *geometry)
{
	int err;

	memset(walker, 0, sizeof(*walker));
	walker->walkers = geometry->walkers;
	walker->window = geometry->walk_window;
	err = psc_init(&walker->psc, geometry->psc);
	if (!err)
		err = psc_init(&walker->nested_psc, geometry->nested_psc);
	if (!err)
		err = assoc_init(&walker->nested_tlb, &geometry->nested_tlb);
	if (!err)
		err = caches_init(&walker->caches, geometry);
	return err;
}

void walker_finish(struct walker *walker)
{
	psc_finish(&walker->psc);
	psc_finish(&walker->nested_psc);
	assoc_finish(&walker->nested_tlb);
	caches_finish(&walker->caches);
}

void walker_flush_nested(struct walker *walker)
{
	assoc_clear(&walker->nested_tlb);
	psc_flush(&walker->nested_psc);
}

/* A walk under way. */
struct walk_state {
	struct walker *walker;
	struct walker_counts *counts;
	unsigned int nr;     /* reads so far */
	unsigned int hidden; /* of them, the first so many at most */
};

static void reference(struct walk_state *s, hpa_t at)
{
	enum cache_level level = caches_reference(&s->walker->caches, at);

	s->counts->refs[level]++;
	if (s->nr++ >= s->hidden)
		s->counts->charged[level]++;
}

/* --- Guest-physical addresses -------------------------------------------- */

static hpa_t ept_entry(gpa_t gpa, int level)
{
	return (hpa_t)level << EPT_TABLES_SHIFT | gpa >> pt_shift(level) << 3;
}

static bool is_nested_known(struct walker *walker, gpa_t gpa, int leaf)
{
	struct assoc *a = &walker->nested_tlb;
	uint64_t page = gpa >> pt_shift(leaf);
	uint64_t tag = BIT(49) | (uint64_t)leaf << 45 | page;

	return a->sets && assoc_use(a, assoc_set(a, page), tag, NULL);
}

static void translate_gpa(struct walk_state *s, const struct walker_path *path,
			  gpa_t gpa)
{
	enum paging_mode mode =
		path->ept_levels == 5 ? PAGING_5LEVEL : PAGING_4LEVEL;
	struct walker *walker = s->walker;
	int known, level = path->ept_levels, leaf = path->ept_leaf;

	caches_expect(&walker->caches, ept_entry(gpa, leaf));
	s->counts->nested_lookups++;
	if (is_nested_known(walker, gpa, leaf)) {
		s->counts->nested_hits++;
		return;
	}
	known = psc_lookup(&walker->nested_psc, mode, gpa);
	if (known > leaf)
		level = known - 1;
	for (; level >= leaf; level--) {
		reference(s, ept_entry(gpa, level));
		s->counts->ept_refs++;
		if (level > leaf)
			psc_fill(&walker->nested_psc, mode, gpa, level);
	}
}

/* --- Walks --------------------------------------------------------------- */

/* How many reads at the beginning are hidden behind an earlier walk. */
static unsigned int join_group(struct walker *walker, uint64_t insns)
{
	bool joins = walker->group && walker->group < walker->walkers &&
		     insns - walker->group_began <= walker->window;

	if (joins) {
		walker->group++;
		return walker->longest;
	}
	walker->group = 1;
	walker->group_began = insns;
	walker->longest = 0;
	return 0;
}

/* Number of entries that the caches spare; the last one is always read. */
static unsigned int spared(struct walker *walker,
			   const struct walker_path *path, gva_t gva,
			   struct walker_counts *counts)
{
	int known = psc_lookup(&walker->psc, path->mode, gva);
	unsigned int nr;

	if (!known)
		return 0;
	nr = (unsigned int)(paging_levels(path->mode) - known + 1);
	if (nr >= path->nr)
		return 0;
	counts->psc_level = (uint8_t)known;
	return nr;
}

void walker_walk(struct walker *walker, const struct walker_path *path,
		 gva_t gva, uint64_t insns, struct walker_counts *ret)
{
	struct walk_state s = {.walker = walker, .counts = ret};
	int level = paging_levels(path->mode);

	*ret = (struct walker_counts){0};
	if (path->nr)
		caches_expect(&walker->caches, path->at[path->nr - 1]);
	s.hidden = join_group(walker, insns);
	ret->overlaps = walker->group > 1;
	for (unsigned int i = spared(walker, path, gva, ret); i < path->nr;
	     i++) {
		if (path->ept_levels)
			translate_gpa(&s, path, path->at[i]);
		reference(&s, path->at[i]);
		if (i + 1 < path->nr)
			psc_fill(&walker->psc, path->mode, gva, level - (int)i);
	}
	if (path->ept_levels && path->has_page)
		translate_gpa(&s, path, path->page);
	ret->reads = (uint8_t)s.nr;
	ret->hidden = (uint8_t)(s.nr < s.hidden ? s.nr : s.hidden);
	if (s.nr > walker->longest)
		walker->longest = s.nr;
}
