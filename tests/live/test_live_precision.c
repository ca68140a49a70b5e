/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a page fault in the middle of a block says: address, kind of access,
 * instruction, instruction clock, registers, and that nothing of the faulting
 * instruction has happened.
 */
#include "check.h"

#include "machine.h"

#define CODE_AT  UINT64_C(0x10000)
#define READONLY UINT64_C(0x30000)
#define ABSENT   UINT64_C(0x31000)
#define NOEXEC   UINT64_C(0x32000)
#define DATA     UINT64_C(0x34000) /* one page, the next one is absent */
#define STACK    UINT64_C(0x36000) /* down to an absent page */

/* R8 counts the instructions that matter; `skip` lie before the fault. */
CODE(64, load,
     "inc %r8\n add $5, %r9\n mov %r9, %r10\n xor %ecx, %ecx\n"
     "mov 0x31000, %rax\n inc %r8\n hlt\n");
CODE(64, store, "mov %rax, 0x31008\n");
CODE(64, store_ro, "inc %r8\n mov %rax, 0x30010\n hlt\n");
CODE(64, jump_nx, "mov $0x32000, %eax\n jmp *%rax\n");
CODE(64, jump_np, "mov $0x31004, %eax\n jmp *%rax\n");
CODE(64, rmw, "inc %r8\n stc\n adc %rax, 0x30010\n hlt\n");
CODE(64, rmw_np, "inc %r8\n lock addq $1, 0x31010\n hlt\n");
CODE(64, xadd, "inc %r8\n mov $7, %eax\n lock xadd %rax, 0x30018\n hlt\n");
CODE(64, bts, "inc %r8\n mov $64, %eax\n bts %rax, 0x30010\n hlt\n");
CODE(64, shift, "inc %r8\n shlq $3, 0x31018\n hlt\n");
CODE(64, neg, "inc %r8\n negq 0x30020\n hlt\n");
CODE(64, push, "inc %r8\n mov $0x36000, %esp\n push %r8\n hlt\n");
CODE(64, call, "mov $0x36000, %esp\n inc %r8\n call 1f\n nop\n1: hlt\n");
CODE(64, call_mem, "mov $0x36000, %esp\n inc %r8\n call *0x34000\n hlt\n");
CODE(64, pop, "mov $0x35000, %esp\n inc %r8\n pop 0x34000(%rax)\n hlt\n");
CODE(64, rep,
     "mov $0x34000, %esi\n mov $0x34f00, %edi\n mov $0x200, %ecx\n"
     "inc %r8\n rep movsb\n inc %r8\n hlt\n");
CODE(64, straddle, "inc %r8\n mov 0x34ffc, %rax\n inc %r8\n hlt\n");
CODE(64, straddle_w, "inc %r8\n mov %rax, 0x34ffc\n inc %r8\n hlt\n");
CODE(64, sse, "inc %r8\n movups 0x34ff8, %xmm0\n hlt\n");
CODE(64, sse_w, "inc %r8\n movups %xmm0, 0x34ff8\n hlt\n");
CODE(64, enter,
     "mov $0x36000, %esp\n mov $0x1111, %ebp\n inc %r8\n enter $16, $0\n "
     "hlt\n");
CODE(64, xchg, "inc %r8\n mov $0x77, %eax\n xchg %rax, 0x30020\n hlt\n");
CODE(64, cx16, "inc %r8\n lock cmpxchg16b 0x30020\n hlt\n");
CODE(64, fxsave, "inc %r8\n fxsave 0x34f00\n hlt\n");
CODE(64, fld, "inc %r8\n fldl 0x31000\n hlt\n");
/* Ten bytes that begin four before the end of a page. */
CODE(64, cross, "inc %r8\n movabs $0x807060504030201, %rax\n");
CODE(64, cross_far,
     "inc %r8\n inc %r8\n inc %r8\n movabs $0x807060504030201, %rax\n");

#define C(name) #name, name##_s, name##_e

