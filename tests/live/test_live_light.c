/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * RDTSC and PAUSE, for which not all of the state is copied: what they leave
 * alone is as it was, and where more has to be seen to, it is.
 */
#include "check.h"

#include "arch/exception.h"
#include "live/debug.h"
#include "live/internal.h"
#include "machine.h"

#define CODE_AT UINT64_C(0x100000)
#define STACK   UINT64_C(0x300000)
#define KERNEL  UINT64_C(0x400000)

/*
 * Everything goes round, as the first time of an instruction is never a light
 * one.  Flags are compared before and used after; DF goes through.
 */
#define ROUND                                                                \
	"mov $3, %ebp\n 1: mov $5, %ecx\n cmp $6, %ecx\n pause\n setb %bl\n" \
	"cmp $5, %ecx\n rdtsc\n sete %bh\n mov %eax, %edi\n std\n pause\n"
CODE(64, flags64,
     ROUND "pushf\n pop %rsi\n cld\n nop\n rdtsc\n dec %ebp\n jnz 1b\n hlt\n");
CODE(32, flags32,
     ROUND "pushf\n pop %esi\n cld\n nop\n rdtsc\n dec %ebp\n jnz 1b\n hlt\n");

/* TF is set from the fourth round on. */
CODE(64, trapped,
     "mov $3, %ecx\n 1: pushf\n orl %edx, (%rsp)\n popf\n pause\n"
     "dec %ecx\n jnz 1b\n mov $0x100, %edx\n jmp 1b\n");

/* User code that is sent back to its beginning: CF is 1, 0, 1, 0. */
CODE(64, counter, "cmc\n rdtsc\n");
CODE(64, again,
     "inc %ebx\n cmp $4, %ebx\n je 1f\n add $8, %rsp\n"
     "decq (%rsp)\n iretq\n 1: hlt\n");

/* A breakpoint, from which it goes on by RF. */
CODE(64, watched,
     "lea 1f(%rip), %rax\n mov %rax, %dr0\n mov $0x402, %eax\n"
     "mov %rax, %dr7\n 1: pause\n jmp 1b\n");
CODE(64, go_on,
     "inc %ebx\n cmp $3, %ebx\n je 1f\n orl $0x10000, 16(%rsp)\n"
     "iretq\n 1: hlt\n");

static void init(struct machine *m, const struct machine_config *config)
{
	machine_init(m, config);
	machine_map(m, CODE_AT, CODE_AT, 0x1000, PTE_W | PTE_U);
	machine_map(m, STACK, STACK, 0x1000, PTE_W | PTE_U);
}

static struct vcpu begin(struct machine *m, uint8_t cpl)
{
	struct vcpu vcpu = machine_vcpu(m, CODE_AT, cpl);

	vcpu.gpr[GPR_RSP] = STACK + 0x1000;
	return vcpu;
}

/* The TSC counts instructions: each RDTSC says how many were before it. */
static void test_state(void **state)
{
	static const struct {
		const char *name;
		enum machine_mode mode;
		bool is_64;
	} cases[] = {{"64-bit", MACHINE_LONG, true},
		     {"32-bit", MACHINE_FLAT32, false}};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const char *name = cases[i].name;
		struct machine m;
		struct vcpu vcpu;

		init(&m, &(struct machine_config){.mode = cases[i].mode});
		if (cases[i].is_64)
			PUT(&m, CODE_AT, flags64);
		else
			PUT(&m, CODE_AT, flags32);
		vcpu = begin(&m, 0);
		machine_must_halt(&m, &vcpu);
		vcpu = machine_get(&m);
		check_part(name, "below, equal", vcpu.gpr[GPR_RBX] & 0xffff,
			   0x101);
		check_part(name, "DF", vcpu.gpr[GPR_RSI] & RFLAGS_DF,
			   RFLAGS_DF);
		check_part(name, "counter", vcpu.gpr[GPR_RDI], 40);
		check_part(name, "once more", vcpu.gpr[GPR_RAX], 49);
		check_part(name, "rdx", vcpu.gpr[GPR_RDX], 0);
		check_part(name, "instructions", live_insns(m.live), 52);
		check_part(name, "told of RDTSC", m.nr[GE_RDTSC], 6);
		check_part(name, "told of PAUSE", m.nr[GE_PAUSE], 6);
		machine_finish(&m);
	}
}

