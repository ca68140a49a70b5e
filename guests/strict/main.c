/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The strict guest: is every exception raised exactly where the manuals say?
 * A line a check: "ok NAME", "skip NAME" or "not ok NAME: what differs".
 */
#include "check.h"
#include "x86.h"

#define CR0_KEPT  0x80000033u
#define EXIT_PORT 0xf4
#define SERIAL    0x3f8

static uint32_t nr_wrong;

static void put_char(char c)
{
	while (!(in8(SERIAL + 5) & 0x20))
		;
	out8(SERIAL, (uint8_t)c);
}

static void put(const char *text)
{
	while (*text)
		put_char(*text++);
}

static void put_hex(word val)
{
	int shift = (int)sizeof(word) * 8 - 4;

	put("0x");
	while (shift && !(val >> shift))
		shift -= 4;
	for (; shift >= 0; shift -= 4)
		put_char("0123456789abcdef"[val >> shift & 15]);
}

void strict_line(const char *name, const char *wrong, word got, word want)
{
	put(wrong ? "not ok " : "ok ");
	put(name);
	if (wrong) {
		nr_wrong++;
		put(": ");
		put(wrong);
		put(" ");
		put_hex(got);
		put(", not ");
		put_hex(want);
	}
	put("\n");
}

/* A leaf that is not there shows nothing. */
static bool is_shown(const struct feature *f)
{
	struct cpuid r = {0};

	if (cpuid(f->leaf & 0x80000000, 0).eax >= f->leaf)
		r = cpuid(f->leaf, 0);
	return (f->reg == EBX   ? r.ebx
		: f->reg == ECX ? r.ecx
				: r.edx) >>
		       f->bit &
	       1;
}

static void debug_at_snippet(void);
static void watch_page(void);
static void no_sysenter_cs(void);
#ifdef __x86_64__
static void no_sce(void);
static void set_star(void);
static void set_star_snippet(void);
#else
static void make_tasks(void);
static void make_jump_tasks(void);
static void make_absent_task(void);
static void make_small_task(void);
static void make_df_task(void);
static void make_gp_task(void);
#endif

#ifdef __x86_64__
#define A    "%rax"
#define B    "%rbx"
#define C    "%rcx"
#define D    "%rdx"
#define S    "%rsp"
#define IRET "iretq"
#define LRET "q"
#else
#define A    "%eax"
#define B    "%ebx"
#define C    "%ecx"
#define D    "%edx"
#define S    "%esp"
#define IRET "iretl"
#define LRET ""
#endif

