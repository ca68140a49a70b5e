/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Mappings that change under the code: several address spaces, other code at
 * the same address, table roots, code that stops being sensitive.
 */
#include "check.h"

#include "live/internal.h"
#include "machine.h"

#define CODE_AT  UINT64_C(0x100000)
#define FUNC     UINT64_C(0x40000000) /* in each space other code */
#define FUNC_A   UINT64_C(0x500000)   /* in RAM */
#define FUNC_B   UINT64_C(0x501000)
#define STACK    UINT64_C(0x300000)
#define RING0_RW PTE_W

/*
 * Two functions of the same size: three instructions, one of them sensitive,
 * and five others.
 */
CODE(64, func_a,
     "push %rax\n cpuid\n pop %rax\n.space 3, 0x90\n"
     "add $1, %r8\n ret\n");
CODE(64, func_b, "nop\n nop\n nop\n nopw (%rax)\n add $16, %r8\n ret\n");

#define COUNT_A 8 /* instructions of func_a */
#define COUNT_B 6

/* RDMSR of the TSC stands for "the other address space, please". */
CODE(64, alternate,
     "mov $1000, %edi\n mov $0x40000000, %ebx\n"
     "1: call *%rbx\n mov $0x10, %ecx\n rdmsr\n mov $0x40000000, %ebx\n"
     "dec %edi\n jnz 1b\n hlt\n");

struct spaces {
	hpa_t other_root;
	gpa_t func[2];
	unsigned int now;
	bool keep_root; /* change the mapping, not the root */
};

static bool switch_space(struct machine *m, const struct guest_event *ev,
			 struct guest_outcome *out)
{
	struct spaces *spaces = m->config.hook_data;
	hpa_t root = m->view.root;

	(void)out;
	if (ev->kind != GE_RDMSR)
		return false;
	spaces->now ^= 1;
	m->region[1].gpa = spaces->func[spaces->now];
	if (spaces->keep_root) {
		machine_zap(m, FUNC);
	} else {
		m->view.root = spaces->other_root;
		spaces->other_root = root;
	}
	return false;
}

static struct vcpu begin(struct machine *m, const uint8_t *begin,
			 const uint8_t *end)
{
	struct vcpu vcpu;

	machine_map(m, CODE_AT, CODE_AT, 0x1000, 0);
	machine_map(m, FUNC, FUNC_A, 0x1000, 0);
	machine_map(m, STACK, STACK, 0x1000, PTE_W);
	PUT(m, FUNC_A, func_a);
	PUT(m, FUNC_B, func_b);
	machine_put(m, CODE_AT, begin, (size_t)(end - begin));
	vcpu = machine_vcpu(m, CODE_AT, 0);
	vcpu.gpr[GPR_RSP] = STACK + 0x1000;
	return vcpu;
}

/* The translations of both spaces live on side by side. */
static void test_two_spaces(void **state)
{
	static const struct {
		const char *name;
		bool keep_root;
	} cases[] = {{"two roots", false}, {"one root", true}};

	(void)state;
	assert_int_equal(func_a_e - func_a_s, func_b_e - func_b_s);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct spaces spaces = {.func = {FUNC_A, FUNC_B},
					.keep_root = cases[i].keep_root};
		struct machine m;
		struct vcpu vcpu;

		machine_init(&m,
			     &(struct machine_config){.mode = MACHINE_LONG,
						      .check_stale = true,
						      .hook = switch_space,
						      .hook_data = &spaces});
		spaces.other_root = pool_alloc(&m.mem->pool, 4);
		vcpu = begin(&m, alternate_s, alternate_e);
		machine_must_halt(&m, &vcpu);
		vcpu = machine_get(&m);
		check_part(cases[i].name, "sum", vcpu.gpr[GPR_R8],
			   500 * 1 + 500 * 16);
		check_part(cases[i].name, "CPUID", m.nr[GE_CPUID], 500);
		check_part(cases[i].name, "instructions", live_insns(m.live),
			   2 + 1000 * 6 + 500 * (COUNT_A + COUNT_B));
		check_part(cases[i].name, "stale",
			   live_stats(m.live)->stale_blocks, 0);
		machine_finish(&m);
	}
}

/* Blocks of the same address and size, left midway by faults. */
CODE(64, touch_a, "incl (%rsi)\n mov %ecx, %edx\n incl 0x1000(%rsi)\n ret\n");
CODE(64, touch_b, "incl 0x2000(%rsi)\n mov %ecx, %edx\n incl (%rsi)\n ret\n");

static bool switch_and_zap(struct machine *m, const struct guest_event *ev,
			   struct guest_outcome *out)
{
	if (ev->kind == GE_RDMSR)
		for (gva_t i = 0; i < 3; i++)
			machine_zap(m, STACK + 0x10000 + i * PAGE_SIZE);
	return switch_space(m, ev, out);
}

