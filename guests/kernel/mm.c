/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Demand-zero memory, copy on write, growth of the stack, teardown.  Left
 * out: swapping, shared memory, files other than the program image.
 */
#include "kernel/mm.h"

#include "kernel/frame.h"
#include "kernel/paging.h"

#define LEAF_USER (PTE_P | PTE_U)

extern const char user_image[], user_image_end[];

static u64 image_pa(void)
{
	return (uptr)user_image - KERNEL_BASE;
}

static u64 image_size(void)
{
	return (u64)(user_image_end - user_image);
}

/* The program's frames belong to the kernel image, not to the allocator. */
static bool is_image(u64 pa)
{
	return pa >= image_pa() && pa < image_pa() + image_size();
}

static u64 leaf_flags(const struct vma *vma)
{
	return LEAF_USER | (vma->flags & VMA_EXEC ? 0 : paging.nx);
}

/* ---- areas ---- */

static struct vma *vma_at(struct mm *mm, u64 va)
{
	for (size_t i = 0; i < MM_VMAS; i++)
		if (va >= mm->vmas[i].start && va < mm->vmas[i].end)
			return &mm->vmas[i];
	return NULL;
}

static bool vma_add(struct mm *mm, u64 start, u64 end, u32 flags)
{
	for (size_t i = 0; i < MM_VMAS; i++) {
		if (mm->vmas[i].end)
			continue;
		mm->vmas[i] = (struct vma){start, end, flags};
		return true;
	}
	return false;
}

/* The area of va, after the stack has grown down to it if it may. */
static struct vma *vma_for_fault(struct mm *mm, u64 va)
{
	struct vma *vma = vma_at(mm, va);

	if (vma || va < USER_STACK_TOP - USER_STACK_MAX || va >= USER_STACK_TOP)
		return vma;
	vma = vma_at(mm, USER_STACK_TOP - 1);
	vma->start = page_down(va);
	return vma;
}

static u64 user_mmap(void)
{
#ifdef USER_MMAP_57
	if (paging.levels == 5)
		return USER_MMAP_57;
#endif
	return USER_MMAP;
}

u64 mm_user_end(void)
{
#ifdef USER_END_57
	if (paging.levels == 5)
		return USER_END_57;
#endif
	return USER_END;
}

/* The lowest room for len bytes: at user_mmap() or right behind an area. */
static u64 find_room(const struct mm *mm, u64 len)
{
	u64 start = user_mmap();
	bool moved;

	do {
		moved = false;
		for (size_t i = 0; i < MM_VMAS; i++) {
			const struct vma *vma = &mm->vmas[i];

			if (start < vma->end && vma->start < start + len) {
				start = vma->end;
				moved = true;
			}
		}
	} while (moved);
	return start;
}

/* ---- faults ---- */

static bool vma_allows(const struct vma *vma, u64 code)
{
	if (code & (PF_RSVD | PF_PK))
		return false;
	if (code & PF_W)
		return vma->flags & VMA_WRITE;
	if (code & PF_I)
		return vma->flags & VMA_EXEC;
	return true;
}

/* The whole program at once, as Linux's fault-around does for small files. */
static void map_program(const struct mm *mm, const struct vma *vma)
{
	u64 pa = image_pa();

	for (u64 va = vma->start; va < vma->end; va += PAGE_SIZE) {
		pte_t *pte = pte_make(mm->root, va, TABLE_USER);

		pte_write(pte, pa | leaf_flags(vma) | PTE_A);
		pa += PAGE_SIZE;
	}
}

/* A present page is written that may be, but not yet: copy on write. */
static void copy_on_write(pte_t *pte, u64 va)
{
	u64 old = *pte & PTE_ADDR;
	u64 flags = (*pte & ~(pte_t)PTE_ADDR) | PTE_W | PTE_A | PTE_D;
	u64 new = old;

	if (frame_users(old) > 1) {
		new = frame_alloc();
		memcpy(p2v(new), p2v(old), PAGE_SIZE);
		frame_put(old);
	}
	pte_write(pte, new | flags);
	tlb_flush_range(va, va + PAGE_SIZE);
}

enum fault_result mm_fault(struct mm *mm, u64 va, u64 code)
{
	struct vma *vma = vma_for_fault(mm, va);
	pte_t *pte;

	va = page_down(va);
	if (!vma || !vma_allows(vma, code))
		return FAULT_BAD;
	pte = pte_make(mm->root, va, TABLE_USER);

	if (code & PF_P) {
		if (!(code & PF_W) || !(*pte & PTE_P) || (*pte & PTE_W))
			return FAULT_SPURIOUS;
		copy_on_write(pte, va);
		return FAULT_DONE;
	}
	if (*pte & PTE_P)
		return FAULT_SPURIOUS;

	if (vma->flags & VMA_IMAGE)
		map_program(mm, vma);
	else if (code & PF_W)
		pte_write(pte, frame_alloc() | leaf_flags(vma) | PTE_W | PTE_A |
				       PTE_D);
	else
		pte_write(pte, frame_alloc() | leaf_flags(vma) | PTE_A);
	return FAULT_DONE;
}

/* ---- map and unmap ---- */

