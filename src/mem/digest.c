/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The hash of guest RAM.  Pages that are all zero do not go into it, and most
 * guests never touch most of theirs: what the host says was never touched is
 * not read, as reading would have the host map a zero page for each.
 *
 * The host says so in /proc/self/pagemap (Linux,
 * Documentation/admin-guide/mm/pagemap.rst): a 64-bit word a page, of which
 * anyone may read bit 63 (present) and bit 62 (swapped).  Where it does not,
 * all pages are read, to the same end.
 */
#include "mem/mem.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/hash.h"

#define PAGEMAP_PRESENT BIT(63)
#define PAGEMAP_SWAPPED BIT(62)
#define WINDOW          512

/* What the host said of WINDOW pages; fd is -1 where it says nothing. */
struct pagemap {
	int fd;
	uint64_t word[WINDOW];
};

static bool pagemap_read(struct pagemap *map, const void *from, size_t nr)
{
	size_t bytes = nr * sizeof(map->word[0]);
	off_t at = (off_t)((uintptr_t)from / PAGE_SIZE * sizeof(map->word[0]));

	return pread(map->fd, map->word, bytes, at) == (ssize_t)bytes;
}

static bool pagemap_is_touched(const struct pagemap *map, size_t i)
{
	return map->fd < 0 ||
	       (map->word[i] & (PAGEMAP_PRESENT | PAGEMAP_SWAPPED));
}

static void pagemap_close(struct pagemap *map)
{
	if (map->fd >= 0)
		close(map->fd);
	map->fd = -1;
}

/* It is believed if it knows of a page that is certainly there. */
static void pagemap_open(struct pagemap *map)
{
	map->fd = -1;
	if (sysconf(_SC_PAGESIZE) != (long)PAGE_SIZE)
		return;
	map->fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	if (map->fd < 0)
		return;
	map->word[0] = 0;
	if (!pagemap_read(map, map, 1) || !pagemap_is_touched(map, 0))
		pagemap_close(map);
}

/* All bytes are the first one, and that is zero. */
static bool is_zero_page(const uint8_t *page)
{
	return !page[0] && !memcmp(page, page + 1, PAGE_SIZE - 1);
}

static uint64_t mix(uint64_t h, uint64_t word)
{
	h = (h ^ word) * UINT64_C(0x9e3779b97f4a7c15);
	return h ^ (h >> 32);
}

/* Four lanes of a word-wise FNV are at work at once. */
static void hash_page(uint64_t lane[4], const struct mem *mem, gpa_t page)
{
	lane[0] = mix(lane[0], page);
	for (gpa_t gpa = page; gpa < page + PAGE_SIZE; gpa += 32)
		for (unsigned int i = 0; i < 4; i++)
			lane[i] = mix(lane[i], mem_read_u64(mem, gpa + 8 * i));
}

uint64_t mem_ram_digest(const struct mem *mem)
{
	uint64_t lane[4] = {1, 2, 3, 4};
	uint64_t nr = mem->ram_size / PAGE_SIZE;
	struct pagemap map;

	pagemap_open(&map);
	for (uint64_t i = 0; i < nr; i++) {
		const uint8_t *page = mem->ram + i * PAGE_SIZE;
		uint64_t left = nr - i;

		if (map.fd >= 0 && i % WINDOW == 0 &&
		    !pagemap_read(&map, page, left < WINDOW ? left : WINDOW))
			pagemap_close(&map);
		if (pagemap_is_touched(&map, i % WINDOW) && !is_zero_page(page))
			hash_page(lane, mem, i * PAGE_SIZE);
	}
	pagemap_close(&map);
	return fnv64(FNV64_INIT, lane, sizeof(lane));
}
