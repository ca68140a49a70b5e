/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Recorded guest activity: one binary format, written once, read many times.
 *
 * A trace is a sequence of items: linear references, guest events (the same
 * struct guest_event that crosses the seam), contents of page-table frames and
 * writes to them.  It says what the guest did, never what a hypervisor did
 * about it, so one recording replays under every policy.
 *
 * The file (docs/trace-format.md): header with provenance, independent zstd
 * chunks each with its CRC, an index, a footer with the digest of all items.
 * Memory is constant, whatever the length.  A reader trusts nothing it reads.
 */
#ifndef NOTRAP_TRACE_TRACE_H
#define NOTRAP_TRACE_TRACE_H

#include "base/diag.h"
#include "event/event.h"

#define TRACE_VERSION 1

enum trace_granularity {
	TRACE_FULL,  /* every reference, in order */
	TRACE_PAGES, /* runs on one page merged, see trace_ref.count */
};

/*
 * A run of references to one page by one kind of access: count == 1 in a
 * `full` trace.  Fetches and data are merged apart; a data run is reads only,
 * or starts with a write (its later reads change nothing).  Runs stand in the
 * order of their first references.
 *
 * gva and size of a run are those of its first reference where an item that is
 * no reference ends the run, as what it tells of may be that one.  Otherwise
 * gva is that of the page and size is 1; of fetches TRACE_SIZE_SOMEWHERE, or
 * TRACE_SIZE_GOES_ON if the next run begins with the rest of the last one.
 *
 * A reference that crosses into the next page is two, and the second, its
 * rest, has a count of 0.  So a fetch counts one instruction, and the
 * instruction clock is the sum of the counts of fetches.
 */
enum trace_kind {
	TRACE_FETCH,
	TRACE_READ,
	TRACE_WRITE,
};

#define TRACE_COUNT_MAX (1u << 24)

/* No instruction has so many bytes. */
#define TRACE_SIZE_GOES_ON   16
#define TRACE_SIZE_SOMEWHERE 17

struct trace_ref {
	gva_t gva;
	uint32_t count; /* 0..TRACE_COUNT_MAX, in a `full` trace 0 or 1 */
	uint8_t kind;   /* enum trace_kind */
	uint8_t size;   /* bytes of the first reference, within its page */
	bool user;
	bool implicit : 1; /* made by the processor for event delivery */
	bool ac : 1;       /* supervisor, with CR4.SMAP and RFLAGS.AC set */
	uint8_t zero : 6;  /* a digest takes the whole byte */
};

/* The numbers are in files. */
enum trace_item_kind {
	TRACE_ITEM_REFS = 0,  /* refs[0..nr) */
	TRACE_ITEM_EVENT = 1, /* any guest_event but GE_ACCESS and GE_STORE */
	/* A frame is walked as a page table for the first time: 512 entries. */
	TRACE_ITEM_TABLE = 2,
	/* A store to such a frame, size 1..16 within it: the bytes after it. */
	TRACE_ITEM_TABLE_WRITE = 3,
	/* The frame is a table no more: its bytes are unknown from here on. */
	TRACE_ITEM_TABLE_END = 4,
	/* A guest page fault as delivered: gva (CR2) and error code. */
	TRACE_ITEM_FAULT = 5,
	/* A region of interest begins or ends (id). */
	TRACE_ITEM_MARK = 6,
	/* What comes is of that processor (id); at first it is 0. */
	TRACE_ITEM_VCPU = 7,
};

#define NR_TRACE_ITEM_KINDS (TRACE_ITEM_VCPU + 1u)

/* Processors that a trace can tell of. */
#define TRACE_VCPUS_MAX 4u

/* A reader sets what the kind has; all else is 0. */
struct trace_item {
	enum trace_item_kind kind;
	const struct trace_ref *refs; /* valid until the next call */
	uint32_t nr;
	struct guest_event event;
	gpa_t gpa;             /* tables */
	gva_t gva;             /* table writes: linear address; faults: CR2 */
	const uint64_t *table; /* TRACE_ITEM_TABLE: 512 entries */
	uint8_t size;
	uint8_t bytes[GUEST_STORE_MAX];
	uint32_t error; /* faults */
	uint32_t id;    /* marks, processors */
};

/* Control state of a processor. */
struct trace_vcpu {
	uint64_t cr0, cr3, cr4, efer;
	uint64_t pdpte[4];
	uint64_t pkru;
};

/*
 * Who recorded what.  Texts are UTF-8; bytes that are not come back as \xNN,
 * and a text that got too long by that is cut.
 */
struct trace_info {
	enum trace_granularity granularity;
	uint64_t memory;  /* bytes of guest memory, 0: unknown */
	char source[64];  /* "live", "lackey", "perf"... */
	char origin[256]; /* image or program, and its arguments */
	char tool[64];    /* "notrap 0.1.0" */
	/* Of a live guest's files, FNV-64; 0: unknown or none. */
	uint64_t image_digest, initrd_digest;
	/* State at the first item. */
	uint64_t cr0, cr3, cr4, efer;
	uint64_t pdpte[4];
	uint64_t pkru;
	uint64_t features; /* of every processor: FEATURE_*, and the profile */
	/* The same of processors 1 and up, at the first item of each. */
	uint32_t nr_others;
	struct trace_vcpu other[TRACE_VCPUS_MAX - 1];
};

