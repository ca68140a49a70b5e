/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Four-level page tables.  The kernel's half of every address space:
 *   DIRECT_BASE   all RAM, read and write, in 4K pages (or 2M: direct=2m)
 *   KERNEL_BASE   the kernel image, text, constants and data apart
 * Kernel entries have A and D set from the start, as Linux does it, so that
 * the processor never has to write to them.  Tables are written through the
 * direct map, a whole entry at a time.
 */
#ifndef MINI_PAGING_H
#define MINI_PAGING_H

#include "common/abi.h"
#include "common/types.h"

#define DIRECT_BASE 0xffff888000000000ul
#define KERNEL_BASE 0xffffffff80000000ul
#define RAM_MAX     0x40000000ul /* as much as boot.S maps: 1 GiB */

#define PTE_NX   (1ul << 63)
#define PTE_ADDR 0x000ffffffffff000ul

/* Entries that point to tables; rights are decided at the leaf. */
#define TABLE_KERNEL (PTE_P | PTE_W | PTE_A | PTE_D)
#define TABLE_USER   (TABLE_KERNEL | PTE_U)

#define LEVELS     4
#define TABLE_LEN  512ul
#define LARGE_SIZE 0x200000ul

/* Where physical memory is mapped at the moment; boot.S's map at first. */
extern u64 direct_base;

static inline void *p2v(u64 pa)
{
	return (void *)(direct_base + pa);
}

/* Bytes mapped by one entry of a table of this level; 1 is the leaf's. */
static inline u64 level_size(u32 level)
{
	return 1ul << (PAGE_SHIFT + 9 * (level - 1));
}

static inline u64 table_index(u64 va, u32 level)
{
	return (va / level_size(level)) % TABLE_LEN;
}

static inline void pte_write(u64 *pte, u64 val)
{
	*(volatile u64 *)pte = val;
}

/* The leaf entry of va; NULL if a table on the way is missing. */
u64 *pte_find(u64 root, u64 va);

/*
 * The entry of va in its table of the given level; makes missing tables above,
 * with these entries to them.
 */
u64 *entry_make(u64 root, u64 va, u32 leaf_level, u64 table_flags);

/* The leaf's. */
u64 *pte_make(u64 root, u64 va, u64 table_flags);

/* Drop the TLB entries of [start, end): page by page, or all if many. */
void tlb_flush_range(u64 start, u64 end);
void tlb_flush_all(void);

/* Build the kernel's half for RAM up to ram_end and switch to it. */
void kernel_map_init(u64 ram_end, bool large);

/* A new root that shares the kernel's half. */
u64 root_create(void);

/* Load a root into CR3 unless it is there already. */
void root_load(u64 root);
void root_load_kernel(void);
u64 root_of_kernel(void);

/* Map one frame of anything at a free kernel address; for experiments. */
volatile u32 *kernel_map_frame(u64 pa);

#endif
