/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The one owner of bytes: guest RAM and the pool of shadow page-table frames.
 *
 * Host-physical space, as the modelled processor and Unicorn see it:
 *   [0, ram_size)             guest RAM; hpa == gpa
 *   [POOL_BASE, + pages)      the *modelled* shadow tables
 *   [INSTALLED_BASE, + pages) the *installed* twins, which Unicorn walks
 * All of it lies below 4 GiB, so that a PAE root fits in CR3.
 *
 * Two views, one setter.  pool_set() writes the modelled entry.  Where an
 * installed view exists (live runs), the twin of an entry that loses a right
 * is cleared at once and the entry goes on the change list; src/live drains
 * the list before the guest runs again and installs what W^X allows.  So a
 * present twin never grants more than its modelled entry does, and its A and
 * D bits always belong to the current modelled entry.
 */
#ifndef NOTRAP_MEM_MEM_H
#define NOTRAP_MEM_MEM_H

#include "arch/paging.h"
#include "base/bug.h"
#include "base/diag.h"
#include "base/types.h"

#define RAM_MAX        UINT64_C(0xc0000000)
#define POOL_BASE      UINT64_C(0xc0000000)
#define INSTALLED_BASE UINT64_C(0xe0000000)
#define POOL_PAGES_MAX UINT64_C(0x1ffff)

#define POOL_CHANGES_MAX 1024

/*
 * One who wants to be told of every modelled entry that is set, also to what it
 * was, and of every frame taken and given back, before that happens.
 */
struct pool_watch {
	void (*set)(void *context, hpa_t table, unsigned int index,
		    uint64_t val);
	void (*alloc)(void *context, hpa_t table, int level);
	void (*free)(void *context, hpa_t table);
	void *context;
};

struct pool {
	uint64_t (*model)[PT_ENTRIES];
	uint64_t (*installed)[PT_ENTRIES]; /* NULL: replay, no second view */
	uint8_t *level;                    /* of each page; 0: page is free */
	uint32_t *free;                    /* stack of free page numbers */
	uint32_t nr_pages;
	uint32_t nr_free;

	/* What src/live has to install before the guest runs again. */
	struct {
		uint32_t entry[POOL_CHANGES_MAX]; /* page * 512 + index */
		uint32_t nr;
		uint32_t *page; /* pages whose every entry may have changed */
		uint32_t nr_pages;
		bool *page_listed;
		bool flush; /* an installed entry that was in use lost rights */
	} changes;

	const struct pool_watch *watch; /* NULL: nobody; not the pool's */
};

struct mem {
	uint8_t *ram;
	uint64_t ram_size;
	struct pool pool;
};

/*
 * ram_size: bytes, a multiple of 4 KiB, at most RAM_MAX.  pool_pages: shadow
 * frames, 1..POOL_PAGES_MAX.  RAM starts zeroed.  -ENOMEM, -EINVAL with a line.
 */
int mem_create(uint64_t ram_size, uint32_t pool_pages, bool installed_view,
	       struct mem **ret, struct diag *diag);
void mem_destroy(struct mem *mem); /* NULL is fine */

static inline bool mem_is_ram(const struct mem *mem, gpa_t gpa, uint64_t len)
{
	return gpa < mem->ram_size && len <= mem->ram_size - gpa;
}

/* The caller has asked mem_is_ram(). */
static inline uint8_t *mem_ram(const struct mem *mem, gpa_t gpa)
{
	return mem->ram + gpa;
}

static inline uint64_t mem_read_u64(const struct mem *mem, gpa_t gpa)
{
	uint64_t val;

	__builtin_memcpy(&val, mem->ram + gpa, sizeof(val));
	return val;
}

static inline uint32_t mem_read_u32(const struct mem *mem, gpa_t gpa)
{
	uint32_t val;

	__builtin_memcpy(&val, mem->ram + gpa, sizeof(val));
	return val;
}

static inline void mem_write_u32(struct mem *mem, gpa_t gpa, uint32_t val)
{
	__builtin_memcpy(mem->ram + gpa, &val, sizeof(val));
}

static inline void mem_write_u64(struct mem *mem, gpa_t gpa, uint64_t val)
{
	__builtin_memcpy(mem->ram + gpa, &val, sizeof(val));
}

/*
 * A hash of all guest RAM: "the guest ended with the same memory".  Takes as
 * long as what the guest has touched: the rest is zero, and stays untouched.
 */
uint64_t mem_ram_digest(const struct mem *mem);

static inline hpa_t pool_page_hpa(uint32_t page)
{
	return POOL_BASE + ((hpa_t)page << PAGE_SHIFT);
}

static inline bool pool_owns(const struct pool *pool, hpa_t table)
{
	return table >= POOL_BASE &&
	       (table - POOL_BASE) >> PAGE_SHIFT < pool->nr_pages;
}

static inline uint32_t pool_page(hpa_t table)
{
	return (uint32_t)((table - POOL_BASE) >> PAGE_SHIFT);
}

/*
 * A frame for a shadow table of this level (1..5), every entry 0.
 * Returns 0 when the pool is empty.  Frames come back in a fixed order.
 */
hpa_t pool_alloc(struct pool *pool, int level);

/* The table must be unlinked from every parent and every root. */
void pool_free(struct pool *pool, hpa_t table);

static inline uint64_t pool_get(const struct pool *pool, hpa_t table,
				unsigned int index)
{
	return pool->model[pool_page(table)][index];
}

void pool_set(struct pool *pool, hpa_t table, unsigned int index, uint64_t val);

/*
 * Carry the A and D bits the processor has set in the installed twin over to
 * the modelled entry, and return that.  Without a twin: just pool_get().
 */
uint64_t pool_pull_ad(struct pool *pool, hpa_t table, unsigned int index);

/* Drained by src/live: forget the changes (it has installed them). */
void pool_changes_clear(struct pool *pool);

static inline bool pool_has_changes(const struct pool *pool)
{
	return pool->changes.nr || pool->changes.nr_pages ||
	       pool->changes.flush;
}

/* Read one 8-byte table entry at an hpa of RAM or of the modelled pool. */
static inline bool mem_read_entry(const struct mem *mem, hpa_t hpa,
				  uint64_t *ret)
{
	if (mem_is_ram(mem, hpa, 8)) {
		*ret = mem_read_u64(mem, hpa);
		return true;
	}
	if (!pool_owns(&mem->pool, hpa))
		return false;
	*ret = pool_get(&mem->pool, hpa, (unsigned int)(hpa & PAGE_MASK) / 8);
	return true;
}

#endif
