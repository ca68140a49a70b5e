/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A model guest OS: references of user code become a whole guest's activity,
 * written as a trace (docs/trace-format.md tells the order).
 *
 * It is a 64-bit kernel as Linux is one: page tables of four levels, written
 * through a direct map of 2 MiB pages; page faults through the IDT, a handler
 * that fills one entry and returns; anonymous pages on demand, of zeros and
 * read-only if they are read first; copies on write; CR3 switched with the
 * process.  What it leaves out: everything that is no paging.  Handlers are a
 * fixed number of instructions, the same every time (docs/import.md).
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
	/* Pages an instruction or read fault maps around, 1..64. */
	uint32_t fault_around;
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

/* Memory and control state of a guest of these options. */
void guest_trace_info(const struct guest_options *options,
		      struct trace_info *info);

/*
 * One instruction of user code: its fetch, then its data references in order;
 * a read-modify-write is one write.  Faults are taken as they come.  -ENOMEM
 * with a line: the model guest has no frame left.
 */
#define GUEST_DATA_MAX 64

struct guest_insn {
	gva_t pc;
	uint8_t length; /* 1..255 */
	bool kernel;    /* the kernel's, on behalf of the user; pc is its own */
	uint8_t nr;
	struct {
		gva_t gva;
		uint32_t size; /* 1..4096 */
		bool write;
	} data[GUEST_DATA_MAX];
};

int guest_execute(struct guest *guest, const struct guest_insn *insn,
		  struct diag *diag);

/*
 * A page fault that a real kernel saw, with its error code (P, W, U, I/D): the
 * address space is made such that it happens, then it does.  rip is that of
 * the instruction.
 */
int guest_fault(struct guest *guest, gva_t gva, uint32_t error, gva_t rip,
		struct diag *diag);

/* The process that runs from here on; a new one is an empty address space. */
int guest_switch(struct guest *guest, uint32_t pid, struct diag *diag);

/* The process that runs copies itself: a new one with this number. */
int guest_fork(struct guest *guest, uint32_t pid, struct diag *diag);

/* That process ends; its memory is free.  Another one runs then. */
int guest_exit(struct guest *guest, uint32_t pid, struct diag *diag);

/* The guest writes 0 to port 0xf4. */
void guest_end(struct guest *guest);

struct guest_stats {
	uint64_t insns;
	uint64_t faults;
	uint64_t processes, switches, forks;
	uint64_t left_out; /* faults of a log that the model has not got */
	uint64_t frames;   /* in use */
};

const struct guest_stats *guest_stats(const struct guest *guest);

#endif
