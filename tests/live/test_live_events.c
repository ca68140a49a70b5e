/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Events that depend on when: the guest's own single steps, interrupt shadows
 * and windows, HLT, an interrupt line that falls again.
 */
#include "check.h"

#include "live/internal.h"
#include "machine.h"

#define CODE_AT UINT64_C(0x100000)
#define HANDLER UINT64_C(0x102000)
#define DATA_AT UINT64_C(0x200000)
#define STACK   UINT64_C(0x300000)

static struct vcpu begin(struct machine *m, const uint8_t *code, size_t n)
{
	struct vcpu vcpu;

	machine_map(m, 0, 0, MACHINE_RAM, PTE_W);
	machine_put(m, CODE_AT, code, n);
	vcpu = machine_vcpu(m, CODE_AT, 0);
	vcpu.gpr[GPR_RSP] = STACK + 0x1000;
	machine_tables(m, &vcpu, 0);
	return vcpu;
}

#define BEGIN(m, name) begin(m, name##_s, (size_t)(name##_e - name##_s))

/*
 * TF on, then every kind of instruction that has something to do with it, and
 * TF off.  The handler counts and sums up where it was.
 */
CODE(64, stepped,
     "pushf\n orl $0x100, (%rsp)\n popf\n"
     "nop\n" /* the first that traps */
     "mov $3, %ecx\n 1: loop 1b\n"
     "mov $4, %ecx\n mov $0x200000, %edi\n rep stosb\n"
     "pushf\n pop %rax\n cpuid\n"
     "incq 2f(%rip)\n"                           /* in its own frame */
     "pushf\n andl $0xfffffeff, (%rsp)\n popf\n" /* the last one */
     "nop\n hlt\n .balign 8\n 2: .quad 0\n");
CODE(64, count_steps,
     "push %rax\n inc %r8\n mov 8(%rsp), %rax\n rol $5, %r15\n"
     "add %rax, %r15\n pop %rax\n iretq\n");

#define HANDLER_INSNS 7
/* nop, mov, 3 loop, 2 mov, 4 rep, pushf, pop, cpuid, inc, pushf, and, popf */
#define STEPS (1 + 1 + 3 + 2 + 4 + 3 + 1 + 3)
/* Complete: the string instruction counts once. */
#define STEPPED_INSNS (3 + STEPS - 3 + 1)

static uint64_t run_stepped(uint64_t slice)
{
	uint64_t until = UINT64_MAX;
	struct live_end end;
	struct machine m;
	struct vcpu vcpu;

	machine_init(&m, &(struct machine_config){.mode = MACHINE_LONG,
						  .check_stale = true});
	vcpu = BEGIN(&m, stepped);
	PUT(&m, HANDLER, count_steps);
	machine_gate(&m, 1, (uint32_t)HANDLER, 0);
	machine_set(&m, &vcpu);
	do {
		if (slice)
			until = live_insns(m.live) + slice;
		end = machine_run(&m, until);
	} while (end.status == LIVE_PAUSED);
	check_eq("end", end.status, LIVE_STOPPED);
	vcpu = machine_get(&m);
	check_eq("steps", vcpu.gpr[GPR_R8], STEPS);
	check_eq("instructions", live_insns(m.live),
		 STEPPED_INSNS + STEPS * HANDLER_INSNS);
	check_eq("stale", live_stats(m.live)->stale_blocks, 0);
	machine_finish(&m);
	return vcpu.gpr[GPR_R15];
}

static void test_guest_steps(void **state)
{
	uint64_t want = run_stepped(0);

	(void)state;
	for (uint64_t slice = 1; slice < 8; slice++)
		check_eq("where they came", run_stepped(slice), want);
}

/* An interrupt is waiting when STI; HLT is reached: HLT comes first. */
CODE(64, shadow,
     "mov $30000, %ecx\n 1: dec %ecx\n jnz 1b\n sti\n hlt\n cli\n hlt\n");
CODE(64, note_rip,
     "mov (%rsp), %rbx\n inc %r8\n mov $0x20, %al\n out %al, $0x20\n iretq\n");

static void test_irq_shadow(void **state)
{
	struct machine m;
	struct vcpu vcpu;

	(void)state;
	machine_init(&m, &(struct machine_config){.mode = MACHINE_LONG});
	vcpu = BEGIN(&m, shadow);
	PUT(&m, HANDLER, note_rip);
	machine_gate(&m, 0x20, (uint32_t)HANDLER, 0);
	machine_timer(m.platform, 40); /* 33524 ns */
	machine_must_halt(&m, &vcpu);
	vcpu = machine_get(&m);
	check_eq("interrupts", vcpu.gpr[GPR_R8], 1);
	check_eq("came after", vcpu.gpr[GPR_RBX],
		 CODE_AT + (uint64_t)(shadow_e - shadow_s) - 2);
	check_eq("told", m.nr[GE_IRQ], 1);
	check_eq("window", m.nr[GE_IRQ_WINDOW], 1);
	check_eq("HLT", m.nr[GE_HLT], 2);
	machine_finish(&m);
}

/* Time passes in HLT, instructions do not. */
CODE(64, sleep_long, "sti\n hlt\n rdtsc\n cli\n hlt\n");

