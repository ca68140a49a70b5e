/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Speed of guest code in the live engine against the same code on bare
 * Unicorn, and what an exit and a handled page fault cost.  Both sides run in
 * turns in this one program, so their ratio means something on a busy machine;
 * the best of a few rounds counts.
 *
 * The engine runs on the tests' small pager, so the costs are those of src/live
 * and Unicorn alone.
 */
#include "check.h"

#include <stdlib.h>
#include <time.h>

#include <unicorn/unicorn.h>

#include "machine.h"

#define ROUNDS 15

#define CODE_AT UINT64_C(0x100000)
#define DATA_AT UINT64_C(0x400000)
#define STACK   UINT64_C(0x300000)

#define COMPUTE_LOOPS UINT64_C(15000000)
#define COMPUTE_INSNS 8
CODE(64, compute,
     "1: add %rbx, %rax\n xor %rax, %rcx\n rol $3, %rcx\n sub %rcx, %rdx\n"
     "lea 1(%rdx,%rax), %rbx\n inc %r8\n dec %rdi\n jnz 1b\n hlt\n");

#define MEMORY_LOOPS UINT64_C(15000000)
#define MEMORY_INSNS 8
CODE(64, memory,
     "1: mov (%rsi), %rax\n add %rax, 8(%rsi)\n mov %rdx, 4096(%rsi)\n"
     "add $64, %rsi\n and $0x40ffff, %rsi\n inc %rdx\n dec %rdi\n jnz 1b\n"
     "hlt\n");

/* Calls, branches and a small working set, as compiled code has. */
#define MIXED_LOOPS UINT64_C(2000000)
#define MIXED_INSNS 25
CODE(64, mixed,
     "1: mov %rdi, %rax\n call 2f\n add %rax, %rbx\n test $1, %dil\n jz 3f\n"
     "xor %rbx, %r9\n jmp 4f\n 3: add %rbx, %r9\n nop\n"
     "4: push %r9\n call 5f\n pop %r9\n dec %rdi\n jnz 1b\n hlt\n"
     "2: imul $31, %rax, %rax\n mov %rax, 0x400000\n mov 0x400008, %rcx\n"
     "add %rcx, %rax\n ret\n"
     "5: mov 8(%rsp), %r10\n and $0xff8, %r10d\n incq 0x400000(%r10)\n"
     "cmp $5, %r10d\n jb 6f\n nop\n 6: ret\n");

#define EXITS UINT64_C(500000)
CODE(64, exits, "1: cpuid\n dec %rdi\n jnz 1b\n hlt\n");

/* One fault a page: every page is taken away again by the CPUID. */
#define FAULT_PAGES  1024
#define FAULT_ROUNDS 500
CODE(64, faults,
     "1: mov $0x400000, %esi\n mov $1024, %ebp\n"
     "2: mov %rdi, (%rsi)\n add $0x1000, %rsi\n dec %ebp\n jnz 2b\n"
     "cpuid\n dec %rdi\n jnz 1b\n hlt\n");

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
}

struct loop {
	const char *name;
	const uint8_t *begin, *end;
	uint64_t loops;
	unsigned int insns;
	double goal; /* of the ratio; 0: none */
};

#define L(name) #name, name##_s, name##_e

static const struct loop loops[] = {
	{L(compute), COMPUTE_LOOPS, COMPUTE_INSNS, 0.7},
	{L(memory), MEMORY_LOOPS, MEMORY_INSNS, 0.7},
	{L(mixed), MIXED_LOOPS, MIXED_INSNS, 0},
};

