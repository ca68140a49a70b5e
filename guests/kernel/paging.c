/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Building and walking page tables, the kernel's map, TLB flushes.  One
 * processor: flushes are local.  No global pages, no PCIDs.
 */
#include "kernel/paging.h"

#include "kernel/frame.h"
#include "kernel/x86.h"

#define LEAF_KERNEL (PTE_P | PTE_W | PTE_A | PTE_D | PTE_NX)

/* Linux's tlb_single_page_flush_ceiling: more pages are a CR3 reload. */
#define FLUSH_CEILING 33

#define KERNEL_HALF 256 /* first entry of a root that is the kernel's */

#define EXPERIMENT_VA 0xffffc90000000000ul

u64 direct_base = KERNEL_BASE;

static u64 kernel_root;
static u64 loaded_root;

u64 *pte_find(u64 root, u64 va)
{
	u64 table = root;

	for (u32 level = LEVELS; level > 1; level--) {
		u64 entry = ((u64 *)p2v(table))[table_index(va, level)];

		if (!(entry & PTE_P))
			return NULL;
		table = entry & PTE_ADDR;
	}
	return (u64 *)p2v(table) + table_index(va, 1);
}

u64 *entry_make(u64 root, u64 va, u32 leaf_level, u64 table_flags)
{
	u64 table = root;

	for (u32 level = LEVELS; level > leaf_level; level--) {
		u64 *entry = (u64 *)p2v(table) + table_index(va, level);

		if (!(*entry & PTE_P))
			pte_write(entry, frame_alloc() | table_flags);
		table = *entry & PTE_ADDR;
	}
	return (u64 *)p2v(table) + table_index(va, leaf_level);
}

u64 *pte_make(u64 root, u64 va, u64 table_flags)
{
	return entry_make(root, va, 1, table_flags);
}

void tlb_flush_all(void)
{
	write_cr3(loaded_root);
}

void tlb_flush_range(u64 start, u64 end)
{
	if ((end - start) >> PAGE_SHIFT > FLUSH_CEILING) {
		tlb_flush_all();
		return;
	}
	for (u64 va = start; va < end; va += PAGE_SIZE)
		invlpg(va);
}

void root_load(u64 root)
{
	if (root == loaded_root)
		return;
	loaded_root = root;
	write_cr3(root);
}

u64 root_of_kernel(void)
{
	return kernel_root;
}

void root_load_kernel(void)
{
	root_load(kernel_root);
}

static void map_direct(u64 ram_end, bool large)
{
	u64 pa = 0;

	while (large && pa + LARGE_SIZE <= ram_end) {
		*entry_make(kernel_root, DIRECT_BASE + pa, 2, TABLE_KERNEL) =
			pa | LEAF_KERNEL | PTE_PS;
		pa += LARGE_SIZE;
	}
	while (pa < ram_end) {
		u64 *pte =
			pte_make(kernel_root, DIRECT_BASE + pa, TABLE_KERNEL);
		u64 end = (pa | (LARGE_SIZE - 1)) + 1;

		if (end > ram_end)
			end = ram_end;
		for (; pa < end; pa += PAGE_SIZE)
			*pte++ = pa | LEAF_KERNEL;
	}
}

static void map_image(const char *start, const char *end, u64 flags)
{
	for (u64 va = (u64)start; va < (u64)end; va += PAGE_SIZE)
		*pte_make(kernel_root, va, TABLE_KERNEL) =
			(va - KERNEL_BASE) | PTE_P | PTE_A | PTE_D | flags;
}

void kernel_map_init(u64 ram_end, bool large)
{
	extern const char _text[], _rodata[], _data[], _end[];

	kernel_root = frame_alloc();
	map_direct(page_down(ram_end), large);
	map_image(_text, _rodata, 0);
	map_image(_rodata, _data, PTE_NX);
	map_image(_data, _end, PTE_NX | PTE_W);
	root_load(kernel_root);
	direct_base = DIRECT_BASE;
}

u64 root_create(void)
{
	u64 root = frame_alloc();
	const u64 *from = p2v(kernel_root);
	u64 *to = p2v(root);

	for (u64 i = KERNEL_HALF; i < TABLE_LEN; i++)
		if (from[i])
			pte_write(&to[i], from[i]);
	return root;
}

volatile u32 *kernel_map_frame(u64 pa)
{
	pte_write(pte_make(kernel_root, EXPERIMENT_VA, TABLE_KERNEL),
		  page_down(pa) | LEAF_KERNEL);
	return (volatile u32 *)EXPERIMENT_VA;
}
