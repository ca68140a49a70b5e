/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The tables of the software TLB.  A table stays until the pool is full or the
 * guest changes its mode; what a flush forgets are the leaf entries that were
 * made since the last one, which a log tells.
 */
#include "direct/internal.h"

static struct pool *pool_of(struct direct *direct)
{
	return &direct->mem->pool;
}

static void log_reset(struct log *log)
{
	log->nr = 0;
	log->overflow = false;
}

static void free_below(struct pool *pool, hpa_t table, int level)
{
	for (unsigned int i = 0; level > 1 && i < PT_ENTRIES; i++) {
		uint64_t link = pool_get(pool, table, i);

		if (!link)
			continue;
		free_below(pool, link & PTE_ADDR, level - 1);
		pool_set(pool, table, i, 0);
		pool_free(pool, link & PTE_ADDR);
	}
}

/* There is room: what calls this has just made it, or is the first to come. */
static hpa_t take(struct pool *pool, int level)
{
	hpa_t table = pool_alloc(pool, level);

	BUG_ON(!table);
	return table;
}

static hpa_t directory_of(struct pool *pool, hpa_t root, unsigned int i)
{
	return pool_get(pool, root, i) & PTE_ADDR;
}

/*
 * The processor holds PDPTEs in registers, so the four directories are there
 * as long as the root is.
 */
static void forget(struct direct *direct, struct direct_vcpu *vcpu)
{
	struct pool *pool = pool_of(direct);

	log_reset(&vcpu->local);
	log_reset(&vcpu->global);
	if (!vcpu->root)
		return;
	if (vcpu->mode != PAGING_PAE)
		free_below(pool, vcpu->root, tables_top(vcpu->mode));
	else
		for (unsigned int i = 0; i < PDPTES; i++)
			free_below(pool, directory_of(pool, vcpu->root, i), 2);
}

/* Of all processors, as they share the pool. */
static void forget_all(struct direct *direct)
{
	for (unsigned int i = 0; i < direct->config.nr_vcpus; i++)
		forget(direct, &direct->vcpu[i]);
}

void tables_start(struct direct *direct, struct direct_vcpu *vcpu,
		  enum paging_mode mode)
{
	struct pool *pool = pool_of(direct);

	if (pool->nr_free < 1 + PDPTES)
		forget_all(direct);
	forget(direct, vcpu);
	if (vcpu->root) {
		free_below(pool, vcpu->root, tables_top(vcpu->mode));
		pool_free(pool, vcpu->root);
	}
	vcpu->mode = mode;
	vcpu->root = take(pool, tables_top(mode));
	for (unsigned int i = 0; mode == PAGING_PAE && i < PDPTES; i++)
		pool_set(pool, vcpu->root, i, take(pool, 2) | PDPTE_LINK);
}

/* In PAE mode two bits of the address select the PDPTE. */
unsigned int tables_index(const struct direct_vcpu *vcpu, gva_t gva, int level)
{
	unsigned int index = pt_index(gva, level);

	return vcpu->mode == PAGING_PAE && level == 3 ? index & 3 : index;
}

/* A piece of a guest page of `from` marks the links that it may span. */
static uint64_t mark_of(int level, int from)
{
	return level == from ? LINK_LARGE : 0;
}

hpa_t tables_leaf(struct direct *direct, gva_t gva, int from)
{
	struct direct_vcpu *vcpu = direct->cur;
	struct pool *pool = pool_of(direct);
	hpa_t table;

	if (pool->nr_free < PT_LEVEL_MAX)
		forget_all(direct);
	table = vcpu->root;
	for (int level = tables_top(vcpu->mode); level > 1; level--) {
		unsigned int index = tables_index(vcpu, gva, level);
		uint64_t link = pool_get(pool, table, index);
		uint64_t mark = mark_of(level, from);

		if (!link) {
			link = take(pool, level - 1) | LINK | mark;
			pool_set(pool, table, index, link);
		} else if (mark & ~link) {
			pool_set(pool, table, index, link | mark);
		}
		table = link & PTE_ADDR;
	}
	return table;
}

