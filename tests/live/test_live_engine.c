/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Code in each processor mode, events through its own tables, ends of runs. */
#include "check.h"

#include "../share.h"
#include "live/internal.h"
#include "machine.h"

#define CODE_AT    UINT64_C(0x100000)
#define USER_AT    UINT64_C(0x110000)
#define DATA_AT    UINT64_C(0x200000)
#define STACK      UINT64_C(0x300000)
#define STACK_SIZE UINT64_C(0x1000)

static void map_flat(struct machine *m)
{
	machine_map(m, 0, 0, MACHINE_RAM, PTE_W | PTE_U);
}

CODE(64, sum64,
     "xor %eax, %eax\n mov $1000, %ecx\n"
     "1: add %rcx, %rax\n dec %rcx\n jnz 1b\n"
     "mov %rax, 0x200000\n cpuid\n hlt\n");
CODE(32, sum32,
     "xor %eax, %eax\n mov $1000, %ecx\n"
     "1: add %ecx, %eax\n dec %ecx\n jnz 1b\n"
     "mov %eax, 0x200000\n cpuid\n hlt\n");
/* Real mode: DS is 0x2000, CS 0x1000; code and data below 1 MiB. */
CODE(16, sum16,
     "xor %ax, %ax\n mov $1000, %cx\n"
     "1: add %cx, %ax\n dec %cx\n jnz 1b\n"
     "mov %ax, 0x1234\n push %ax\n pop %bx\n cpuid\n hlt\n");

static void test_modes(void **state)
{
	static const struct {
		const char *name;
		enum machine_mode mode;
		const uint8_t *begin, *end;
	} cases[] = {
		{"4-level", MACHINE_LONG, sum64_s, sum64_e},
		{"PAE", MACHINE_PAE, sum32_s, sum32_e},
		{"paging off", MACHINE_FLAT32, sum32_s, sum32_e},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct machine m;
		struct vcpu vcpu;

		machine_init(&m,
			     &(struct machine_config){.mode = cases[i].mode});
		map_flat(&m);
		machine_put(&m, CODE_AT, cases[i].begin,
			    (size_t)(cases[i].end - cases[i].begin));
		vcpu = machine_vcpu(&m, CODE_AT, 0);
		machine_must_halt(&m, &vcpu);
		check_part(cases[i].name, "sum", mem_read_u64(m.mem, DATA_AT),
			   500500);
		check_part(cases[i].name, "CPUID", m.nr[GE_CPUID], 1);
		check_part(cases[i].name, "instructions", live_insns(m.live),
			   2 + 3 * 1000 + 2);
		machine_finish(&m);
	}
}

static void test_real_mode(void **state)
{
	struct machine m;
	struct vcpu vcpu;

	(void)state;
	machine_init(&m, &(struct machine_config){.mode = MACHINE_REAL});
	map_flat(&m);
	PUT(&m, 0x10400, sum16);
	vcpu = machine_vcpu(&m, 0x400, 0);
	vcpu.seg[SEG_CS].selector = 0x1000;
	vcpu.seg[SEG_CS].base = 0x10000;
	vcpu.seg[SEG_DS].selector = 0x2000;
	vcpu.seg[SEG_DS].base = 0x20000;
	vcpu.seg[SEG_SS].selector = 0x3000;
	vcpu.seg[SEG_SS].base = 0x30000;
	vcpu.gpr[GPR_RSP] = 0x100;
	machine_must_halt(&m, &vcpu);
	vcpu = machine_get(&m);
	check_eq("sum", mem_read_u64(m.mem, 0x21234), 500500 & 0xffff);
	check_eq("stack", mem_read_u64(m.mem, 0x300fe), 500500 & 0xffff);
	check_eq("instructions", live_insns(m.live), 2 + 3 * 1000 + 4);
	check_eq("ip", vcpu.rip, 0x400 + (uint64_t)(sum16_e - sum16_s) - 1);
	machine_finish(&m);
}

/*
 * Ring 3 divides by zero, executes UD2, INT3, INT 0x40 and touches a page it
 * may not; the ring-0 handlers note vector and error code and skip.
 */
CODE(64, user64,
     "xor %edx, %edx\n xor %ecx, %ecx\n mov $7, %eax\n"
     "div %ecx\n ud2\n int3\n int $0x40\n"
     "mov %eax, 0x500000\n mov $5, %eax\n int $0x41\n");
