/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The workloads with a fixed sequence of page faults.  README.md has the
 * number of each, to be kept in step with what is done here.
 */
#include "user/user.h"

#define MMAP_PAGES 16

/* ---- hello, spin, child ---- */

u64 prog_hello(u64 a, u64 b, u64 c)
{
	(void)a;
	(void)b;
	(void)c;
	u_print("hello from ring 3\n");
	u_sleep(1);
	return 0;
}

u64 prog_spin(u64 a, u64 b, u64 c)
{
	(void)a;
	(void)b;
	(void)c;
	u_print("spinning\n");
	for (volatile u64 i = 0;;)
		i++;
}

/* What a forked child becomes by exec: uses its arguments and its stack. */
u64 prog_child(u64 a, u64 b, u64 c)
{
	return mix(mix(a, b), c);
}

/* ---- touch ---- */

static u8 touch_value(u64 page, u64 round)
{
	return (u8)(page * 7 + round * 13 + 1);
}

static void touch_page(volatile u8 *p, u64 flags, u8 value)
{
	if (flags & TOUCH_KERNEL) {
		if (flags & TOUCH_READ)
			check("touch: byte read", (uptr)p, u_sum(p, 1), 0);
		else
			u_fill(p, 1, value);
	} else if (flags & TOUCH_READ) {
		check("touch: byte read", (uptr)p, *p, 0);
	} else {
		*p = value;
	}
}

/*
 * Did the processor set A and D as it should?  Only of interest for pages
 * mapped clean: a demand fault's handler sets them itself.
 */
static void check_accessed_dirty(volatile u8 *p, u64 flags)
{
	u64 want = flags & TOUCH_READ ? PTE_A : PTE_A | PTE_D;

	check("touch: A and D bits", (uptr)p, u_pagemap(p) & (PTE_A | PTE_D),
	      want);
}

/* The page is looked at while it is at hand: a pass of its own over all of
 * them would fill a shadow again that was zapped meanwhile, and show in the
 * counts of exits. */
static u64 check_page(volatile u8 *p, u64 flags, u8 value)
{
	u8 want = flags & TOUCH_READ ? 0 : value;

	if (flags & TOUCH_POPULATE)
		check_accessed_dirty(p, flags);
	check("touch: byte", (uptr)p, p[0], want);
	check("touch: byte beside it", (uptr)p, p[1], 0);
	return p[0];
}

u64 prog_touch(u64 pages, u64 flags, u64 again)
{
	volatile u8 *base =
		u_mmap(pages, flags & TOUCH_POPULATE ? MMAP_POPULATE : 0);
	u64 sum = pages;

	u_mark(MARK_BEGIN);
	for (u64 round = 0; round <= again; round++)
		for (u64 i = 0; i < pages; i++) {
			volatile u8 *p = base + i * PAGE_SIZE;

			if (round)
				check_page(p, flags, touch_value(i, round - 1));
			touch_page(p, flags, touch_value(i, round));
			sum = mix(sum,
				  check_page(p, flags, touch_value(i, round)));
		}
	u_mark(MARK_END);
	return sum;
}

/* ---- fork ---- */

static volatile u64 *word_of(volatile u8 *base, u64 page)
{
	return (volatile u64 *)(base + page * PAGE_SIZE);
}

static u64 parent_value(u64 page)
{
	return mix(1, page);
}

static u64 child_value(u64 child, u64 page)
{
	return mix(child + 2, page);
}

/* Write the first pages, then look at all: own values, then the parent's. */
static u64 fork_child(volatile u8 *base, u64 child, u64 pages, u64 size)
{
	u64 sum = child;

	for (u64 i = 0; i < pages; i++)
		*word_of(base, i) = child_value(child, i);
	for (u64 i = 0; i < size; i++) {
		u64 got = *word_of(base, i);

		check("fork: child's page", i, got,
		      i < pages ? child_value(child, i) : parent_value(i));
		sum = mix(sum, got);
	}
	return sum;
}

