/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Twins, and for each frame of RAM the list of leaf twins that lead to it. */
#include <errno.h>
#include <stdlib.h>

#include "base/sparse.h"
#include "live/install.h"

#define LINK_HEAD UINT32_C(0x80000000)

_Static_assert(POOL_PAGES_MAX *PT_ENTRIES < LINK_HEAD,
	       "an entry number must not look like a list head");

static size_t nr_entries(const struct mem *mem)
{
	return (size_t)mem->pool.nr_pages * PT_ENTRIES;
}

int install_create(struct mem *mem, struct install *ret, struct diag *diag)
{
	size_t nr_frames = (size_t)(mem->ram_size >> PAGE_SHIFT);

	BUG_ON(!mem->pool.installed);
	*ret = (struct install){.mem = mem};
	ret->is_code = calloc(nr_frames, sizeof(*ret->is_code));
	ret->head = calloc(nr_frames, sizeof(*ret->head));
	/* Pages of it that no table uses are never touched. */
	ret->link = sparse_alloc(nr_entries(mem), sizeof(*ret->link));
	if (!ret->is_code || !ret->head || !ret->link) {
		install_destroy(ret);
		return diag_set(diag, -ENOMEM, "out of memory");
	}
	return 0;
}

void install_destroy(struct install *install)
{
	free(install->is_code);
	free(install->head);
	if (install->mem)
		sparse_free(install->link, nr_entries(install->mem),
			    sizeof(*install->link));
	*install = (struct install){0};
}

static uint64_t *twin_at(const struct install *install, entry_t entry)
{
	return &install->mem->pool
			.installed[entry / PT_ENTRIES][entry % PT_ENTRIES];
}

static uint64_t model_at(const struct install *install, entry_t entry)
{
	return install->mem->pool.model[entry / PT_ENTRIES][entry % PT_ENTRIES];
}

static int level_of(const struct install *install, entry_t entry)
{
	return install->mem->pool.level[entry / PT_ENTRIES];
}

static gfn_t frame_of(uint64_t pte)
{
	return (pte & PTE_ADDR) >> PAGE_SHIFT;
}

static void unlink_entry(struct install *install, entry_t entry)
{
	struct install_link *link = &install->link[entry];

	if (!link->prev)
		return;
	if (link->prev & LINK_HEAD)
		install->head[link->prev & ~LINK_HEAD] = link->next;
	else
		install->link[link->prev - 1].next = link->next;
	if (link->next)
		install->link[link->next - 1].prev = link->prev;
	*link = (struct install_link){0};
}

static void link_entry(struct install *install, entry_t entry, gfn_t gfn)
{
	struct install_link *link = &install->link[entry];

	unlink_entry(install, entry);
	link->next = install->head[gfn];
	link->prev = LINK_HEAD | (uint32_t)gfn;
	if (link->next)
		install->link[link->next - 1].prev = entry + 1;
	install->head[gfn] = entry + 1;
}

#define LEAF_BITS (PTE_P | PTE_U | PTE_ADDR | PTE_W | PTE_NX | PTE_PKEY)

/* What W^X leaves of a modelled leaf that leads to RAM. */
static uint64_t allowed_leaf(const struct install *install, uint64_t model)
{
	uint64_t twin = model & LEAF_BITS;

	if (install->no_exclusion)
		return twin;
	if (install->is_code[frame_of(model)])
		return twin & ~PTE_W;
	return twin | PTE_NX;
}

/*
 * Trap values and the like lead nowhere near RAM or the pool, so they need no
 * test of their own.
 */
static uint64_t wanted_twin(const struct install *install, entry_t entry)
{
	uint64_t model = model_at(install, entry);
	hpa_t to = model & PTE_ADDR;
	int level = level_of(install, entry);

	if (!level || !(model & PTE_P))
		return 0;
	if (level == 1)
		return mem_is_ram(install->mem, to, PAGE_SIZE)
			       ? allowed_leaf(install, model)
			       : 0;
	if ((model & PTE_PS) || !pool_owns(&install->mem->pool, to))
		return 0;
	return installed_hpa(to) | (model & (PTE_P | PTE_W | PTE_U | PTE_NX));
}

/* May the TLB hold a right that the twin had and has no longer? */
static bool lost_rights(uint64_t from, uint64_t to)
{
	if (!(from & PTE_A))
		return false;
	/* Unicorn's TLB lets a page be written only once D is set. */
	if ((from & ~to & PTE_W) && (from & PTE_D))
		return true;
	return to & ~from & PTE_NX;
}

