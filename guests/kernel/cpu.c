/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One processor, one TSS.  All gates are interrupt gates for ring 0: the
 * kernel runs with interrupts off.  The double fault has a stack of its own
 * (IST 1), as its cause may be a bad kernel stack.
 */
#include "kernel/cpu.h"

#include "kernel/x86.h"

#define GATE_INTERRUPT 0x8e00ull /* present, ring 0, 64-bit interrupt gate */
#define SEG_TSS_64     0x89ull   /* present, ring 0, 64-bit TSS */
#define IST_DF         1
#define STUB_SIZE      16 /* trap.S */

struct tss {
	u32 reserved0;
	u64 rsp[3];
	u64 reserved1;
	u64 ist[7]; /* ist[0] is IST 1 */
	u64 reserved2;
	u16 reserved3;
	u16 io_map;
} __attribute__((packed));
_Static_assert(sizeof(struct tss) == 104, "layout of the 64-bit TSS");

struct gate {
	u64 low;
	u64 high;
};

static struct tss tss;
static struct gate idt[VEC_COUNT];
static u8 df_stack[4096] __attribute__((aligned(16)));

/* Accessed bits are set, so that loading a selector writes nothing. */
static u64 gdt[] = {
	0,
	0x00af9b000000ffff, /* KERNEL_CS: 64-bit code */
	0x00cf93000000ffff, /* KERNEL_DS */
	0x00cffb000000ffff, /* 32-bit user code: SYSRET's base, not used */
	0x00cff3000000ffff, /* USER_DS */
	0x00affb000000ffff, /* USER_CS: 64-bit code */
	0,                  /* TSS_SEL, two slots */
	0,
};

static void set_tss_descriptor(u64 base, u64 limit)
{
	gdt[TSS_SEL / 8] = (limit & 0xffff) | (base & 0xffffff) << 16 |
			   SEG_TSS_64 << 40 | (limit >> 16 & 0xf) << 48 |
			   (base >> 24 & 0xff) << 56;
	gdt[TSS_SEL / 8 + 1] = base >> 32;
}

static void set_gate(u32 vector, u64 handler, u64 ist)
{
	idt[vector].low = (handler & 0xffff) | (u64)KERNEL_CS << 16 |
			  ist << 32 | GATE_INTERRUPT << 32 |
			  (handler >> 16 & 0xffff) << 48;
	idt[vector].high = handler >> 32;
}

static void load_gdt(void)
{
	struct table_desc desc = {sizeof(gdt) - 1, (uptr)gdt};

	__asm__ volatile("lgdt %0\n\t"
			 "pushq %1\n\t"
			 "leaq 1f(%%rip), %%rax\n\t"
			 "pushq %%rax\n\t"
			 "lretq\n"
			 "1:\tmovl %2, %%eax\n\t"
			 "movl %%eax, %%ss\n\t"
			 "movl %%eax, %%ds\n\t"
			 "movl %%eax, %%es\n\t"
			 :
			 : "m"(desc), "i"(KERNEL_CS), "i"(KERNEL_DS)
			 : "rax", "memory");
}

static void load_idt(const struct gate *base, u64 size)
{
	struct table_desc desc = {(u16)(size - 1), (uptr)base};

	__asm__ volatile("lidt %0" : : "m"(desc));
}

static void init_syscall(void)
{
	extern const char syscall_entry[];

	wrmsr(MSR_STAR, (u64)(USER_DS - 8) << 48 | (u64)KERNEL_CS << 32);
	wrmsr(MSR_LSTAR, (uptr)syscall_entry);
	wrmsr(MSR_SFMASK,
	      RFLAGS_IF | RFLAGS_TF | RFLAGS_DF | RFLAGS_NT | RFLAGS_AC);
}

void cpu_init(void)
{
	extern const char trap_stubs[];

	tss.ist[IST_DF - 1] = (uptr)(df_stack + sizeof(df_stack));
	tss.io_map = sizeof(tss);
	set_tss_descriptor((uptr)&tss, sizeof(tss) - 1);
	load_gdt();
	__asm__ volatile("ltr %w0" : : "r"(TSS_SEL));

	for (u32 vector = 0; vector < VEC_COUNT; vector++)
		set_gate(vector, (uptr)trap_stubs + (u64)vector * STUB_SIZE,
			 vector == VEC_DF ? IST_DF : 0);
	load_idt(idt, sizeof(idt));
	init_syscall();
}

void cpu_set_kernel_stack(u64 top)
{
	extern u64 kernel_sp;

	tss.rsp[0] = top;
	kernel_sp = top;
}

void cpu_drop_idt(void)
{
	load_idt(NULL, 1);
}
