/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Self-modifying code: through another mapping of the frame, in the frame that
 * executes, by C code; and the oracle that finds stale translations.  All of it
 * once more with an observer, for which Unicorn's TLB is interfered with
 * (live/dirty.h).
 */
#include "check.h"

#include "live/internal.h"
#include "machine.h"

#define CODE_AT UINT64_C(0x100000)
#define FUNC_AT UINT64_C(0x101000)
#define ALIAS   UINT64_C(0x700000) /* of FUNC_AT */
#define STACK   UINT64_C(0x300000)

/* mov $4, %eax; ret: patched through the alias, called at its address. */
CODE(64, func, "mov $4, %eax\n ret\n");
CODE(64, patch_call,
     "movl $6, 0x700001\n call 1f\n mov %eax, %ebx\n"
     "movl $7, 0x700001\n call 1f\n mov %eax, %ecx\n"
     "movl $8, 0x700001\n call 1f\n hlt\n"
     "1: mov $0x101000, %edx\n jmp *%rdx\n");
CODE(64, patch_loop,
     "mov $3000, %r8d\n"
     "2: mov %r8d, 0x700001\n call 1f\n cmp %r8d, %eax\n jne 3f\n"
     "dec %r8d\n jnz 2b\n 3: hlt\n"
     "1: mov $0x101000, %edx\n jmp *%rdx\n");

static void hear_block(struct insn_observer *to, const struct insn_block *block)
{
	(void)to;
	(void)block;
}

static void hear_begin(struct insn_observer *to, const struct insn_begin *insn)
{
	(void)to;
	(void)insn;
}

static void hear_access(struct insn_observer *to,
			const struct insn_access *access)
{
	(void)to;
	(void)access;
}

static void hear_single(struct insn_observer *to, const struct insn_single *one)
{
	(void)to;
	(void)one;
}

static void hear_nothing(struct insn_observer *to)
{
	(void)to;
}

static void hear_lost(struct insn_observer *to, const char *line)
{
	(void)to;
	fail_msg("%s", line);
}

static struct insn_observer deaf = {
	.block = hear_block,
	.begin = hear_begin,
	.access = hear_access,
	.single = hear_single,
	.fault = hear_nothing,
	.restart = hear_nothing,
	.lost = hear_lost,
};

static void map_all(struct machine *m)
{
	machine_map(m, CODE_AT, CODE_AT, 0x4000, PTE_W);
	machine_map(m, ALIAS, FUNC_AT, 0x1000, PTE_W);
	machine_map(m, STACK, STACK, 0x4000, PTE_W);
	PUT(m, FUNC_AT, func);
}

static struct vcpu start(struct machine *m, const uint8_t *code, size_t n)
{
	struct vcpu vcpu;

	map_all(m);
	machine_put(m, CODE_AT, code, n);
	vcpu = machine_vcpu(m, CODE_AT, 0);
	vcpu.gpr[GPR_RSP] = STACK + 0x4000;
	machine_must_halt(m, &vcpu);
	return machine_get(m);
}

#define START(m, name) start(m, name##_s, (size_t)(name##_e - name##_s))

static void test_alias(void **state)
{
	struct machine m;
	struct vcpu vcpu;

	machine_init(&m, &(struct machine_config){.mode = MACHINE_LONG,
						  .observer = *state});
	vcpu = START(&m, patch_call);
	check_eq("first", vcpu.gpr[GPR_RBX], 6);
	check_eq("second", vcpu.gpr[GPR_RCX], 7);
	check_eq("third", vcpu.gpr[GPR_RAX], 8);
	machine_finish(&m);
}

/* Without W^X this Unicorn executes stale code; later ones do in part. */
#define UNICORN_STALE 0x02010100u /* 2.1.1 */

