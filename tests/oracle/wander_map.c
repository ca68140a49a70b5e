/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "wander_map.h"

#include <string.h>

#define P  1u
#define W  2u
#define U  4u
#define A  0x20u
#define D  0x40u
#define PS 0x80u
#define G  0x100u

static uint64_t bit(int n)
{
	return (uint64_t)1 << n;
}

static bool is_long(const struct wander_map *map)
{
	return map->mode == ORACLE_4LEVEL || map->mode == ORACLE_5LEVEL;
}

int wander_shift(const struct wander_map *map, int level)
{
	return 12 + (map->mode == ORACLE_32 ? 10 : 9) * (level - 1);
}

/* Index of the kernel's entry in a table of the top level. */
static unsigned kernel_index(const struct wander_map *map)
{
	return map->mode == ORACLE_PAE ? 3 : map->entries / 4 * 3;
}

void wander_map_init(struct wander_map *map, enum oracle_mode mode, bool has_1g)
{
	static const int tops[] = {
		[ORACLE_32] = 2,
		[ORACLE_PAE] = 3,
		[ORACLE_4LEVEL] = 4,
		[ORACLE_5LEVEL] = 5,
	};
	static const unsigned nr[6] = {0, 8, 4, 3, 2, 2};
	unsigned frame = 1;
	uint64_t kva;

	*map = (struct wander_map){
		.mode = mode,
		.top = tops[mode],
		.bytes = mode == ORACLE_32 ? 4 : 8,
		.entries = mode == ORACLE_32 ? 1024 : 512,
		.large3 = has_1g,
	};
	for (int level = map->top; level; level--) {
		map->first[level] = frame;
		map->nr[level] = level == map->top ? 2 : nr[level];
		frame += map->nr[level];
	}
	for (int level = map->top - 1; level; level--)
		map->kernel[level] = frame++;
	map->data = frame;

	kva = (uint64_t)kernel_index(map) << wander_shift(map, map->top);
	if (is_long(map)) {
		int width = map->mode == ORACLE_5LEVEL ? 57 : 48;

		kva |= ~(bit(width) - 1);
	}
	map->kva = kva;
}

int wander_level(const struct wander_map *map, uint64_t frame)
{
	for (int level = map->top; level; level--)
		if (frame >= map->first[level] &&
		    frame < map->first[level] + map->nr[level])
			return level;
	return 0;
}

bool wander_is_kernel_slot(const struct wander_map *map, int level,
			   unsigned index)
{
	return level == map->top && index == kernel_index(map);
}

uint64_t wander_rand(uint64_t *rng)
{
	*rng ^= *rng << 13;
	*rng ^= *rng >> 7;
	*rng ^= *rng << 17;
	return *rng * UINT64_C(0x9e3779b97f4a7c15);
}

uint32_t wander_below(uint64_t *rng, uint32_t n)
{
	return (uint32_t)(wander_rand(rng) >> 32) % n;
}

bool wander_chance(uint64_t *rng, uint32_t percent)
{
	return wander_below(rng, 100) < percent;
}

static uint64_t leaf_frame(const struct wander_map *map, uint64_t *rng)
{
	unsigned dice = wander_below(rng, 100);

	if (dice < 35) /* tables as data: aliases of them, self-maps */
		return 1 + wander_below(rng, map->kernel[map->top - 1] - 1);
	if (dice < 41) /* no RAM there */
		return WANDER_FRAMES + wander_below(rng, 4096);
	return map->data +
	       wander_below(rng, (uint32_t)WANDER_FRAMES - map->data);
}

