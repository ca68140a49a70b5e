/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What trap.S leaves on the kernel stack, and the C side of it.
 */
#ifndef MINI_TRAP_H
#define MINI_TRAP_H

#include "common/types.h"

struct trap_frame {
	u64 r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8;
	u64 rax, rcx, rdx, rsi, rdi;
	u64 vector; /* or FRAME_SYSCALL */
	u64 error;
	u64 rip, cs, rflags, rsp, ss; /* what IRETQ takes */
};

void trap_handle(struct trap_frame *frame);    /* called by trap.S */
void syscall_handle(struct trap_frame *frame); /* called by trap.S */

/* See trap.S; both give the number of bytes not done. */
u64 user_copy(void *dst, const void *src, u64 len);
u64 user_set(void *dst, u64 byte, u64 len);

#endif
