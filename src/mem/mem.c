/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "mem/mem.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

static void *map_pages(uint64_t bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

static void unmap_pages(void *p, uint64_t bytes)
{
	if (p)
		munmap(p, bytes);
}

static void pool_finish(struct pool *pool)
{
	uint64_t bytes = pool->nr_pages * PAGE_SIZE;

	unmap_pages(pool->model, bytes);
	unmap_pages(pool->installed, bytes);
	free(pool->level);
	free(pool->free);
	free(pool->changes.page);
	free(pool->changes.page_listed);
}

static int pool_init(struct pool *pool, uint32_t pages, bool installed_view)
{
	pool->nr_pages = pages;
	pool->model = map_pages(pages * PAGE_SIZE);
	pool->level = calloc(pages, sizeof(*pool->level));
	pool->free = calloc(pages, sizeof(*pool->free));
	pool->changes.page = calloc(pages, sizeof(*pool->changes.page));
	pool->changes.page_listed =
		calloc(pages, sizeof(*pool->changes.page_listed));
	if (installed_view)
		pool->installed = map_pages(pages * PAGE_SIZE);

	if (!pool->model || !pool->level || !pool->free ||
	    !pool->changes.page || !pool->changes.page_listed ||
	    (installed_view && !pool->installed)) {
		pool_finish(pool);
		return -ENOMEM;
	}

	/* A stack, so that page 0 comes first. */
	for (uint32_t i = 0; i < pages; i++)
		pool->free[i] = pages - 1 - i;
	pool->nr_free = pages;
	return 0;
}

int mem_create(uint64_t ram_size, uint32_t pool_pages, bool installed_view,
	       struct mem **ret, struct diag *diag)
{
	struct mem *mem;

	if (!ram_size || ram_size > RAM_MAX || (ram_size & PAGE_MASK))
		return diag_set(diag, -EINVAL,
				"guest memory must be 4 KiB to 3 GiB in whole "
				"pages, not %llu bytes",
				(unsigned long long)ram_size);
	if (!pool_pages || pool_pages > POOL_PAGES_MAX)
		return diag_set(diag, -EINVAL,
				"the shadow pool must have 1 to %llu pages, "
				"not %u",
				(unsigned long long)POOL_PAGES_MAX, pool_pages);

	mem = calloc(1, sizeof(*mem));
	if (!mem)
		goto no_memory;

	mem->ram_size = ram_size;
	mem->ram = map_pages(ram_size);
	if (!mem->ram)
		goto free_mem;
	if (pool_init(&mem->pool, pool_pages, installed_view))
		goto unmap_ram;

	*ret = mem;
	return 0;

unmap_ram:
	unmap_pages(mem->ram, ram_size);
free_mem:
	free(mem);
no_memory:
	return diag_set(diag, -ENOMEM, "no host memory for a %llu MiB guest",
			(unsigned long long)(ram_size >> 20));
}

void mem_destroy(struct mem *mem)
{
	if (!mem)
		return;
	pool_finish(&mem->pool);
	unmap_pages(mem->ram, mem->ram_size);
	free(mem);
}
