/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Millions of faults: random read-modify-write instructions over 4 MiB while
 * pages are taken away or write-protected at random and the whole mapping
 * changes root now and then.  In the end memory must be what plain C makes it.
 */
#include "check.h"

#include <stdlib.h>

#include "../share.h"
#include "machine.h"

#define CODE_AT UINT64_C(0x100000)
#define STACK   UINT64_C(0x200000)
#define DATA    UINT64_C(0x40000000)
#define DATA_AT UINT64_C(0x400000) /* in RAM */
#define SIZE    UINT64_C(0x400000)

/*
 * RAX runs through a linear congruence; every 16th round or so traps, and the
 * test pulls pages from under the guest.
 */
CODE(64, guest,
     "1: imul $1103515245, %rax, %rax\n add $12345, %rax\n"
     "mov %rax, %rbx\n shr $20, %rbx\n and $0x3ffff8, %ebx\n"
     "add %rax, (%rbx,%rsi)\n lea 0x33(%rax), %rcx\n xor %rcx, (%rbx,%rsi)\n"
     "test $0xf0000, %eax\n jnz 2f\n"
     "push %rax\n push %rbx\n cpuid\n pop %rbx\n pop %rax\n"
     "2: dec %rdi\n jnz 1b\n hlt\n");

struct chaos {
	uint64_t seed;
	uint64_t nr_traps;
	unsigned int zaps; /* a trap */
	hpa_t other_root;
};

static bool pull_pages(struct machine *m, const struct guest_event *ev,
		       struct guest_outcome *out)
{
	struct chaos *chaos = m->config.hook_data;

	(void)out;
	if (ev->kind != GE_CPUID)
		return false;
	chaos->nr_traps++;
	for (unsigned int i = 0; i < chaos->zaps; i++) {
		uint64_t r = next_random(&chaos->seed);
		gva_t gva = DATA + (r >> 32) % (SIZE >> PAGE_SHIFT) * PAGE_SIZE;

		if (r & 1)
			machine_zap(m, gva);
		else
			machine_protect(m, gva);
	}
	/* As if the guest had written CR3. */
	if (!(next_random(&chaos->seed) & 7)) {
		hpa_t root = m->view.root;

		m->view.root = chaos->other_root;
		chaos->other_root = root;
	}
	return false;
}

static void run_model(uint64_t *data, uint64_t rounds)
{
	uint64_t x = 42;

	for (uint64_t i = 0; i < rounds; i++) {
		uint64_t at;

		x = x * 1103515245 + 12345;
		at = ((uint32_t)(x >> 20) & 0x3ffff8) / 8;
		data[at] += x;
		data[at] ^= x + 0x33;
	}
}

static void stress(uint64_t rounds, unsigned int zaps, uint64_t min_faults)
{
	struct chaos chaos = {.seed = UINT64_C(88172645463325252),
			      .zaps = zaps};
	struct machine m;
	struct vcpu vcpu;
	uint64_t *want;

	machine_init(&m, &(struct machine_config){.mode = MACHINE_LONG,
						  .hook = pull_pages,
						  .hook_data = &chaos});
	chaos.other_root = pool_alloc(&m.mem->pool, 4);
	machine_map(&m, CODE_AT, CODE_AT, 0x1000, 0);
	machine_map(&m, STACK, STACK, 0x1000, PTE_W);
	machine_map(&m, DATA, DATA_AT, SIZE, PTE_W);
	PUT(&m, CODE_AT, guest);
	vcpu = machine_vcpu(&m, CODE_AT, 0);
	vcpu.gpr[GPR_RAX] = 42;
	vcpu.gpr[GPR_RSI] = DATA;
	vcpu.gpr[GPR_RDI] = rounds;
	vcpu.gpr[GPR_RSP] = STACK + 0x1000;
	machine_must_halt(&m, &vcpu);

	want = calloc(1, SIZE);
	assert_non_null(want);
	run_model(want, rounds);
	if (memcmp(want, mem_ram(m.mem, DATA_AT), SIZE))
		fail_msg("memory is not what the model makes of it");
	free(want);
	print_message("# %" PRIu64 " faults, %" PRIu64 " traps, %" PRIu64
		      " hardware flushes\n",
		      m.nr[GE_ACCESS], chaos.nr_traps,
		      live_stats(m.live)->hw_flushes);
	assert_true(m.nr[GE_ACCESS] >= min_faults);
	check_eq("instructions", live_insns(m.live),
		 12 * rounds + 5 * chaos.nr_traps);
	machine_finish(&m);
}

static void test_stress(void **state)
{
	(void)state;
	stress(UINT64_C(5000000) / one_of_cases(), 16,
	       2000000 / one_of_cases());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stress),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