/* Seconds on Unicorn alone: no paging, no hooks. */
static double run_bare(const struct loop *loop)
{
	const uint64_t rsi = DATA_AT, rdi = loop->loops, rsp = STACK + 0x1000;
	uc_engine *uc;
	double start;

	assert_int_equal(uc_open(UC_ARCH_X86, UC_MODE_64, &uc), UC_ERR_OK);
	uc_mem_map(uc, 0, MACHINE_RAM, UC_PROT_ALL);
	uc_mem_write(uc, CODE_AT, loop->begin,
		     (size_t)(loop->end - loop->begin));
	uc_reg_write(uc, UC_X86_REG_RSI, &rsi);
	uc_reg_write(uc, UC_X86_REG_RDI, &rdi);
	uc_reg_write(uc, UC_X86_REG_RSP, &rsp);
	start = now();
	uc_emu_start(uc, CODE_AT, 0, 0, 0);
	start = now() - start;
	uc_close(uc);
	return start;
}

static void prepare(struct machine *m, const uint8_t *begin, const uint8_t *end,
		    uint64_t rdi, struct vcpu *ret)
{
	machine_map(m, 0, 0, MACHINE_RAM, PTE_W);
	machine_put(m, CODE_AT, begin, (size_t)(end - begin));
	*ret = machine_vcpu(m, CODE_AT, 0);
	ret->gpr[GPR_RSI] = DATA_AT;
	ret->gpr[GPR_RDI] = rdi;
	ret->gpr[GPR_RSP] = STACK + 0x1000;
}

static double run_live(const struct loop *loop)
{
	struct machine m;
	struct vcpu vcpu;
	double start;

	machine_init(&m, &(struct machine_config){.mode = MACHINE_LONG});
	prepare(&m, loop->begin, loop->end, loop->loops, &vcpu);
	start = now();
	machine_must_halt(&m, &vcpu);
	start = now() - start;
	machine_finish(&m);
	return start;
}

static void bench_loop(const struct loop *loop)
{
	double bare = 1e9, live = 1e9, insns;

	for (int i = 0; i < ROUNDS; i++) {
		double t = run_bare(loop);

		bare = t < bare ? t : bare;
		t = run_live(loop);
		live = t < live ? t : live;
	}
	insns = (double)loop->loops * loop->insns / 1e6;
	printf("%-8s bare %6.0f M insn/s, live %6.0f M insn/s, ratio %.2f",
	       loop->name, insns / bare, insns / live, bare / live);
	if (loop->goal > 0)
		printf(" (goal %.2f)", loop->goal);
	printf("\n");
}

static void bench_exits(void)
{
	double best = 1e9;

	for (int i = 0; i < ROUNDS; i++) {
		struct machine m;
		struct vcpu vcpu;
		double start;

		machine_init(&m,
			     &(struct machine_config){.mode = MACHINE_LONG});
		prepare(&m, exits_s, exits_e, EXITS, &vcpu);
		start = now();
		machine_must_halt(&m, &vcpu);
		start = now() - start;
		best = start < best ? start : best;
		machine_finish(&m);
	}
	printf("exit     %.0f ns (CPUID)\n", best / (double)EXITS * 1e9);
}

static bool take_pages(struct machine *m, const struct guest_event *ev,
		       struct guest_outcome *out)
{
	(void)out;
	if (ev->kind == GE_CPUID)
		for (unsigned int i = 0; i < FAULT_PAGES; i++)
			machine_zap(m, DATA_AT + i * PAGE_SIZE);
	return false;
}

static void bench_faults(void)
{
	double best = 1e9;
	uint64_t nr = 0;

	for (int i = 0; i < ROUNDS; i++) {
		struct machine m;
		struct vcpu vcpu;
		double start;

		machine_init(&m, &(struct machine_config){.mode = MACHINE_LONG,
							  .hook = take_pages});
		prepare(&m, faults_s, faults_e, FAULT_ROUNDS, &vcpu);
		start = now();
		machine_must_halt(&m, &vcpu);
		start = now() - start;
		best = start < best ? start : best;
		nr = m.nr[GE_ACCESS];
		machine_finish(&m);
	}
	printf("fault    %.0f ns (filled, retried; goal 1500)\n",
	       best / (double)nr * 1e9);
}

int main(void)
{
	for (size_t i = 0; i < ARRAY_LEN(loops); i++)
		bench_loop(&loops[i]);
	bench_exits();
	bench_faults();
	return 0;
}