static const struct {
	const char *name;
	const uint8_t *begin, *end;
	uint64_t at;
	uint64_t rip; /* offset from `at` */
	gva_t gva;
	uint32_t access;
	uint64_t skip; /* instructions before */
	uint64_t r8;
} cases[] = {
	{C(load), CODE_AT, 12, ABSENT, 0, 4, 1},
	{C(store), CODE_AT, 0, ABSENT + 8, PFEC_W, 0, 0},
	{C(store_ro), CODE_AT, 3, READONLY + 16, PFEC_W, 1, 1},
	{C(jump_nx), CODE_AT, NOEXEC - CODE_AT, NOEXEC, PFEC_ID, 2, 0},
	{C(jump_np), CODE_AT, ABSENT + 4 - CODE_AT, ABSENT + 4, PFEC_ID, 2, 0},
	{C(rmw), CODE_AT, 4, READONLY + 16, PFEC_W, 2, 1},
	{C(rmw_np), CODE_AT, 3, ABSENT + 16, PFEC_W, 1, 1},
	{C(xadd), CODE_AT, 8, READONLY + 24, PFEC_W, 2, 1},
	{C(bts), CODE_AT, 8, READONLY + 24, PFEC_W, 2, 1},
	{C(shift), CODE_AT, 3, ABSENT + 24, PFEC_W, 1, 1},
	{C(neg), CODE_AT, 3, READONLY + 32, PFEC_W, 1, 1},
	{C(push), CODE_AT, 8, STACK - 8, PFEC_W, 2, 1},
	{C(call), CODE_AT, 8, STACK - 8, PFEC_W, 2, 1},
	{C(call_mem), CODE_AT, 8, STACK - 8, PFEC_W, 2, 1},
	{C(pop), CODE_AT, 8, DATA + 0x1000, 0, 2, 1},
	{C(rep), CODE_AT, 18, DATA + 0x1000, PFEC_W, 4, 1},
	{C(straddle), CODE_AT, 3, DATA + 0x1000, 0, 1, 1},
	{C(straddle_w), CODE_AT, 3, DATA + 0x1000, PFEC_W, 1, 1},
	{C(sse), CODE_AT, 3, DATA + 0x1000, 0, 1, 1},
	{C(sse_w), CODE_AT, 3, DATA + 0x1000, PFEC_W, 1, 1},
	{C(enter), CODE_AT, 13, STACK - 8, PFEC_W, 3, 1},
	{C(xchg), CODE_AT, 8, READONLY + 32, PFEC_W, 2, 1},
	{C(cx16), CODE_AT, 3, READONLY + 32, PFEC_W, 1, 1},
	{C(fxsave), CODE_AT, 3, DATA + 0x1000, PFEC_W, 1, 1},
	{C(fld), CODE_AT, 3, ABSENT, 0, 1, 1},
	{C(cross), CODE_AT + 0x1ff9, 3, CODE_AT + 0x2000, PFEC_ID, 1, 1},
	{C(cross_far), CODE_AT + 0x1ff3, 9, CODE_AT + 0x2000, PFEC_ID, 3, 3},
};

static void map_all(struct machine *m)
{
	machine_map(m, CODE_AT, CODE_AT, 0x2000, 0);
	machine_map(m, READONLY, READONLY, 0x1000, PTE_NX);
	machine_map(m, NOEXEC, NOEXEC, 0x1000, PTE_W | PTE_NX);
	machine_map(m, DATA, DATA, 0x1000, PTE_W | PTE_NX);
	memset(mem_ram(m->mem, DATA), 0x41, 0x1000);
}

/* The straddling stores must not have begun. */
static void check_untouched(const char *name, const struct machine *m)
{
	check_part(name, "end of page", mem_read_u64(m->mem, DATA + 0xff8),
		   UINT64_C(0x4141414141414141));
}

