/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Single instructions for the strict guest's C. */
#ifndef NOTRAP_GUESTS_STRICT_X86_H
#define NOTRAP_GUESTS_STRICT_X86_H

#include "check.h"

struct cpuid {
	uint32_t eax, ebx, ecx, edx;
};

static inline struct cpuid cpuid(uint32_t leaf, uint32_t subleaf)
{
	struct cpuid r;

	__asm__ volatile("cpuid"
			 : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx)
			 : "a"(leaf), "c"(subleaf));
	return r;
}

static inline uint8_t in8(uint16_t port)
{
	uint8_t val;

	__asm__ volatile("inb %1, %0" : "=a"(val) : "d"(port));
	return val;
}

static inline void out8(uint16_t port, uint8_t val)
{
	__asm__ volatile("outb %0, %1" : : "a"(val), "d"(port));
}

#define READ_CR(nr)                                                  \
	static inline word read_cr##nr(void)                         \
	{                                                            \
		word val;                                            \
                                                                     \
		__asm__ volatile("mov %%cr" #nr ", %0" : "=r"(val)); \
		return val;                                          \
	}
#define WRITE_CR(nr)                                                          \
	static inline void write_cr##nr(word val)                             \
	{                                                                     \
		__asm__ volatile("mov %0, %%cr" #nr : : "r"(val) : "memory"); \
	}

READ_CR(0)
READ_CR(3)
READ_CR(4)
WRITE_CR(0)
WRITE_CR(3)
WRITE_CR(4)

static inline word read_dr6(void)
{
	word val;

	__asm__ volatile("mov %%dr6, %0" : "=r"(val));
	return val;
}

static inline void write_dr(int nr, word val)
{
	switch (nr) {
	case 0:
		__asm__ volatile("mov %0, %%dr0" : : "r"(val));
		break;
	case 1:
		__asm__ volatile("mov %0, %%dr1" : : "r"(val));
		break;
	case 6:
		__asm__ volatile("mov %0, %%dr6" : : "r"(val));
		break;
	default:
		__asm__ volatile("mov %0, %%dr7" : : "r"(val));
		break;
	}
}

static inline uint64_t rdmsr(uint32_t msr)
{
	uint32_t low, high;

	__asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
	return (uint64_t)high << 32 | low;
}

static inline void wrmsr(uint32_t msr, uint64_t val)
{
	__asm__ volatile("wrmsr"
			 :
			 : "c"(msr), "a"((uint32_t)val),
			   "d"((uint32_t)(val >> 32))
			 : "memory");
}

static inline void load_idt(void)
{
	__asm__ volatile("lidt idt_pointer");
}

static inline void load_tr(uint32_t selector)
{
	__asm__ volatile("ltr %w0" : : "r"(selector));
}

static inline void *strict_fault_stack(void)
{
	extern uint8_t strict_fault_stack_end[];

	return strict_fault_stack_end;
}

#endif