static u64 fork_all(u64 procs, u64 pages, u64 size, bool exec)
{
	volatile u8 *base = size ? u_mmap(size, 0) : NULL;
	u64 sum = 0;

	u_mark(MARK_BEGIN);
	for (u64 i = 0; i < size; i++)
		*word_of(base, i) = parent_value(i);

	for (u64 child = 0; child < procs; child++) {
		if (!u_fork_checked()) {
			u64 value = fork_child(base, child, pages, size);

			if (exec)
				u_exec(PROG_CHILD, value, child, pages);
			u_exit(STATUS_OK, value);
		}
		sum = mix(sum, u_wait());
		for (u64 i = 0; i < size; i++)
			check("fork: parent's page", i, *word_of(base, i),
			      parent_value(i));
	}
	u_mark(MARK_END);
	return sum;
}

u64 prog_fork(u64 procs, u64 pages, u64 size)
{
	return fork_all(procs, pages, size, false);
}

u64 prog_fork_exec(u64 procs, u64 pages, u64 size)
{
	return fork_all(procs, pages, size, true);
}

/* ---- switch ---- */

/* Count in pages at addresses the other process uses, too. */
static u64 switch_side(volatile u8 *base, u64 rounds, u64 pages, u64 who)
{
	u64 sum = who;

	for (u64 p = 0; p < pages; p++)
		*word_of(base, p) = who + (p << 24);
	for (u64 i = 0; i < rounds; i++) {
		for (u64 p = 0; p < pages; p++) {
			volatile u64 *word = word_of(base, p);

			check("switch: counter", who, *word,
			      who + (p << 24) + i);
			*word = who + (p << 24) + i + 1;
		}
		u_yield();
	}
	for (u64 p = 0; p < pages; p++)
		sum = mix(sum, *word_of(base, p));
	return sum;
}

u64 prog_switch(u64 rounds, u64 pages, u64 c)
{
	volatile u8 *base = u_mmap(pages, 0);
	u64 sum;

	(void)c;
	u_mark(MARK_BEGIN);
	for (u64 p = 0; p < pages; p++)
		*word_of(base, p) = 1;
	if (!u_fork_checked())
		u_exit(STATUS_OK, switch_side(base, rounds, pages, 1ull << 40));
	sum = switch_side(base, rounds, pages, 1ull << 50);
	sum = mix(sum, u_wait());
	u_mark(MARK_END);
	return sum;
}

/* ---- stride ---- */

/* The same words in the same order, again and again; the first time unseen. */
u64 prog_stride(u64 pages, u64 stride, u64 rounds)
{
	volatile u8 *base = u_mmap(pages, 0);
	volatile u8 *end = base + pages * PAGE_SIZE;
	u64 words = 0, sum = 0;

	for (volatile u8 *p = base; p < end; p += (uptr)stride)
		*(volatile u32 *)p = (u32)words++;
	u_mark(MARK_BEGIN);
	for (u64 round = 0; round < rounds; round++)
		for (volatile u8 *p = base; p < end; p += (uptr)stride)
			sum += *(volatile u32 *)p;
	u_mark(MARK_END);
	check("stride: sum", words, sum, rounds * (words * (words - 1) / 2));
	return mix(words, sum);
}

/* ---- mmap ---- */

u64 prog_mmap(u64 rounds, u64 b, u64 c)
{
	u64 sum = 0;

	(void)b;
	(void)c;
	u_mark(MARK_BEGIN);
	for (u64 round = 0; round < rounds; round++) {
		volatile u8 *base = u_mmap(MMAP_PAGES, 0);

		for (u64 i = 0; i < MMAP_PAGES; i++)
			*word_of(base, i) = mix(round, i);
		for (u64 i = 0; i < MMAP_PAGES; i++) {
			check("mmap: page", i, *word_of(base, i),
			      mix(round, i));
			check("mmap: page's end", i, word_of(base, i)[511], 0);
			sum = mix(sum, *word_of(base, i));
		}
		u_munmap(base, MMAP_PAGES);
		check("mmap: page is gone", round, u_pagemap(base), 0);
	}
	u_mark(MARK_END);
	return sum;
}