static void run_case(size_t i)
{
	const char *name = cases[i].name;
	struct live_end end;
	struct machine m;
	struct vcpu vcpu;

	machine_init(&m, &(struct machine_config){.mode = MACHINE_LONG,
						  .stop_on_fault = true});
	map_all(&m);
	machine_put(&m, cases[i].at, cases[i].begin,
		    (size_t)(cases[i].end - cases[i].begin));
	vcpu = machine_vcpu(&m, cases[i].at, 0);
	machine_set(&m, &vcpu);
	end = machine_run(&m, UINT64_MAX);
	vcpu = machine_get(&m);

	check_part(name, "status", end.status, LIVE_STOPPED);
	check_part(name, "faults", m.nr_guest_faults, 1);
	check_part(name, "gva", m.fault.gva, cases[i].gva);
	check_part(name, "access", m.fault.access, cases[i].access);
	check_part(name, "rip", m.fault.rip, cases[i].at + cases[i].rip);
	check_part(name, "rip of the processor", vcpu.rip, m.fault.rip);
	check_part(name, "insns", m.fault.insns, cases[i].skip);
	check_part(name, "live_insns", live_insns(m.live), cases[i].skip);
	check_part(name, "r8", vcpu.gpr[GPR_R8], cases[i].r8);
	if (cases[i].begin == rep_s)
		check_part(name, "rcx", vcpu.gpr[GPR_RCX], 0x100);
	/* Unicorn makes two stores of eight bytes of MOVUPS. */
	else if (cases[i].begin != sse_w_s && cases[i].begin != fxsave_s)
		check_untouched(name, &m);
	machine_finish(&m);
}

static void test_precise_faults(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		run_case(i);
}

/* From ring 3 the access says so. */
static void test_user_bit(void **state)
{
	struct machine m;
	struct vcpu vcpu;

	(void)state;
	machine_init(&m, &(struct machine_config){.mode = MACHINE_LONG,
						  .stop_on_fault = true});
	machine_map(&m, CODE_AT, CODE_AT, 0x1000, PTE_U);
	machine_map(&m, READONLY, READONLY, 0x1000, PTE_W);
	PUT(&m, CODE_AT, store_ro);
	vcpu = machine_vcpu(&m, CODE_AT, 3);
	machine_set(&m, &vcpu);
	machine_run(&m, UINT64_MAX);
	check_eq("gva", m.fault.gva, READONLY + 16);
	check_eq("access", m.fault.access, PFEC_W | PFEC_U);
	check_eq("error", m.fault_error, PFEC_P | PFEC_W | PFEC_U);
	check_eq("cpl", m.fault.cpl, 3);
	machine_finish(&m);
}

/* Hidden faults at any of these places: fixed, retried, with no effect. */
CODE(64, many,
     "mov $0x34000, %esi\n mov $0x38f80, %edi\n mov $0x100, %ecx\n"
     "rep movsb\n lock addq $1, 0x3bffc\n mov $0x3d000, %esp\n push %rsi\n"
     "call 1f\n 1: pop %rax\n addq $2, 0x3bffc\n mov 0x3bffc, %rdx\n hlt\n");

static void test_hidden_faults(void **state)
{
	struct machine m;
	struct vcpu vcpu;

	(void)state;
	machine_init(&m, &(struct machine_config){.mode = MACHINE_LONG});
	machine_map(&m, CODE_AT, CODE_AT, 0x2000, 0);
	machine_map(&m, DATA, DATA, 0x10000, PTE_W);
	PUT(&m, CODE_AT, many);
	vcpu = machine_vcpu(&m, CODE_AT, 0);
	machine_must_halt(&m, &vcpu);
	vcpu = machine_get(&m);
	check_eq("guest faults", m.nr_guest_faults, 0);
	check_eq("rdx", vcpu.gpr[GPR_RDX], 3);
	check_eq("insns", live_insns(m.live), 11);
	machine_finish(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_precise_faults),
		cmocka_unit_test(test_user_bit),
		cmocka_unit_test(test_hidden_faults),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
