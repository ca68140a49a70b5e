/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where the tables of a wandering guest lie, and what is written into them. */
#ifndef NOTRAP_TESTS_ORACLE_WANDER_MAP_H
#define NOTRAP_TESTS_ORACLE_WANDER_MAP_H

#include "oracle.h"

#define WANDER_RAM    (UINT64_C(2) << 20)
#define WANDER_FRAMES (WANDER_RAM >> 12)

struct wander_map {
	enum oracle_mode mode;
	int top;           /* level of the tables CR3 leads to; PAE: 3 */
	int bytes;         /* of an entry */
	unsigned entries;  /* of a table */
	unsigned first[6]; /* frame of the first table of each level */
	unsigned nr[6];
	unsigned kernel[6]; /* table of each level of the kernel's own map */
	unsigned data;      /* first frame that is no table */
	uint64_t kva;       /* all RAM is mapped there, one to one */
	bool large3;        /* 1 GiB pages */
	bool has_pairs;     /* pages in use lie side by side */
};

void wander_map_init(struct wander_map *map, enum oracle_mode mode,
		     bool has_1g);

int wander_shift(const struct wander_map *map, int level);

/* Level of the table in this frame; 0: data, or a table to be left alone. */
int wander_level(const struct wander_map *map, uint64_t frame);

/* Random numbers: *rng is never 0. */
uint64_t wander_rand(uint64_t *rng);
uint32_t wander_below(uint64_t *rng, uint32_t n);
bool wander_chance(uint64_t *rng, uint32_t percent);

/* What a well-behaved kernel may write as an entry of this level. */
uint64_t wander_entry(const struct wander_map *map, uint64_t *rng, int level);

/* An address among few, and an entry's index among those they use. */
uint64_t wander_va(const struct wander_map *map, uint64_t *rng);
unsigned wander_index(const struct wander_map *map, uint64_t *rng, int level);

/* The kernel's own map, and the entries of each top table that lead to it. */
void wander_map_kernel(const struct wander_map *map, uint8_t *ram);
bool wander_is_kernel_slot(const struct wander_map *map, int level,
			   unsigned index);

#endif
