/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The list of programs, and the wrappers of the system calls.
 */
#include "user/user.h"

typedef u64 program_fn(u64 a, u64 b, u64 c);

static program_fn *const programs[PROG_COUNT] = {
	[PROG_HELLO] = prog_hello,   [PROG_TOUCH] = prog_touch,
	[PROG_FORK] = prog_fork,     [PROG_FORK_EXEC] = prog_fork_exec,
	[PROG_SWITCH] = prog_switch, [PROG_MMAP] = prog_mmap,
	[PROG_MIXED] = prog_mixed,   [PROG_SPIN] = prog_spin,
	[PROG_CHILD] = prog_child,   [PROG_RIGHTS] = prog_rights,
	[PROG_STRIDE] = prog_stride,
};

/* Called by start.S; the kernel has checked the number. */
_Noreturn void user_main(u64 number, u64 a, u64 b, u64 c);

_Noreturn void user_main(u64 number, u64 a, u64 b, u64 c)
{
	u_exit(STATUS_OK, programs[number](a, b, c));
}

static u64 syscall_checked(const char *what, u64 number, u64 a, u64 b, u64 c)
{
	u64 result = syscall4(number, a, b, c, 0);

	if (is_error(result))
		u_fail(what, number, result, 0);
	return result;
}

_Noreturn void u_exit(u64 status, u64 value)
{
	for (;;)
		syscall4(SYS_EXIT, status, value, 0, 0);
}

_Noreturn void u_exec(u64 program, u64 a, u64 b, u64 c)
{
	u64 result = syscall4(SYS_EXEC, program, a, b, c);

	u_fail("exec of program", program, result, 0);
}

void u_print(const char *text)
{
	syscall4(SYS_WRITE, (uptr)text, strlen(text), 0, 0);
}

void u_mark(u64 value)
{
	syscall4(SYS_MARK, value, 0, 0, 0);
}

void u_yield(void)
{
	syscall4(SYS_YIELD, 0, 0, 0, 0);
}

void u_sleep(u64 ticks)
{
	syscall4(SYS_SLEEP, ticks, 0, 0, 0);
}

u64 u_pagemap(const volatile void *addr)
{
	return syscall4(SYS_PAGEMAP, (uptr)addr, 0, 0, 0);
}

volatile u8 *u_mmap(u64 pages, u64 flags)
{
	return (volatile u8 *)(uptr)syscall_checked(
		"mmap", SYS_MMAP, pages * PAGE_SIZE, flags, 0);
}

void u_munmap(volatile u8 *addr, u64 pages)
{
	syscall_checked("munmap", SYS_MUNMAP, (uptr)addr, pages * PAGE_SIZE, 0);
}

void u_fill(volatile u8 *addr, u64 len, u8 byte)
{
	syscall_checked("fill", SYS_FILL, (uptr)addr, len, byte);
}

u64 u_sum(const volatile u8 *addr, u64 len)
{
	return syscall_checked("sum", SYS_SUM, (uptr)addr, len, 0);
}

u64 u_fork_checked(void)
{
	u64 pid = u_fork();

	if (is_error(pid))
		u_fail("fork", 0, pid, 0);
	return pid;
}

u64 u_wait(void)
{
	struct wait_result result;
	u64 pid = syscall_checked("wait", SYS_WAIT, (uptr)&result, 0, 0);

	if (result.status != STATUS_OK)
		u_fail("child", pid, result.status, STATUS_OK);
	return result.value;
}

static void print_hex(u64 val)
{
	char buf[24];
	char *end = buf + sizeof(buf) - 1;

	*end = 0;
	end = format_number(end, val, 16);
	*--end = 'x';
	*--end = '0';
	u_print(end);
}

_Noreturn void u_fail(const char *what, u64 number, u64 got, u64 want)
{
	u_print("FAILED ");
	u_print(what);
	u_print(" (");
	print_hex(number);
	u_print("): ");
	print_hex(got);
	u_print(" instead of ");
	print_hex(want);
	u_print("\n");
	u_exit(STATUS_FAILED, 0);
}