/* Vectors 0, 6, 14: the instruction that faulted is 2, 2, 7 bytes long. */
CODE(64, handlers64,
     ".org handlers64_s + 0x00\n mov $0x100, %ebx\n mov $2, %ebp\n jmp 1f\n"
     ".org handlers64_s + 0x20\n mov $0x106, %ebx\n mov $2, %ebp\n jmp 1f\n"
     ".org handlers64_s + 0x40\n mov $0x10e, %ebx\n mov $7, %ebp\n"
     "pop %rdi\n shl $8, %rdi\n or %rdi, %rbx\n jmp 1f\n"
     ".org handlers64_s + 0x60\n mov $0x103, %ebx\n xor %ebp, %ebp\n jmp 1f\n"
     ".org handlers64_s + 0x80\n mov $0x140, %ebx\n xor %ebp, %ebp\n jmp 1f\n"
     ".org handlers64_s + 0xa0\n hlt\n"
     ".org handlers64_s + 0xc0\n"
     "1: add %rbp, (%rsp)\n imul $31, %rsi, %rsi\n add %rbx, %rsi\n"
     "testl $3, 8(%rsp)\n jz 2f\n inc %r8\n 2: iretq\n");
CODE(32, user32,
     "xor %edx, %edx\n xor %ecx, %ecx\n mov $7, %eax\n"
     "div %ecx\n ud2\n int3\n int $0x40\n"
     "mov %ebx, 0x500000\n nop\n mov $5, %eax\n int $0x41\n");
CODE(32, handlers32,
     ".org handlers32_s + 0x00\n mov $0x100, %ebx\n mov $2, %ebp\n jmp 1f\n"
     ".org handlers32_s + 0x20\n mov $0x106, %ebx\n mov $2, %ebp\n jmp 1f\n"
     ".org handlers32_s + 0x40\n mov $0x10e, %ebx\n mov $7, %ebp\n"
     "pop %edi\n shl $8, %edi\n or %edi, %ebx\n jmp 1f\n"
     ".org handlers32_s + 0x60\n mov $0x103, %ebx\n xor %ebp, %ebp\n jmp 1f\n"
     ".org handlers32_s + 0x80\n mov $0x140, %ebx\n xor %ebp, %ebp\n jmp 1f\n"
     ".org handlers32_s + 0xa0\n hlt\n"
     ".org handlers32_s + 0xc0\n"
     "1: add %ebp, (%esp)\n imul $31, %esi, %esi\n add %ebx, %esi\n"
     "testl $3, 4(%esp)\n jz 2f\n incl 0x200000\n 2: iret\n");

static void set_handlers(struct machine *m)
{
	static const struct {
		unsigned int vector;
		uint32_t at;
	} gates[] = {{0, 0x00}, {6, 0x20},    {14, 0x40},
		     {3, 0x60}, {0x40, 0x80}, {0x41, 0xa0}};

	for (size_t i = 0; i < ARRAY_LEN(gates); i++)
		machine_gate(m, gates[i].vector,
			     (uint32_t)CODE_AT + gates[i].at, 3);
}

static uint64_t fold(const uint64_t *vals, size_t n)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < n; i++)
		sum = sum * 31 + vals[i];
	return sum;
}

