/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a page fault maps.  There are no areas as mmap() makes them: what is
 * next to anonymous memory is taken for more of it.
 *
 *   write               a page of zeros
 *   read, fetch         next to anonymous memory: the zero page, read-only
 *                       elsewhere: a page of a file, read-only, and its
 *                       neighbours (fault-around)
 *   write, read-only    a copy; or the page itself where nobody shares it
 */
#include "import/internal.h"

/* For user data, whatever it was before: a table no more. */
static gpa_t new_page(struct guest *g, bool cleared)
{
	gpa_t gpa = frame_alloc(g);
	const struct trace_item end = {.kind = TRACE_ITEM_TABLE_END,
				       .gpa = gpa};

	if (!gpa)
		return 0;
	kernel_run(g, OFFSET_ALLOC, 100);
	if (cleared)
		kernel_clear(g, gpa);
	if (frame_of(g, gpa)->known)
		emit_item(g, &end);
	frame_of(g, gpa)->known = false;
	return gpa;
}

/* One that has been read from a disk before. */
static gpa_t new_cached(struct guest *g)
{
	gpa_t gpa = new_page(g, false);

	if (gpa)
		frame_of(g, gpa)->cached = true;
	return gpa;
}

static bool is_anonymous(struct guest *g, gva_t page)
{
	uint64_t entry = page < GUEST_USER_END ? space_entry(g, page) : 0;

	return (entry & PTE_P) && !frame_of(g, entry & PTE_ADDR)->cached;
}

static bool is_absent(struct guest *g, gva_t page)
{
	return !(space_entry(g, page) & PTE_P);
}

static void map_cached(struct guest *g, gva_t page)
{
	gpa_t gpa = new_cached(g);

	if (gpa)
		space_map(g, page, gpa | PTE_RO);
}

/* Linux's fault-around: an aligned block, as far as the file goes. */
static void fill_around(struct guest *g, gva_t page)
{
	uint64_t size = g->options.fault_around * PAGE_SIZE;
	gva_t first = page & ~(size - 1), end = first + size;
	gva_t low = page, high = page;

	while (low > first && !is_anonymous(g, low - PAGE_SIZE))
		low -= PAGE_SIZE;
	while (high + PAGE_SIZE < end && !is_anonymous(g, high + PAGE_SIZE))
		high += PAGE_SIZE;
	for (gva_t at = low; at <= high && !g->err; at += PAGE_SIZE)
		if (is_absent(g, at))
			map_cached(g, at);
}

static void fill_absent(struct guest *g, gva_t page, uint32_t error)
{
	gpa_t gpa;

	if (error & PFEC_W) {
		gpa = new_page(g, true);
		if (gpa)
			space_map(g, page, gpa | PTE_RW);
	} else if (!(error & PFEC_ID) && (is_anonymous(g, page - PAGE_SIZE) ||
					  is_anonymous(g, page + PAGE_SIZE))) {
		space_map(g, page, ZERO_PAGE | PTE_RO);
	} else {
		fill_around(g, page);
	}
}

/* As Linux does it: nothing is mapped while the entry changes its frame. */
static void copy(struct guest *g, gva_t page, gpa_t old)
{
	gpa_t gpa = new_page(g, old == ZERO_PAGE);

	if (!gpa)
		return;
	if (old != ZERO_PAGE)
		kernel_copy(g, old, gpa);
	space_map(g, page, 0);
	kernel_invlpg(g, page);
	smp_shoot_down(g, &page, 1);
	space_map(g, page, gpa | PTE_RW);
	if (old != ZERO_PAGE)
		frame_free(g, old);
}

static void copy_on_write(struct guest *g, gva_t page, uint64_t entry)
{
	gpa_t old = entry & PTE_ADDR;
	const struct frame *frame = frame_of(g, old);

	if (old == ZERO_PAGE || frame->cached || frame->users > 1)
		copy(g, page, old);
	else
		space_map(g, page, old | PTE_RW);
}

/* The kernel walks, too, down to the first entry that is not present. */
static uint64_t look_up(struct guest *g, gva_t page)
{
	gpa_t table = space_now(g)->root;
	uint64_t entry = 0;

	for (int level = GUEST_LEVELS; level; level--) {
		gpa_t at = table + 8 * pt_index(page, level);

		kernel_read(g, at);
		entry = *space_at(g, at);
		if (!(entry & PTE_P))
			break;
		table = entry & PTE_ADDR;
	}
	return entry;
}

void fill(struct guest *g, gva_t gva, uint32_t error)
{
	gva_t page = gva & ~PAGE_MASK;
	uint64_t entry = look_up(g, page);

	if (!(entry & PTE_P))
		fill_absent(g, page, error);
	else
		copy_on_write(g, page, entry);
}

void fill_quietly(struct guest *g, gva_t page)
{
	if (is_absent(g, page))
		map_cached(g, page);
}