static void test_exclusion(void **state)
{
	static const struct {
		const char *name;
		bool no_exclusion;
	} cases[] = {{"W^X", false}, {"no W^X", true}};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct machine_config config = {.mode = MACHINE_LONG,
						.check_stale = true,
						.observer = *state};
		const struct live_stats *stats;
		struct machine m;
		struct vcpu vcpu;

		if (cases[i].no_exclusion &&
		    uc_version(NULL, NULL) >> 8 != UNICORN_STALE >> 8)
			continue;
		config.knobs.no_exclusion = cases[i].no_exclusion;
		machine_init(&m, &config);
		vcpu = START(&m, patch_loop);
		stats = live_stats(m.live);
		check_part(cases[i].name, "stale blocks",
			   stats->stale_blocks > 0, cases[i].no_exclusion);
		check_part(cases[i].name, "loop broken off",
			   vcpu.gpr[GPR_R8] > 0, cases[i].no_exclusion);
		if (!cases[i].no_exclusion)
			assert_true(stats->stale_checked > 10000);
		machine_finish(&m);
	}
}

/* Bytes changed behind the engine's back: the oracle must see it. */
CODE(64, call_twice,
     "mov $0x101000, %edi\n call *%rdi\n cpuid\n call *%rdi\n hlt\n");

static bool patch_unseen(struct machine *m, const struct guest_event *ev,
			 struct guest_outcome *out)
{
	(void)out;
	if (ev->kind == GE_CPUID)
		machine_put(m, FUNC_AT + 1, "\x09", 1);
	return false;
}

static void test_oracle(void **state)
{
	struct machine m;

	machine_init(&m, &(struct machine_config){.mode = MACHINE_LONG,
						  .observer = *state,
						  .check_stale = true,
						  .hook = patch_unseen});
	START(&m, call_twice);
	check_eq("stale blocks", live_stats(m.live)->stale_blocks, 1);
	machine_finish(&m);
}

/* The stored byte is the immediate of the next instruction but one. */
CODE(64, own_ahead,
     "mov $1000, %ecx\n xor %edx, %edx\n"
     "1: mov %ecx, 2f+1(%rip)\n nop\n 2: mov $0, %eax\n add %rax, %rdx\n"
     "dec %ecx\n jnz 1b\n hlt\n");
/* Data in the page of the code, read-modify-write, with a stack there, too. */
CODE(64, own_data,
     "lea 3f(%rip), %rsp\n mov $500, %ecx\n"
     "1: add %rcx, 4f(%rip)\n lock incq 5f(%rip)\n push %rcx\n pushf\n"
     "pop %rax\n pop %rbx\n or %rax, %rsi\n dec %ecx\n jnz 1b\n"
     "mov 4f(%rip), %rax\n mov 5f(%rip), %rbx\n hlt\n"
     ".balign 64\n .space 64\n 3: .space 8\n 4: .quad 0\n 5: .quad 0\n");
/* The instruction lies in two frames and stores into both, in one store. */
CODE(64, own_both, "movq $-1, 0x101ffc\n hlt\n");

static void test_own_frame(void **state)
{
	struct machine m;
	struct vcpu vcpu;

	machine_init(&m, &(struct machine_config){.mode = MACHINE_LONG,
						  .observer = *state,
						  .check_stale = true});
	vcpu = START(&m, own_ahead);
	check_eq("sum", vcpu.gpr[GPR_RDX], 500500);
	check_eq("own-frame steps", live_stats(m.live)->own_frame_steps, 1000);
	check_eq("instructions", live_insns(m.live), 2 + 6 * 1000);
	check_eq("stale", live_stats(m.live)->stale_blocks, 0);
	machine_finish(&m);

	machine_init(&m, &(struct machine_config){.mode = MACHINE_LONG,
						  .observer = *state,
						  .check_stale = true});
	vcpu = START(&m, own_data);
	check_eq("added", vcpu.gpr[GPR_RAX], 125250);
	check_eq("counted", vcpu.gpr[GPR_RBX], 500);
	check_eq("TF seen by PUSHF", vcpu.gpr[GPR_RSI] & RFLAGS_TF, 0);
	check_eq("instructions", live_insns(m.live), 2 + 9 * 500 + 2);
	check_eq("stale", live_stats(m.live)->stale_blocks, 0);
	machine_finish(&m);
}

