/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "matrix.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define P   ((uint64_t)1)
#define W   ((uint64_t)2)
#define U   ((uint64_t)4)
#define A   ((uint64_t)0x20)
#define D   ((uint64_t)0x40)
#define PS  ((uint64_t)0x80)
#define G   ((uint64_t)0x100)
#define KEY ((uint64_t)1 << 59)
#define NX  ((uint64_t)1 << 63)

#define FULL (P | W | U | A | D)

const struct matrix_access matrix_accesses[] = {
	{"supervisor read", .offset = MATRIX_READ_AT},
	{"supervisor write", .write = true, .offset = MATRIX_WRITE_AT},
	{"supervisor fetch", .fetch = true, .offset = MATRIX_FETCH_AT},
	{"user read", .user = true, .offset = MATRIX_READ_AT},
	{"user write", .user = true, .write = true, .offset = MATRIX_WRITE_AT},
	{"user fetch", .user = true, .fetch = true, .offset = MATRIX_FETCH_AT},
	{"supervisor read, AC", .ac = true, .offset = MATRIX_READ_AT},
	{"supervisor write, AC", .ac = true, .write = true,
	 .offset = MATRIX_WRITE_AT},
};
const unsigned int matrix_nr_accesses =
	sizeof(matrix_accesses) / sizeof(matrix_accesses[0]);

static bool is_long(const struct matrix_space *space)
{
	return space->mode == ORACLE_4LEVEL || space->mode == ORACLE_5LEVEL;
}

static int top_level(const struct matrix_space *space)
{
	switch (space->mode) {
	case ORACLE_5LEVEL:
		return 5;
	case ORACLE_4LEVEL:
		return 4;
	case ORACLE_PAE:
		return 3;
	default:
		return 2;
	}
}

int matrix_entry_bytes(const struct matrix_space *space)
{
	return space->mode == ORACLE_32 ? 4 : 8;
}

uint64_t matrix_va(const struct matrix_space *space)
{
	uint64_t va = 0x40805000;

	if (is_long(space))
		va += (uint64_t)0x80 << 39;
	if (space->mode == ORACLE_5LEVEL)
		va += (uint64_t)1 << 48;
	return va;
}

uint64_t matrix_root(const struct matrix_space *space)
{
	return MATRIX_TABLE((uint64_t)top_level(space));
}

/* Tables ------------------------------------------------------------------ */

static uint64_t index_of(const struct matrix_space *space, int level)
{
	uint64_t va = matrix_va(space);

	if (space->mode == ORACLE_32)
		return va >> (2 + 10 * level) & 1023;
	return va >> (3 + 9 * level) & 511;
}

static uint64_t entry_at(const struct matrix_space *space, int level)
{
	return MATRIX_TABLE((uint64_t)level) +
	       index_of(space, level) * (uint64_t)matrix_entry_bytes(space);
}

uint64_t matrix_upper_at(const struct matrix_space *space)
{
	return entry_at(space, space->level + 1);
}

uint64_t matrix_lower_at(const struct matrix_space *space)
{
	return entry_at(space, space->level);
}

static void put(const struct matrix_space *space, uint8_t *ram, uint64_t table,
		uint64_t index, uint64_t entry)
{
	size_t bytes = (size_t)matrix_entry_bytes(space);

	memcpy(ram + table + index * bytes, &entry, bytes);
}

/* User pages have a key that no setting of PKRU denies. */
static uint64_t own_page(const struct matrix_space *space, uint64_t pa)
{
	bool user = pa == MATRIX_USER_CODE || pa == MATRIX_USER_STACK;
	uint64_t entry = pa | P | W | A | D | (user ? U : 0);

	return user && is_long(space) ? entry | KEY << 1 : entry;
}

static void build_own_32(const struct matrix_space *space, uint8_t *ram)
{
	for (uint64_t pa = 0; pa < MATRIX_RAM; pa += 0x1000)
		put(space, ram, MATRIX_OWN_PT(pa >> 22), pa >> 12 & 1023,
		    own_page(space, pa));
	for (uint64_t i = 0; i < 4; i++)
		put(space, ram, MATRIX_TABLE(2), i, MATRIX_OWN_PT(i) | FULL);
}

