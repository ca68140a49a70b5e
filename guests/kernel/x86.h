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
#ifdef __x86_64__
#define USER_CS 0x2b
#else
#define USER_CS 0x1b
#endif
#define TSS_SEL 0x30

#define VEC_DF        8
#define VEC_PF        14
#define VEC_IRQ       32   /* the 8259 pair: 32 to 47 */
#define VEC_SYSCALL   0x80 /* 32-bit code */
#define VEC_COUNT     256
#define FRAME_SYSCALL 256 /* "vector" of a system call's frame */

#ifndef __ASSEMBLER__
#include "common/types.h"

#define RFLAGS_TF 0x00000100ull
#define RFLAGS_IF 0x00000200ull
#define RFLAGS_DF 0x00000400ull
#define RFLAGS_NT 0x00004000ull
#define RFLAGS_AC 0x00040000ull
#define RFLAGS_1  0x00000002ull /* always one */

#define MSR_STAR   0xc0000081u
#define MSR_LSTAR  0xc0000082u
#define MSR_SFMASK 0xc0000084u

#define CR4_PSE   0x00000010
#define CR4_PAE   0x00000020
#define CR4_PGE   0x00000080
#define CR4_LA57  0x00001000
#define CR4_PCIDE 0x00020000
#define CR4_SMEP  0x00100000
#define CR4_SMAP  0x00200000
#define CR4_PKE   0x00400000

#define MSR_EFER 0xc0000080u
#define EFER_NXE 0x800

struct table_desc {
	u16 limit;
	uptr base;
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
	uptr val;

	__asm__ volatile("mov %%cr2, %0" : "=r"(val));
	return val;
}

static inline void write_cr3(u64 val)
{
	__asm__ volatile("mov %0, %%cr3" : : "r"((uptr)val) : "memory");
}

static inline u64 read_cr4(void)
{
	uptr val;

	__asm__ volatile("mov %%cr4, %0" : "=r"(val));
	return val;
}

static inline void write_cr4(u64 val)
{
	__asm__ volatile("mov %0, %%cr4" : : "r"((uptr)val) : "memory");
}

static inline void invlpg(u64 va)
{
	__asm__ volatile("invlpg (%0)" : : "r"((uptr)va) : "memory");
}

/* One PCID's entries, global ones not among them. */
static inline void invpcid_context(u64 pcid)
{
	const struct {
		u64 pcid, va;
	} desc = {pcid, 0};

	__asm__ volatile("invpcid %0, %1"
			 :
			 : "m"(desc), "r"((uptr)1)
			 : "memory");
}

struct cpuid {
	u32 eax, ebx, ecx, edx;
};

static inline struct cpuid cpuid(u32 leaf)
{
	struct cpuid r;

	__asm__ volatile("cpuid"
			 : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx)
			 : "a"(leaf), "c"(0));
	return r;
}

static inline u64 rdmsr(u32 msr)
{
	u32 low, high;

	__asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
	return (u64)high << 32 | low;
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