static void log_add(struct log *log, uint32_t entry)
{
	if (log->nr == LOG_MAX)
		log->overflow = true;
	else
		log->entry[log->nr++] = entry;
}

void tables_put(struct direct *direct, hpa_t table, unsigned int index,
		uint64_t entry, bool global)
{
	struct direct_vcpu *vcpu = direct->cur;

	log_add(global ? &vcpu->global : &vcpu->local,
		pool_page(table) * PT_ENTRIES + index);
	pool_set(pool_of(direct), table, index,
		 global ? entry | LEAF_GLOBAL : entry);
}

/* Every leaf below. */
static void clear_below(struct pool *pool, hpa_t table, int level)
{
	for (unsigned int i = 0; i < PT_ENTRIES; i++) {
		uint64_t entry = pool_get(pool, table, i);

		if (!entry)
			continue;
		if (level == 1)
			pool_set(pool, table, i, 0);
		else
			clear_below(pool, entry & PTE_ADDR, level - 1);
	}
}

/* The link holds pieces of a large page.  A 4 MiB page lies below two. */
static void clear_large(const struct direct_vcpu *vcpu, struct pool *pool,
			hpa_t table, unsigned int index, int level)
{
	bool two = vcpu->guest.mode == PAGING_32;
	unsigned int nr = two ? 2 : 1;

	for (unsigned int i = 0; i < nr; i++) {
		unsigned int at = (two ? index & ~1u : index) + i;
		uint64_t link = pool_get(pool, table, at);

		if (!(link & LINK_LARGE))
			continue;
		clear_below(pool, link & PTE_ADDR, level - 1);
		pool_set(pool, table, at, link & ~LINK_LARGE);
	}
}

static bool is_large(const struct direct_vcpu *vcpu, struct pool *pool,
		     hpa_t table, unsigned int index)
{
	uint64_t link = pool_get(pool, table, index);

	if (vcpu->guest.mode == PAGING_32)
		link |= pool_get(pool, table, index ^ 1);
	return link & LINK_LARGE;
}

void tables_drop_page(struct direct *direct, gva_t gva)
{
	const struct direct_vcpu *vcpu = direct->cur;
	struct pool *pool = pool_of(direct);
	hpa_t table = vcpu->root;

	for (int level = tables_top(vcpu->mode); level > 1; level--) {
		unsigned int index = tables_index(vcpu, gva, level);

		if (level <= 3 && is_large(vcpu, pool, table, index))
			clear_large(vcpu, pool, table, index, level);
		table = pool_get(pool, table, index) & PTE_ADDR;
		if (!table)
			return;
	}
	pool_set(pool, table, pt_index(gva, 1), 0);
}

static void clear_logged(struct pool *pool, struct log *log)
{
	for (uint32_t i = 0; i < log->nr; i++)
		pool_set(pool, pool_page_hpa(log->entry[i] / PT_ENTRIES),
			 log->entry[i] % PT_ENTRIES, 0);
	log_reset(log);
}

/* A log that could not hold all is of no use. */
static bool restart_if_lost(struct direct *direct, const struct log *log)
{
	if (likely(!log->overflow))
		return false;
	forget_all(direct);
	return true;
}

void tables_drop_local(struct direct *direct)
{
	struct direct_vcpu *vcpu = direct->cur;

	if (!restart_if_lost(direct, &vcpu->local))
		clear_logged(pool_of(direct), &vcpu->local);
}

void tables_drop_all(struct direct *direct)
{
	struct direct_vcpu *vcpu = direct->cur;

	tables_drop_local(direct);
	if (!restart_if_lost(direct, &vcpu->global))
		clear_logged(pool_of(direct), &vcpu->global);
}
