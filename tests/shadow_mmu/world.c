/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "world.h"

static const struct {
	uint32_t first, nr;
} tables[] = {
	[4] = {1, 2}, [3] = {3, 3}, [2] = {6, 5}, [1] = {11, 12}, [5] = {23, 2},
};

/* xorshift64*; never seeded with 0. */
uint64_t world_rand(struct world *w)
{
	w->rng ^= w->rng >> 12;
	w->rng ^= w->rng << 25;
	w->rng ^= w->rng >> 27;
	return w->rng * UINT64_C(0x2545f4914f6cdd1d);
}

int world_level(uint64_t gfn)
{
	for (int level = 1; level <= 5; level++)
		if (gfn >= tables[level].first &&
		    gfn < tables[level].first + tables[level].nr)
			return level;
	return 0;
}

uint64_t world_table(struct world *w, int level)
{
	if (w->wild)
		return 1 + world_below(w, WORLD_TABLES);
	return tables[level].first + world_below(w, tables[level].nr);
}

static uint64_t random_rights(struct world *w)
{
	uint64_t bits = 0;

	bits |= world_chance(w, 65) ? 2 : 0;
	bits |= world_chance(w, 75) ? 4 : 0;
	bits |= world_chance(w, 15) ? BIT(63) : 0;
	return bits;
}

static uint64_t random_ad(struct world *w)
{
	uint64_t bits = 0;

	bits |= world_chance(w, 70) ? 0x20 : 0;
	bits |= world_chance(w, 60) ? 0x40 : 0;
	return bits;
}

static uint64_t random_frame(struct world *w)
{
	if (world_chance(w, 40)) /* tables as data: aliases, self-maps */
		return 1 + world_below(w, WORLD_TABLES);
	if (world_chance(w, 8)) /* no RAM */
		return WORLD_FRAMES + world_below(w, 1u << 20);
	return world_below(w, WORLD_FRAMES);
}

static uint64_t large_page(struct world *w, int level)
{
	uint64_t entry = 1 | 0x80 | random_ad(w);

	entry |= w->large_rights ? random_rights(w) : 6;
	if (world_chance(w, 40)) /* most of it is no RAM */
		entry |= (uint64_t)world_below(w, 8) << (12 + 9 * (level - 1));
	return entry;
}

static uint64_t tame_entry(struct world *w, int level)
{
	if (level == 1)
		return 1 | random_rights(w) | random_ad(w) |
		       random_frame(w) << 12;
	if (level < 4 && world_chance(w, 15))
		return large_page(w, level);
	return 7 | random_ad(w) | world_table(w, level - 1) << 12;
}

static uint64_t wild_entry(struct world *w, int level)
{
	uint64_t entry = world_rand(w) & 0xfff & ~UINT64_C(0x80);

	entry |= 1 | random_rights(w) | random_ad(w);
	entry |= world_chance(w, 12) ? 0x80 : 0;
	entry |= (level > 1 && world_chance(w, 80)
			  ? 1 + world_below(w, WORLD_TABLES)
			  : random_frame(w))
		 << 12;
	if (world_chance(w, 4)) /* reserved bits */
		entry |= BIT(36 + world_below(w, 16));
	if (world_chance(w, 3)) /* ignored ones; reserved in PAE */
		entry |= BIT(52 + world_below(w, 11));
	return entry;
}

uint64_t world_entry(struct world *w, int level)
{
	if (world_chance(w, level > 1 ? 10 : 25)) { /* absent, bit 0 says so */
		uint64_t junk = world_rand(w) & ~UINT64_C(1);

		if (!w->wild && level > 1)
			junk &= UINT32_MAX;
		return world_chance(w, 50) ? 0 : junk;
	}
	return w->wild ? wild_entry(w, level) : tame_entry(w, level);
}

/* Four entries of each upper table, eight of a page table. */
gva_t world_gva(struct world *w, int levels)
{
	static const uint32_t upper[] = {0, 1, 2, 511};
	gva_t gva = world_below(w, 4096);

	if (!levels) /* paging off: some of it past the end of RAM */
		return (gva_t)world_below(w, WORLD_FRAMES + 16) << 12 | gva;
	if (levels == 2) { /* the lower halves of what others see */
		gva |= (gva_t)(world_below(w, 8) * 73 % 512) << 13;
		return gva | (gva_t)upper[world_below(w, 4)] << 23;
	}
	gva |= (gva_t)(world_below(w, 8) * 73 % 512) << 12;
	gva |= (gva_t)upper[world_below(w, 4)] << 21;
	gva |= (gva_t)world_below(w, 4) << 30;
	if (levels >= 4)
		gva |= (gva_t)(world_below(w, 2) ? 511 : 0) << 39;
	if (levels == 5)
		return gva | (world_below(w, 2) ? BITS(63, 48) : 0);
	return levels == 4 && (gva & BIT(47)) ? gva | BITS(63, 48) : gva;
}

gpa_t world_gpa(struct world *w)
{
	uint64_t frame = world_chance(w, 85) ? 1 + world_below(w, WORLD_TABLES)
					     : world_below(w, WORLD_FRAMES);
	uint64_t index = world_chance(w, 80) ? world_below(w, 8) * 73 % 512
					     : world_below(w, 512);

	if (world_level(frame) > 1 && world_chance(w, 90))
		index = world_below(w, 4) == 3 ? 511 : world_below(w, 3);
	return frame << 12 | index << 3;
}
