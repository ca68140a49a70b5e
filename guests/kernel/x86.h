/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The instructions C has no words for, one inline function each, and the
 * kernel's selectors.  Included by assembly for the selectors.
 */
#ifndef MINI_X86_H
#define MINI_X86_H

/* The order of the user selectors is what SYSCALL and SYSRET ask for. */
#define KERNEL_CS 0x08
#define KERNEL_DS 0x10
#define USER_DS   0x23
#define USER_CS   0x2b
#define TSS_SEL   0x30

#define VEC_DF        8
#define VEC_PF        14
#define VEC_IRQ       32 /* the 8259 pair: 32 to 47 */
#define VEC_COUNT     256
#define FRAME_SYSCALL 256 /* "vector" of a system call's frame */

#ifndef __ASSEMBLER__
#include "common/types.h"

#define RFLAGS_TF 0x00000100ul
#define RFLAGS_IF 0x00000200ul
#define RFLAGS_DF 0x00000400ul
#define RFLAGS_NT 0x00004000ul
#define RFLAGS_AC 0x00040000ul
#define RFLAGS_1  0x00000002ul /* always one */

#define MSR_STAR   0xc0000081u
#define MSR_LSTAR  0xc0000082u
#define MSR_SFMASK 0xc0000084u

struct table_desc {
	u16 limit;
	u64 base;
} __attribute__((packed));

static inline void outb(u16 port, u8 val)
{
	__asm__ volatile("outb %0, %1" : : "a"(val), "Nd"(port));
}

static inline void outl(u16 port, u32 val)
{
	__asm__ volatile("outl %0, %1" : : "a"(val), "Nd"(port));
}

static inline u8 inb(u16 port)
{
	u8 val;

	__asm__ volatile("inb %1, %0" : "=a"(val) : "Nd"(port));
	return val;
}

static inline u64 read_cr2(void)
{
	u64 val;

	__asm__ volatile("mov %%cr2, %0" : "=r"(val));
	return val;
}

static inline void write_cr3(u64 val)
{
	__asm__ volatile("mov %0, %%cr3" : : "r"(val) : "memory");
}

static inline void invlpg(u64 va)
{
	__asm__ volatile("invlpg (%0)" : : "r"(va) : "memory");
}

static inline void wrmsr(u32 msr, u64 val)
{
	__asm__ volatile("wrmsr"
			 :
			 : "c"(msr), "a"((u32)val), "d"((u32)(val >> 32)));
}

/* Sleep until an interrupt has been handled. */
static inline void wait_for_interrupt(void)
{
	__asm__ volatile("sti; hlt; cli" : : : "memory");
}
#endif

#endif
