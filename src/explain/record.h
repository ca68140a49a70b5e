/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A lane that is listened to while it takes one item, and after that for as
 * long as the item's exit lasts (an emulated write's goes on items later) and
 * the fault it gave the guest is open.
 */
#ifndef NOTRAP_EXPLAIN_RECORD_H
#define NOTRAP_EXPLAIN_RECORD_H

#include "explain/story.h"

enum record_phase {
	RECORD_ITEM,   /* the item itself */
	RECORD_REST,   /* an emulation under way: its stores */
	RECORD_FOLLOW, /* what comes until the fault is retried */
	RECORD_DONE,
};

struct recorder {
	struct story *story;
	struct replay_lane *lane;
	struct sim *sim;
	enum record_phase phase;
	uint64_t item;  /* being fed: the caller sets it */
	bool has_begun; /* its own push has come */
	bool in_push;
	bool gave_up; /* GE_EMULATE_FAILED: the access comes again */
	struct story_later later; /* exit under way, RECORD_FOLLOW */
};

/*
 * Before the item: item's kind and fields are set in the story, which is zero
 * otherwise.  Listens from here on.
 */
void record_begin(struct recorder *r, struct story *story,
		  struct replay_lane *lane);
/* The item has been fed. */
void record_item_over(struct recorder *r);
/* Nothing more comes; listens no longer. */
void record_end(struct recorder *r);

static inline bool record_is_done(const struct recorder *r)
{
	return r->phase == RECORD_DONE;
}

#endif
