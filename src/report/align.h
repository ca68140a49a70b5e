/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The exits of one guest under two configurations, A and B, side by side.
 *
 * Exits are at positions of the guest's life, which are the same for both.
 * Exits of one kind (reason, cause) at one position are the same exit; what
 * then is left between these pairs, on both sides, was one that changed its
 * kind, in order; what is left on one side only was removed or added.
 *
 * Memory: what has been added and is not settled yet.
 */
#ifndef NOTRAP_REPORT_ALIGN_H
#define NOTRAP_REPORT_ALIGN_H

#include "account/account.h"
#include "base/types.h"

#define ALIGN_NO_CAUSE (-1) /* not a page fault */

enum align_side {
	ALIGN_A,
	ALIGN_B,
};

struct align_exit {
	uint64_t position;
	uint64_t insns; /* instruction clock */
	gva_t rip;
	gva_t gva;       /* page faults */
	uint32_t pfec;   /* page faults */
	uint32_t reason; /* enum exit_reason */
	int cause;       /* enum pf_cause, or ALIGN_NO_CAUSE */
	uint64_t cycles; /* from exit to entry */
};

static inline bool align_is_same(const struct align_exit *a,
				 const struct align_exit *b)
{
	return a->reason == b->reason && a->cause == b->cause;
}

/*
 * Two exits that belong together, in order of position; a NULL: added, b NULL:
 * removed.  Both are gone when it returns.
 */
typedef void align_pair_fn(void *context, const struct align_exit *a,
			   const struct align_exit *b);

struct align;

/* NULL: out of memory. */
struct align *align_create(align_pair_fn *pair, void *context);
void align_destroy(struct align *align); /* NULL is fine */

/* Positions of a side never decrease.  -ENOMEM: it is not in the lists. */
int align_add(struct align *align, enum align_side side,
	      const struct align_exit *exit);

/* Neither side will add anything before this position: pair what is there. */
void align_settle(struct align *align, uint64_t position);

/* Forget what a side has added and is not settled. */
void align_forget(struct align *align, enum align_side side);

#endif
