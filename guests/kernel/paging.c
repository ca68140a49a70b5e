/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Building and walking page tables, the kernel's map, TLB flushes.  One
 * processor: flushes are local.
 */
#include "kernel/paging.h"

#include "kernel/frame.h"
#include "kernel/x86.h"

#define LEAF_KERNEL (PTE_P | PTE_W | PTE_A | PTE_D)

/* Linux's tlb_single_page_flush_ceiling: more pages are a CR3 reload. */
#define FLUSH_CEILING 33

#if MINI_LEVELS == 4
#define EXPERIMENT_VA 0xffffc90000000000ull
#else
#define EXPERIMENT_VA (DIRECT_BASE + RAM_MAX)
#endif

#define CR3_KEEP_TLB (1ull << 63)

u64 direct_base = KERNEL_BASE;

struct paging paging;

static u64 kernel_root;
static u64 loaded_root;
static u64 loaded_space;

static u64 leaf_kernel(void)
{
	return LEAF_KERNEL | paging.nx | paging.global;
}

static pte_t *entry_at(u64 table, u64 va, u32 level)
{
	return (pte_t *)p2v(table) + table_index(va, level);
}

pte_t *pte_find(u64 root, u64 va)
{
	u64 table = root;

	for (u32 level = paging.levels; level > 1; level--) {
		u64 entry = *entry_at(table, va, level);

		if (!(entry & PTE_P))
			return NULL;
		table = entry & PTE_ADDR;
	}
	return entry_at(table, va, 1);
}

/* A PDPTE has no rights, and no A or D. */
static u64 link_flags(u32 level, u64 table_flags)
{
	return MINI_LEVELS == 3 && level == 3 ? PTE_P : table_flags;
}

pte_t *entry_make(u64 root, u64 va, u32 leaf_level, u64 table_flags)
{
	u64 table = root;

	for (u32 level = paging.levels; level > leaf_level; level--) {
		pte_t *entry = entry_at(table, va, level);

		if (!(*entry & PTE_P))
			pte_write(entry,
				  frame_alloc() |
					  link_flags(level, table_flags));
		table = *entry & PTE_ADDR;
	}
	return entry_at(table, va, leaf_level);
}

pte_t *pte_make(u64 root, u64 va, u64 table_flags)
{
	return entry_make(root, va, 1, table_flags);
}

void tlb_flush_all(void)
{
	write_cr3(loaded_root | loaded_space);
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

static void forget_space(u64 space)
{
	if (paging.invpcid)
		invpcid_context(space);
	else
		write_cr3(loaded_root | space); /* keeps nothing */
}

void root_load(u64 root, u64 space, bool is_new)
{
	if (!paging.pcid)
		space = 0;
	if (root == loaded_root && space == loaded_space)
		return;
	if (is_new && paging.pcid)
		forget_space(space);
	loaded_root = root;
	loaded_space = space;
	write_cr3(root | space | (paging.pcid ? CR3_KEEP_TLB : 0));
}

void root_load_kernel(void)
{
	root_load(kernel_root, 0, false);
}

/* Where the image's pages, of other rights, are to be mapped. */
static bool has_image(u64 start, u64 end)
{
	extern const char _text[], _end[];

	return MINI_LEVELS != 4 && start < (uptr)_end - KERNEL_BASE &&
	       (uptr)_text - KERNEL_BASE < end;
}

u64 root_of_kernel(void)
{
	return kernel_root;
}

static void map_direct(u64 ram_end, bool large)
{
	u64 pa = 0;

	while (pa < ram_end) {
		u64 va = DIRECT_BASE + pa;
		u64 end = (pa | (LARGE_SIZE - 1)) + 1;
		pte_t *pte;

		if (large && end <= ram_end && !has_image(pa, end)) {
			*entry_make(kernel_root, va, 2, TABLE_KERNEL) =
				(pte_t)(pa | leaf_kernel() | PTE_PS);
			pa = end;
			continue;
		}
		pte = pte_make(kernel_root, va, TABLE_KERNEL);
		if (end > ram_end)
			end = ram_end;
		for (; pa < end; pa += PAGE_SIZE)
			*pte++ = (pte_t)(pa | leaf_kernel());
	}
}

static void map_image(const char *start, const char *end, u64 flags)
{
	for (u64 va = (uptr)start; va < (uptr)end; va += PAGE_SIZE)
		*pte_make(kernel_root, va, TABLE_KERNEL) =
			(pte_t)((va - KERNEL_BASE) | PTE_P | PTE_A | PTE_D |
				paging.global | flags);
}

void kernel_map_init(u64 ram_end, bool large)
{
	extern const char _text[], _rodata[], _data[], _end[];

	kernel_root = frame_alloc();
	map_direct(page_down(ram_end), large);
	map_image(_text, _rodata, 0);
	map_image(_rodata, _data, paging.nx);
	map_image(_data, _end, paging.nx | PTE_W);
	root_load_kernel();
	direct_base = DIRECT_BASE;
}

u64 root_create(void)
{
	u64 root = frame_alloc();
	const pte_t *from = p2v(kernel_root);
	pte_t *to = p2v(root);

	for (u64 i = KERNEL_HALF; i < ROOT_LEN; i++)
		if (from[i])
			pte_write(&to[i], from[i]);
	/* The processor holds PDPTEs from the load of CR3 on. */
	for (u64 i = 0; MINI_LEVELS == 3 && i < KERNEL_HALF; i++)
		pte_write(&to[i], frame_alloc() | PTE_P);
	return root;
}

volatile u32 *kernel_map_frame(enum frame_use use, u64 pa)
{
	u64 va = EXPERIMENT_VA + use * PAGE_SIZE;

	pte_write(pte_make(kernel_root, va, TABLE_KERNEL),
		  page_down(pa) | leaf_kernel());
	return (volatile u32 *)(uptr)va;
}