static uint64_t leaf(const struct wander_map *map, uint64_t *rng)
{
	uint64_t entry = P | leaf_frame(map, rng) << 12;

	entry |= wander_chance(rng, 65) ? W : 0;
	entry |= wander_chance(rng, 70) ? U : 0;
	entry |= wander_chance(rng, 70) ? A : 0;
	entry |= wander_chance(rng, 60) ? D : 0;
	entry |= wander_chance(rng, 20) ? G : 0;
	entry |= wander_chance(rng, 10) ? PS : 0; /* PAT */
	entry |= (uint64_t)wander_below(rng, 8) << 9;
	if (map->mode != ORACLE_32 && wander_chance(rng, 20))
		entry |= bit(63);
	if (is_long(map) && wander_chance(rng, 50))
		entry |= (uint64_t)wander_below(rng, 4) << 59;
	if (is_long(map) && wander_chance(rng, 10))
		entry |= (uint64_t)wander_below(rng, 128) << 52;
	return entry;
}

static uint64_t large(const struct wander_map *map, uint64_t *rng, int level)
{
	/* Rights and D of large entries are in no key before 3.1. */
	uint64_t entry = P | W | U | A | D | PS;

	if (wander_chance(rng, 50))
		entry |= (uint64_t)wander_below(rng, 4)
			 << wander_shift(map, level);
	return entry;
}

static bool may_be_large(const struct wander_map *map, int level)
{
	return level == 2 || (level == 3 && map->large3);
}

uint64_t wander_entry(const struct wander_map *map, uint64_t *rng, int level)
{
	uint64_t mask = map->bytes == 4 ? UINT32_MAX : UINT64_MAX;
	uint64_t entry;

	if (map->mode == ORACLE_PAE && level == 3) /* loaded with CR3 */
		return wander_chance(rng, 15)
			       ? 0
			       : P | (uint64_t)(map->first[2] +
						wander_below(rng, map->nr[2]))
						 << 12;
	if (wander_chance(rng, level > 1 ? 8 : 22))
		return wander_chance(rng, 50)
			       ? 0
			       : wander_rand(rng) & mask & ~(uint64_t)P;
	if (level == 1)
		return leaf(map, rng);
	if (may_be_large(map, level) && wander_chance(rng, 12))
		return large(map, rng, level);
	entry = P | W | U;
	entry |= wander_chance(rng, 70) ? A : 0;
	entry |= wander_chance(rng, 30) ? D : 0;
	return entry | (uint64_t)(map->first[level - 1] +
				  wander_below(rng, map->nr[level - 1]))
			       << 12;
}

unsigned wander_index(const struct wander_map *map, uint64_t *rng, int level)
{
	if (level == 1 && map->has_pairs) {
		uint32_t n = wander_below(rng, 8);

		return (n / 2 * 73 + n % 2) % map->entries;
	}
	if (level == 1)
		return wander_below(rng, 8) * 73 % map->entries;
	return wander_below(rng, level == map->top ? 2 : 3);
}

uint64_t wander_va(const struct wander_map *map, uint64_t *rng)
{
	uint64_t va = wander_below(rng, 512) * 8;

	for (int level = map->top; level; level--)
		va |= (uint64_t)wander_index(map, rng, level)
		      << wander_shift(map, level);
	return va;
}

static void put(const struct wander_map *map, uint8_t *ram, unsigned frame,
		unsigned index, uint64_t entry)
{
	memcpy(ram + ((uint64_t)frame << 12) +
		       (uint64_t)index * (unsigned)map->bytes,
	       &entry, (size_t)map->bytes);
}

void wander_map_kernel(const struct wander_map *map, uint8_t *ram)
{
	const uint64_t link = P | W | A | D;
	uint64_t top_link = map->mode == ORACLE_PAE ? P : link;

	for (unsigned i = 0; i < 2; i++)
		put(map, ram, map->first[map->top] + i, kernel_index(map),
		    top_link | (uint64_t)map->kernel[map->top - 1] << 12);
	for (int level = map->top - 1; level > 1; level--)
		put(map, ram, map->kernel[level], 0,
		    link | (uint64_t)map->kernel[level - 1] << 12);
	for (unsigned i = 0; i < WANDER_FRAMES; i++)
		put(map, ram, map->kernel[1], i, link | (uint64_t)i << 12);
}