u64 mm_mmap(struct mm *mm, u64 len, bool populate)
{
	u64 start;

	len = page_up(len);
	if (!len || len > RAM_MAX)
		return sys_error(E_INVAL);
	start = find_room(mm, len);
	if (!vma_add(mm, start, start + len, VMA_WRITE))
		return sys_error(E_NOMEM);

	for (u64 va = start; populate && va < start + len; va += PAGE_SIZE)
		pte_write(pte_make(mm->root, va, TABLE_USER),
			  frame_alloc() | LEAF_USER | paging.nx | PTE_W);
	return start;
}

typedef void pte_visitor(pte_t *pte, u64 va, void *data);

/*
 * Call visit for each present PTE in [start, end); missing leaf tables are
 * stepped over.
 */
static void for_each_pte(u64 root, u64 start, u64 end, pte_visitor *visit,
			 void *data)
{
	u64 va = start;

	while (va < end) {
		pte_t *pte = pte_find(root, va);
		u64 stop = (va | (LARGE_SIZE - 1)) + 1;

		for (; pte && va < end && va < stop; va += PAGE_SIZE, pte++)
			if (*pte & PTE_P)
				visit(pte, va, data);
		if (!pte)
			va = stop;
	}
}

static void zap_pte(pte_t *pte, u64 va, void *data)
{
	u64 pa = *pte & PTE_ADDR;

	(void)va;
	(void)data;
	pte_write(pte, 0);
	frame_put(pa);
}

/* Take [start, end) out of its area: none, one or two pieces are left. */
static bool vma_cut(struct mm *mm, struct vma *vma, u64 start, u64 end)
{
	if (start > vma->start) {
		if (end < vma->end && !vma_add(mm, end, vma->end, vma->flags))
			return false;
		vma->end = start;
	} else if (end < vma->end) {
		vma->start = end;
	} else {
		vma->end = 0;
	}
	return true;
}

u64 mm_munmap(struct mm *mm, u64 start, u64 len)
{
	u64 end = start + page_up(len);
	struct vma *vma = vma_at(mm, start);

	if (start != page_down(start) || end <= start)
		return sys_error(E_INVAL);
	if (!vma || end > vma->end || vma->flags != VMA_WRITE)
		return sys_error(E_INVAL);
	if (!vma_cut(mm, vma, start, end))
		return sys_error(E_NOMEM);

	for_each_pte(mm->root, start, end, zap_pte, NULL);
	tlb_flush_range(start, end);
	return 0;
}

static void set_key(pte_t *pte, u64 va, void *data)
{
	const u64 *key = data;

	pte_write(pte, (*pte & ~(u64)PTE_PKEY) | *key << PTE_PKEY_SHIFT);
	tlb_flush_range(va, va + PAGE_SIZE);
}

void mm_set_key(struct mm *mm, u64 start, u64 len, u64 key)
{
	for_each_pte(mm->root, start, start + len, set_key, &key);
}

u64 mm_pagemap(const struct mm *mm, u64 va)
{
	pte_t *pte = va < mm_user_end() ? pte_find(mm->root, va) : NULL;

	return pte ? *pte : 0;
}

/* ---- whole address spaces ---- */

void mm_init(struct mm *mm)
{
	memset(mm, 0, sizeof(*mm));
	mm->root = root_create();
	mm->is_new = true;
	vma_add(mm, USER_TEXT, USER_TEXT + image_size(), VMA_EXEC | VMA_IMAGE);
	vma_add(mm, USER_STACK_TOP - PAGE_SIZE, USER_STACK_TOP,
		VMA_WRITE | VMA_STACK);
}

/*
 * Parent and child share the frame; whoever writes first gets a copy.  The
 * child's entry starts without A: it has not used the page.
 */
static void share_pte(pte_t *pte, u64 va, void *data)
{
	struct mm *to = data;
	u64 shared = *pte & ~(u64)PTE_W;

	if (*pte & PTE_W)
		pte_write(pte, shared);
	frame_get(shared & PTE_ADDR);
	pte_write(pte_make(to->root, va, TABLE_USER), shared & ~(u64)PTE_A);
}

void mm_fork(struct mm *to, struct mm *from)
{
	*to = *from;
	to->root = root_create();
	to->is_new = true;
	for (size_t i = 0; i < MM_VMAS; i++) {
		const struct vma *vma = &from->vmas[i];

		if (vma->end && !(vma->flags & VMA_IMAGE))
			for_each_pte(from->root, vma->start, vma->end,
				     share_pte, to);
	}
	tlb_flush_all();
}

/* Free what a table of user memory points to, then the table. */
static void free_table(u64 table, u32 level, u64 entries)
{
	pte_t *entry = p2v(table);

	for (; entries; entries--, entry++) {
		u64 pa = *entry & PTE_ADDR;

		if (!(*entry & PTE_P))
			continue;
		if (level > 1)
			free_table(pa, level - 1, TABLE_LEN);
		/* PDPTEs are not looked at: the root is not loaded. */
		pte_write(entry, 0);
		if (level == 1 && !is_image(pa))
			frame_put(pa);
	}
	frame_put(table);
}

void mm_destroy(struct mm *mm)
{
	free_table(mm->root, paging.levels, KERNEL_HALF);
	mm->root = 0;
}