/* 4K pages below 2 MiB, 2M pages above. */
static void build_own(const struct matrix_space *space, uint8_t *ram)
{
	for (uint64_t pa = 0; pa < 0x200000; pa += 0x1000)
		put(space, ram, MATRIX_OWN_PT(0), pa >> 12,
		    own_page(space, pa));
	put(space, ram, MATRIX_OWN_PD, 0, MATRIX_OWN_PT(0) | FULL);
	for (uint64_t pa = 0x200000; pa < MATRIX_RAM; pa += 0x200000)
		put(space, ram, MATRIX_OWN_PD, pa >> 21,
		    own_page(space, pa) | PS);
	put(space, ram, MATRIX_OWN_PDPT, 0, MATRIX_OWN_PD | FULL);
	put(space, ram, MATRIX_OWN_PML4, 0, MATRIX_OWN_PDPT | FULL);
	if (space->mode == ORACLE_PAE)
		put(space, ram, MATRIX_TABLE(3), 0, MATRIX_OWN_PD | P);
	else if (space->mode == ORACLE_4LEVEL)
		put(space, ram, MATRIX_TABLE(4), 0, MATRIX_OWN_PDPT | FULL);
	else
		put(space, ram, MATRIX_TABLE(5), 0, MATRIX_OWN_PML4 | FULL);
}

/* The address that an entry of this level and these flags leads to. */
static uint64_t target(const struct matrix_space *space, int level, bool maps)
{
	if (level == 1)
		return MATRIX_PAGE_4K;
	if (!maps)
		return MATRIX_TABLE((uint64_t)level - 1);
	if (level == 3)
		return 0; /* the first GiB: MATRIX_PAGE_1G */
	return space->mode == ORACLE_32 ? MATRIX_PAGE_4M & ~0x3fffffu
					: MATRIX_PAGE_2M & ~0x1fffffu;
}

void matrix_build(const struct matrix_space *space, uint8_t *ram)
{
	memset(ram + MATRIX_TABLE(1), 0, MATRIX_USER_CODE - MATRIX_TABLE(1));
	if (space->mode == ORACLE_32)
		build_own_32(space, ram);
	else
		build_own(space, ram);
	for (int level = top_level(space); level >= 1; level--) {
		bool pdpte = space->mode == ORACLE_PAE && level == 3;

		put(space, ram, MATRIX_TABLE((uint64_t)level),
		    index_of(space, level),
		    target(space, level, false) | (pdpte ? P : FULL));
	}
}

void matrix_fill_pages(uint8_t *ram)
{
	static const uint32_t pages[] = {MATRIX_PAGE_4K, MATRIX_PAGE_1G,
					 MATRIX_PAGE_2M, MATRIX_PAGE_4M};

	for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
		uint8_t *page = ram + pages[i];

		/* mov $page, %eax; ret */
		page[MATRIX_FETCH_AT] = 0xb8;
		memcpy(page + MATRIX_FETCH_AT + 1, &pages[i], 4);
		page[MATRIX_FETCH_AT + 5] = 0xc3;
		memcpy(page + MATRIX_READ_AT, &pages[i], 4);
	}
}

/* Controls ---------------------------------------------------------------- */

/* PKRU of key 1: nothing, AD, WD; then all of key 0 denied but not key 1. */
static const uint32_t pkrus[] = {0, 4, 8, 3};

static unsigned int nr_key_settings(const struct matrix_space *space)
{
	return space->has_pku && is_long(space) ? 1 + 4 : 1;
}

unsigned int matrix_nr_controls(const struct matrix_space *space)
{
	return 4u * (space->mode == ORACLE_32 ? 2 : 1) *
	       (space->has_smep ? 2 : 1) * (space->has_smap ? 2 : 1) *
	       nr_key_settings(space);
}

/* Take one digit of a mixed radix number off. */
static unsigned int digit(unsigned int *i, unsigned int radix)
{
	unsigned int d = *i % radix;

	*i /= radix;
	return d;
}

