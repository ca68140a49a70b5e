/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A short guest life as a list of items, made by hand: long mode, one demand
 * fault of user code, handled by a kernel that writes the entry through an
 * alias of its page table.
 */
#ifndef NOTRAP_TESTS_REPLAY_TAPE_H
#define NOTRAP_TESTS_REPLAY_TAPE_H

#include "replay/replay.h"

#define TAPE_ITEMS_MAX 128

/* Frames of the tables. */
#define TAPE_PML4 0x1000
#define TAPE_PDPT 0x2000
#define TAPE_PD   0x3000
#define TAPE_PT   0x4000
#define TAPE_PT2  0x5000 /* of the alias */

/* Pages; those of the kernel are supervisor pages. */
#define TAPE_CODE    UINT64_C(0x5000)
#define TAPE_DATA    UINT64_C(0x6000) /* not present at first */
#define TAPE_STACK   UINT64_C(0x8000) /* of the kernel */
#define TAPE_HANDLER UINT64_C(0x9000)
#define TAPE_ALIAS   UINT64_C(0x200000) /* TAPE_PT, writable by the kernel */

/* What TAPE_DATA becomes. */
#define TAPE_PTE (UINT64_C(0x16000) | PTE_P | PTE_W | PTE_U | PTE_A | PTE_D)

struct tape {
	struct trace_item item[TAPE_ITEMS_MAX];
	struct trace_ref ref[TAPE_ITEMS_MAX]; /* of item i, if it is one */
	uint64_t table[5][PT_ENTRIES];
	uint32_t nr, played;
	/* Items that the cases below change. */
	uint32_t at_read, at_fault, at_deliver, at_push, at_write, at_value;
};

void tape_init(struct tape *tape);
struct trace_info tape_info(void);

/* The items [played, end).  References are pointed to when they are played. */
void tape_play_to(struct tape *tape, struct replay_lane *lane, uint32_t end);
/* All of them, and the end. */
void tape_play(struct tape *tape, struct replay_lane *lane);

void tape_remove(struct tape *tape, uint32_t at);
/* A copy of item `at` stands before it afterwards. */
void tape_repeat(struct tape *tape, uint32_t at);

#endif