static void set_twin(struct install *install, entry_t entry, uint64_t twin)
{
	uint64_t *at = twin_at(install, entry);

	if (*at & PTE_P)
		twin |= *at & (PTE_A | PTE_D);
	if (lost_rights(*at, twin))
		install->flush = true;
	*at = twin;
}

/*
 * An entry of level 3 without W may be one of a PAE root: Unicorn sets no A
 * bit there, so what is below may be in the TLB without a trace.
 */
static bool may_be_pae_root(const struct install *install, entry_t entry)
{
	return level_of(install, entry) == 3 &&
	       !(model_at(install, entry) & PTE_W);
}

static void install_entry(struct install *install, entry_t entry)
{
	uint64_t *at = twin_at(install, entry);
	uint64_t twin = wanted_twin(install, entry);

	if (may_be_pae_root(install, entry))
		install->flush = true;
	if (!twin) {
		BUG_ON(*at); /* mem has revoked it */
		return;
	}
	BUG_ON((*at & PTE_P) && ((*at ^ twin) & PTE_ADDR));
	if (level_of(install, entry) == 1 && !(*at & PTE_P))
		link_entry(install, entry, frame_of(twin));
	set_twin(install, entry, twin);
}

static uint64_t install_page(struct install *install, uint32_t page)
{
	const struct pool *pool = &install->mem->pool;
	uint64_t nr = 0;

	if (!pool->level[page])
		return 0;
	for (unsigned int i = 0; i < PT_ENTRIES; i++) {
		if (!pool->model[page][i] && !pool->installed[page][i])
			continue;
		install_entry(install, page * PT_ENTRIES + i);
		nr++;
	}
	return nr;
}

uint64_t install_drain(struct install *install)
{
	struct pool *pool = &install->mem->pool;
	uint64_t nr = pool->changes.nr;

	for (uint32_t i = 0; i < pool->changes.nr; i++)
		install_entry(install, pool->changes.entry[i]);
	for (uint32_t i = 0; i < pool->changes.nr_pages; i++)
		nr += install_page(install, pool->changes.page[i]);
	install->flush |= pool->changes.flush;
	pool_changes_clear(pool);
	return nr;
}

bool install_find(const struct install *install, hpa_t root, int levels,
		  gva_t gva, entry_t *ret)
{
	const struct pool *pool = &install->mem->pool;
	hpa_t table = root;

	for (int level = levels; level > 1; level--) {
		uint64_t twin;

		if (!pool_owns(pool, table))
			return false;
		twin = pool->installed[pool_page(table)][pt_index(gva, level)];
		if (!(twin & PTE_P))
			return false;
		table = (twin & PTE_ADDR) - INSTALLED_BASE + POOL_BASE;
	}
	if (!pool_owns(pool, table))
		return false;
	*ret = pool_page(table) * PT_ENTRIES + pt_index(gva, 1);
	return true;
}

bool install_translate(const struct install *install, hpa_t root, int levels,
		       gva_t gva, hpa_t *ret)
{
	entry_t entry;
	uint64_t twin;

	if (!install_find(install, root, levels, gva, &entry))
		return false;
	twin = install_twin(install, entry);
	if (!(twin & PTE_P))
		return false;
	*ret = (twin & PTE_ADDR) | (gva & PAGE_MASK);
	return true;
}

uint32_t install_turn_helps(const struct install *install, entry_t entry,
			    uint32_t access)
{
	uint64_t twin = install_twin(install, entry);
	uint64_t model = model_at(install, entry);

	if (!(twin & PTE_P))
		return 0;
	if ((access & PFEC_ID) && (twin & ~model & PTE_NX))
		return PFEC_ID;
	if ((access & PFEC_W) && (model & ~twin & PTE_W))
		return PFEC_W;
	return 0;
}

/* Give every twin of the frame what it may have now; drop stale links. */
static void reinstall_frame(struct install *install, gfn_t gfn)
{
	uint32_t next;

	for (uint32_t at = install->head[gfn]; at; at = next) {
		entry_t entry = at - 1;
		uint64_t twin = install_twin(install, entry);

		next = install->link[entry].next;
		if (!(twin & PTE_P) || frame_of(twin) != gfn ||
		    level_of(install, entry) != 1)
			unlink_entry(install, entry);
		else
			set_twin(install, entry, wanted_twin(install, entry));
	}
}

void install_make_code(struct install *install, gfn_t gfn)
{
	install->is_code[gfn] = true;
	reinstall_frame(install, gfn);
}

void install_make_data(struct install *install, gfn_t gfn)
{
	install->is_code[gfn] = false;
	reinstall_frame(install, gfn);
}

void install_open(struct install *install, entry_t entry)
{
	*twin_at(install, entry) |= PTE_W;
}
