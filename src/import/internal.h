/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The model guest's state.
 *
 *   guest.c    create, user instructions, the end
 *   kernel.c   what the kernel executes: entry, handler, stores, return
 *   space.c    address spaces: tables, mapping, fork, exit
 *   frames.c   frames of guest memory
 */
#ifndef NOTRAP_IMPORT_INTERNAL_H
#define NOTRAP_IMPORT_INTERNAL_H

#include "arch/paging.h"
#include "base/bug.h"
#include "import/guest.h"

/* Linear addresses, as Linux has them. */
#define KERNEL_DIRECT UINT64_C(0xffff888000000000) /* all memory, 2M pages */
#define KERNEL_TEXT   UINT64_C(0xffffffff81000000) /* 2 MiB, one page */

/* Places in the kernel's 2 MiB, which lie at physical 2 MiB. */
#define IMAGE_GPA    UINT64_C(0x200000)
#define OFFSET_ENTRY 0x1000  /* exception entry and return */
#define OFFSET_FAULT 0x20000 /* fault handler */
#define OFFSET_FILL  0x21000 /* what fills an entry */
#define OFFSET_COPY  0x30000 /* clear and copy pages */
#define OFFSET_SCHED 0x40000 /* context switch */
#define OFFSET_FORK  0x50000 /* fork, exit, unmap */
#define OFFSET_IDT   0x100000
#define OFFSET_GDT   0x101000
#define OFFSET_TSS   0x102000
#define OFFSET_DATA  0x110000 /* of the memory manager */
#define OFFSET_STACK 0x180000 /* stacks, a page each, 64 of them */

#define STACKS 64

/* Entries. */
#define PTE_TABLE (PTE_P | PTE_W | PTE_U | PTE_A)
#define PTE_RO    (PTE_P | PTE_U | PTE_A)
#define PTE_RW    (PTE_P | PTE_W | PTE_U | PTE_A | PTE_D)

/* What of a translation user references have shown so far. */
#define PAGES_BITS 14

struct page_seen {
	gva_t page;
	uint32_t epoch; /* 0: none */
	bool write;     /* may be written, and is dirty */
};

struct space {
	uint32_t pid;
	bool used;
	gpa_t root;
	uint64_t pages; /* mapped */
};

struct frame {
	uint64_t *table; /* contents, of a page table */
	uint32_t users;  /* mappings of a user page, 1 for a table */
	bool known;      /* told as a table */
};

struct guest {
	struct guest_options options;
	struct trace_writer *writer;
	struct guest_stats stats;

	uint64_t nr_frames, first_frame;
	struct frame *frame;
	uint32_t *order; /* frames in the order they are handed out */
	uint64_t next;   /* in it */
	uint32_t *freed; /* a stack */
	uint64_t nr_freed;
	gpa_t zero_page;

	struct space *space;
	uint32_t nr_spaces, current;
	gpa_t kernel_tables[2]; /* PDPTs of the direct map and of the text */

	bool failed; /* no frame left */
	uint32_t epoch;
	struct page_seen seen[1 << PAGES_BITS];
};

/* frames.c */
int frames_init(struct guest *g, struct diag *diag);
void frames_finish(struct guest *g);
/* 0 and g->failed: none left. */
gpa_t frame_alloc(struct guest *g);
void frame_free(struct guest *g, gpa_t gpa);
int frame_error(const struct guest *g, struct diag *diag);

static inline struct frame *frame_of(struct guest *g, gpa_t gpa)
{
	return &g->frame[gpa >> PAGE_SHIFT];
}

/* kernel.c: references and events */
void emit_ref(struct guest *g, enum trace_kind kind, gva_t gva, uint32_t size,
	      bool user, uint32_t count);
void kernel_run(struct guest *g, uint32_t offset, unsigned int insns);
void kernel_store(struct guest *g, gpa_t gpa, uint64_t val);
void kernel_clear(struct guest *g, gpa_t gpa);
void kernel_copy(struct guest *g, gpa_t from, gpa_t to);
void kernel_deliver(struct guest *g, gva_t cr2, uint32_t error, gva_t rip,
		    bool user);
/* cpl: of what is tried again; -1: nothing is. */
void kernel_return(struct guest *g, gva_t cr2, gva_t rip, int cpl);
void kernel_invlpg(struct guest *g, gva_t gva);
void kernel_load_cr3(struct guest *g, gpa_t root);
void kernel_out(struct guest *g, uint16_t port, uint8_t val);
void event_of(struct guest *g, struct guest_event ev);

/* space.c */
int space_init(struct guest *g, struct diag *diag);
/* Tables that a walk for gva passes, told if they are new. */
void space_tell(struct guest *g, gva_t gva);
uint64_t space_entry(struct guest *g, gva_t gva);
/* Stores the leaf entry, making tables; only when !g->failed after. */
void space_map(struct guest *g, gva_t gva, uint64_t entry);
void space_unmap(struct guest *g, gva_t gva);
/* A cleared frame for user data. */
gpa_t space_page(struct guest *g);
/* Handles a fault whose error code is known: maps what is needed. */
void space_fill(struct guest *g, gva_t gva, uint32_t error);
/* The processor has written: D is set in the entry. */
void space_dirty(struct guest *g, gva_t gva);
void space_forget(struct guest *g); /* seen pages */

#endif