static void test_ambiguous_blocks(void **state)
{
	struct spaces spaces = {.func = {FUNC_A, FUNC_B}};
	struct machine m;
	struct vcpu vcpu;

	(void)state;
	assert_int_equal(touch_a_e - touch_a_s, touch_b_e - touch_b_s);
	machine_init(&m, &(struct machine_config){.mode = MACHINE_LONG,
						  .hook = switch_and_zap,
						  .hook_data = &spaces});
	spaces.other_root = pool_alloc(&m.mem->pool, 4);
	vcpu = begin(&m, alternate_s, alternate_e);
	machine_map(&m, STACK + 0x10000, STACK + 0x10000, 0x3000, PTE_W);
	PUT(&m, FUNC_A, touch_a);
	PUT(&m, FUNC_B, touch_b);
	vcpu.gpr[GPR_RSI] = STACK + 0x10000;
	machine_must_halt(&m, &vcpu);
	check_eq("instructions", live_insns(m.live), 2 + 1000 * 6 + 1000 * 4);
	assert_true(m.nr_fills > 1000);
	machine_finish(&m);
}

/* A PAE root has no A bits, so the engine must flush for it unasked. */
CODE(32, read_twice,
     "mov 0x40000000, %ebx\n mov $0x10, %ecx\n rdmsr\n"
     "mov 0x40000000, %esi\n hlt\n");

static bool replace_pdpte(struct machine *m, const struct guest_event *ev,
			  struct guest_outcome *out)
{
	(void)out;
	if (ev->kind == GE_RDMSR) {
		pool_set(&m->mem->pool, m->view.root, 1, 0);
		m->region[1].gpa = FUNC_B;
	}
	return false;
}

static void test_pae_root(void **state)
{
	struct machine m;
	struct vcpu vcpu;

	(void)state;
	machine_init(&m, &(struct machine_config){.mode = MACHINE_PAE,
						  .hook = replace_pdpte});
	vcpu = begin(&m, read_twice_s, read_twice_e);
	machine_put(&m, FUNC_A, "AAAA", 4);
	machine_put(&m, FUNC_B, "BBBB", 4);
	machine_must_halt(&m, &vcpu);
	vcpu = machine_get(&m);
	check_eq("before", vcpu.gpr[GPR_RBX], 0x41414141);
	check_eq("after", vcpu.gpr[GPR_RSI], 0x42424242);
	machine_finish(&m);
}

/* CPUID is replaced by two NOPs; they must not call the hook. */
CODE(64, was_sensitive,
     "mov $0x501000, %ebp\n call *%rbp\n"
     "movw $0x9090, 0x501001\n mov $500000, %edi\n"
     "1: call *%rbp\n dec %edi\n jnz 1b\n hlt\n");
CODE(64, sensitive, "push %rbx\n cpuid\n pop %rbx\n ret\n");

static void test_no_longer_sensitive(void **state)
{
	struct machine m;
	struct vcpu vcpu;

	(void)state;
	machine_init(&m, &(struct machine_config){.mode = MACHINE_LONG});
	vcpu = begin(&m, was_sensitive_s, was_sensitive_e);
	machine_map(&m, FUNC_B, FUNC_B, 0x1000, PTE_W);
	PUT(&m, FUNC_B, sensitive);
	machine_must_halt(&m, &vcpu);
	check_eq("CPUID", m.nr[GE_CPUID], 1);
	/* CPUID's block for its call, without it, and HLT's. */
	check_eq("again", live_stats(m.live)->translated_again, 3);
	check_eq("instructions", live_insns(m.live),
		 2 + 4 + 2 + 500000 * (3 + 5));
	machine_finish(&m);
}

/*
 * Two functions in one frame, both patched through another mapping: Unicorn by
 * itself notices only the first store.
 */
CODE(64, patch_both,
     "mov $0x100800, %ebp\n mov $0x100900, %ebx\n call *%rbp\n call *%rbx\n"
     "movl $2, 0x700801\n movl $3, 0x700901\n call *%rbp\n mov %eax, %ecx\n"
     "call *%rbx\n hlt\n");

static void test_two_patches(void **state)
{
	struct machine m;
	struct vcpu vcpu;

	(void)state;
	machine_init(&m, &(struct machine_config){.mode = MACHINE_LONG,
						  .check_stale = true});
	/* The functions lie in a frame of their own. */
	machine_map(&m, 0x100000, FUNC_A, 0x1000, 0);
	machine_map(&m, 0x700000, FUNC_A, 0x1000, PTE_W);
	machine_map(&m, 0x200000, 0x200000, 0x1000, 0);
	machine_map(&m, STACK, STACK, 0x1000, PTE_W);
	PUT(&m, 0x200000, patch_both);
	machine_put(&m, FUNC_A + 0x800, "\xb8\x00\x00\x00\x00\xc3", 6);
	machine_put(&m, FUNC_A + 0x900, "\xb8\x00\x00\x00\x00\xc3", 6);
	vcpu = machine_vcpu(&m, 0x200000, 0);
	vcpu.gpr[GPR_RSP] = STACK + 0x1000;
	machine_must_halt(&m, &vcpu);
	vcpu = machine_get(&m);
	check_eq("first function", vcpu.gpr[GPR_RCX], 2);
	check_eq("second function", vcpu.gpr[GPR_RAX], 3);
	check_eq("stale", live_stats(m.live)->stale_blocks, 0);
	machine_finish(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_two_spaces),
		cmocka_unit_test(test_ambiguous_blocks),
		cmocka_unit_test(test_pae_root),
		cmocka_unit_test(test_no_longer_sensitive),
		cmocka_unit_test(test_two_patches),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
