/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sensitive instructions reach the sink wherever they lie in a block, however
 * often the block is translated and whatever was hooked last.
 */
#include "check.h"

#include "machine.h"

#define CODE_AT UINT64_C(0x100000)
#define FUNCS   UINT64_C(0x180000)
#define STACK   UINT64_C(0x300000)

static struct vcpu begin(struct machine *m, const uint8_t *s, const uint8_t *e)
{
	struct vcpu vcpu;

	machine_map(m, 0, 0, MACHINE_RAM, PTE_W);
	machine_put(m, CODE_AT, s, (size_t)(e - s));
	vcpu = machine_vcpu(m, CODE_AT, 0);
	vcpu.gpr[GPR_RSP] = STACK + 0x1000;
	return vcpu;
}

/* WRMSR of KERNEL_GS_BASE is left to Unicorn: the block is not left. */
CODE(64, native_first,
     "mov $0xc0000102, %ecx\n xor %eax, %eax\n xor %edx, %edx\n wrmsr\n"
     "inc %eax\n wrmsr\n inc %eax\n cpuid\n mov $0xc0000102, %ecx\n"
     "xor %eax, %eax\n xor %edx, %edx\n wrmsr\n nop\n cpuid\n hlt\n");

static void test_native_first(void **state)
{
	struct machine m;
	struct vcpu vcpu;

	(void)state;
	machine_init(&m, &(struct machine_config){.mode = MACHINE_LONG});
	vcpu = begin(&m, native_first_s, native_first_e);
	machine_must_halt(&m, &vcpu);
	check_eq("WRMSR", m.nr[GE_WRMSR], 3);
	check_eq("CPUID", m.nr[GE_CPUID], 2);
	check_eq("HLT", m.nr[GE_HLT], 1);
	machine_finish(&m);
}

#define NR_FUNCS  200
#define FUNC_SIZE 0x40
#define ROUNDS    5

/*
 * Calls all functions, then stores into each (without a change): the next
 * round translates all of them again.
 */
CODE(64, rounds,
     "1: mov $0x180000, %ebp\n mov $200, %r12d\n"
     "2: call *%rbp\n add $0x40, %ebp\n dec %r12d\n jnz 2b\n"
     "mov $0x180000, %ebp\n mov $200, %r12d\n"
     "3: movb $0xc3, 0x3f(%rbp)\n add $0x40, %ebp\n dec %r12d\n jnz 3b\n"
     "dec %edi\n jnz 1b\n hlt\n");

/* CPUID behind 0 to 7 NOPs, twice in some. */
static void put_function(struct machine *m, unsigned int i)
{
	uint8_t code[FUNC_SIZE];
	unsigned int nops = i % 8;

	memset(code, 0x90, sizeof(code));
	memcpy(code + nops, "\x0f\xa2", 2);
	if (i % 3 == 0)
		memcpy(code + nops + 5, "\x0f\xa2", 2);
	code[FUNC_SIZE - 1] = 0xc3;
	machine_put(m, FUNCS + i * FUNC_SIZE, code, sizeof(code));
}

static void test_many_blocks(void **state)
{
	unsigned int want = 0;
	struct machine m;
	struct vcpu vcpu;

	(void)state;
	machine_init(&m, &(struct machine_config){.mode = MACHINE_LONG});
	vcpu = begin(&m, rounds_s, rounds_e);
	for (unsigned int i = 0; i < NR_FUNCS; i++) {
		put_function(&m, i);
		want += i % 3 == 0 ? 2 : 1;
	}
	vcpu.gpr[GPR_RDI] = ROUNDS;
	machine_must_halt(&m, &vcpu);
	check_eq("CPUID", m.nr[GE_CPUID], ROUNDS * want);
	check_eq("translated again",
		 live_stats(m.live)->translated_again >= ROUNDS * want, true);
	machine_finish(&m);
}

/* The second block lies within the first: they must not take turns. */
CODE(64, overlapping,
     "1: nop\n cpuid\n nop\n nop\n cpuid\n dec %edi\n jnz 1b\n hlt\n");

static void test_overlapping_blocks(void **state)
{
	struct machine m;
	struct vcpu vcpu;

	(void)state;
	machine_init(&m, &(struct machine_config){.mode = MACHINE_LONG});
	vcpu = begin(&m, overlapping_s, overlapping_e);
	vcpu.gpr[GPR_RDI] = 1000;
	machine_must_halt(&m, &vcpu);
	check_eq("CPUID", m.nr[GE_CPUID], 2000);
	check_eq("translated again", live_stats(m.live)->translated_again <= 5,
		 true);
	machine_finish(&m);
}

/* CPUID becomes RDTSC, through the mapping it runs from and through another. */
CODE(64, patch,
     "mov $0x180000, %ebp\n mov $4, %edi\n"
     "1: call *%rbp\n call *%rbp\n xorb $0x93, 1(%rsi)\n dec %edi\n"
     "jnz 1b\n hlt\n");

static void test_other_instruction(void **state)
{
	static const gva_t through[] = {FUNCS, FUNCS + MACHINE_RAM};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(through); i++) {
		struct machine m;
		struct vcpu vcpu;

		machine_init(&m,
			     &(struct machine_config){.mode = MACHINE_LONG});
		vcpu = begin(&m, patch_s, patch_e);
		machine_map(&m, MACHINE_RAM, 0, MACHINE_RAM, PTE_W);
		machine_put(&m, FUNCS, "\x0f\xa2\xc3", 3);
		vcpu.gpr[GPR_RSI] = through[i];
		machine_must_halt(&m, &vcpu);
		check_eq("CPUID", m.nr[GE_CPUID], 4);
		check_eq("RDTSC", m.nr[GE_RDTSC], 4);
		machine_finish(&m);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_native_first),
		cmocka_unit_test(test_many_blocks),
		cmocka_unit_test(test_overlapping_blocks),
		cmocka_unit_test(test_other_instruction),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
