/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A pool of one table a level, each of which links to the next by its entry 0;
 * the entry in question stands in one of them, and the reference is to 0.
 */
#include "paging/entry.h"

#include "base/bug.h"

#define LINK (PTE_P | PTE_W | PTE_U | PTE_A)

struct walk paging_meet(const struct paging_ctx *ctx, uint64_t entry, int level,
			uint32_t access)
{
	uint64_t table[PT_LEVEL_MAX][PT_ENTRIES];
	const struct mem mem = {
		.pool = {.model = table, .nr_pages = PT_LEVEL_MAX}};
	int top = paging_levels(ctx->mode);
	struct paging_ctx one = *ctx;

	BUG_ON(ctx->mode != PAGING_PAE && !paging_is_long(ctx->mode));
	BUG_ON(level < 1 || level > top);
	BUG_ON(pool_owns(&mem.pool, entry & PTE_ADDR));
	for (int l = top; l > level; l--)
		table[l - 1][0] = pool_page_hpa((uint32_t)(l - 2)) | LINK;
	table[level - 1][0] = entry;
	one.root = pool_page_hpa((uint32_t)(top - 1));
	one.pdpte[0] = one.root | PTE_P;
	return paging_walk(&one, &mem, 0, access);
}
