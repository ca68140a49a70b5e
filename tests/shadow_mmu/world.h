/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Random guests for the mutation test: 1 MiB of RAM, of which the first frames
 * are tables, and what a random kernel writes into them.
 *
 * Tame: each frame is a table of one level and upper entries grant all, so
 * that the shadow must agree with the guest in every right.  Wild: any frame
 * is a table of any level and any bit is random; known flaws of the time then
 * show in rights, and only there.
 */
#ifndef NOTRAP_TESTS_SHADOW_MMU_WORLD_H
#define NOTRAP_TESTS_SHADOW_MMU_WORLD_H

#include "base/types.h"

#define WORLD_RAM    (UINT64_C(1) << 20)
#define WORLD_FRAMES 256u
/* Frames 1..24 are tables: PML4s, PDPTs, PDs, PTs, PML5s in this order. */
#define WORLD_TABLES 24u

struct world {
	uint64_t rng;
	bool wild;
	bool large_rights; /* tame large pages have random rights */
};

uint64_t world_rand(struct world *w);
static inline uint32_t world_below(struct world *w, uint32_t n)
{
	return (uint32_t)(world_rand(w) >> 32) % n;
}
static inline bool world_chance(struct world *w, uint32_t percent)
{
	return world_below(w, 100) < percent;
}

/* Level of the table in this frame (1..5), 0: data. */
int world_level(uint64_t gfn);
/* A frame that is a table of this level. */
uint64_t world_table(struct world *w, int level);

/* What the kernel may write as an entry of a table of this level. */
uint64_t world_entry(struct world *w, int level);
/* An address, among few enough to meet again. */
gva_t world_gva(struct world *w, int levels);
gpa_t world_gpa(struct world *w);

#endif
