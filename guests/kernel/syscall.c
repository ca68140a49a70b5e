/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * System calls: fetch arguments, check user addresses, do, return.  The list
 * is in common/abi.h.
 */
#include "common/abi.h"
#include "kernel/console.h"
#include "kernel/proc.h"
#include "kernel/report.h"
#include "kernel/trap.h"

#define WRITE_MAX 256

static bool is_user_range(u64 addr, u64 len)
{
	return addr < USER_END && len <= USER_END - addr;
}

static u64 sys_write(u64 text, u64 len)
{
	char buf[WRITE_MAX];

	if (len > sizeof(buf))
		return sys_error(E_INVAL);
	if (!is_user_range(text, len) || user_copy(buf, (void *)text, len))
		return sys_error(E_FAULT);
	console_write(buf, len);
	return 0;
}

static u64 sys_wait(u64 addr)
{
	struct wait_result result;
	u64 pid = proc_wait(&result);

	if (pid == sys_error(E_CHILD))
		return pid;
	if (!is_user_range(addr, sizeof(result)) ||
	    user_copy((void *)addr, &result, sizeof(result)))
		return sys_error(E_FAULT);
	return pid;
}

static u64 sys_fill(u64 addr, u64 len, u64 byte)
{
	if (!is_user_range(addr, len) || user_set((void *)addr, byte, len))
		return sys_error(E_FAULT);
	return 0;
}

static u64 sys_sum(u64 addr, u64 len)
{
	u8 buf[64];
	u64 sum = 0;

	if (!is_user_range(addr, len))
		return sys_error(E_FAULT);
	while (len) {
		u64 part = len < sizeof(buf) ? len : sizeof(buf);

		if (user_copy(buf, (void *)addr, part))
			return sys_error(E_FAULT);
		for (u64 i = 0; i < part; i++)
			sum += buf[i];
		addr += part;
		len -= part;
	}
	return sum;
}

static u64 sys_exec(struct trap_frame *frame)
{
	struct program program = {frame->rdi,
				  {frame->rsi, frame->rdx, frame->r10}};

	if (program.number >= PROG_COUNT)
		return sys_error(E_INVAL);
	proc_exec(frame, &program);
	return 0;
}

static u64 dispatch(struct trap_frame *frame)
{
	u64 a = frame->rdi, b = frame->rsi, c = frame->rdx;

	switch (frame->rax) {
	case SYS_EXIT:
		proc_exit(a, b);
	case SYS_WRITE:
		return sys_write(a, b);
	case SYS_YIELD:
		proc_yield();
		return 0;
	case SYS_FORK:
		return proc_fork(frame);
	case SYS_WAIT:
		return sys_wait(a);
	case SYS_EXEC:
		return sys_exec(frame);
	case SYS_MMAP:
		return mm_mmap(proc_mm(), a, b & MMAP_POPULATE);
	case SYS_MUNMAP:
		return mm_munmap(proc_mm(), a, b);
	case SYS_SLEEP:
		proc_sleep(a);
		return 0;
	case SYS_FILL:
		return sys_fill(a, b, c);
	case SYS_SUM:
		return sys_sum(a, b);
	case SYS_PAGEMAP:
		return mm_pagemap(proc_mm(), a);
	case SYS_MARK:
		console_mark(a);
		return 0;
	default:
		return sys_error(E_NOSYS);
	}
}

void syscall_handle(struct trap_frame *frame)
{
	u64 result;

	stats.syscalls++;
	result = dispatch(frame);
	frame->rax = result;
}