/* The snippets.  The last 9: is where the exception has to be raised. */
#define SNIPPET(id, text)                                            \
	__asm__(".pushsection .text\nsnippet_" #id ":\n9:\n" text    \
		"\n.set at_" #id ", 9b\nend_" #id ":\n.popsection"); \
	extern const uint8_t snippet_##id[], at_##id[], end_##id[];
#define CHECK(id, name, ring, code, ...) SNIPPET(id, code "\nint $0x41")
#define CHECK16(id, name, ring, code, ...) \
	SNIPPET(id, ".code16\n" code "\nint $0x41\n.code32")
#include "all.def"
#undef CHECK
#undef CHECK16

/* IS_INTEL: a bit that "ntel" has, and "cAMD" has not. */
#define IS_INTEL               \
	{                      \
		HAS, 0, ECX, 2 \
	}
#define HAS_DE                 \
	{                      \
		HAS, 1, EDX, 2 \
	}
#define HAS_SEP                 \
	{                       \
		HAS, 1, EDX, 11 \
	}
#define HAS_MTRR                \
	{                       \
		HAS, 1, EDX, 12 \
	}
#define HAS_MCA                 \
	{                       \
		HAS, 1, EDX, 14 \
	}
#define HAS_PAT                 \
	{                       \
		HAS, 1, EDX, 16 \
	}
#define HAS_CX16                \
	{                       \
		HAS, 1, ECX, 13 \
	}
/* AMD has it in legacy mode alone. */
#ifdef __x86_64__
#define HAS_SYSENTER IS_INTEL
#else
#define HAS_SYSENTER HAS_SEP
#endif
#define HAS_LAHF                        \
	{                               \
		HAS, 0x80000001, ECX, 0 \
	}
#define HAS_NX                           \
	{                                \
		HAS, 0x80000001, EDX, 20 \
	}
#define LACKS_VME                \
	{                        \
		LACKS, 1, EDX, 1 \
	}
#define LACKS_MCE                \
	{                        \
		LACKS, 1, EDX, 7 \
	}
#define LACKS_PAT                 \
	{                         \
		LACKS, 1, EDX, 16 \
	}
#define LACKS_MONITOR            \
	{                        \
		LACKS, 1, ECX, 3 \
	}
#define LACKS_VMX                \
	{                        \
		LACKS, 1, ECX, 5 \
	}
#define LACKS_SSSE3              \
	{                        \
		LACKS, 1, ECX, 9 \
	}
#define LACKS_PCID                \
	{                         \
		LACKS, 1, ECX, 17 \
	}
#define LACKS_SSE42               \
	{                         \
		LACKS, 1, ECX, 20 \
	}
#define LACKS_MOVBE               \
	{                         \
		LACKS, 1, ECX, 22 \
	}
#define LACKS_POPCNT              \
	{                         \
		LACKS, 1, ECX, 23 \
	}
#define LACKS_AES                 \
	{                         \
		LACKS, 1, ECX, 25 \
	}
#define LACKS_XSAVE               \
	{                         \
		LACKS, 1, ECX, 26 \
	}
#define LACKS_RDRAND              \
	{                         \
		LACKS, 1, ECX, 30 \
	}
#define LACKS_FSGSBASE           \
	{                        \
		LACKS, 7, EBX, 0 \
	}
#define LACKS_SMAP                \
	{                         \
		LACKS, 7, EBX, 20 \
	}
#define LACKS_NX                           \
	{                                  \
		LACKS, 0x80000001, EDX, 20 \
	}
#define LACKS_RDTSCP                       \
	{                                  \
		LACKS, 0x80000001, EDX, 27 \
	}

/* How a snippet ends. */
#define CODED(nr, code) .vector = nr, .error = (word)(code)
#define UNCODED(nr)     .vector = nr, .error = NO_CODE
#define DONE            UNCODED(VECTOR_DONE)

static const struct check checks[] = {
#define CHECK(id, what, in, text, ...) \
	{.name = what,                 \
	 .code = snippet_##id,         \
	 .end = end_##id,              \
	 .at = at_##id,                \
	 .ring = in,                   \
	 __VA_ARGS__},
#define CHECK16(id, what, in, text, ...) \
	{.name = what,                   \
	 .code = snippet_##id,           \
	 .end = end_##id,                \
	 .at = at_##id,                  \
	 .ring = in,                     \
	 __VA_ARGS__},
#include "all.def"
#undef CHECK
#undef CHECK16
};

/* A breakpoint on the NOP that begins the snippet at work. */
static const struct check *at_work;

static void debug_at_snippet(void)
{
	write_dr(0, (word)at_work->at);
	write_dr(7, 0x402);
}

/* Stores of 4 bytes at strict_page + 8. */
static void watch_page(void)
{
	write_dr(1, (word)strict_page + 8);
	write_dr(7, 0xd00408);
}

static void no_sysenter_cs(void)
{
	wrmsr(0x174, 0);
}

#ifdef __x86_64__
static void no_sce(void)
{
	wrmsr(0xc0000080, rdmsr(0xc0000080) & ~(uint64_t)1);
}

/* SYSRET loads USER_CS, SYSCALL ends as a snippet does. */
static void set_star(void)
{
	extern const uint8_t strict_done[];

	wrmsr(0xc0000081, (uint64_t)KERNEL_CS << 32 | (uint64_t)8 << 48);
	wrmsr(0xc0000082, (word)strict_done);
	wrmsr(0xc0000084, 0x700);
}

static void set_star_snippet(void)
{
	set_star();
}
#endif

static void set_gate(uint32_t vector, word handler, uint32_t selector,
		     uint32_t type, uint32_t ist)
{
	uint32_t *gate = (uint32_t *)&idt[vector * 2];

	gate[0] = selector << 16 | (handler & 0xffff);
	gate[1] = (uint32_t)(handler & 0xffff0000) | type << 8 | ist;
#ifdef __x86_64__
	gate[2] = (uint32_t)(handler >> 32);
	gate[3] = 0;
#endif
}

static uint32_t tss[28] = {[25] = 0x680000};

#ifndef __x86_64__
static void set_tss(uint32_t selector, const uint32_t *at, uint32_t type,
		    uint32_t limit)
{
	word base = (word)at;

	gdt[selector / 8] = (uint64_t)type << 40 | limit |
			    (uint64_t)(base & 0xffffff) << 16 |
			    (uint64_t)(base >> 24) << 56;
}

static uint32_t tss2[28], tss_df[28];

static void make_tss(uint32_t *at, const void *entry, uint8_t *stack)
{
	static const uint32_t data[] = {18, 20, 21, 22, 23};

	for (uint32_t i = 0; i < 28; i++)
		at[i] = 0;
	at[7] = read_cr3();
	at[8] = (word)entry;
	at[9] = 2;
	at[14] = (word)stack;
	at[19] = KERNEL_CS;
	for (uint32_t i = 0; i < 5; i++)
		at[data[i]] = KERNEL_DS;
	at[25] = 0x680000;
}

static void make_task2(const void *entry, uint32_t type, uint32_t limit)
{
	static uint8_t stack[512];
	extern volatile uint32_t task2_runs;

	tss[7] = read_cr3(); /* not saved by a switch */
	task2_runs = 0;
	make_tss(tss2, entry, stack + sizeof(stack));
	set_tss(TSS2_SEL, tss2, type, limit);
	set_gate(VECTOR_TASK, 0, TSS2_SEL, 0xe5, 0);
}

extern const uint8_t task2_calls[], task2_jumps[], task_df_entry[];

static void make_tasks(void)
{
	make_task2(task2_calls, 0x89, 0x67);
}

static void make_jump_tasks(void)
{
	make_task2(task2_jumps, 0x89, 0x67);
}

static void make_absent_task(void)
{
	make_task2(task2_jumps, 0x09, 0x67);
}

static void make_small_task(void)
{
	make_task2(task2_jumps, 0x89, 0x66);
}

static void make_task_for(uint32_t vector)
{
	extern uint32_t task_df_stack_end[];
	extern volatile uint32_t task_df_vector;

	make_task2(task2_calls, 0x89, 0x67);
	task_df_vector = vector;
	make_tss(tss_df, task_df_entry, (uint8_t *)task_df_stack_end);
	set_tss(TSS_DF_SEL, tss_df, 0x89, 0x67);
	set_gate(vector, 0, TSS_DF_SEL, 0x85, 0);
}

static void make_df_task(void)
{
	make_task_for(8);
}

static void make_gp_task(void)
{
	make_task_for(13);
}
#endif

static void set_tables(void)
{
	word stack = (word)strict_fault_stack();

	for (uint32_t i = 0; i < NR_GATES; i++)
		set_gate(i, STRICT_STUB(i), KERNEL_CS, 0x8e, 0);
	set_gate(3, STRICT_STUB(3), KERNEL_CS, 0xee, 0);
	set_gate(4, STRICT_STUB(4), KERNEL_CS, 0xee, 0);
	set_gate(VECTOR_DONE, STRICT_STUB(VECTOR_DONE), KERNEL_CS, 0xee, 0);
	set_gate(VECTOR_ABSENT, STRICT_STUB(VECTOR_ABSENT), KERNEL_CS, 0x6e, 0);
	tss[1] = (uint32_t)stack;
#ifdef __x86_64__
	tss[9] = (uint32_t)stack; /* IST1 */
	set_gate(8, STRICT_STUB(8), KERNEL_CS, 0x8e, 1);
	set_gate(12, STRICT_STUB(12), KERNEL_CS, 0x8e, 1);
#else
	tss[2] = KERNEL_DS;
#endif
}

static void load_tables(void)
{
	word base = (word)tss;

	gdt[TSS_SEL / 8] = 0x0000890000000067 |
			   (uint64_t)(base & 0xffffff) << 16 |
			   (uint64_t)(base >> 24 & 0xff) << 56;
	load_idt();
	load_tr(TSS_SEL);
}

#ifndef __x86_64__
/* In real mode: each of these, as real.S counts them. */
static void real_mode(void)
{
	static const struct {
		const char *name;
		uint32_t want;
	} seen[] = {
		{"real mode: INT n and IRET", 0x20},
		{"real mode: division by zero", 0x100},
		{"real mode: a word at 0xffff", 0x10d},
		{"real mode: INT n beyond the table", 0x10d},
		{"real mode: UD2", 0x106},
		{"real mode: LLDT", 0x106},
		{"real mode: MOV CR0", 0},
		{"real mode: TF", 0x101},
		{"real mode: protected mode again", 0x1ee7},
	};
	extern volatile uint16_t real_seen[];

	strict_real();
	load_idt();
	for (uint32_t i = 0; i < sizeof(seen) / sizeof(seen[0]); i++)
		strict_line(seen[i].name,
			    real_seen[i] == seen[i].want ? NULL : "saw",
			    real_seen[i], seen[i].want);
}
#endif

static const char *difference(const struct check *c, word *got, word *want)
{
	const volatile struct outcome *o = &strict_outcome;
	word dr6 = read_dr6() & 0xe00f;

	*got = o->vector;
	*want = c->vector;
	if (*got != *want)
		return "vector";
	*got = o->error;
	*want = c->error;
	if (*got != *want)
		return "error code";
	*got = o->ip;
	*want = c->ring == VM86 ? (word)(c->at - c->code) + 0x100 : (word)c->at;
	if (*got != *want && c->vector != VECTOR_DONE)
		return "instruction pointer";
	*got = dr6;
	*want = c->dr6;
	if (*got != *want && (c->dr6 || c->vector == 1))
		return "DR6";
	*got = o->ax;
	*want = c->ax;
	if (*got != *want && c->has_ax)
		return "rAX";
	/* Faults are resumed, so RF is set for them; #DB says by itself. */
	*got = o->flags & RFLAGS_RF;
	*want = c->vector < 32 && c->vector != 1 && c->vector != 3 &&
				c->vector != 4
			? RFLAGS_RF
			: 0;
	return *got == *want ? NULL : "RF";
}

static void enter(const struct check *c)
{
	word flags = c->flags | 2;

	switch (c->ring) {
	case RING0:
		strict_go(c->code, KERNEL_CS, KERNEL_DS, flags);
		break;
	case RING3:
		strict_go(c->code, USER_CS, USER_DS, flags);
		break;
	case COMPAT:
		strict_go(c->code, COMPAT_CS, USER_DS, flags);
		break;
	case VM86:
		for (const uint8_t *p = c->code; p < c->end; p++)
			((volatile uint8_t *)LOW_CODE)[0x100 + p - c->code] =
				*p;
		strict_go((const void *)0x100, LOW_CODE >> 4, 0,
			  flags | RFLAGS_VM);
		break;
	}
}

static bool is_wanted(const struct check *c)
{
	static const struct feature hypervisor = {HAS, 1, ECX, 31};

	if (c->strays && is_shown(&hypervisor))
		return false;
	return c->when.wanted == ANY ||
	       is_shown(&c->when) == (c->when.wanted == HAS);
}

static void run(const struct check *c)
{
	word cr0 = read_cr0(), cr4 = read_cr4(), got, want;
	uint64_t efer = 0;
	const char *wrong;

	if (!is_wanted(c)) {
		put("skip ");
		put(c->name);
		put("\n");
		return;
	}
	at_work = c;
#ifdef __x86_64__
	efer = rdmsr(0xc0000080);
#endif
	write_dr(6, 0xffff0ff0);
	if (c->prepare)
		c->prepare();
	write_cr0(cr0 | c->cr0);
	write_cr4(cr4 | c->cr4);
	enter(c);
	write_cr0(cr0);
	write_cr4(cr4);
	wrong = difference(c, &got, &want);
	write_dr(7, 0x400);
#ifdef __x86_64__
	wrmsr(0xc0000080, efer);
#endif
	(void)efer;
	__asm__ volatile("fninit");
	set_tables();
	strict_line(c->name, wrong, got, want);
}

void strict_main(void)
{
	out8(SERIAL + 3, 3); /* 8 bits */
	set_tables();
	load_tables();
	for (uint32_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++)
		run(&checks[i]);
#ifndef __x86_64__
	real_mode();
#endif
	put(nr_wrong ? "FAILED\n" : "done\n");
	out8(EXIT_PORT, nr_wrong ? 1 : 0);
	for (;;)
		__asm__ volatile("cli; hlt");
}
