/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The instruction clock: exact whatever the blocks, interrupts at exact
 * counts, pauses that the guest cannot notice.
 */
#include "check.h"

#include "live/internal.h"
#include "machine.h"

#define CODE_AT    UINT64_C(0x100000)
#define DATA_AT    UINT64_C(0x200000)
#define STACK      UINT64_C(0x300000)
#define STACK_SIZE UINT64_C(0x1000)

CODE(64, c_line, "nop\n nop\n nop\n hlt\n");
CODE(64, c_loop, "mov $77, %ecx\n 1: dec %ecx\n jnz 1b\n hlt\n");
CODE(64, c_rep,
     "mov $0x200000, %edi\n mov $9000, %ecx\n rep stosb\n nop\n hlt\n");
CODE(64, c_rep0, "xor %ecx, %ecx\n rep stosb\n hlt\n");
CODE(64, c_rep_twice,
     "mov $0x200000, %edi\n mov $2, %edx\n"
     "1: mov $3, %ecx\n rep stosb\n dec %edx\n jnz 1b\n hlt\n");
/* The string instruction is a block of its own, and jumped to. */
CODE(64, c_rep_jump,
     "mov $0x200000, %edi\n mov $5, %ecx\n jmp 1f\n nop\n"
     "1: rep stosb\n hlt\n");
CODE(64, c_scan,
     "mov $0x200000, %edi\n mov $100, %ecx\n mov $1, %al\n"
     "repne scasb\n hlt\n");
CODE(64, c_trap, "cpuid\n nop\n cpuid\n cpuid\n hlt\n");
CODE(64, c_self, "mov $3, %ecx\n 1: loop 1b\n hlt\n");
CODE(64, c_call,
     "mov $10, %ecx\n 1: call 2f\n dec %ecx\n jnz 1b\n hlt\n 2: ret\n");
CODE(64, c_faults,
     "mov $0x200000, %edi\n mov $8, %ecx\n"
     "1: incq (%rdi)\n add $0x1000, %rdi\n incq (%rdi)\n nop\n dec %ecx\n"
     "jnz 1b\n hlt\n");
/* Runs from one page into the next. */
CODE(64, c_pages,
     "mov $4500, %ecx\n .rept 4500\n nop\n .endr\n dec %ecx\n hlt\n");

#define C(name) #name, name##_s, name##_e

static const struct {
	const char *name;
	const uint8_t *begin, *end;
	uint64_t insns; /* the HLT not among them */
} counts[] = {
	{C(c_line), 3},
	{C(c_loop), 1 + 2 * 77},
	{C(c_rep), 4},
	{C(c_rep0), 2},
	{C(c_rep_twice), 2 + 2 * 4},
	{C(c_rep_jump), 4},
	{C(c_scan), 4},
	{C(c_trap), 4},
	{C(c_self), 4},
	{C(c_call), 1 + 10 * 4},
	{C(c_faults), 2 + 8 * 6},
	{C(c_pages), 4502},
};

static void map_all(struct machine *m)
{
	machine_map(m, 0, 0, MACHINE_RAM, PTE_W);
}

static void load_case(struct machine *m, size_t i)
{
	struct vcpu vcpu;

	map_all(m);
	machine_put(m, CODE_AT, counts[i].begin,
		    (size_t)(counts[i].end - counts[i].begin));
	vcpu = machine_vcpu(m, CODE_AT, 0);
	vcpu.gpr[GPR_RSP] = STACK + STACK_SIZE;
	machine_set(m, &vcpu);
}

static void test_counts(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(counts); i++) {
		struct live_end end;
		struct machine m;

		machine_init(&m,
			     &(struct machine_config){.mode = MACHINE_LONG});
		load_case(&m, i);
		end = machine_run(&m, UINT64_MAX);
		check_part(counts[i].name, "status", end.status, LIVE_STOPPED);
		check_part(counts[i].name, "instructions", live_insns(m.live),
			   counts[i].insns);
		machine_finish(&m);
	}
}

/* Stopped after each single instruction, the counts are the same. */
static void test_every_pause(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(counts); i++) {
		struct live_end end;
		struct machine m;
		uint64_t until = 0;

		machine_init(&m,
			     &(struct machine_config){.mode = MACHINE_LONG});
		load_case(&m, i);
		while ((end = machine_run(&m, until)).status == LIVE_PAUSED) {
			check_part(counts[i].name, "pause", live_insns(m.live),
				   until);
			check_part(counts[i].name, "line", end.line[0] != 0, 0);
			until++;
		}
		check_part(counts[i].name, "instructions", live_insns(m.live),
			   counts[i].insns);
		machine_finish(&m);
	}
}

/*
 * A guest with a timer: the handler adds the interrupted RIP to a sum, so any
 * shift of an interrupt by one instruction shows.
 */
CODE(64, busy,
     "sti\n mov $200000, %edi\n"
     "1: imul $1103515245, %rax, %rax\n add $12345, %rax\n"
     "mov %rax, %rbx\n shr $20, %rbx\n and $0x1fff8, %ebx\n"
     "add %rax, 0x400000(%rbx)\n test $0x70000, %eax\n jnz 2f\n"
     "push %rax\n push %rbx\n push %rdi\n pushf\n cli\n cpuid\n popf\n"
     "pop %rdi\n pop %rbx\n pop %rax\n"
     "2: dec %edi\n jnz 1b\n"
     "sti\n hlt\n hlt\n cli\n hlt\n");
