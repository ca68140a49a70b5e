/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A model guest OS: references of user code become a whole guest's activity,
 * written as a trace (docs/trace-format.md tells the order, docs/import.md what
 * the guest does and in how many instructions).
 *
 * It is a 64-bit kernel as Linux is one: page tables of four levels, written
 * through a direct map of 2 MiB pages; page faults through the IDT, a handler
 * that fills an entry and returns; pages of zeros on demand, pages of files,
 * copies on write; tasks that share an address space or have one each.  What
 * it leaves out: everything that is no paging.
 *
 * Deterministic: the same calls and options give the same trace.
 */
#ifndef NOTRAP_IMPORT_GUEST_H
#define NOTRAP_IMPORT_GUEST_H

#include "base/diag.h"
#include "trace/trace.h"

struct guest_options {
	uint64_t memory; /* bytes, 32 MiB..3 GiB, a multiple of 2 MiB */
	uint64_t seed;   /* of the frame allocator; 0: ascending frames */
	/* Pages that a fault on a page of a file maps, 1, 2, 4..64. */
	uint32_t fault_around;
	uint32_t vcpus;                     /* 1..4; 0 is 1 */
	enum trace_granularity granularity; /* of the trace */
};

struct guest;

/*
 * Writes to `writer`, which was created with guest_trace_info(); it stays the
 * caller's.  -ENOMEM, -EINVAL (an option) with a line.
 */
int guest_create(const struct guest_options *options,
		 struct trace_writer *writer, struct guest **ret,
		 struct diag *diag);
void guest_destroy(struct guest *guest); /* NULL is fine */

/* Granularity, memory and control state of a guest of these options. */
void guest_trace_info(const struct guest_options *options,
		      struct trace_info *info);

/*
 * All below: 0, or -errno with a line, which they go on to return: -ENOMEM, the
 * model guest has no frame left; what the writer refused with (the disk is
 * full...).
 */

/* User addresses are below this. */
#define GUEST_USER_END BIT(47)

/*
 * The task that runs from here on.  A thread that has not been heard of is one
 * of that process's, a process that has not is an empty address space; where
 * tasks are not told apart, thread == process.  What has been cloned as a
 * process of its own but turns out to be a thread of another loses its copy.
 */
int guest_switch(struct guest *guest, uint32_t process, uint32_t thread,
		 struct diag *diag);

/*
 * Says where the next guest_switch() finds its task, or moves it to: a number
 * of the machine's, of which the model has fewer.  Untold, a task that is new
 * goes to the next processor in turn, and stays there.
 */
void guest_on_cpu(struct guest *guest, uint32_t cpu);

/*
 * The task that runs makes another one, in its address space or in a copy of
 * it.  If it has been told of before and has not run yet, this is the same one
 * (`shares_memory` is then believed); if it has run, that one ends first.
 */
int guest_clone(struct guest *guest, uint32_t thread, bool shares_memory,
		struct diag *diag);

/* The task that runs begins anew, in an empty address space of its own. */
int guest_exec(struct guest *guest, struct diag *diag);

/*
 * That task ends, and with the last one its address space.  Nobody runs then.
 * One that is not known is nobody.
 */
int guest_exit(struct guest *guest, uint32_t thread, struct diag *diag);

/* The task that runs unmaps [gva, gva + size); what is no user half is cut. */
int guest_unmap(struct guest *guest, gva_t gva, uint64_t size,
		struct diag *diag);

/*
 * Whole instructions of user code: each a fetch, then its data references in
 * order, GUEST_DATA_MAX at most; a read-modify-write is one write.  All lie
 * below GUEST_USER_END.  Faults are taken as they come.
 */
#define GUEST_DATA_MAX 64
#define GUEST_REFS_MAX 1024u

struct guest_ref {
	gva_t gva;
	uint32_t size; /* of a fetch 1..255, else 1..4096 */
	uint32_t kind; /* enum trace_kind */
};

int guest_execute(struct guest *guest, const struct guest_ref *refs,
		  uint32_t nr, struct diag *diag);

/*
 * A page fault that a real kernel saw, with its error code: the address space
 * is made such that it happens, then it does.  rip is that of the instruction;
 * the model's own where the kernel made the access.  Faults that the model has
 * not got are counted and left out: at addresses of the kernel's, and those on
 * a present page that are no write to it.
 */
int guest_fault(struct guest *guest, gva_t gva, uint32_t error, gva_t rip,
		struct diag *diag);

/* The guest writes 0 to port 0xf4, and what is held back goes to the writer. */
int guest_end(struct guest *guest, struct diag *diag);

struct guest_stats {
	uint64_t insns;
	uint64_t faults;
	uint64_t spaces, tasks; /* that there have been */
	uint64_t switches, forks;
	uint64_t ipis; /* processors interrupted to flush their TLBs */
	uint64_t left_out_kernel; /* faults at addresses of the kernel's */
	uint64_t left_out_rights; /* of protection, that are no copy on write */
	uint64_t frames;          /* in use */
};

const struct guest_stats *guest_stats(const struct guest *guest);

#endif
