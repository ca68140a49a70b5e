/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cpu.c for 32-bit code.  A double fault has no stack of its own: that would
 * take a task gate.
 */
#include "kernel/cpu.h"

#include "kernel/x86.h"

#define GATE_INTERRUPT 0x8e00u /* present, ring 0, 32-bit interrupt gate */
#define GATE_USER      0x6000u /* ring 3 may INT */
#define SEG_TSS_32     0x89ull /* present, ring 0, 32-bit TSS */
#define STUB_SIZE      16      /* trap32.S */

struct tss {
	u32 link;
	u32 esp0, ss0;
	u32 others[22];
	u16 trap, io_map;
};
_Static_assert(sizeof(struct tss) == 104, "layout of the 32-bit TSS");

struct gate {
	u32 low;
	u32 high;
};

static struct tss tss;
static struct gate idt[VEC_COUNT];

/* Accessed bits are set, so that loading a selector writes nothing. */
static u64 gdt[] = {
	0,
	0x00cf9b000000ffff, /* KERNEL_CS */
	0x00cf93000000ffff, /* KERNEL_DS: the stack's alone */
	0x00cffb000000ffff, /* USER_CS */
	0x00cff3000000ffff, /* USER_DS */
	0,
	0, /* TSS_SEL */
};

static void set_tss_descriptor(u32 base, u64 limit)
{
	gdt[TSS_SEL / 8] = limit | (u64)(base & 0xffffff) << 16 |
			   SEG_TSS_32 << 40 | (u64)(base >> 24) << 56;
}

static void set_gate(u32 vector, u32 handler, u32 flags)
{
	idt[vector].low = (handler & 0xffff) | (u32)KERNEL_CS << 16;
	idt[vector].high = (handler & 0xffff0000) | GATE_INTERRUPT | flags;
}

static void load_gdt(void)
{
	struct table_desc desc = {sizeof(gdt) - 1, (uptr)gdt};

	__asm__ volatile("lgdt %0\n\t"
			 "ljmp %1, $1f\n"
			 "1:\tmovl %2, %%eax\n\t"
			 "movl %%eax, %%ss\n\t"
			 "movl %3, %%eax\n\t"
			 "movl %%eax, %%ds\n\t"
			 "movl %%eax, %%es\n\t"
			 :
			 : "m"(desc), "i"(KERNEL_CS), "i"(KERNEL_DS),
			   "i"(USER_DS)
			 : "eax", "memory");
}

static void load_idt(const struct gate *base, u32 size)
{
	struct table_desc desc = {(u16)(size - 1), (uptr)base};

	__asm__ volatile("lidt %0" : : "m"(desc));
}

void cpu_init(void)
{
	extern const char trap_stubs[];

	tss.ss0 = KERNEL_DS;
	tss.io_map = sizeof(tss);
	set_tss_descriptor((uptr)&tss, sizeof(tss) - 1);
	load_gdt();
	__asm__ volatile("ltr %w0" : : "r"(TSS_SEL));

	for (u32 vector = 0; vector < VEC_COUNT; vector++)
		set_gate(vector, (uptr)trap_stubs + vector * STUB_SIZE,
			 vector == VEC_SYSCALL ? GATE_USER : 0);
	load_idt(idt, sizeof(idt));
}

void cpu_set_kernel_stack(u64 top)
{
	tss.esp0 = (u32)top;
}

void cpu_drop_idt(void)
{
	load_idt(NULL, 1);
}
