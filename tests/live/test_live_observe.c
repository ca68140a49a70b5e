/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An observer is told which instruction makes an access, whether Unicorn says
 * so by its rip or a hook has to: each instruction here names its address in
 * its own bytes, and no other does.
 */
#include "check.h"

#include <string.h>

#include "arch/cr.h"
#include "event/observe.h"
#include "machine.h"

#define CODE_AT UINT64_C(0x100000)
#define DATA_AT UINT64_C(0x400000)
#define STACK   UINT64_C(0x300000)

/*
 * Each in a block of its own, as a hook covers what lies between two others;
 * and a few times, as Unicorn's rip is right where a block is entered first.
 */
#define ALONE "\n jmp 1f\n 1: "

CODE(64, accesses,
     "mov $1, %ecx\n mov $4, %edi\n 2:" ALONE "mov 0x400000, %eax" ALONE
     "add %ecx, 0x400010" ALONE "nop" ALONE "movups 0x400020, %xmm0" ALONE
     "movups %xmm0, 0x400030" ALONE "cmp $1, 0x400040" ALONE
     "lock addl $1, 0x400050" ALONE "xchg %ebx, 0x400060" ALONE
     "cmpxchg %ecx, 0x400070" ALONE "lock cmpxchg %ecx, 0x400080" ALONE
     "xadd %ebx, 0x400090" ALONE "btl $1, 0x4000a0" ALONE
     "btsl $1, 0x4000b0" ALONE "shld $3, %eax, 0x4000c0" ALONE
     "imul 0x4000d0, %eax" ALONE "cmovc 0x4000e0, %eax" ALONE
     "setc 0x4000f0" ALONE "movzbl 0x400100, %edx" ALONE "fildl 0x400110" ALONE
     "fistpl 0x400120" ALONE "cvtsi2sdl 0x400130, %xmm1" ALONE
     "paddd 0x400140, %xmm0" ALONE "movd %xmm0, 0x400150" ALONE
     "pushq 0x400160" ALONE "popq 0x400170" ALONE "shrl 0x400180" ALONE
     "notl 0x400190" ALONE "incl 0x4001a0" ALONE "testl $1, 0x4001b0" ALONE
     "movnti %eax, 0x4001c0" ALONE "bsf 0x4001d0, %eax" ALONE
     "movslq 0x4001e0, %rax" ALONE "lock incl 0x4001f0" ALONE
     "mulsd 0x400200, %xmm1" ALONE "sub 0x400210, %eax" ALONE
     "dec %edi\n jnz 2b\n hlt");

#define NR_NAMED 34

struct watcher {
	struct insn_observer observer;
	struct insn_begin insn;
	bool named[NR_NAMED];
	unsigned int wrong;
	char lost[160];
};

static void on_block(struct insn_observer *to, const struct insn_block *block)
{
	(void)to;
	(void)block;
}

static void on_begin(struct insn_observer *to, const struct insn_begin *insn)
{
	((struct watcher *)to)->insn = *insn;
}

/* Do the instruction's own bytes name the address? */
static bool is_its_own(const struct insn_begin *insn, uint32_t at)
{
	const uint8_t *bytes = accesses_s + (insn->pc - CODE_AT);

	for (unsigned int i = 0; i + sizeof(at) <= insn->length; i++)
		if (!memcmp(bytes + i, &at, sizeof(at)))
			return true;
	return false;
}

static void on_access(struct insn_observer *to,
		      const struct insn_access *access)
{
	struct watcher *w = (struct watcher *)to;
	uint64_t nr = (access->gva - DATA_AT) / 16;

	if (access->gva < DATA_AT || nr >= NR_NAMED)
		return; /* the stack */
	w->named[nr] = true;
	w->wrong += !is_its_own(&w->insn, (uint32_t)(DATA_AT + nr * 16));
}

/* As its two parts are told. */
static void on_single(struct insn_observer *to, const struct insn_single *one)
{
	on_begin(to,
		 &(struct insn_begin){.pc = one->pc, .length = one->length});
	to->access(to, &(struct insn_access){.gva = one->gva,
					     .write = one->write,
					     .failed = one->failed});
}

static void on_restart(struct insn_observer *to)
{
	(void)to;
}

static void on_lost(struct insn_observer *to, const char *line)
{
	struct watcher *w = (struct watcher *)to;

	strncpy(w->lost, line, sizeof(w->lost) - 1);
}