CODE(64, tick,
     "push %rax\n mov 8(%rsp), %rax\n rol $7, %r15\n add %rax, %r15\n"
     "rdtsc\n rol $9, %r15\n add %rax, %r15\n inc %r14\n"
     "mov $0x20, %al\n out %al, $0x20\n pop %rax\n iretq\n");

struct timer_run {
	uint64_t insns, r14, r15, ram, digest, fills, idle, spent, now;
};

/* What an exit costs, where that counts. */
#define CPUID_CYCLES 777

static bool note_irq(struct machine *m, const struct guest_event *ev,
		     struct guest_outcome *out)
{
	uint64_t cycles = ev->insns + (m->config.mhz ? m->view.spent : 0);

	(void)out;
	/* A line rises at an edge, not a block later. */
	if (ev->kind == GE_IRQ && m->live->clock.idle == 0)
		check_eq("time of the interrupt",
			 m->config.mhz ? cycles * 1000 / m->config.mhz : cycles,
			 m->platform->now);
	if (ev->kind == GE_CPUID)
		m->view.spent += CPUID_CYCLES;
	return false;
}

static struct timer_run run_timer(uint32_t mhz, uint64_t seed,
				  uint64_t max_slice, unsigned int zap_slice)
{
	const gpa_t handler = 0x102000;
	struct timer_run run = {0};
	uint64_t until = UINT64_MAX;
	struct live_end end;
	struct machine m;
	struct vcpu vcpu;

	machine_init(&m, &(struct machine_config){.mode = MACHINE_LONG,
						  .mhz = mhz,
						  .hook = note_irq});
	map_all(&m);
	PUT(&m, CODE_AT, busy);
	PUT(&m, handler, tick);
	vcpu = machine_vcpu(&m, CODE_AT, 0);
	vcpu.gpr[GPR_RSP] = STACK + STACK_SIZE;
	machine_tables(&m, &vcpu, 0);
	machine_gate(&m, 0x20, (uint32_t)handler, 0);
	machine_timer(m.platform, 20); /* about 16762 ns */
	machine_set(&m, &vcpu);
	do {
		if (max_slice)
			until = live_insns(m.live) + 1 +
				next_random(&seed) % max_slice;
		end = machine_run(&m, until);
		for (unsigned int i = 0; i < zap_slice; i++)
			machine_zap(&m, 0x400000 + (next_random(&seed) % 32) *
							   PAGE_SIZE);
	} while (end.status == LIVE_PAUSED);
	if (end.status != LIVE_STOPPED || strcmp(end.line, "done"))
		fail_msg("ended with %d: %s", (int)end.status, end.line);
	vcpu = machine_get(&m);
	run = (struct timer_run){.insns = live_insns(m.live),
				 .spent = m.view.spent,
				 .now = m.platform->now,
				 .r14 = vcpu.gpr[GPR_R8 + 6],
				 .r15 = vcpu.gpr[GPR_R15],
				 .ram = mem_ram_digest(m.mem),
				 .digest = m.digest,
				 .idle = m.live->clock.idle,
				 .fills = m.nr_fills};
	machine_finish(&m);
	return run;
}

static void check_same(const char *name, const struct timer_run *got,
		       const struct timer_run *want)
{
	check_part(name, "instructions", got->insns, want->insns);
	check_part(name, "interrupts", got->r14, want->r14);
	check_part(name, "where they came", got->r15, want->r15);
	check_part(name, "idle time", got->idle, want->idle);
	check_part(name, "memory", got->ram, want->ram);
	check_part(name, "events", got->digest, want->digest);
}

static void test_invisible_pauses(void **state)
{
	static const struct {
		const char *name;
		uint64_t seed, max_slice;
		unsigned int zaps;
	} cases[] = {
		{"again", 1, 0, 0},
		{"slices of up to 100000", 2, 100000, 0},
		{"slices of up to 1000", 3, 1000, 0},
		{"slices with hidden faults", 4, 5000, 8},
	};
	static const uint32_t mhz[] = {0, 1000, 2400, 33};

	(void)state;
	for (size_t k = 0; k < ARRAY_LEN(mhz); k++) {
		const struct timer_run want = run_timer(mhz[k], 1, 0, 0);

		assert_true(want.r14 > 50);
		for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
			struct timer_run got =
				run_timer(mhz[k], cases[i].seed,
					  cases[i].max_slice, cases[i].zaps);

			check_same(cases[i].name, &got, &want);
			if (cases[i].zaps)
				assert_true(got.fills > want.fills + 1000);
		}
	}
}

/* An exit takes the guest's time, by what the view says; or none. */
static void test_spent(void **state)
{
	struct timer_run insn = run_timer(0, 1, 0, 0);
	struct timer_run fast = run_timer(3000, 1, 0, 0);
	struct timer_run slow = run_timer(1000, 1, 0, 0);
	uint64_t cycles = slow.insns + slow.spent;

	(void)state;
	assert_true(insn.spent > 100 * CPUID_CYCLES);
	check_part("insn", "ns", insn.now / 100000,
		   (insn.insns + insn.idle) / 100000);
	check_part("1000 MHz", "ns", slow.now / 100000,
		   (cycles + slow.idle) / 100000);
	/* About as many ticks as there is time for them. */
	assert_true(slow.r14 > insn.r14 * cycles / slow.insns * 9 / 10);
	assert_true(fast.r14 * 5 < slow.r14 * 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_counts),
		cmocka_unit_test(test_every_pause),
		cmocka_unit_test(test_invisible_pauses),
		cmocka_unit_test(test_spent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
