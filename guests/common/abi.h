/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What mini's kernel and its user programs agree on: system calls, programs,
 * the user address space, results.  Also included by assembly: #defines of
 * plain numbers only.
 *
 * A system call is SYSCALL with the number in RAX and arguments in RDI, RSI,
 * RDX, R10; the result is in RAX, -E_* when it failed.  RCX and R11 are lost.
 * In 32-bit code it is INT 0x80, the number in EAX, the address of four 64-bit
 * arguments in EBX (0: there are none), the result in EDX:EAX.
 */
#ifndef MINI_ABI_H
#define MINI_ABI_H

#define SYS_EXIT    0  /* (status, value): does not return */
#define SYS_WRITE   1  /* (text, length): to the console */
#define SYS_YIELD   2  /* (): let the next process run */
#define SYS_FORK    3  /* (): 0 in the child, its pid in the parent */
#define SYS_WAIT    4  /* (struct wait_result *): pid of a child that ended */
#define SYS_EXEC    5  /* (program, a, b, c): a new address space */
#define SYS_MMAP    6  /* (length, MMAP_*): address of zeroed memory */
#define SYS_MUNMAP  7  /* (address, length): whole pages */
#define SYS_SLEEP   8  /* (ticks): a mere yield when the timer is off */
#define SYS_FILL    9  /* (address, length, byte): the kernel writes */
#define SYS_SUM     10 /* (address, length): the kernel reads, adds up bytes */
#define SYS_PAGEMAP 11 /* (address): the page's PTE, 0 if there is none */
#define SYS_MARK    12 /* (value): OUT to port 0xf5, for whoever watches */
#define SYS_PROBE   13 /* (address, PROBE_*): the kernel tries; see FAULTED */
#define SYS_PKEY    14 /* (address, length, key): of pages that are there */
#define SYS_CATCH   15 /* (address): where a fault of this process goes on */

#define E_CHILD 10 /* no child to wait for */
#define E_NOMEM 12 /* a table of the kernel is full */
#define E_FAULT 14 /* bad user address */
#define E_INVAL 22 /* bad argument */
#define E_NOSYS 38 /* no such call */

/*
 * What the kernel does to a user's page at SYS_PROBE.  The result is 0, or of a
 * page fault FAULTED and its error code; so it is in RAX after SYS_CATCH.
 */
#define PROBE_READ  0
#define PROBE_WRITE 1
#define PROBE_EXEC  2
#define PROBE_AC    4 /* with RFLAGS.AC set, where there is SMAP */
#define FAULTED     0x10000

#define MMAP_POPULATE 1 /* map all pages now, clean: W=1, A=0, D=0 */

/* Exit status of a process, see SYS_EXIT and struct wait_result. */
#define STATUS_OK     0
#define STATUS_FAILED 1 /* it has printed why */

/* Programs: the first argument of the image's entry point. */
#define PROG_HELLO     0
#define PROG_TOUCH     1
#define PROG_FORK      2
#define PROG_SWITCH    3
#define PROG_MMAP      4
#define PROG_MIXED     5
#define PROG_SPIN      6
#define PROG_CHILD     7 /* what forked children exec */
#define PROG_FORK_EXEC 8
#define PROG_RIGHTS    9
#define PROG_STRIDE    10
#define PROG_COUNT     11

/* Argument of PROG_RIGHTS: what the kernel has turned on. */
#define RIGHTS_NX   1
#define RIGHTS_SMEP 2
#define RIGHTS_SMAP 4
#define RIGHTS_PKU  8

/* Flags of PROG_TOUCH. */
#define TOUCH_READ     1
#define TOUCH_KERNEL   2
#define TOUCH_POPULATE 4

/* Values of SYS_MARK: the part of a workload to be measured. */
#define MARK_BEGIN 0x10
#define MARK_END   0x11

#define USER_TEXT      0x400000
#define USER_MMAP      0x10000000
#define USER_STACK_MAX 0x100000
#ifdef __x86_64__
#define USER_STACK_TOP 0x7ffffffff000
#define USER_END       0x800000000000 /* first address above the low half */
#define DIRECT_BASE    0xffff888000000000
/* With 5 levels there is more, and mmap begins where 4 do not reach. */
#define USER_MMAP_57 0x00f0000010000000
#define USER_END_57  0x0100000000000000
#else
#define USER_STACK_TOP 0xbffff000
#define USER_END       0xc0000000
#define DIRECT_BASE    0xc0000000
#endif

/* Bits of a page-table entry, as SYS_PAGEMAP shows them. */
#define PTE_P  0x1
#define PTE_W  0x2
#define PTE_U  0x4
#define PTE_A  0x20
#define PTE_D  0x40
#define PTE_PS 0x80

#ifndef __ASSEMBLER__
#include "common/types.h"

/* What a system call that fails returns. */
static inline u64 sys_error(u64 error)
{
	return 0 - error;
}

struct wait_result {
	u64 status;
	u64 value;
};
#endif

#endif