struct matrix_controls matrix_controls_at(const struct matrix_space *space,
					  unsigned int i)
{
	struct matrix_controls c = {.pse = true};
	unsigned int keys;

	c.wp = digit(&i, 2);
	c.nxe = digit(&i, 2);
	if (space->mode == ORACLE_32)
		c.pse = !digit(&i, 2);
	if (space->has_smep)
		c.smep = digit(&i, 2);
	if (space->has_smap)
		c.smap = digit(&i, 2);
	keys = digit(&i, nr_key_settings(space));
	c.pke = keys > 0;
	if (keys)
		c.pkru = pkrus[keys - 1];
	return c;
}

/* Entries ----------------------------------------------------------------- */

struct list {
	uint64_t *entry;
	size_t nr, room;
};

static void push(struct list *list, uint64_t entry)
{
	if (list->nr == list->room) {
		list->room = list->room ? 2 * list->room : 64;
		list->entry =
			realloc(list->entry, list->room * sizeof(*list->entry));
		if (!list->entry)
			abort();
	}
	list->entry[list->nr++] = entry;
}

static bool is_mapping(const struct matrix_space *space,
		       const struct matrix_controls *controls, int level,
		       uint64_t flags)
{
	if (level == 1)
		return true;
	if (level == 2)
		return (flags & PS) &&
		       (space->mode != ORACLE_32 || controls->pse);
	return level == 3 && (flags & PS) && space->has_1g;
}

/* Reserved bits worth trying here, one at a time, and none. */
static size_t reserved_choices(const struct matrix_space *space, int level,
			       bool maps, uint64_t choice[4])
{
	size_t n = 0;

	choice[n++] = 0;
	if (space->mode == ORACLE_32) {
		if (maps && level == 2)
			choice[n++] = 1 << 21;
		return n;
	}
	if (space->maxphyaddr < 52)
		choice[n++] = (uint64_t)1 << space->maxphyaddr;
	if (space->mode == ORACLE_PAE)
		choice[n++] = (uint64_t)1 << 52;
	else if (space->maxphyaddr < 51)
		choice[n++] = (uint64_t)1 << 51;
	if (maps && level > 1)
		choice[n++] = 1 << 13;
	return n;
}

/* Flags that mean something in this entry, or that it must ignore. */
static size_t flag_choices(const struct matrix_space *space, bool maps,
			   uint64_t flag[8])
{
	size_t n = 0;

	flag[n++] = W;
	flag[n++] = U;
	flag[n++] = A;
	if (space->mode != ORACLE_32)
		flag[n++] = NX;
	if (maps) {
		flag[n++] = D;
		flag[n++] = G;
	}
	if (maps && is_long(space) && space->has_pku)
		flag[n++] = KEY;
	return n;
}

static void push_combinations(const struct matrix_space *space,
			      struct list *list, int level, uint64_t base,
			      bool maps)
{
	uint64_t flag[8], choice[4];
	size_t nr_flags = flag_choices(space, maps, flag);
	size_t nr_choices = reserved_choices(space, level, maps, choice);

	base |= target(space, level, maps) | P;
	for (size_t r = 0; r < nr_choices; r++)
		for (size_t set = 0; set < (size_t)1 << nr_flags; set++) {
			uint64_t entry = base | choice[r];

			for (size_t f = 0; f < nr_flags; f++)
				if (set >> f & 1)
					entry |= flag[f];
			push(list, entry);
		}
}

static struct list entries(const struct matrix_space *space,
			   const struct matrix_controls *controls, int level)
{
	struct list list = {NULL, 0, 0};
	uint64_t junk = W | U | A | D | PS | G | 1 << 13;

	if (space->mode != ORACLE_32)
		junk |= NX | (uint64_t)1 << 51;
	push(&list, 0);
	push(&list, junk);
	if (level > 1)
		push_combinations(space, &list, level, PS,
				  is_mapping(space, controls, level, PS));
	push_combinations(space, &list, level, 0, level == 1);
	return list;
}

/*
 * How many of the lower entries make a difference below this one: the first is
 * enough where the walk reads no more, and a few where it had better not.
 */
