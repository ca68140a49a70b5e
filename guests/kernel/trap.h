/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What trap.S leaves on the kernel stack, and the C side of it.
 */
#ifndef MINI_TRAP_H
#define MINI_TRAP_H

#include "common/types.h"

#ifdef __x86_64__
struct trap_frame {
	u64 r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8;
	u64 rax, rcx, rdx, rsi, rdi;
	u64 vector; /* or FRAME_SYSCALL */
	u64 error;
	u64 ip, cs, flags, sp, ss; /* what IRETQ takes */
};
#define SWITCH_REGISTERS 6 /* that switch_stack saves */
#else
struct trap_frame {
	u32 edi, esi, ebp, ebx, edx, ecx, eax;
	u32 vector;
	u32 error;
	u32 ip, cs, flags; /* what IRET takes */
	u32 sp, ss;        /* there only if it came from user code */
};
#define SWITCH_REGISTERS 4
#endif

/* What user code gets and gives in registers; see common/abi.h. */

/* A user program begins. */
void frame_enter(struct trap_frame *frame, u64 number, const u64 args[3]);
/* A system call's number; its arguments, false: a bad address. */
u64 frame_number(const struct trap_frame *frame);
bool frame_args(const struct trap_frame *frame, u64 ret[4]);
void frame_return(struct trap_frame *frame, u64 result);

void trap_handle(struct trap_frame *frame);    /* called by trap.S */
void syscall_handle(struct trap_frame *frame); /* called by trap.S */

/* See trap.S; both give the number of bytes not done. */
uptr user_copy(void *dst, const void *src, uptr len);
uptr user_set(void *dst, uptr byte, uptr len);

/* PROBE_*; 0, or FAULTED and the error code.  trap.S and syscall.c. */
uptr probe_read(uptr addr);
uptr probe_write(uptr addr);
uptr probe_exec(uptr addr);

/* Of the instruction that a probe tries; 0: none is under way. */
extern uptr probe_ip;
/* STAC and CLAC exist, and user memory is out of reach without. */
extern u8 has_smap;

static inline bool frame_is_user(const struct trap_frame *frame)
{
	return (frame->cs & 3) == 3;
}

#endif