/* Of any processor of the trace, 0 included. */
static inline struct trace_vcpu trace_vcpu_of(const struct trace_info *info,
					      unsigned int vcpu)
{
	if (vcpu)
		return info->other[vcpu - 1];
	return (struct trace_vcpu){
		.cr0 = info->cr0,
		.cr3 = info->cr3,
		.cr4 = info->cr4,
		.efer = info->efer,
		.pdpte = {info->pdpte[0], info->pdpte[1], info->pdpte[2],
			  info->pdpte[3]},
		.pkru = info->pkru,
	};
}

/* What is known after the whole file has been read, or from its footer. */
struct trace_totals {
	uint64_t refs;    /* references: sum of counts */
	uint64_t records; /* trace_refs */
	uint64_t events;
	uint64_t tables, table_writes, faults;
	uint64_t insns;
	/*
	 * Over all items in order: the same for the same items, however they
	 * were compressed or batched.  0 until the end, and after a seek.
	 */
	uint64_t digest;
};

/* "cr-write"; NULL: no trace holds events of this kind. */
const char *trace_event_name(enum guest_event_kind kind);

/* "fetch"; "table-write". */
const char *trace_kind_name(enum trace_kind kind);
const char *trace_item_name(enum trace_item_kind kind);

struct merge;
struct trace_writer;

/*
 * Writes to path + ".tmp" (same directory) and renames in trace_writer_close;
 * an abandoned writer (trace_writer_abort) leaves nothing behind, a killed one
 * a truncated trace of that name.  -EBUSY: another is writing this path;
 * -EINVAL: something other than a regular file is there.
 *
 * path NULL: there is no file, what is written goes to a listener only; it is
 * checked and merged all the same.
 *
 * What is written is encoded, compressed and stored in a thread of the writer's
 * own (trace/queue.h), which takes no signals and ends with the writer; the
 * bytes are the same without it.  All that is called back is called in the
 * caller's thread, and the writer's process is not to fork.
 *
 * After the first error (the disk is full, an item no trace can hold) every
 * call returns that error, if it is the file's some ten thousands of items
 * later; trace_writer_close() tells the line and leaves no file.  Memory is
 * constant, about 24 MiB.
 */
int trace_writer_create(const char *path, const struct trace_info *info,
			struct trace_writer **ret, struct diag *diag);

/*
 * Told what is written from now on, in order, as a reader of the file would
 * give it; references some thousands at a time, as late as another item or
 * trace_writer_close().
 */
struct trace_listener {
	void (*item)(void *context, const struct trace_item *item);
	void *context;
};

/* One at most. */
void trace_writer_listen(struct trace_writer *w,
			 const struct trace_listener *listener);

/* Merges runs if the granularity says so. */
int trace_write_ref(struct trace_writer *w, const struct trace_ref *ref);
int trace_write_item(struct trace_writer *w, const struct trace_item *item);
/*
 * What of a `pages` trace is not written yet, for merge_join() and merge_data()
 * of references that are within their page; NULL: it is a `full` one.
 */
struct merge *trace_writer_merge(struct trace_writer *w);
/* The first error so far, with its line; 0: none. */
int trace_writer_error(const struct trace_writer *w, struct diag *diag);
/* The writer is gone, whatever is returned.  totals: NULL is fine. */
int trace_writer_close(struct trace_writer *w, struct trace_totals *totals,
		       struct diag *diag);
void trace_writer_abort(struct trace_writer *w); /* NULL is fine */

struct trace_reader;

/* -errno with a line that says what is wrong and where. */
int trace_reader_open(const char *path, struct trace_reader **ret,
		      struct diag *diag);
const struct trace_info *trace_reader_info(const struct trace_reader *r);

/*
 * The next item: 1, 0 at the end, or -errno with a line when the file cannot
 * be read.  References come in batches; each lies within its page and has a
 * size of at least 1.  Fields of other items are in range (a kind that
 * exists, cpl <= 3, tables at frames...), which is not to say that they make
 * sense together.
 */
int trace_read(struct trace_reader *r, struct trace_item *item,
	       struct diag *diag);

/*
 * A file that ends too early or has a damaged chunk is read up to there, then
 * trace_read() says 0; *damage is then a line that says what is wrong, where,
 * and how much was read.  So is a file whose items are not those its footer
 * tells of.  NULL: nothing is wrong so far.
 */
const char *trace_reader_damage(const struct trace_reader *r);

/* Totals of what was read so far; complete once trace_read() said 0. */
const struct trace_totals *trace_reader_totals(const struct trace_reader *r);

/* Totals as the footer has them; -ENOENT: there is no (intact) footer. */
int trace_reader_footer(const struct trace_reader *r, struct trace_totals *ret);

/* As the footer has it; without one, those read so far. */
uint64_t trace_reader_chunks(const struct trace_reader *r);

/*
 * Go to the chunk that holds reference n, by the index or without one.  Totals
 * begin with the references, records and instructions before that chunk, the
 * rest of them and the digest are not known then.  -ERANGE: no chunk holds n.
 */
int trace_reader_seek(struct trace_reader *r, uint64_t ref, struct diag *diag);

/*
 * The same for item n, of which each record and each other item is one, from
 * chunk to chunk.  *first: the number of the first item in it.
 */
int trace_reader_seek_item(struct trace_reader *r, uint64_t n, uint64_t *first,
			   struct diag *diag);

/* Bytes read so far and in all, for a progress bar. */
void trace_reader_progress(const struct trace_reader *r, uint64_t *done,
			   uint64_t *total);
void trace_reader_close(struct trace_reader *r); /* NULL is fine */

#endif
