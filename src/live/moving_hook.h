/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A CODE hook whose place can be changed.
 *
 * Unicorn looks at a hook's bounds when it translates an instruction.  With
 * one CODE hook in all it then calls it directly; with several, each call walks
 * the list of them (1.4 us for 500, measured).  So there is one, and its bounds
 * are set to where the next translation needs it: what was translated before
 * keeps its calls.  Unicorn has no call for that.  Its handle leads to the
 * bounds; where is found by calibration and verified by running code.  A
 * Unicorn that is made otherwise is refused.
 */
#ifndef NOTRAP_LIVE_MOVING_HOOK_H
#define NOTRAP_LIVE_MOVING_HOOK_H

#include <unicorn/unicorn.h>

#include "base/diag.h"
#include "base/types.h"
#include "live/hook.h"
#include "live/scratch.h"

/* Nowhere: no instruction is there. */
#define HOOK_NOWHERE (UINT64_MAX - 1)

struct moving_hook {
	uint64_t *bounds; /* in Unicorn's own structure: first and last */
};

/*
 * Nowhere at first.  Runs code in the scratch pages, which the hardware must
 * be open to; the general registers are arbitrary afterwards.  -ENOMEM,
 * -ENOTSUP with a line.
 */
int moving_hook_create(uc_engine *uc, const struct scratch *scratch,
		       union hook_fn fn, void *data, struct moving_hook *ret,
		       struct diag *diag);

/* What is translated from now on calls it at [first, last]. */
static inline void moving_hook_set(const struct moving_hook *hook, gva_t first,
				   gva_t last)
{
	hook->bounds[0] = first;
	hook->bounds[1] = last;
}

/*
 * Do the calls in what was just translated, `size` bytes at pc, begin and end
 * there?  HOOK_NOWHERE: are there none?
 */
static inline bool moving_hook_is_right(const struct moving_hook *hook,
					gva_t pc, uint32_t size, gva_t first,
					gva_t last)
{
	if (first == HOOK_NOWHERE)
		return hook->bounds[1] < pc || hook->bounds[0] >= pc + size;
	return hook->bounds[0] == first && hook->bounds[1] == last;
}

#endif