static void test_ring3(void **state)
{
	static const uint64_t seen[] = {0x100, 0x106, 0x103, 0x140,
					0x10e | 7 << 8};
	static const struct {
		const char *name;
		enum machine_mode mode;
		const uint8_t *user, *user_end, *kernel, *kernel_end;
		uint64_t insns;
	} cases[] = {
		{"64-bit", MACHINE_LONG, user64_s, user64_e, handlers64_s,
		 handlers64_e, 10 - 3 + 5 * (3 + 7) + 3},
		{"32-bit", MACHINE_PAE, user32_s, user32_e, handlers32_s,
		 handlers32_e, 11 - 3 + 5 * (3 + 7) + 3 - 1},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct machine m;
		struct vcpu vcpu;

		machine_init(&m,
			     &(struct machine_config){.mode = cases[i].mode});
		map_flat(&m);
		machine_map(&m, 0x500000, 0x500000, 0x1000, PTE_W);
		machine_put(&m, USER_AT, cases[i].user,
			    (size_t)(cases[i].user_end - cases[i].user));
		machine_put(&m, CODE_AT, cases[i].kernel,
			    (size_t)(cases[i].kernel_end - cases[i].kernel));
		vcpu = machine_vcpu(&m, USER_AT, 3);
		vcpu.seg[SEG_CS].selector = 0x1b;
		for (int s = 0; s < NR_SEG; s++)
			if (s != SEG_CS)
				vcpu.seg[s].selector = 0x23;
		vcpu.gpr[GPR_RSP] = STACK + STACK_SIZE;
		machine_tables(&m, &vcpu, STACK + 0x2000);
		set_handlers(&m);
		machine_must_halt(&m, &vcpu);
		vcpu = machine_get(&m);

		check_part(cases[i].name, "rsi", (uint32_t)vcpu.gpr[GPR_RSI],
			   (uint32_t)fold(seen, ARRAY_LEN(seen)));
		check_part(cases[i].name, "from ring 3",
			   vcpu.gpr[GPR_R8] + mem_read_u64(m.mem, DATA_AT), 5);
		check_part(cases[i].name, "rax", vcpu.gpr[GPR_RAX], 5);
		check_part(cases[i].name, "cpl", vcpu.cpl, 0);
		check_part(cases[i].name, "cr2", m.view.cr2, 0x500000);
		check_part(cases[i].name, "deliveries", m.nr[GE_DELIVERED], 6);
		check_part(cases[i].name, "retries", m.nr[GE_RETRY], 0);
		check_part(cases[i].name, "instructions", live_insns(m.live),
			   cases[i].insns);
		machine_finish(&m);
	}
}

/* The handler returns to the access that faulted; the page is there then. */
CODE(64, touch, "mov 0x600000, %rax\n mov $1, %ebx\n hlt\n");
CODE(64, page_in, "add $8, %rsp\n inc %r8\n iretq\n");

static bool map_on_fault(struct machine *m, const struct guest_event *ev,
			 struct guest_outcome *out)
{
	(void)out;
	if (ev->kind == GE_DELIVERED && ev->vector == 14 &&
	    !m->config.hook_data) {
		machine_map(m, 0x600000, 0x600000, 0x1000, 0);
		m->config.hook_data = m;
	}
	return false;
}

static void test_retry(void **state)
{
	struct machine m;
	struct vcpu vcpu;

	(void)state;
	machine_init(&m, &(struct machine_config){.mode = MACHINE_LONG,
						  .hook = map_on_fault});
	machine_map(&m, 0, 0, 0x600000, PTE_W);
	PUT(&m, CODE_AT, touch);
	PUT(&m, USER_AT, page_in);
	vcpu = machine_vcpu(&m, CODE_AT, 0);
	vcpu.gpr[GPR_RSP] = STACK + STACK_SIZE;
	machine_tables(&m, &vcpu, 0);
	machine_gate(&m, 14, (uint32_t)USER_AT, 0);
	machine_must_halt(&m, &vcpu);
	vcpu = machine_get(&m);
	check_eq("guest faults", m.nr_guest_faults, 1);
	check_eq("retries", m.nr[GE_RETRY], 1);
	check_eq("handled", vcpu.gpr[GPR_R8], 1);
	check_eq("instructions", live_insns(m.live), 2 + 3);
	machine_finish(&m);
}

CODE(64, e_spin, "1: jmp 1b\n");
CODE(64, e_exit, "mov $0x2a, %eax\n out %eax, $0xf4\n");
CODE(64, e_reset, "mov $0xfe, %al\n out %al, $0x64\n");
CODE(64, e_halt, "sti\n hlt\n");
CODE(64, e_nowhere, "mov $0x7fff12345678, %rax\n jmp *%rax\n");
CODE(64, e_uncanonical, "mov $0x8000000000000000, %rax\n jmp *%rax\n");
CODE(64, e_ud, "ud2\n");
CODE(64, e_absent, "fldl 0x3000000\n");
CODE(64, e_absent_code, "mov $0x3000000, %eax\n jmp *%rax\n");
/* Handler and fault are one: #PF on the first byte of the #PF handler. */
CODE(64, e_livelock, "mov 0x7000000, %eax\n");
CODE(64, e_int1, ".byte 0xf1\n hlt\n");

static bool absent_is_mmio(struct machine *m, const struct guest_event *ev,
			   struct guest_outcome *out)
{
	(void)m;
	if (ev->kind != GE_ACCESS || ev->gva != 0x3000000)
		return false;
	out->verdict = GO_MMIO;
	out->gpa = 0x3000000;
	return true;
}

