/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "explain/path.h"

static void add_pdpte(struct path *path)
{
	unsigned int index = (unsigned int)(path->gva >> 30) & 3;

	path->entry[path->nr++] = (struct path_entry){
		.level = 3,
		.is_register = true,
		.index = index,
		.entry = path->ctx.pdpte[index],
	};
}

/* Returns where the next table is. */
static hpa_t add_entry(struct path *path, const struct mem *mem, hpa_t table,
		       int level)
{
	const struct paging_ctx *ctx = &path->ctx;
	struct path_entry *e = &path->entry[path->nr++];

	e->level = level;
	e->table = table;
	e->index = paging_index(ctx->mode, path->gva, level);
	e->entry = paging_read_entry(ctx, mem, table, e->index);
	if (e->entry & PTE_P) {
		e->reserved = e->entry & paging_reserved(ctx, e->entry, level);
		e->is_leaf = paging_is_leaf(ctx, e->entry, level);
	}
	return e->entry & PTE_ADDR;
}

void path_take(struct path *path, const struct paging_ctx *ctx,
	       const struct mem *mem, gva_t gva, uint32_t access)
{
	hpa_t table = ctx->root & PTE_ADDR;
	int top = paging_levels(ctx->mode);

	*path = (struct path){
		.ctx = *ctx,
		.gva = paging_linear(ctx->mode, gva),
		.access = access,
		.walk = paging_walk(ctx, mem, gva, access),
	};
	if (ctx->mode == PAGING_OFF)
		return;
	if (ctx->mode == PAGING_PAE) {
		add_pdpte(path);
		table = path_last(path)->entry & PTE_ADDR;
	}
	for (int level = top; level >= path->walk.level; level--)
		table = add_entry(path, mem, table, level);
	BUG_ON(path_last(path)->entry != path->walk.leaf);
}

const char *path_entry_name(int level)
{
	static const char *const names[] = {"?",     "PTE",   "PDE",
					    "PDPTE", "PML4E", "PML5E"};

	return level >= 1 && level <= PT_LEVEL_MAX ? names[level] : names[0];
}
