/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The model guest's state, and what its files call in each other.
 *
 *   guest.c    create, the end
 *   user.c     user instructions
 *   log.c      faults that a real kernel saw
 *   tasks.c    who runs, in which address space
 *   smp.c      on which processor; what the others' TLBs must forget
 *   fill.c     what a page fault maps
 *   space.c    page tables of an address space: walk, map, unmap, copy
 *   kernel.c   what the kernel executes: entry, handler, stores, return
 *   emit.c     references and items on their way to the writer
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

/* Frames of the tables that a loader has made; from frame 4 on, three PDs. */
#define DIRECT_PDPT UINT64_C(0x1000)
#define TEXT_PDPT   UINT64_C(0x2000)
#define TEXT_PD     UINT64_C(0x3000)
#define DIRECT_PD   UINT64_C(0x4000)
#define FIRST_ROOT  UINT64_C(0x7000)
#define ZERO_PAGE   UINT64_C(0x8000)

/* Places in the kernel's 2 MiB, which lie at physical 2 MiB. */
#define IMAGE_GPA    UINT64_C(0x200000)
#define OFFSET_ENTRY 0x1000  /* exception and system call entry, return */
#define OFFSET_FAULT 0x20000 /* fault handler */
#define OFFSET_FILL  0x21000 /* what walks and fills page tables */
#define OFFSET_ALLOC 0x22000 /* page allocator */
#define OFFSET_COPY  0x30000 /* clear and copy pages, reach user memory */
#define OFFSET_SCHED 0x40000 /* context switch, port output */
#define OFFSET_TASK  0x50000 /* fork, exec, exit, unmap */
#define OFFSET_IPI   0x60000 /* ask other processors, and be asked */
#define OFFSET_IDT   0x100000
#define OFFSET_GDT   0x101000
#define OFFSET_TSS   0x102000
#define OFFSET_DATA  0x110000 /* of the memory manager */
#define OFFSET_STACK 0x180000 /* stacks, a page each; idle ones behind */

#define GUEST_LEVELS 4 /* of page tables */

#define STACKS 64

#define TSS_SIZE 128 /* of a processor */

#define NO_CPU UINT32_MAX

/* Entries, as Linux writes them. */
#define PTE_KERNEL_TABLE (PTE_P | PTE_W | PTE_A | PTE_D)
#define PTE_TABLE        (PTE_KERNEL_TABLE | PTE_U)
#define PTE_RO           (PTE_P | PTE_U | PTE_A)
#define PTE_RW           (PTE_P | PTE_W | PTE_U | PTE_A | PTE_D)

/*
 * Pages that user references have shown to be there: page number, epoch of the
 * address space, and whether it can be written.
 */
#define SEEN_BITS      14
#define SEEN_WRITE     1
#define SEEN_EPOCH_MAX 0xfffffffu

struct space {
	uint32_t users; /* tasks; 0: free */
	uint32_t epoch; /* 1..SEEN_EPOCH_MAX, no other one's */
	gpa_t root;
	uint32_t next; /* free one */
};

struct task {
	uint32_t thread;
	uint32_t space;
	uint32_t next; /* in its bucket, plus 1; or free one */
	uint32_t cpu;  /* where it ran last, or NO_CPU */
	bool has_run;
};

/* Of a processor whose turn it is not. */
struct cpu {
	bool begun;
	uint32_t current;
	gpa_t root;
	gva_t stack;
	gva_t rip;
};

#define TASK_BUCKET_BITS 10

struct frame {
	uint64_t *table; /* contents, of a page table */
	uint32_t users;  /* mappings of a user page, 1 for a table */
	bool known;      /* told as a table, and its end has not been */
	bool cached;     /* of a file: belongs to the page cache, too */
};

struct guest {
	struct guest_options options;
	struct trace_writer *writer;
	struct guest_stats stats;
	int err; /* what failed first, and its line */
	struct diag diag;

	/* On their way to the writer. */
	struct trace_ref refs[GUEST_REFS_MAX];
	uint32_t nr_refs;

	uint64_t nr_frames, first_frame;
	struct frame *frame;
	uint32_t *order; /* in which they are handed out; NULL: ascending */
	uint64_t next;   /* in it */
	uint32_t *freed; /* a stack */
	uint64_t nr_freed;

	/*
	 * Task 0 is idle: always in the kernel, in whatever space was there
	 * before.  Space 0 is the one the guest begins in, with no user half.
	 */
	struct space *space;
	struct task *task;
	uint32_t nr_spaces, nr_tasks;
	uint32_t free_space, free_task; /* 0: none */
	uint32_t current;
	gpa_t root;                              /* in CR3 */
	uint32_t bucket[1u << TASK_BUCKET_BITS]; /* task, plus 1 */

	gva_t stack; /* pointer of the kernel */
	gva_t rip;   /* of user code, as the last fault had it */

	/* current, root, stack and rip are of this one. */
	uint32_t vcpu;
	uint32_t next_vcpu; /* for a task that is new */
	uint32_t want_vcpu; /* told, or NO_CPU */
	struct cpu left[TRACE_VCPUS_MAX];

	uint32_t epoch;     /* the last one given out */
	uint32_t epoch_now; /* of the space that runs */
	uint64_t seen[1u << SEEN_BITS];
};

static inline struct space *space_now(struct guest *g)
{
	return &g->space[g->task[g->current].space];
}

/* frames.c */
int frames_init(struct guest *g, struct diag *diag);
void frames_finish(struct guest *g);
gpa_t frame_alloc(struct guest *g);          /* 0 and g->err: none left */
void frame_free(struct guest *g, gpa_t gpa); /* one user less */