static void test_own_two_frames(void **state)
{
	const gva_t at = 0x101ff8;
	struct machine m;
	struct vcpu vcpu;

	machine_init(&m, &(struct machine_config){.mode = MACHINE_LONG,
						  .observer = *state});
	machine_map(&m, CODE_AT, CODE_AT, 0x4000, PTE_W);
	PUT(&m, at, own_both);
	vcpu = machine_vcpu(&m, at, 0);
	machine_must_halt(&m, &vcpu);
	check_eq("stored", mem_read_u64(m.mem, 0x101ffc), UINT64_MAX);
	check_eq("instructions", live_insns(m.live), 1);
	machine_finish(&m);
}

/*
 * An interrupt frame is pushed over code that has run: the first byte of RSP
 * in the frame, 0xf4, becomes a HLT where a function was.
 */
CODE(64, push_over_code,
     "mov $0x1000e0, %edx\n call *%rdx\n mov $0x1000f4, %esp\n int3\n"
     ".org push_over_code_s + 0xe0\n mov $1, %eax\n ret\n");
CODE(64, go_there, "xor %eax, %eax\n jmp *%rdx\n");

/* By C code: what it wrote over must be dropped, whatever the tables. */
static void frame_over_code(const struct machine_config *config)
{
	struct machine m;
	struct vcpu vcpu;
	const gpa_t idt = 0x103000, gdt = 0x103800, handler = 0x102000;
	const uint64_t gate = (handler & 0xffff) | UINT64_C(8) << 16 |
			      UINT64_C(0x8e00) << 32 |
			      (uint64_t)(handler >> 16) << 48;
	const uint64_t code64 = UINT64_C(0x00af9b000000ffff);

	machine_init(&m, config);
	map_all(&m);
	PUT(&m, CODE_AT, push_over_code);
	PUT(&m, handler, go_there);
	machine_put(&m, idt + 3 * 16, &gate, sizeof(gate));
	machine_put(&m, gdt + 8, &code64, sizeof(code64));
	vcpu = machine_vcpu(&m, CODE_AT, 0);
	vcpu.gpr[GPR_RSP] = STACK + 0x1000;
	vcpu.idtr = (struct dtable){idt, 0xfff};
	vcpu.gdtr = (struct dtable){gdt, 0xff};
	machine_must_halt(&m, &vcpu);
	vcpu = machine_get(&m);
	check_eq("where it halted", vcpu.rip, CODE_AT + 0xe0);
	check_eq("rax", vcpu.gpr[GPR_RAX], 0);
	check_eq("delivered", m.nr[GE_DELIVERED], 1);
	check_eq("instructions", live_insns(m.live), 8);
	machine_finish(&m);
}

static void test_frame_over_code(void **state)
{
	static const uint64_t cr4[] = {0, CR4_SMEP, CR4_SMAP};

	for (size_t i = 0; i < ARRAY_LEN(cr4); i++) {
		frame_over_code(
			&(struct machine_config){.mode = MACHINE_LONG,
						 .observer = *state,
						 .cr4 = cr4[i],
						 .features = FEATURE_SMAP});
		frame_over_code(
			&(struct machine_config){.mode = MACHINE_LONG57,
						 .observer = *state,
						 .cr4 = cr4[i],
						 .features = FEATURE_LA57});
	}
}

#define WATCHED(test)                                     \
	{                                                 \
		"watched " #test, test, NULL, NULL, &deaf \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_alias),
		WATCHED(test_alias),
		cmocka_unit_test(test_exclusion),
		WATCHED(test_exclusion),
		cmocka_unit_test(test_oracle),
		WATCHED(test_oracle),
		cmocka_unit_test(test_own_frame),
		WATCHED(test_own_frame),
		cmocka_unit_test(test_own_two_frames),
		WATCHED(test_own_two_frames),
		cmocka_unit_test(test_frame_over_code),
		WATCHED(test_frame_over_code),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
