/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mixed: several workers, each a random sequence of everything the kernel
 * can do, each checking its memory all the time.  The sequence depends on the
 * seed alone, not on who runs when; so do checksum and fault counts.
 */
#include "user/user.h"

#define ARENA_PAGES 32
#define MAP_PAGES   16
#define STACK_PAGES 24 /* deepest use, far below USER_STACK_MAX */

struct worker {
	u64 random;
	u64 sum;
	volatile u8 *arena;
	u64 want[ARENA_PAGES]; /* the word each page of the arena holds */
};

/* Each page's word has a place of its own. */
static volatile u64 *arena_word(const struct worker *w, u64 page)
{
	return (volatile u64 *)(w->arena + page * PAGE_SIZE) + page * 37 % 512;
}

static u64 below(struct worker *w, u64 limit)
{
	return random_next(&w->random) % limit;
}

static void check_page(struct worker *w, u64 page)
{
	check("mixed: arena page", page, *arena_word(w, page), w->want[page]);
	w->sum = mix(w->sum, w->want[page]);
}

static void check_arena(struct worker *w)
{
	for (u64 i = 0; i < ARENA_PAGES; i++)
		check_page(w, i);
}

static void op_write(struct worker *w)
{
	u64 n = 1 + below(w, 8);

	while (n--) {
		u64 page = below(w, ARENA_PAGES);

		w->want[page] = random_next(&w->random);
		*arena_word(w, page) = w->want[page];
	}
}

static void op_read(struct worker *w)
{
	u64 n = 1 + below(w, 8);

	while (n--)
		check_page(w, below(w, ARENA_PAGES));
}

static void op_kernel_write(struct worker *w)
{
	u64 page = below(w, ARENA_PAGES);
	u8 byte = (u8)below(w, 256);

	u_fill((volatile u8 *)arena_word(w, page), 8, byte);
	w->want[page] = byte * 0x0101010101010101ull;
}

static void op_kernel_read(struct worker *w)
{
	u64 page = below(w, ARENA_PAGES);
	u64 word = w->want[page];
	u64 want = 0;

	for (; word; word >>= 8)
		want += word & 0xff;
	check("mixed: sum by the kernel", page,
	      u_sum((volatile u8 *)arena_word(w, page), 8), want);
}

/* Map, use some, unmap in two parts, the middle one first. */
static void op_map(struct worker *w)
{
	u64 pages = 3 + below(w, MAP_PAGES - 3);
	volatile u8 *base = u_mmap(pages, below(w, 4) ? 0 : MMAP_POPULATE);
	u64 cut = 1 + below(w, pages - 2);

	for (u64 i = 0; i < pages; i++) {
		if (below(w, 2))
			base[i * PAGE_SIZE] = (u8)(i + 1);
		else
			check("mixed: fresh page", i, base[i * PAGE_SIZE], 0);
	}
	u_munmap(base + cut * PAGE_SIZE, 1);
	check("mixed: page is gone", cut, u_pagemap(base + cut * PAGE_SIZE), 0);
	for (u64 i = 0; i < pages; i++)
		if (i != cut)
			w->sum = mix(w->sum, base[i * PAGE_SIZE]);
	u_munmap(base, cut);
	u_munmap(base + (cut + 1) * PAGE_SIZE, pages - cut - 1);
}

/*
 * Walk down the stack one page at a time and back.  By address: how many
 * pages a recursion takes would be the compiler's choice.
 */
static void op_stack(struct worker *w)
{
	u64 depth = 2 + below(w, STACK_PAGES - 2);
	u64 tag = random_next(&w->random);

	for (u64 i = 2; i <= depth; i++)
		*(volatile u64 *)(uptr)(USER_STACK_TOP - i * PAGE_SIZE) =
			tag + i;
	for (u64 i = depth; i >= 2; i--)
		check("mixed: stack page", i,
		      *(volatile u64 *)(uptr)(USER_STACK_TOP - i * PAGE_SIZE),
		      tag + i);
}

static _Noreturn void child_main(struct worker *w)
{
	op_write(w);
	op_read(w);
	if (below(w, 2))
		u_yield();
	op_write(w);
	check_arena(w);
	if (below(w, 3) == 0)
		u_exec(PROG_CHILD, w->sum, w->random, 0);
	u_exit(STATUS_OK, w->sum);
}

/* Parent and child both write what they share. */
static void op_fork(struct worker *w)
{
	u64 seed = random_next(&w->random);

	if (!u_fork_checked()) {
		w->random = seed | 1;
		child_main(w);
	}
	op_write(w);
	w->sum = mix(w->sum, u_wait());
	check_arena(w);
}

static void op_compute(struct worker *w)
{
	for (u64 i = below(w, 2000); i; i--)
		w->sum = mix(w->sum, i);
}

static void step(struct worker *w)
{
	switch (below(w, 16)) {
	case 0:
	case 1:
	case 2:
		op_write(w);
		break;
	case 3:
	case 4:
		op_read(w);
		break;
	case 5:
		op_kernel_write(w);
		break;
	case 6:
		op_kernel_read(w);
		break;
	case 7:
	case 8:
		op_map(w);
		break;
	case 9:
		op_stack(w);
		break;
	case 10:
	case 11:
		op_fork(w);
		break;
	case 12:
		u_sleep(1);
		break;
	case 13:
		u_yield();
		break;
	default:
		op_compute(w);
		break;
	}
}

static u64 worker_main(u64 seed, u64 rounds)
{
	struct worker w;

	memset(&w, 0, sizeof(w));
	w.random = seed | 1;
	w.arena = u_mmap(ARENA_PAGES, 0);
	while (rounds--)
		step(&w);
	check_arena(&w);
	return w.sum;
}

u64 prog_mixed(u64 seed, u64 rounds, u64 procs)
{
	u64 sum = 0;

	u_mark(MARK_BEGIN);
	for (u64 i = 0; i < procs; i++)
		if (!u_fork_checked())
			u_exit(STATUS_OK, worker_main(mix(seed, i), rounds));

	/* They end in any order: add up. */
	for (u64 i = 0; i < procs; i++)
		sum += u_wait();
	u_mark(MARK_END);
	return sum;
}
