/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report/where.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

#define BITS_MAX 17 /* twice the pages: never more than half full */

/* Rows in the order in which their pages came; slots say where: index + 1. */
struct pages {
	uint32_t slot[1 << BITS_MAX];
	struct where_row *row;
	uint32_t nr, room;
	struct where_row other;
};

struct where {
	struct pages pages[NR_WHERE];
};

struct where *where_create(void)
{
	return calloc(1, sizeof(struct where));
}

void where_destroy(struct where *where)
{
	if (!where)
		return;
	for (size_t i = 0; i < NR_WHERE; i++)
		free(where->pages[i].row);
	free(where);
}

void where_reset(struct where *where)
{
	for (size_t i = 0; i < NR_WHERE; i++) {
		struct pages *pages = &where->pages[i];

		memset(pages->slot, 0, sizeof(pages->slot));
		pages->nr = 0;
		pages->other = (struct where_row){0};
	}
}

/* A row more, zeroed; NULL: the limit, or no memory. */
static struct where_row *grow(struct pages *pages)
{
	if (pages->nr == WHERE_PAGES_MAX)
		return NULL;
	if (pages->nr == pages->room) {
		uint32_t room = pages->room ? 2 * pages->room : 64;
		struct where_row *grown =
			realloc(pages->row, room * sizeof(*grown));

		if (!grown)
			return NULL;
		pages->row = grown;
		pages->room = room;
	}
	return &pages->row[pages->nr++];
}

static struct where_row *find_row(struct pages *pages, uint64_t page)
{
	uint32_t i = hash_u64(page, BITS_MAX);
	struct where_row *row;

	while (pages->slot[i]) {
		row = &pages->row[pages->slot[i] - 1];
		if (row->page == page)
			return row;
		i = (i + 1) % (1u << BITS_MAX);
	}
	row = grow(pages);
	if (!row)
		return &pages->other;
	*row = (struct where_row){.page = page};
	pages->slot[i] = pages->nr;
	return row;
}

static void count(struct pages *pages, uint64_t address,
		  const struct where_exit *exit)
{
	struct where_row *row = find_row(pages, address >> PAGE_SHIFT);

	row->exits++;
	row->user += exit->user;
	row->cycles += exit->cycles;
	if (exit->cause != WHERE_NO_CAUSE)
		row->cause[exit->cause]++;
}

void where_add(struct where *where, const struct where_exit *exit)
{
	count(&where->pages[WHERE_RIP], exit->rip, exit);
	if (exit->gpa != WHERE_NO_FRAME)
		count(&where->pages[WHERE_GFN], exit->gpa, exit);
}

uint64_t where_total(const struct where *where, enum where_kind kind)
{
	const struct pages *pages = &where->pages[kind];
	uint64_t sum = pages->other.exits;

	for (uint32_t i = 0; i < pages->nr; i++)
		sum += pages->row[i].exits;
	return sum;
}

/* Does a stand before b? */
static bool is_before(const struct where_row *a, const struct where_row *b)
{
	return a->exits != b->exits ? a->exits > b->exits : a->page < b->page;
}

static void add_row(struct where_row *sum, const struct where_row *row)
{
	sum->exits += row->exits;
	sum->user += row->user;
	sum->cycles += row->cycles;
	for (size_t i = 0; i < NR_CAUSES; i++)
		sum->cause[i] += row->cause[i];
}

/* Into the sorted rows[0..nr), of which what does not fit falls off. */
static size_t insert_row(struct where_row *rows, size_t nr, size_t max,
			 const struct where_row *row, struct where_row *rest)
{
	size_t i = nr;

	while (i && is_before(row, &rows[i - 1]))
		i--;
	if (i == max) {
		add_row(rest, row);
		return nr;
	}
	if (nr == max)
		add_row(rest, &rows[--nr]);
	memmove(&rows[i + 1], &rows[i], (nr - i) * sizeof(*rows));
	rows[i] = *row;
	return nr + 1;
}

size_t where_top(const struct where *where, enum where_kind kind, size_t max,
		 struct where_row *rows)
{
	const struct pages *pages = &where->pages[kind];
	struct where_row rest = pages->other;
	size_t nr = 0;

	for (uint32_t i = 0; i < pages->nr; i++)
		nr = insert_row(rows, nr, max, &pages->row[i], &rest);
	rest.page = WHERE_OTHER;
	if (rest.exits)
		rows[nr++] = rest;
	return nr;
}