/* Whatever faults is said to be fine, and nothing is done about it. */
static bool do_nothing(struct machine *m, const struct guest_event *ev,
		       struct guest_outcome *out)
{
	(void)m;
	(void)out;
	return ev->kind == GE_ACCESS && ev->gva == 0x7000000;
}

static const struct {
	const char *name;
	const uint8_t *begin, *end;
	enum live_status status;
	bool (*hook)(struct machine *m, const struct guest_event *ev,
		     struct guest_outcome *out);
} ends[] = {
	{"spin", e_spin_s, e_spin_e, LIVE_MAX_INSNS, NULL},
	{"exit port", e_exit_s, e_exit_e, LIVE_EXIT, NULL},
	{"reset", e_reset_s, e_reset_e, LIVE_RESET, NULL},
	{"halt for ever", e_halt_s, e_halt_e, LIVE_HALTED, NULL},
	{"nowhere", e_nowhere_s, e_nowhere_e, LIVE_SHUTDOWN, NULL},
	{"non-canonical", e_uncanonical_s, e_uncanonical_e, LIVE_SHUTDOWN,
	 NULL},
	{"UD2 without IDT", e_ud_s, e_ud_e, LIVE_SHUTDOWN, NULL},
	{"absent memory", e_absent_s, e_absent_e, LIVE_ABSENT, absent_is_mmio},
	{"absent code", e_absent_code_s, e_absent_code_e, LIVE_ABSENT,
	 absent_is_mmio},
	{"no progress", e_livelock_s, e_livelock_e, LIVE_STOPPED, do_nothing},
	{"INT1", e_int1_s, e_int1_e, LIVE_SHUTDOWN, NULL},
};

static void test_ends(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
		struct live_end end;
		struct machine m;
		struct vcpu vcpu;

		machine_init(&m,
			     &(struct machine_config){.mode = MACHINE_LONG,
						      .max_insns = 1000000,
						      .hook = ends[i].hook});
		machine_map(&m, 0, 0, MACHINE_RAM, PTE_W);
		machine_put(&m, CODE_AT, ends[i].begin,
			    (size_t)(ends[i].end - ends[i].begin));
		vcpu = machine_vcpu(&m, CODE_AT, 0);
		vcpu.gpr[GPR_RSP] = STACK + STACK_SIZE;
		machine_set(&m, &vcpu);
		end = machine_run(&m, UINT64_MAX);
		if (end.status != ends[i].status)
			fail_msg("%s: got status %d (%s), want %d",
				 ends[i].name, (int)end.status, end.line,
				 (int)ends[i].status);
		check_part(ends[i].name, "says why", end.line[0] != 0, 1);
		check_part(ends[i].name, "one line",
			   strchr(end.line, '\n') == NULL, 1);
		/* And stays ended. */
		end = machine_run(&m, UINT64_MAX);
		check_part(ends[i].name, "again", end.status, ends[i].status);
		machine_finish(&m);
	}
}

static void test_attention(void **state)
{
	volatile int attention = 1;
	struct live_end end;
	struct machine m;
	struct vcpu vcpu;

	(void)state;
	machine_init(&m, &(struct machine_config){.mode = MACHINE_LONG});
	machine_map(&m, 0, 0, MACHINE_RAM, PTE_W);
	PUT(&m, CODE_AT, e_spin);
	vcpu = machine_vcpu(&m, CODE_AT, 0);
	machine_set(&m, &vcpu);
	live_run(m.live, UINT64_MAX, &attention, &end);
	check_eq("status", end.status, LIVE_PAUSED);
	attention = 0;
	live_run(m.live, 5000000, &attention, &end);
	check_eq("status", end.status, LIVE_PAUSED);
	check_eq("instructions", live_insns(m.live), 5000000);
	machine_finish(&m);
}

/*
 * Every bit pattern is some guest's code.  None may hang, crash or go on
 * beyond its limit, in any mode and ring.
 */
