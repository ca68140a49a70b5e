/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * For user programs: system calls, checks, checksums, random numbers.  A
 * program's fault counts must not depend on the compiler: keep stack frames
 * well below a page.
 */
#ifndef MINI_USER_H
#define MINI_USER_H

#include "common/abi.h"
#include "common/types.h"

#ifdef __x86_64__
static inline u64 syscall4(u64 number, u64 a, u64 b, u64 c, u64 d)
{
	register u64 r10 __asm__("r10") = d;
	u64 result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10)
			 : "rcx", "r11", "memory");
	return result;
}
#else
static inline u64 syscall4(u64 number, u64 a, u64 b, u64 c, u64 d)
{
	const u64 args[4] = {a, b, c, d};
	u64 result;

	__asm__ volatile("int $0x80"
			 : "=A"(result)
			 : "a"((u32)number), "b"(args)
			 : "memory");
	return result;
}
#endif

static inline bool is_error(u64 result)
{
	return result >= -4095ull;
}

u64 u_fork(void);
_Noreturn void u_exit(u64 status, u64 value);
_Noreturn void u_exec(u64 program, u64 a, u64 b, u64 c);
void u_print(const char *text);
void u_mark(u64 value);
void u_yield(void);
void u_sleep(u64 ticks);
u64 u_pagemap(const volatile void *addr);

/* These end the process with a FAILED line if the call fails. */
volatile u8 *u_mmap(u64 pages, u64 flags);
void u_munmap(volatile u8 *addr, u64 pages);
void u_fill(volatile u8 *addr, u64 len, u8 byte);
u64 u_sum(const volatile u8 *addr, u64 len);

/* Fork, checked. */
u64 u_fork_checked(void);

/* Wait for a child; a child that failed fails the parent.  Its value. */
u64 u_wait(void);

/* "FAILED what (number): 0x.. instead of 0x..", then the process ends. */
_Noreturn void u_fail(const char *what, u64 number, u64 got, u64 want);

static inline void check(const char *what, u64 number, u64 got, u64 want)
{
	if (got != want)
		u_fail(what, number, got, want);
}

/* A checksum h after one more value; the order of values matters. */
static inline u64 mix(u64 h, u64 value)
{
	h = (h << 23 | h >> 41) ^ value;
	h = (h + 1) * 0x9e3779b97f4a7c15ull;
	return h ^ h >> 32;
}

/* xorshift64*; the state is never 0. */
static inline u64 random_next(u64 *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return (*state * 0x2545f4914f6cdd1dull) >> 16;
}

/* Programs, see PROG_*: arguments from exec, result is the exit value. */
u64 prog_hello(u64 a, u64 b, u64 c);
u64 prog_rights(u64 features, u64 b, u64 c);
u64 prog_touch(u64 pages, u64 flags, u64 again);
u64 prog_fork(u64 procs, u64 pages, u64 size);
u64 prog_fork_exec(u64 procs, u64 pages, u64 size);
u64 prog_switch(u64 rounds, u64 pages, u64 c);
u64 prog_stride(u64 pages, u64 stride, u64 rounds);
u64 prog_mmap(u64 rounds, u64 b, u64 c);
u64 prog_mixed(u64 seed, u64 rounds, u64 procs);
u64 prog_spin(u64 a, u64 b, u64 c);
u64 prog_child(u64 a, u64 b, u64 c);

#endif
