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

CODE(64, accesses,
     "mov $1, %ecx\n mov 0x400000, %eax\n add %ecx, 0x400010\n nop\n"
     "movups 0x400020, %xmm0\n movups %xmm0, 0x400030\n"
     "cmp $1, 0x400040\n lock addl $1, 0x400050\n xchg %ebx, 0x400060\n"
     "cmpxchg %ecx, 0x400070\n lock cmpxchg %ecx, 0x400080\n"
     "xadd %ebx, 0x400090\n btl $1, 0x4000a0\n btsl $1, 0x4000b0\n"
     "shld $3, %eax, 0x4000c0\n imul 0x4000d0, %eax\n"
     "cmovc 0x4000e0, %eax\n setc 0x4000f0\n movzbl 0x400100, %edx\n"
     "fildl 0x400110\n fistpl 0x400120\n cvtsi2sdl 0x400130, %xmm1\n"
     "paddd 0x400140, %xmm0\n movd %xmm0, 0x400150\n pushq 0x400160\n"
     "popq 0x400170\n shrl 0x400180\n notl 0x400190\n incl 0x4001a0\n"
     "testl $1, 0x4001b0\n movnti %eax, 0x4001c0\n bsf 0x4001d0, %eax\n"
     "movslq 0x4001e0, %rax\n lock incl 0x4001f0\n mulsd 0x400200, %xmm1\n"
     "sub 0x400210, %eax\n hlt\n");

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

static void on_single(struct insn_observer *to, const struct insn_begin *insn,
		      const struct insn_access *access)
{
	on_begin(to, insn);
	on_access(to, access);
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

static void test_who_accesses(void **state)
{
	struct watcher w = {.observer = {.block = on_block,
					 .begin = on_begin,
					 .access = on_access,
					 .single = on_single,
					 .fault = on_restart,
					 .restart = on_restart,
					 .lost = on_lost}};
	struct machine m;
	struct vcpu vcpu;

	(void)state;
	machine_init(&m, &(struct machine_config){.mode = MACHINE_LONG,
						  .cr4 = CR4_OSFXSR,
						  .observer = &w.observer});
	machine_map(&m, 0, 0, MACHINE_RAM, PTE_W);
	machine_put(&m, CODE_AT, accesses_s, (size_t)(accesses_e - accesses_s));
	vcpu = machine_vcpu(&m, CODE_AT, 0);
	vcpu.gpr[GPR_RSP] = STACK + 0x1000;
	machine_must_halt(&m, &vcpu);
	machine_finish(&m);
	if (w.lost[0])
		fail_msg("%s", w.lost);
	check_eq("accesses of another instruction", w.wrong, 0);
	for (unsigned int i = 0; i < NR_NAMED; i++)
		if (!w.named[i])
			fail_msg("nobody accessed number %u", i);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_who_accesses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