static size_t lowers_below(const struct matrix_space *space,
			   const struct matrix_controls *controls,
			   uint64_t upper, size_t nr)
{
	uint64_t choice[4];
	int level = space->level + 1;
	size_t nr_choices = reserved_choices(space, level, false, choice);

	if (!(upper & P) || is_mapping(space, controls, level, upper))
		return 1;
	for (size_t i = 1; i < nr_choices; i++)
		if (upper & choice[i])
			return 4;
	return nr;
}

struct matrix_pair *matrix_pairs(const struct matrix_space *space,
				 const struct matrix_controls *controls,
				 size_t *nr)
{
	struct list uppers = entries(space, controls, space->level + 1);
	struct list lowers = entries(space, controls, space->level);
	struct matrix_pair *pairs =
		malloc(uppers.nr * lowers.nr * sizeof(*pairs));

	if (!pairs)
		abort();
	*nr = 0;
	for (size_t u = 0; u < uppers.nr; u++) {
		uint64_t upper = uppers.entry[u];
		size_t n = lowers_below(space, controls, upper, lowers.nr);

		for (size_t l = 0; l < n; l++)
			pairs[(*nr)++] =
				(struct matrix_pair){upper, lowers.entry[l]};
	}
	free(uppers.entry);
	free(lowers.entry);
	return pairs;
}

size_t matrix_stride(const struct matrix_space *space, size_t nr_pairs,
		     uint64_t cases)
{
	uint64_t all = (uint64_t)nr_pairs * matrix_nr_accesses *
		       matrix_nr_controls(space);

	return cases ? (size_t)(all / cases) | 1 : 1;
}

/* The model --------------------------------------------------------------- */

static uint64_t read_ram(void *memory, uint64_t pa, int bytes)
{
	uint64_t value = 0;

	if (pa + (uint64_t)bytes > MATRIX_RAM)
		return bytes == 4 ? UINT32_MAX : UINT64_MAX;
	memcpy(&value, (uint8_t *)memory + pa, (size_t)bytes);
	return value;
}

static uint64_t read_ram_or_zeros(void *memory, uint64_t pa, int bytes)
{
	return pa < MATRIX_RAM ? read_ram(memory, pa, bytes) : 0;
}

struct oracle_result matrix_expect(const struct matrix_space *space,
				   const struct matrix_controls *controls,
				   const struct matrix_access *access,
				   struct oracle_quirks quirks, uint8_t *ram)
{
	struct oracle_cpu cpu = {
		.quirks = quirks,
		.mode = space->mode,
		.cr3 = matrix_root(space),
		.wp = controls->wp,
		.pse = controls->pse,
		.smep = controls->smep,
		.smap = controls->smap,
		.pke = controls->pke,
		.nxe = controls->nxe,
		.pkru = controls->pkru,
		.has_1g = space->has_1g,
		.maxphyaddr = space->maxphyaddr,
		.read = quirks.reads_zeros ? read_ram_or_zeros : read_ram,
		.memory = ram,
	};
	struct oracle_access a = {
		.va = matrix_va(space) + access->offset,
		.write = access->write,
		.fetch = access->fetch,
		.cpl = access->user ? 3 : 0,
		.ac = access->ac,
	};

	if (space->mode == ORACLE_PAE)
		memcpy(cpu.pdpte, ram + MATRIX_TABLE(3), sizeof(cpu.pdpte));
	return oracle_translate(&cpu, &a);
}

void matrix_describe(const struct matrix_space *space,
		     const struct matrix_controls *controls,
		     const struct matrix_pair *pair,
		     const struct matrix_access *access, char *buf, size_t size)
{
	snprintf(buf, size,
		 "mode %d levels %d,%d%s%s%s%s%s%s pkru 0x%x, upper 0x%" PRIx64
		 " lower 0x%" PRIx64 ", %s",
		 (int)space->mode, space->level + 1, space->level,
		 controls->wp ? " wp" : "", controls->nxe ? " nxe" : "",
		 controls->pse ? " pse" : "", controls->smep ? " smep" : "",
		 controls->smap ? " smap" : "", controls->pke ? " pke" : "",
		 controls->pkru, pair->upper, pair->lower, access->name);
}