static void test_step(void **state)
{
	struct live_end end;
	struct machine m;
	struct vcpu vcpu;

	(void)state;
	init(&m, &(struct machine_config){.mode = MACHINE_LONG,
					  .stop_on_fault = true});
	PUT(&m, CODE_AT, trapped);
	vcpu = begin(&m, 0);
	machine_set(&m, &vcpu);
	end = machine_run(&m, UINT64_MAX);
	check_eq("status", end.status, LIVE_STOPPED);
	check_eq("vector", m.fault.vector, EXC_DB);
	check_eq("behind PAUSE", end.rip, CODE_AT + 12);
	check_eq("told of PAUSE", m.nr[GE_PAUSE], 4);
	machine_finish(&m);
}

static struct vcpu run_with_handler(struct machine *m, unsigned int vector,
				    const uint8_t *handler, size_t n,
				    uint8_t cpl)
{
	struct vcpu vcpu = begin(m, cpl);

	machine_map(m, MACHINE_TABLES, MACHINE_TABLES, MACHINE_TABLES_SIZE,
		    PTE_W);
	machine_map(m, KERNEL, KERNEL, 0x2000, PTE_W);
	machine_put(m, KERNEL, handler, n);
	machine_tables(m, &vcpu, KERNEL + 0x2000);
	machine_gate(m, vector, (uint32_t)KERNEL, 0);
	if (cpl) {
		vcpu.seg[SEG_CS].selector = 0x1b;
		vcpu.seg[SEG_SS].selector = 0x23;
	}
	vcpu.gpr[GPR_RBX] = 0;
	machine_must_halt(m, &vcpu);
	return machine_get(m);
}

/* A counter that is not the user's; its fault's frame has all flags. */
static void test_not_allowed(void **state)
{
	struct machine m;
	struct vcpu vcpu;
	uint64_t frame[4];

	(void)state;
	init(&m,
	     &(struct machine_config){.mode = MACHINE_LONG, .cr4 = CR4_TSD});
	PUT(&m, CODE_AT, counter);
	vcpu = run_with_handler(&m, EXC_GP, again_s,
				(size_t)(again_e - again_s), 3);
	for (unsigned int i = 0; i < ARRAY_LEN(frame); i++)
		frame[i] = mem_read_u64(m.mem, vcpu.gpr[GPR_RSP] + 8 * i);
	check_eq("faults", vcpu.gpr[GPR_RBX], 4);
	check_eq("error code", frame[0], 0);
	check_eq("rip", frame[1], CODE_AT + 1);
	check_eq("CPL", frame[2] & 3, 3);
	check_eq("CF", frame[3] & RFLAGS_CF, 0);
	check_eq("told of RDTSC", m.nr[GE_RDTSC], 0);
	machine_finish(&m);
}

static void test_breakpoint(void **state)
{
	struct machine m;
	struct vcpu vcpu;

	(void)state;
	init(&m,
	     &(struct machine_config){.mode = MACHINE_LONG, .max_insns = 1000});
	PUT(&m, CODE_AT, watched);
	vcpu = run_with_handler(&m, EXC_DB, go_on_s,
				(size_t)(go_on_e - go_on_s), 0);
	check_eq("hits", vcpu.gpr[GPR_RBX], 3);
	check_eq("told of PAUSE", m.nr[GE_PAUSE], 2);
	machine_finish(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_state),
		cmocka_unit_test(test_step),
		cmocka_unit_test(test_not_allowed),
		cmocka_unit_test(test_breakpoint),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