static void test_halt(void **state)
{
	uint64_t edge;
	struct machine m;
	struct vcpu vcpu;

	(void)state;
	machine_init(&m, &(struct machine_config){.mode = MACHINE_LONG});
	vcpu = BEGIN(&m, sleep_long);
	PUT(&m, HANDLER, note_rip);
	machine_gate(&m, 0x20, (uint32_t)HANDLER, 0);
	machine_timer(m.platform, 50000); /* 41.9 ms */
	edge = UINT64_C(50000) * 1000000000 / 1193182;
	machine_must_halt(&m, &vcpu);
	vcpu = machine_get(&m);
	check_eq("interrupts", vcpu.gpr[GPR_R8], 1);
	check_eq("instructions", live_insns(m.live), 2 + 5 + 2);
	/* RDTSC is the eighth instruction; the timer has its own tick. */
	check_eq("time stamp", vcpu.gpr[GPR_RAX], m.live->clock.idle + 7);
	if (m.live->clock.idle - edge > 2000)
		fail_msg("slept for %" PRIu64 ", want about %" PRIu64,
			 m.live->clock.idle, edge);
	machine_finish(&m);
}

/* Paused in HLT: the interrupt comes in the next call. */
static void test_halt_attention(void **state)
{
	volatile int attention = 0;
	struct live_end end;
	struct machine m;
	struct vcpu vcpu;

	(void)state;
	machine_init(&m, &(struct machine_config){.mode = MACHINE_LONG});
	vcpu = BEGIN(&m, sleep_long);
	PUT(&m, HANDLER, note_rip);
	machine_gate(&m, 0x20, (uint32_t)HANDLER, 0);
	machine_timer(m.platform, 50000);
	machine_set(&m, &vcpu);
	live_run(m.live, 1, &attention, &end);
	check_eq("first", end.status, LIVE_PAUSED);
	/* Seen by the HLT before it sleeps. */
	m.live->attention = &attention;
	live_run(m.live, 2, &attention, &end);
	attention = 1;
	live_run(m.live, UINT64_MAX, &attention, &end);
	check_eq("second", end.status, LIVE_PAUSED);
	attention = 0;
	live_run(m.live, UINT64_MAX, &attention, &end);
	check_eq("third", end.status, LIVE_STOPPED);
	check_eq("instructions", live_insns(m.live), 2 + 5 + 2);
	machine_finish(&m);
}

/*
 * IRQ0 rises while IF is off, is masked, and unmasked again: the line has
 * risen twice, and the guest takes it once.
 */
CODE(64, mask_irq,
     "mov $40000, %ecx\n 1: dec %ecx\n jnz 1b\n"
     "mov $0xff, %al\n out %al, $0x21\n nop\n nop\n"
     "mov $0xfe, %al\n out %al, $0x21\n nop\n sti\n nop\n nop\n cli\n hlt\n");

static void test_line_falls(void **state)
{
	struct machine m;
	struct vcpu vcpu;

	(void)state;
	machine_init(&m, &(struct machine_config){.mode = MACHINE_LONG});
	vcpu = BEGIN(&m, mask_irq);
	PUT(&m, HANDLER, note_rip);
	machine_gate(&m, 0x20, (uint32_t)HANDLER, 0);
	machine_timer(m.platform, 50);
	machine_must_halt(&m, &vcpu);
	vcpu = machine_get(&m);
	check_eq("interrupts", vcpu.gpr[GPR_R8], 1);
	check_eq("told", m.nr[GE_IRQ], 2);
	check_eq("came after the shadow", vcpu.gpr[GPR_RBX],
		 CODE_AT + (uint64_t)(mask_irq_e - mask_irq_s) - 3);
	machine_finish(&m);
}

/* The handler switches to another address space, where the same code runs. */
CODE(64, retried, "mov 0x3000000, %rax\n nop\n hlt\n");
CODE(64, handle, "add $8, %rsp\n mov $0x10, %ecx\n rdmsr\n iretq\n");

static bool switch_cr3(struct machine *m, const struct guest_event *ev,
		       struct guest_outcome *out)
{
	(void)out;
	if (ev->kind == GE_RDMSR)
		m->view.cr3 = 0x5000;
	return false;
}

static void test_retry_space(void **state)
{
	struct machine m;
	struct vcpu vcpu;

	(void)state;
	machine_init(&m, &(struct machine_config){.mode = MACHINE_LONG,
						  .hook = switch_cr3});
	vcpu = BEGIN(&m, retried);
	PUT(&m, HANDLER, handle);
	machine_gate(&m, 14, (uint32_t)HANDLER, 0);
	machine_set(&m, &vcpu);

	/* The fault and the handler up to its IRETQ. */
	machine_run(&m, 3);
	check_eq("faults", m.nr_guest_faults, 1);
	machine_map(&m, 0x3000000, 0x500000, 0x1000, 0);
	machine_run(&m, 5);
	check_eq("retries in the other space", m.nr[GE_RETRY], 0);

	m.view.cr3 = 0x1000;
	vcpu = machine_get(&m);
	vcpu.rip = CODE_AT;
	machine_set(&m, &vcpu);
	machine_run(&m, 6);
	check_eq("retries", m.nr[GE_RETRY], 1);
	machine_finish(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_guest_steps),
		cmocka_unit_test(test_irq_shadow),
		cmocka_unit_test(test_halt),
		cmocka_unit_test(test_halt_attention),
		cmocka_unit_test(test_line_falls),
		cmocka_unit_test(test_retry_space),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
