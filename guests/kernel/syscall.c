/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * System calls: fetch arguments, check user addresses, do, return.  The list
 * is in common/abi.h.
 */
#include "common/abi.h"
#include "kernel/console.h"
#include "kernel/paging.h"
#include "kernel/proc.h"
#include "kernel/report.h"
#include "kernel/trap.h"

#define WRITE_MAX 256

static bool is_user_range(u64 addr, u64 len)
{
	return addr < mm_user_end() && len <= mm_user_end() - addr;
}

static u64 sys_write(u64 text, u64 len)
{
	char buf[WRITE_MAX];

	if (len > sizeof(buf))
		return sys_error(E_INVAL);
	if (!is_user_range(text, len) ||
	    user_copy(buf, (void *)(uptr)text, (uptr)len))
		return sys_error(E_FAULT);
	console_write(buf, (size_t)len);
	return 0;
}

static u64 sys_wait(u64 addr)
{
	struct wait_result result;
	u64 pid = proc_wait(&result);

	if (pid == sys_error(E_CHILD))
		return pid;
	if (!is_user_range(addr, sizeof(result)) ||
	    user_copy((void *)(uptr)addr, &result, sizeof(result)))
		return sys_error(E_FAULT);
	return pid;
}

static u64 sys_fill(u64 addr, u64 len, u64 byte)
{
	if (!is_user_range(addr, len) ||
	    user_set((void *)(uptr)addr, (uptr)byte, (uptr)len))
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

		if (user_copy(buf, (void *)(uptr)addr, (uptr)part))
			return sys_error(E_FAULT);
		for (u64 i = 0; i < part; i++)
			sum += buf[i];
		addr += part;
		len -= part;
	}
	return sum;
}

static u64 sys_exec(struct trap_frame *frame, const u64 *args)
{
	struct program program = {args[0], {args[1], args[2], args[3]}};

	if (program.number >= PROG_COUNT)
		return sys_error(E_INVAL);
	proc_exec(frame, &program);
	return 0;
}

static u64 sys_probe(u64 addr, u64 how)
{
	uptr at = (uptr)addr;
	u64 result;

	if (!is_user_range(addr, 1))
		return sys_error(E_FAULT);
	if ((how & PROBE_AC) && has_smap)
		__asm__ volatile("stac" : : : "memory");
	switch (how & 3) {
	case PROBE_READ:
		result = probe_read(at);
		break;
	case PROBE_WRITE:
		result = probe_write(at);
		break;
	default:
		result = probe_exec(at);
		break;
	}
	if (has_smap)
		__asm__ volatile("clac" : : : "memory");
	return result;
}

static u64 sys_pkey(u64 addr, u64 len, u64 key)
{
	if (!is_user_range(addr, len) || key > 15 ||
	    !(paging.features & RIGHTS_PKU))
		return sys_error(E_INVAL);
	mm_set_key(proc_mm(), page_down(addr), page_up(len), key);
	return 0;
}

static u64 dispatch(struct trap_frame *frame, const u64 *args)
{
	u64 a = args[0], b = args[1], c = args[2];

	switch (frame_number(frame)) {
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
		return sys_exec(frame, args);
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
	case SYS_PROBE:
		return sys_probe(a, b);
	case SYS_PKEY:
		return sys_pkey(a, b, c);
	case SYS_CATCH:
		proc_set_catch(a);
		return 0;
	default:
		return sys_error(E_NOSYS);
	}
}

void syscall_handle(struct trap_frame *frame)
{
	bool begins = frame_number(frame) == SYS_EXEC;
	u64 args[4];
	u64 result = sys_error(E_FAULT);

	stats.syscalls++;
	if (frame_args(frame, args))
		result = dispatch(frame, args);
	/* A program that begins has all its registers for arguments. */
	if (!begins || MINI_LEVELS == 4 || result)
		frame_return(frame, result);
}
