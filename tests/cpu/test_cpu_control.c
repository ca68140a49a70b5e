/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Loads of control registers: which are a #GP, and the modes they lead to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "cpu/cpu.h"

static struct mem *mem;

static int set_up(void **state)
{
	struct diag diag;

	(void)state;
	return mem_create(1 << 20, 1, false, &mem, &diag);
}

static int tear_down(void **state)
{
	(void)state;
	mem_destroy(mem);
	return 0;
}

#define PM  (CR0_PE | CR0_ET)
#define LM4 (CR4_PAE)

static const struct {
	const char *name;
	uint64_t cr0, cr4, efer; /* before */
	enum { W_CR0, W_CR3, W_CR4, W_EFER } which;
	uint64_t val;
	bool ok;
	uint64_t efer_after;
} cases[] = {
	{"PG without PE", 0, 0, 0, W_CR0, CR0_PG, false, 0},
	{"NW without CD", PM, 0, 0, W_CR0, PM | CR0_NW, false, 0},
	{"CR0 above 32 bits", PM, 0, 0, W_CR0, PM | BIT(32), false, 0},
	{"PG with LME, no PAE", PM, 0, EFER_LME, W_CR0, PM | CR0_PG, false,
	 EFER_LME},
	{"PG with LME and PAE", PM, CR4_PAE, EFER_LME, W_CR0, PM | CR0_PG, true,
	 EFER_LME | EFER_LMA},
	{"PG off leaves long mode", PM | CR0_PG, CR4_PAE, EFER_LME | EFER_LMA,
	 W_CR0, PM, true, EFER_LME},
	{"PAE off in long mode", PM | CR0_PG, CR4_PAE, EFER_LME | EFER_LMA,
	 W_CR4, 0, false, EFER_LME | EFER_LMA},
	{"unknown CR4 bit", PM, 0, 0, W_CR4, BIT(30), false, 0},
	{"VMXE is not there", PM, 0, 0, W_CR4, CR4_VMXE, false, 0},
	{"LME while paging", PM | CR0_PG, CR4_PAE, 0, W_EFER, EFER_LME, false,
	 0},
	{"SCE while paging", PM | CR0_PG, CR4_PAE, 0, W_EFER, EFER_SCE, true,
	 EFER_SCE},
	{"LMA cannot be written", PM, 0, 0, W_EFER, EFER_LMA, true, 0},
	{"unknown EFER bit", PM, 0, 0, W_EFER, BIT(12), false, 0},
	{"long CR3 above M", PM | CR0_PG, CR4_PAE, EFER_LME | EFER_LMA, W_CR3,
	 BIT(40), false, EFER_LME | EFER_LMA},
	{"long CR3 below M", PM | CR0_PG, CR4_PAE, EFER_LME | EFER_LMA, W_CR3,
	 BIT(39), true, EFER_LME | EFER_LMA},
};

static void load_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct cpu cpu, before;
		bool ok = false;

		cpu_init(&cpu, 40);
		cpu.cr0 = cases[i].cr0;
		cpu.cr4 = cases[i].cr4;
		cpu.efer = cases[i].efer;
		before = cpu;
		switch (cases[i].which) {
		case W_CR0:
			ok = cpu_load_cr0(&cpu, mem, cases[i].val, false);
			break;
		case W_CR3:
			ok = cpu_load_cr3(&cpu, mem, cases[i].val);
			break;
		case W_CR4:
			ok = cpu_load_cr4(&cpu, mem, cases[i].val);
			break;
		case W_EFER:
			ok = cpu_load_efer(&cpu, cases[i].val);
			break;
		}
		if (ok != cases[i].ok || cpu.efer != cases[i].efer_after)
			fail_msg("%s: ok %d efer %llx", cases[i].name, ok,
				 (unsigned long long)cpu.efer);
		if (!ok)
			assert_memory_equal(&cpu, &before, sizeof(cpu));
	}
}

static void pg_off_in_64bit_code(void **state)
{
	struct cpu cpu;

	(void)state;
	cpu_init(&cpu, 40);
	cpu.cr0 = PM | CR0_PG;
	cpu.cr4 = CR4_PAE;
	cpu.efer = EFER_LME | EFER_LMA;
	assert_false(cpu_load_cr0(&cpu, mem, PM, true));
	assert_true(cpu_load_cr0(&cpu, mem, PM, false));
}

static void pdptes_are_loaded_and_checked(void **state)
{
	struct cpu cpu;
	enum paging_mode mode;

	(void)state;
	cpu_init(&cpu, 36);
	for (unsigned int i = 0; i < 4; i++)
		mem_write_u64(mem, 0x2020 + 8 * i, 0x3001 + i * 0x1000);
	assert_true(cpu_load_cr4(&cpu, mem, CR4_PAE));
	assert_true(cpu_load_cr3(&cpu, mem, 0x2020));
	assert_true(cpu_load_cr0(&cpu, mem, PM | CR0_PG, false));
	assert_true(cpu_paging(&cpu, &mode));
	assert_int_equal(mode, PAGING_PAE);
	assert_int_equal(cpu.pdpte[3], 0x6001);

	/* Memory changes, the registers do not, until the next load. */
	mem_write_u64(mem, 0x2020, 0);
	assert_int_equal(cpu.pdpte[0], 0x3001);
	assert_true(cpu_load_cr3(&cpu, mem, 0x2020));
	assert_int_equal(cpu.pdpte[0], 0);

	/* Each reserved bit, and only in a present PDPTE. */
	for (unsigned int bit = 1; bit < 64; bit++) {
		bool reserved = bit <= 2 || (bit >= 5 && bit <= 8) || bit >= 36;

		mem_write_u64(mem, 0x2028, BIT(bit) | 1);
		if (cpu_load_cr3(&cpu, mem, 0x2020) == reserved)
			fail_msg("PDPTE bit %u", bit);
		mem_write_u64(mem, 0x2028, BIT(bit));
		assert_true(cpu_load_cr3(&cpu, mem, 0x2020));
	}
}

static void paging_without_pae_is_refused(void **state)
{
	struct cpu cpu;
	enum paging_mode mode;

	(void)state;
	cpu_init(&cpu, 40);
	assert_true(cpu_load_cr0(&cpu, mem, PM | CR0_PG, false));
	assert_false(cpu_paging(&cpu, &mode));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(load_table),
		cmocka_unit_test(pg_off_in_64bit_code),
		cmocka_unit_test(pdptes_are_loaded_and_checked),
		cmocka_unit_test(paging_without_pae_is_refused),
	};

	return cmocka_run_group_tests_name("cpu_control", tests, set_up,
					   tear_down);
}
