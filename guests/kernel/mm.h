/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A process's address space: page tables and the areas that say what belongs
 * where.  Page-table entries are made as Linux makes them (README.md, "Page
 * tables").
 */
#ifndef MINI_MM_H
#define MINI_MM_H

#include "common/types.h"

#define VMA_WRITE 0x1
#define VMA_EXEC  0x2
#define VMA_IMAGE 0x4 /* the program's pages; fork does not copy the PTEs */
#define VMA_STACK 0x8 /* grows down on a fault below it */

#define MM_VMAS 16

struct vma {
	u64 start;
	u64 end; /* 0: this slot is free */
	u32 flags;
};

struct mm {
	u64 root;    /* physical address of the top table; 0: none (idle) */
	bool is_new; /* it has not been loaded yet */
	struct vma vmas[MM_VMAS];
};

/* Error-code bits of a page fault (SDM vol. 3A, "Page-Fault Exceptions"). */
#define PF_P    0x1
#define PF_W    0x2
#define PF_U    0x4
#define PF_RSVD 0x8
#define PF_I    0x10
#define PF_PK   0x20

enum fault_result {
	FAULT_DONE,     /* try the access again */
	FAULT_BAD,      /* no such memory, or no right to use it so */
	FAULT_SPURIOUS, /* the tables allow the access: no reason to fault */
};

void mm_init(struct mm *mm);                  /* program image and stack */
void mm_fork(struct mm *to, struct mm *from); /* from is the one loaded */
void mm_destroy(struct mm *mm);               /* must not be the one loaded */

/* mm is the one loaded in what follows. */
enum fault_result mm_fault(struct mm *mm, u64 va, u64 code);
u64 mm_mmap(struct mm *mm, u64 len, bool populate); /* address or -E_* */
u64 mm_munmap(struct mm *mm, u64 start, u64 len);   /* 0 or -E_* */
u64 mm_pagemap(const struct mm *mm, u64 va);
void mm_set_key(struct mm *mm, u64 start, u64 len, u64 key);

/* First address that is none of a user's. */
u64 mm_user_end(void);

#endif
