/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A set of guest frames, anywhere in 52 bits of address. */
#ifndef NOTRAP_TRACE_FRAME_SET_H
#define NOTRAP_TRACE_FRAME_SET_H

#include "base/types.h"

struct frame_set {
	gfn_t *slot; /* open addressing; gfn + 1, 0: free */
	size_t room; /* a power of two, or 0 */
	size_t nr;
};

/* {0} is empty. */
void frame_set_finish(struct frame_set *set);

bool frame_set_has(const struct frame_set *set, gfn_t gfn);
int frame_set_add(struct frame_set *set, gfn_t gfn); /* 0 or -ENOMEM */
void frame_set_remove(struct frame_set *set, gfn_t gfn);

#endif
