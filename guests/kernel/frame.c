/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Book-keeping lies at the start of the managed memory: a use count per frame
 * and a stack of freed frames.  Both are reached through p2v at each use, as
 * the mapping behind it changes during boot.
 */
#include "kernel/frame.h"

#include "kernel/paging.h"
#include "kernel/report.h"

#define MIN_FRAMES 256

static u64 first;  /* frame number of the first managed frame */
static u64 last;   /* one past the last */
static u64 unused; /* first one never handed out */
static u64 n_freed;
static u64 users_pa; /* u16 a frame */
static u64 freed_pa; /* u32 a frame: frame numbers */

static u16 *users(u64 frame)
{
	return (u16 *)p2v(users_pa) + (frame - first);
}

static u32 *freed(u64 slot)
{
	return (u32 *)p2v(freed_pa) + slot;
}

bool frames_init(u64 start, u64 end)
{
	u64 n;

	start = page_up(start);
	end = page_down(end);
	if (end < start)
		return false;
	n = (end - start) >> PAGE_SHIFT;
	users_pa = start;
	freed_pa = page_up(users_pa + n * sizeof(u16));
	start = page_up(freed_pa + n * sizeof(u32));
	if (end < start + MIN_FRAMES * PAGE_SIZE)
		return false;

	first = start >> PAGE_SHIFT;
	last = end >> PAGE_SHIFT;
	unused = first;
	memset(p2v(users_pa), 0, (size_t)(n * sizeof(u16)));
	return true;
}

u64 frame_alloc(void)
{
	u64 frame;

	if (n_freed)
		frame = *freed(--n_freed);
	else if (unused < last)
		frame = unused++;
	else
		report_failed("out of memory");

	*users(frame) = 1;
	memset(p2v(frame << PAGE_SHIFT), 0, PAGE_SIZE);
	return frame << PAGE_SHIFT;
}

void frame_get(u64 pa)
{
	++*users(pa >> PAGE_SHIFT);
}

void frame_put(u64 pa)
{
	u64 frame = pa >> PAGE_SHIFT;

	if (--*users(frame) == 0)
		*freed(n_freed++) = (u32)frame;
}

u32 frame_users(u64 pa)
{
	return *users(pa >> PAGE_SHIFT);
}

u64 frames_available(void)
{
	return n_freed + (last - unused);
}

u64 frames_warm(u64 n)
{
	if (n > last - unused)
		n = last - unused;
	for (u64 i = 0; i < n; i++) {
		u64 frame = unused + i;

		(void)*(volatile u8 *)p2v(frame << PAGE_SHIFT);
		(void)*(volatile u16 *)users(frame);
		(void)*(volatile u32 *)freed(i);
	}
	return n;
}