static void test_garbage(void **state)
{
	static const enum machine_mode modes[] = {MACHINE_LONG, MACHINE_PAE,
						  MACHINE_FLAT32, MACHINE_REAL};
	uint64_t seed = 12345;

	(void)state;
	for (unsigned int i = 0; i < 120; i += one_of_cases()) {
		enum machine_mode mode = modes[i % ARRAY_LEN(modes)];
		uint8_t cpl = mode == MACHINE_REAL || i & 4 ? 0 : 3;
		gpa_t at = mode == MACHINE_REAL ? 0x1000 : CODE_AT;
		struct live_end end;
		struct machine m;
		struct vcpu vcpu;

		machine_init(&m, &(struct machine_config){.mode = mode,
							  .max_insns = 20000,
							  .check_stale = true});
		map_flat(&m);
		for (unsigned int k = 0; k < 0x2000; k += 8) {
			uint64_t r = next_random(&seed);

			machine_put(&m, at + k, &r, 8);
		}
		vcpu = machine_vcpu(&m, at, cpl);
		for (unsigned int k = 0; k < NR_GPR; k++)
			vcpu.gpr[k] = next_random(&seed) & 0x1fffff;
		vcpu.gpr[GPR_RSP] =
			mode == MACHINE_REAL ? 0x8000 : STACK + 0x800;
		machine_tables(&m, &vcpu, STACK + 0x2000);
		for (unsigned int v = 0; v < 256; v++)
			machine_gate(
				&m, v,
				(uint32_t)(at + (next_random(&seed) & 0xfff)),
				3);
		machine_set(&m, &vcpu);
		end = machine_run(&m, UINT64_MAX);
		if (end.status == LIVE_PAUSED || !end.line[0])
			fail_msg("guest %u: status %d, \"%s\"", i,
				 (int)end.status, end.line);
		check_eq("stale blocks", live_stats(m.live)->stale_blocks, 0);
		machine_finish(&m);
	}
}

/* Enough different blocks and sites to need many resets. */
static void test_translation_resets(void **state)
{
	static const struct live_knobs knobs[] = {{0},
						  {.max_translations = 50}};
	uint64_t want = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(knobs); i++) {
		struct machine_config config = {.mode = MACHINE_LONG,
						.knobs = knobs[i]};
		struct machine m;
		struct vcpu vcpu;
		gpa_t at = CODE_AT;

		machine_init(&m, &config);
		map_flat(&m);
		/* add $7, %rbx; cpuid; rol $3, %rbx; jmp to the next. */
		for (unsigned int k = 0; k < 500; k++) {
			machine_put(&m, at,
				    "\x48\x83\xc3\x07\x53\x0f\xa2\x5b"
				    "\x48\xc1\xc3\x03\xeb\x00",
				    14);
			at += 14;
		}
		machine_put(&m, at, "\x48\xff\xcf\x74\x02\xff\xe6\xf4", 8);
		vcpu = machine_vcpu(&m, CODE_AT, 0);
		vcpu.gpr[GPR_RSI] = CODE_AT;
		vcpu.gpr[GPR_RDI] = 4;
		vcpu.gpr[GPR_RSP] = STACK + STACK_SIZE;
		machine_must_halt(&m, &vcpu);
		vcpu = machine_get(&m);
		if (!i)
			want = vcpu.gpr[GPR_RBX];
		check_eq("rbx", vcpu.gpr[GPR_RBX], want);
		check_eq("CPUID", m.nr[GE_CPUID], 2000);
		check_eq("instructions", live_insns(m.live),
			 4 * (500 * 6 + 2) + 3);
		check_eq("resets happened",
			 live_stats(m.live)->translation_flushes > 5, i > 0);
		machine_finish(&m);
	}
}

/* Two engines in one process, taking turns. */
static void test_two_engines(void **state)
{
	struct machine m[2];
	uint64_t until = 0;

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct vcpu vcpu;

		machine_init(&m[i],
			     &(struct machine_config){.mode = MACHINE_LONG});
		map_flat(&m[i]);
		PUT(&m[i], CODE_AT, sum64);
		vcpu = machine_vcpu(&m[i], CODE_AT, 0);
		machine_set(&m[i], &vcpu);
	}
	while (machine_run(&m[0], until).status == LIVE_PAUSED) {
		machine_run(&m[1], until / 2);
		until += 100;
	}
	machine_run(&m[1], UINT64_MAX);
	for (int i = 0; i < 2; i++) {
		check_eq("sum", mem_read_u64(m[i].mem, DATA_AT), 500500);
		check_eq("instructions", live_insns(m[i].live),
			 2 + 3 * 1000 + 2);
		machine_finish(&m[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_modes),
		cmocka_unit_test(test_real_mode),
		cmocka_unit_test(test_ring3),
		cmocka_unit_test(test_retry),
		cmocka_unit_test(test_ends),
		cmocka_unit_test(test_attention),
		cmocka_unit_test(test_translation_resets),
		cmocka_unit_test(test_two_engines),
		cmocka_unit_test(test_garbage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
