/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Page tables.  The kernel's half of every address space:
 *   DIRECT_BASE   all RAM, read and write, in 4K pages (or 2M: direct=2m)
 *   KERNEL_BASE   the kernel image, text, constants and data apart
 * In 32-bit code the second is a part of the first.
 * Kernel entries have A and D set from the start, as Linux does it, so that
 * the processor never has to write to them.  Tables are written through the
 * direct map, a whole entry at a time.
 */
#ifndef MINI_PAGING_H
#define MINI_PAGING_H

#include "common/abi.h"
#include "common/types.h"

/* Levels of tables by which the image has been built: 2, 3, or 4 and 5. */
#ifndef MINI_LEVELS
#error "which paging mode?"
#endif

#if MINI_LEVELS == 4
#define KERNEL_BASE 0xffffffff80000000ull
#define RAM_MAX     0x40000000ull /* as much as boot.S maps: 1 GiB */
#else
#define KERNEL_BASE DIRECT_BASE
#define RAM_MAX     0x30000000ull
#endif

#if MINI_LEVELS == 2
typedef u32 pte_t;
#define LEVEL_BITS  10
#define ROOT_LEN    1024ull
#define KERNEL_HALF 768 /* first entry of a root that is the kernel's */
#define PTE_ADDR    0xfffff000ull
#else
typedef u64 pte_t;
#define LEVEL_BITS  9
#define ROOT_LEN    (MINI_LEVELS == 3 ? 4ull : 512ull)
#define KERNEL_HALF (MINI_LEVELS == 3 ? 3 : 256)
#define PTE_ADDR    0x000ffffffffff000ull
#endif
#define TABLE_LEN  (1ull << LEVEL_BITS)
#define LARGE_SIZE (PAGE_SIZE << LEVEL_BITS)

/* Entries that point to tables; rights are decided at the leaf. */
#define TABLE_KERNEL (PTE_P | PTE_W | PTE_A | PTE_D)
#define TABLE_USER   (TABLE_KERNEL | PTE_U)

#define PTE_G          0x100
#define PTE_PKEY_SHIFT 59
#define PTE_PKEY       (0xfull << PTE_PKEY_SHIFT)

/* What the processor has and the command line wants. */
struct paging {
	u32 levels;
	u64 nx;     /* the bit, or 0 */
	u64 global; /* likewise: of the kernel's pages */
	bool pcid, invpcid;
	u32 features; /* RIGHTS_* */
};

extern struct paging paging;

/* Where physical memory is mapped at the moment; boot.S's map at first. */
extern u64 direct_base;

static inline void *p2v(u64 pa)
{
	return (void *)(uptr)(direct_base + pa);
}

/* Bytes mapped by one entry of a table of this level; 1 is the leaf's. */
static inline u64 level_size(u32 level)
{
	return PAGE_SIZE << LEVEL_BITS * (level - 1);
}

static inline u64 table_index(u64 va, u32 level)
{
	return (va >> (PAGE_SHIFT + LEVEL_BITS * (level - 1))) &
	       (TABLE_LEN - 1);
}

/*
 * A whole entry at a time; 32-bit code writes a wide one in two halves, the
 * one with P last when it becomes present and first when it goes.
 */
static inline void pte_write(pte_t *pte, u64 val)
{
#if MINI_LEVELS == 3
	volatile u32 *half = (volatile u32 *)pte;
	u32 first = val & PTE_P ? 1 : 0;

	half[first] = (u32)(val >> 32 * first);
	half[first ^ 1] = (u32)(val >> 32 * (first ^ 1));
#else
	*(volatile pte_t *)pte = (pte_t)val;
#endif
}

/* The leaf entry of va; NULL if a table on the way is missing. */
pte_t *pte_find(u64 root, u64 va);

/*
 * The entry of va in its table of the given level; makes missing tables above,
 * with these entries to them.
 */
pte_t *entry_make(u64 root, u64 va, u32 leaf_level, u64 table_flags);

/* The leaf's. */
pte_t *pte_make(u64 root, u64 va, u64 table_flags);

/* Drop the TLB entries of [start, end): page by page, or all if many. */
void tlb_flush_range(u64 start, u64 end);
void tlb_flush_all(void);

/* Build the kernel's half for RAM up to ram_end and switch to it. */
void kernel_map_init(u64 ram_end, bool large);

/* A new root that shares the kernel's half. */
u64 root_create(void);

/*
 * Load a root into CR3 unless it is there already.  `space` is a small number
 * of the address space, its PCID; is_new: no entry of an older one may be left.
 */
void root_load(u64 root, u64 space, bool is_new);
void root_load_kernel(void);
u64 root_of_kernel(void);

/* Map one frame of anything at a free kernel address, one for each use. */
enum frame_use {
	FRAME_EXPERIMENT,
	FRAME_APIC,
};

volatile u32 *kernel_map_frame(enum frame_use use, u64 pa);

#endif
