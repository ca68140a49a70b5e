/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The pool of shadow page-table frames and the change list between the two
 * views.  What a twin may hold is decided in src/live; here it only ever loses
 * rights.
 */
#include <string.h>

#include "mem/mem.h"

static void list_page(struct pool *pool, uint32_t page)
{
	if (pool->changes.page_listed[page])
		return;
	pool->changes.page_listed[page] = true;
	pool->changes.page[pool->changes.nr_pages++] = page;
}

static void list_entry(struct pool *pool, uint32_t page, unsigned int index)
{
	if (pool->changes.page_listed[page])
		return;
	if (pool->changes.nr == POOL_CHANGES_MAX) {
		list_page(pool, page);
		return;
	}
	pool->changes.entry[pool->changes.nr++] = page * PT_ENTRIES + index;
}

void pool_changes_clear(struct pool *pool)
{
	for (uint32_t i = 0; i < pool->changes.nr_pages; i++)
		pool->changes.page_listed[pool->changes.page[i]] = false;
	pool->changes.nr = 0;
	pool->changes.nr_pages = 0;
	pool->changes.flush = false;
}

/* Clear a twin; if the processor may hold it in its TLB, ask for a flush. */
static void revoke(struct pool *pool, uint32_t page, unsigned int index)
{
	uint64_t twin = pool->installed[page][index];

	if (!twin)
		return;
	if (twin & PTE_A)
		pool->changes.flush = true;
	pool->installed[page][index] = 0;
}

hpa_t pool_alloc(struct pool *pool, int level)
{
	uint32_t page;

	BUG_ON(level < 1 || level > PT_LEVEL_MAX);
	if (!pool->nr_free)
		return 0;

	page = pool->free[--pool->nr_free];
	if (unlikely(pool->watch))
		pool->watch->alloc(pool->watch->context, pool_page_hpa(page),
				   level);
	pool->level[page] = (uint8_t)level;
	memset(pool->model[page], 0, PAGE_SIZE);
	return pool_page_hpa(page);
}

void pool_free(struct pool *pool, hpa_t table)
{
	uint32_t page = pool_page(table);

	BUG_ON(!pool_owns(pool, table) || !pool->level[page]);
	if (unlikely(pool->watch))
		pool->watch->free(pool->watch->context, table);
	if (pool->installed)
		for (unsigned int i = 0; i < PT_ENTRIES; i++)
			revoke(pool, page, i);
	pool->level[page] = 0;
	pool->free[pool->nr_free++] = page;
}

/*
 * The same frame with at least the rights it had.  Under SMEP and SMAP a page
 * that becomes the user's is taken from the supervisor.
 */
static bool is_upgrade(uint64_t from, uint64_t to)
{
	if (!(to & PTE_P) || ((from ^ to) & (PTE_ADDR | PTE_U | PTE_PKEY)))
		return false;
	if (from & ~to & PTE_W)
		return false;
	return !((to & ~from) & PTE_NX);
}

void pool_set(struct pool *pool, hpa_t table, unsigned int index, uint64_t val)
{
	uint32_t page = pool_page(table);
	uint64_t old = pool->model[page][index];

	if (unlikely(pool->watch))
		pool->watch->set(pool->watch->context, table, index, val);
	pool->model[page][index] = val;
	if (!pool->installed || old == val)
		return;
	if (!is_upgrade(old, val) ||
	    (pool->installed[page][index] & ~val & (PTE_A | PTE_D)))
		revoke(pool, page, index);
	list_entry(pool, page, index);
}

uint64_t pool_pull_ad(struct pool *pool, hpa_t table, unsigned int index)
{
	uint32_t page = pool_page(table);
	uint64_t *entry = &pool->model[page][index];

	if (pool->installed && (pool->installed[page][index] & PTE_P))
		*entry |= pool->installed[page][index] & (PTE_A | PTE_D);
	return *entry;
}
