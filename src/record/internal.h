/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A recorder's state, and what its files call in each other.
 *
 *   recorder.c  create, finish
 *   insn.c      the instruction under way: the observer's half
 *   push.c      events on their way: the sink's half
 *   list.c      what has happened and may still be taken back
 *   tables.c    which frames of guest memory are page tables
 */
#ifndef NOTRAP_RECORD_INTERNAL_H
#define NOTRAP_RECORD_INTERNAL_H

#include "record/recorder.h"

/* An instruction with its event and a delivery takes far less. */
#define LIST_MAX 512

struct entry {
	struct trace_item item; /* references: one, in ref */
	struct trace_ref ref;
};

/*
 * The present block, of which some instructions are complete: r->insns is
 * always `base` and `done`.
 */
struct stretch {
	uint64_t base;
	uint16_t nr, done;
	bool user;
	bool on_one_page;
	gva_t pc; /* of the first that is not done */
	uint8_t length[INSN_BLOCK_MAX];
};

struct insn_state {
	bool active;
	bool again;   /* restarted: it will begin once more */
	bool faulted; /* it will not be complete */
	bool fetched; /* its first fetch is in the list */
	struct insn_begin insn;
	/* Of a repeated string instruction. */
	bool iterated;
};

struct recorder {
	struct event_sink sink; /* first */
	struct insn_observer observer;
	struct event_sink *next;
	struct mem *mem;
	struct trace_writer *writer;
	struct merge *merge; /* the writer's; NULL: every reference is kept */
	char line[256];      /* why the recording is of no use; "": it is */

	uint64_t insns; /* complete */
	struct stretch stretch;
	struct insn_state now; /* of the first that is not done, if it began */
	bool faulting;         /* the next GE_ACCESS is the instruction's own */

	struct entry entry[LIST_MAX];
	uint32_t nr;
	uint32_t mark; /* where the present attempt or iteration begins */

	bool delivering;
	struct guest_event delivery;
	gva_t delivery_cr2;   /* as it began */
	uint32_t delivery_at; /* in the list */

	uint64_t pdpte[4]; /* PAE: as loaded */
	uint8_t *table;    /* by gfn: 0, or 1 + writes of user code */
};

__attribute__((format(printf, 2, 3))) void recorder_lose(struct recorder *r,
							 const char *fmt, ...);

/* list.c */
struct trace_ref *list_ref(struct recorder *r, enum trace_kind kind, gva_t gva,
			   unsigned int size, bool user);
/* A data reference of the present instruction. */
void list_access(struct recorder *r, const struct insn_access *access);
struct trace_item *list_item(struct recorder *r, enum trace_item_kind kind);
void list_cut(struct recorder *r, uint32_t nr);
void list_write(struct recorder *r); /* and empty */

/* insn.c */
void insn_init(struct insn_observer *observer);
/* An event says how many instructions are complete. */
void insn_clock(struct recorder *r, uint64_t insns);
/* The instruction under way is interrupted or ended by a fault. */
void insn_give_up(struct recorder *r);
void insn_restart(struct recorder *r);
/* A write, and what it puts into a table, if anything. */
void insn_store(struct recorder *r, const struct insn_access *access,
		bool always);

/* push.c */
void push_init(struct recorder *r);

/* tables.c */
int tables_init(struct recorder *r); /* -ENOMEM */

/* Before anybody walks: tables on the way to gva are told. */
void tables_walk(struct recorder *r, gva_t gva);

/* Before a control register is written. */
void tables_roots(struct recorder *r, const struct guest_event *ev);
void tables_loaded(struct recorder *r); /* after it */

static inline bool tables_know(const struct recorder *r, gpa_t gpa)
{
	return gpa < r->mem->ram_size && r->table[gpa >> PAGE_SHIFT];
}

/* A write by user code; the frame may be a table no more. */
void tables_user_write(struct recorder *r, gpa_t gpa);
void tables_end(struct recorder *r, gpa_t gpa);
void tables_tell(struct recorder *r, gpa_t gpa);

#endif