static inline struct frame *frame_of(struct guest *g, gpa_t gpa)
{
	return &g->frame[gpa >> PAGE_SHIFT];
}

/* emit.c */
void emit_flush(struct guest *g);
void emit_item(struct guest *g, const struct trace_item *item);
void emit_event(struct guest *g, struct guest_event ev);

static inline void emit(struct guest *g, const struct trace_ref *ref)
{
	if (unlikely(g->nr_refs == GUEST_REFS_MAX))
		emit_flush(g);
	g->refs[g->nr_refs++] = *ref;
}

/*
 * size bytes from gva on, in each page a part; only the first counts.  Parts
 * of more than 255 bytes are told as 255.
 */
void emit_parts(struct guest *g, enum trace_kind kind, gva_t gva, uint32_t size,
		bool user, uint32_t count);

/* kernel.c */
void kernel_run(struct guest *g, uint32_t offset, uint32_t insns);
void kernel_read(struct guest *g, gpa_t gpa); /* through the direct map */
void kernel_store(struct guest *g, gpa_t gpa, uint64_t val);
void kernel_clear(struct guest *g, gpa_t gpa);
/* `to` is no known table. */
void kernel_copy(struct guest *g, gpa_t from, gpa_t to);
void kernel_invlpg(struct guest *g, gva_t gva);
void kernel_load_cr3(struct guest *g, gpa_t root);
void kernel_out(struct guest *g, uint16_t port, uint8_t val);

void kernel_begin(struct guest *g); /* idle, at the first instruction */

/* A system call of the task that runs begins and ends; idle makes none. */
void kernel_enter(struct guest *g);
void kernel_leave(struct guest *g);

/* The rest of a switch, once g->current is the next one. */
void kernel_switch_stack(struct guest *g);

/* Another processor asks for something: enters the kernel, and leaves it. */
void kernel_interrupt(struct guest *g);
void kernel_end_interrupt(struct guest *g, gva_t stack);
/* To the local APIC of another one. */
void kernel_send_ipi(struct guest *g, uint32_t vcpu);

/* A page fault and what the handler does before it knows more. */
void kernel_fault(struct guest *g, gva_t cr2, uint32_t error, gva_t rip,
		  bool user);
/* Back from it; the instruction is tried again. */
void kernel_resume(struct guest *g, gva_t cr2, gva_t rip, bool user);

/* smp.c */
static inline uint32_t nr_vcpus(const struct guest *g)
{
	return g->options.vcpus ? g->options.vcpus : 1;
}

void smp_use(struct guest *g, uint32_t vcpu);
/* To the processor that this task is to run on; 0: one that is new. */
void smp_place(struct guest *g, uint32_t task);
/*
 * The space that runs has lost these entries, this processor's TLB has
 * forgotten them: so do the others'.  nr beyond INVLPG_MAX: all of it.
 */
void smp_shoot_down(struct guest *g, const gva_t *pages, uint32_t nr);
/* No processor has this root any more, idle ones included. */
void smp_leave(struct guest *g, gpa_t root);

/* space.c */
/* More pages than this, and CR3 is loaded instead of INVLPG, as in Linux. */
#define INVLPG_MAX 33

int space_init(struct guest *g, struct diag *diag);
bool space_make(struct guest *g, struct space *space); /* false: g->err */
void space_tell(struct guest *g, gpa_t table);
/*
 * Place of the leaf entry for gva in the space that runs, 0 if a table is
 * missing; `tells` the tables passed, for a walk of the processor's.
 */
gpa_t space_walk(struct guest *g, gva_t gva, bool tells);
uint64_t *space_at(struct guest *g, gpa_t at);
uint64_t space_entry(struct guest *g, gva_t gva); /* 0: none */
/* Stores the leaf entry, making tables. */
void space_map(struct guest *g, gva_t gva, uint64_t entry);
/*
 * Unmaps what there is in [first, last] of user space, no partial pages, and
 * lets go of tables in which nothing is left.
 */
void space_unmap(struct guest *g, gva_t first, gva_t last, bool frees_tables);
/* The child has got a root and nothing else. */
void space_copy(struct guest *g, struct space *child);
/* All that user space had, and its tables but the root. */
void space_clear(struct guest *g, struct space *space);
/* The processor may not rely on what it has seen; or another space runs. */
void space_follow(struct guest *g);
void space_forget(struct guest *g, struct space *space);
void space_forget_page(struct guest *g, gva_t gva);

static inline uint64_t *seen_slot(struct guest *g, gva_t gva)
{
	uint64_t page = gva >> PAGE_SHIFT;

	return &g->seen[(page ^ page >> SEEN_BITS) & (BIT(SEEN_BITS) - 1)];
}

static inline uint64_t seen_tag(const struct guest *g, gva_t gva)
{
	return gva >> PAGE_SHIFT << 29 | (uint64_t)g->epoch_now << 1;
}

/* fill.c */
/* Maps what is needed after a fault of this error code. */
void fill(struct guest *g, gva_t gva, uint32_t error);
/* A page of a file where there is none, without a fault. */
void fill_quietly(struct guest *g, gva_t page);

/* tasks.c */
/* The processor has nobody to run. */
void task_idle(struct guest *g);
int tasks_init(struct guest *g, struct diag *diag);

/* guest.c */
int guest_error(struct guest *g, struct diag *diag);

/* user.c */
/* One instruction; kernel: on behalf of the user, the fetch is the kernel's. */
void user_run(struct guest *g, const struct guest_ref *refs, uint32_t nr,
	      bool kernel);

#endif
