/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The frame allocator: page frames behind the kernel image, each with a count
 * of its users.  Frames never handed out before come in ascending order,
 * freed ones are reused first, last freed first: so a workload that needs n
 * frames at a time touches the same n frames whatever the memory size.
 */
#ifndef MINI_FRAME_H
#define MINI_FRAME_H

#include "common/types.h"

/* Manage [start, end), physical addresses; false: too small to be useful. */
bool frames_init(u64 start, u64 end);

/*
 * A zeroed frame with one user.  Never fails: without memory the run ends
 * with "FAILED out of memory".
 */
u64 frame_alloc(void);

void frame_get(u64 pa);
void frame_put(u64 pa); /* frees it when that was the last user */
u32 frame_users(u64 pa);
u64 frames_available(void);

/*
 * Read a byte of each of the next n frames (all, if there are fewer) and
 * their book-keeping, so that later allocations meet a warm direct map.
 * Gives the number of frames read.
 */
u64 frames_warm(u64 n);

#endif
