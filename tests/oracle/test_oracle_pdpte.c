/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * MOV to CR3 in PAE mode against the slow model: which PDPTEs raise #GP, at
 * every MAXPHYADDR, one and two bits at a time, in each of the four places.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "cpu/cpu.h"
#include "oracle.h"

#define TABLE 0x1020 /* 32-byte aligned, not at a page's begin */

static struct mem *mem;

static int set_up(void **state)
{
	struct diag diag;

	(void)state;
	return mem_create(4 * PAGE_SIZE, 1, false, &mem, &diag);
}

static int tear_down(void **state)
{
	(void)state;
	mem_destroy(mem);
	return 0;
}

static struct cpu pae_cpu(int maxphyaddr)
{
	struct cpu cpu;

	cpu_init(&cpu, (uint8_t)maxphyaddr, 0);
	for (unsigned int i = 0; i < 4; i++)
		mem_write_u64(mem, TABLE + 8 * i, 0);
	assert_true(cpu_load_cr4(&cpu, mem, CR4_PAE));
	assert_true(cpu_load_cr3(&cpu, mem, TABLE));
	assert_true(cpu_load_cr0(&cpu, mem, CR0_PE | CR0_ET | CR0_PG, false));
	return cpu;
}

/* What is not loaded leaves the processor with what it had. */
static void try_pdpte(struct cpu *cpu, unsigned int place, uint64_t pdpte)
{
	const struct oracle_cpu model = {.mode = ORACLE_PAE,
					 .maxphyaddr = cpu->maxphyaddr};
	bool want = oracle_pdpte_loads(&model, pdpte);
	uint64_t had = cpu->pdpte[place];

	mem_write_u64(mem, TABLE + 8 * place, pdpte);
	if (cpu_load_cr3(cpu, mem, TABLE) != want)
		fail_msg("M %d place %u: PDPTE 0x%llx, want %d",
			 cpu->maxphyaddr, place, (unsigned long long)pdpte,
			 want);
	assert_true(cpu->pdpte[place] == (want ? pdpte : had));
	mem_write_u64(mem, TABLE + 8 * place, 0);
}

static void each_bit_and_pair(void **state)
{
	(void)state;
	for (int m = 36; m <= 52; m++) {
		struct cpu cpu = pae_cpu(m);

		for (unsigned int place = 0; place < 4; place++)
			for (unsigned int a = 0; a < 64; a++)
				for (unsigned int b = a; b < 64; b++)
					try_pdpte(&cpu, place, BIT(a) | BIT(b));
	}
}

static void with_present(void **state)
{
	(void)state;
	for (int m = 36; m <= 52; m++) {
		struct cpu cpu = pae_cpu(m);

		for (unsigned int a = 0; a < 64; a++)
			for (unsigned int b = a; b < 64; b++)
				try_pdpte(&cpu, a % 4, 1 | BIT(a) | BIT(b));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_bit_and_pair),
		cmocka_unit_test(with_present),
	};

	return cmocka_run_group_tests_name("oracle_pdpte", tests, set_up,
					   tear_down);
}