/* Runs code from `start` to its HLT; *w says who is told of accesses. */
static void watch(struct watcher *w, const uint8_t *start, const uint8_t *end)
{
	struct machine m;
	struct vcpu vcpu;

	w->observer.block = on_block;
	w->observer.begin = on_begin;
	w->observer.single = on_single;
	w->observer.fault = w->observer.restart = on_restart;
	w->observer.lost = on_lost;
	machine_init(&m, &(struct machine_config){.mode = MACHINE_LONG,
						  .cr4 = CR4_OSFXSR,
						  .observer = &w->observer});
	machine_map(&m, 0, 0, MACHINE_RAM, PTE_W);
	machine_put(&m, CODE_AT, start, (size_t)(end - start));
	vcpu = machine_vcpu(&m, CODE_AT, 0);
	vcpu.gpr[GPR_RSP] = STACK + 0x1000;
	machine_must_halt(&m, &vcpu);
	machine_finish(&m);
	if (w->lost[0])
		fail_msg("%s", w->lost);
}

static void test_who_accesses(void **state)
{
	struct watcher w = {.observer = {.access = on_access}};

	(void)state;
	watch(&w, accesses_s, accesses_e);
	check_eq("accesses of another instruction", w.wrong, 0);
	for (unsigned int i = 0; i < NR_NAMED; i++)
		if (!w.named[i])
			fail_msg("nobody accessed number %u", i);
}

/* The instruction at the end is another one the second time. */
CODE(64, patched,
     "call 2f\n movl $0x400010, 2f + 3(%rip)\n call 2f\n hlt\n"
     "2: mov 0x400000, %eax\n ret");

struct reads {
	struct watcher watcher; /* first */
	gva_t gva[4];
	unsigned int nr;
};

static void note_access(struct insn_observer *to,
			const struct insn_access *access)
{
	struct reads *reads = (struct reads *)to;

	if (access->gva >= DATA_AT && reads->nr < ARRAY_LEN(reads->gva))
		reads->gva[reads->nr++] = access->gva;
}

static void test_patched(void **state)
{
	struct reads reads = {.watcher.observer = {.access = note_access}};

	(void)state;
	watch(&reads.watcher, patched_s, patched_e);
	check_eq("reads", reads.nr, 2);
	check_eq("the first", reads.gva[0], DATA_AT);
	check_eq("the second", reads.gva[1], DATA_AT + 0x10);
}

/*
 * Comparisons that hold and that fail: by the highest bit alone, by either
 * half, and ones that hold and store what was there.
 */
CODE(64, compares,
     "mov $0x80000001, %eax\n mov $2, %edx\n mov $3, %ebx\n mov $4, %ecx\n"
     "mov %eax, 0x400000\n mov $1, %eax\n lock cmpxchg %ecx, 0x400000\n"
     "mov $1, %eax\n mov %eax, 0x400010\n cmpxchg %eax, 0x400010\n"
     "mov $0x102, %eax\n movb $2, 0x400020\n cmpxchg %cl, 0x400020\n"
     /* 8 bytes: EDX:EAX */
     "mov $5, %eax\n mov %eax, 0x400030\n cmpxchg8b 0x400030\n"
     "mov $5, %eax\n mov $2, %edx\n mov %eax, 0x400040\n"
     "mov %edx, 0x400044\n lock cmpxchg8b 0x400040\n"
     "mov $6, %eax\n cmpxchg8b 0x400040\n"
     /* 16 bytes: the first half changes as it is stored */
     "mov $5, %eax\n mov $2, %edx\n mov %rax, 0x400050\n"
     "mov %rdx, 0x400058\n lock cmpxchg16b 0x400050\n"
     "mov $3, %eax\n mov $2, %edx\n lock cmpxchg16b 0x400050\n hlt");

struct outcomes {
	struct watcher watcher; /* first */
	bool failed[16];
	unsigned int nr;
};

static void note_outcome(struct insn_observer *to,
			 const struct insn_access *access)
{
	struct outcomes *all = (struct outcomes *)to;
	const uint8_t *code = compares_s + (all->watcher.insn.pc - CODE_AT);

	code += *code == 0xf0;          /* LOCK */
	code += (*code & 0xf0) == 0x40; /* REX */
	if (*code == 0x0f && access->write) {
		assert_true(all->nr < ARRAY_LEN(all->failed));
		all->failed[all->nr++] = access->failed;
	} else if (access->gva >= DATA_AT) {
		check_eq("failed without a comparison", access->failed, 0);
	}
}

static void test_comparisons(void **state)
{
	static const bool want[] = {
		true,  false, false, /* CMPXCHG */
		true,  false, true,  /* 8B */
		false, false,        /* 16B, in two halves */
		true,  true,
	};
	struct outcomes all = {.watcher.observer = {.access = note_outcome}};

	(void)state;
	watch(&all.watcher, compares_s, compares_e);
	check_eq("comparisons", all.nr, ARRAY_LEN(want));
	for (unsigned int i = 0; i < ARRAY_LEN(want); i++)
		if (all.failed[i] != want[i])
			fail_msg("number %u: failed is %d", i, all.failed[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_who_accesses),
		cmocka_unit_test(test_patched),
		cmocka_unit_test(test_comparisons),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
