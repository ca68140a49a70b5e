/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Loads of control registers: which are a #GP, and the modes they lead to. */
#include <string.h>

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
#define PG  (PM | CR0_PG)
#define LME EFER_LME
#define LMA (EFER_LME | EFER_LMA)

enum which { W_CR0, W_CR3, W_CR4, W_EFER };

static const struct load {
	const char *name;
	uint32_t features;
	uint64_t cr0, cr3, cr4, efer; /* before */
	enum which which;
	uint64_t val;
	bool ok;
	uint64_t efer_after;
} cases[] = {
	{"PG without PE", 0, 0, 0, 0, 0, W_CR0, CR0_PG, false, 0},
	{"NW without CD", 0, PM, 0, 0, 0, W_CR0, PM | CR0_NW, false, 0},
	{"CR0 above 32 bits", 0, PM, 0, 0, 0, W_CR0, PM | BIT(32), false, 0},
	{"PG with LME, no PAE", 0, PM, 0, 0, LME, W_CR0, PG, false, LME},
	{"PG with LME and PAE", 0, PM, 0, CR4_PAE, LME, W_CR0, PG, true, LMA},
	{"PG off leaves long mode", 0, PG, 0, CR4_PAE, LMA, W_CR0, PM, true,
	 LME},
	{"PAE off in long mode", 0, PG, 0, CR4_PAE, LMA, W_CR4, 0, false, LMA},
	{"unknown CR4 bit", 0, PM, 0, 0, 0, W_CR4, BIT(30), false, 0},
	{"VMXE is not there", FEATURE_ALL, PM, 0, 0, 0, W_CR4, CR4_VMXE, false,
	 0},
	{"LME while paging", 0, PG, 0, CR4_PAE, 0, W_EFER, LME, false, 0},
	{"SCE while paging", 0, PG, 0, CR4_PAE, 0, W_EFER, EFER_SCE, true,
	 EFER_SCE},
	{"LMA cannot be written", 0, PM, 0, 0, 0, W_EFER, EFER_LMA, true, 0},
	{"unknown EFER bit", 0, PM, 0, 0, 0, W_EFER, BIT(12), false, 0},
	{"long CR3 above M", 0, PG, 0, CR4_PAE, LMA, W_CR3, BIT(40), false,
	 LMA},
	{"long CR3 below M", 0, PG, 0, CR4_PAE, LMA, W_CR3, BIT(39), true, LMA},

	{"LA57 outside of long mode", FEATURE_LA57, PM, 0, 0, 0, W_CR4,
	 CR4_LA57, true, 0},
	{"LA57 on in long mode", FEATURE_LA57, PG, 0, CR4_PAE, LMA, W_CR4,
	 CR4_PAE | CR4_LA57, false, LMA},
	{"LA57 off in long mode", FEATURE_LA57, PG, 0, CR4_PAE | CR4_LA57, LMA,
	 W_CR4, CR4_PAE, false, LMA},
	{"LA57 stays in long mode", FEATURE_LA57, PG, 0, CR4_PAE | CR4_LA57,
	 LMA, W_CR4, CR4_PAE | CR4_LA57 | CR4_PGE, true, LMA},
	{"PCIDE in long mode", FEATURE_PCID, PG, 0x1000, CR4_PAE, LMA, W_CR4,
	 CR4_PAE | CR4_PCIDE, true, LMA},
	{"PCIDE in PAE mode", FEATURE_PCID, PG, 0, CR4_PAE, 0, W_CR4,
	 CR4_PAE | CR4_PCIDE, false, 0},
	{"PCIDE with a CR3 of flags", FEATURE_PCID, PG, 0x1008, CR4_PAE, LMA,
	 W_CR4, CR4_PAE | CR4_PCIDE, false, LMA},
	{"PCIDE stays, CR3 with a PCID", FEATURE_PCID, PG, 0x1008,
	 CR4_PAE | CR4_PCIDE, LMA, W_CR4, CR4_PAE | CR4_PCIDE | CR4_PGE, true,
	 LMA},
	{"PCIDE off, CR3 with a PCID", FEATURE_PCID, PG, 0x1008,
	 CR4_PAE | CR4_PCIDE, LMA, W_CR4, CR4_PAE, true, LMA},
	{"PG off with PCIDE", FEATURE_PCID, PG, 0, CR4_PAE | CR4_PCIDE, LMA,
	 W_CR0, PM, false, LMA},
	{"no flush with PCIDE", FEATURE_PCID, PG, 0, CR4_PAE | CR4_PCIDE, LMA,
	 W_CR3, BIT(63) | 0x1005, true, LMA},
	{"bit 62 with PCIDE", FEATURE_PCID, PG, 0, CR4_PAE | CR4_PCIDE, LMA,
	 W_CR3, BIT(62), false, LMA},
	{"no flush without PCIDE", FEATURE_PCID, PG, 0, CR4_PAE, LMA, W_CR3,
	 BIT(63), false, LMA},
};

static bool do_load(struct cpu *cpu, enum which which, uint64_t val)
{
	switch (which) {
	case W_CR0:
		return cpu_load_cr0(cpu, mem, val, false);
	case W_CR3:
		return cpu_load_cr3(cpu, mem, val);
	case W_CR4:
		return cpu_load_cr4(cpu, mem, val);
	case W_EFER:
		return cpu_load_efer(cpu, val);
	}
	return false;
}

static void load_table(void **state)
{
	(void)state;
	for (const struct load *c = cases; c < cases + ARRAY_LEN(cases); c++) {
		struct cpu cpu, before;
		bool ok;

		cpu_init(&cpu, 40, c->features);
		cpu.cr0 = c->cr0;
		cpu.cr3 = c->cr3;
		cpu.cr4 = c->cr4;
		cpu.efer = c->efer;
		if (!cpu_is_sane(&cpu) && c->cr0)
			fail_msg("%s: no state to begin with", c->name);
		before = cpu;
		ok = do_load(&cpu, c->which, c->val);
		if (ok != c->ok || cpu.efer != c->efer_after)
			fail_msg("%s: ok %d efer %llx", c->name, ok,
				 (unsigned long long)cpu.efer);
		if (!ok)
			assert_memory_equal(&cpu, &before, sizeof(cpu));
		if (!cpu_is_sane(&cpu) && c->cr0)
			fail_msg("%s: ends in no state", c->name);
	}
}

static void no_flush_is_not_kept(void **state)
{
	struct cpu cpu;

	(void)state;
	cpu_init(&cpu, 40, FEATURE_PCID);
	cpu.cr0 = PG;
	cpu.cr4 = CR4_PAE | CR4_PCIDE;
	cpu.efer = LMA;
	assert_true(cpu_load_cr(&cpu, mem, 3, BIT(63) | 0x1005, true));
	assert_int_equal(cpu.cr3, 0x1005);
}

/* Each bit of CR4 without the feature it comes with, and with it. */
static void cr4_bits_come_with_features(void **state)
{
	static const uint32_t owner[64] = {
		[12] = FEATURE_LA57, [17] = FEATURE_PCID, [20] = FEATURE_SMEP,
		[21] = FEATURE_SMAP, [22] = FEATURE_PKU,
	};

	(void)state;
	for (unsigned int bit = 0; bit < 64; bit++) {
		/* TSD, DE, PSE, PAE; PGE, PCE, OSFXSR, OSXMMEXCPT */
		bool base = bit <= 10 && (UINT64_C(0x7bc) >> bit & 1);

		for (uint32_t f = 0; f <= FEATURE_ALL; f++) {
			bool want = base || (f & owner[bit]);

			if (!(cpu_cr4_bits(f) & BIT(bit)) == want)
				fail_msg("CR4 bit %u, features %x", bit, f);
		}
	}
}

/* What the processors take: CR4 without features, EFER. */
static void profiles(void **state)
{
	static const struct {
		enum cpu_profile_id id;
		const char *name;
		uint64_t cr4, efer;
	} rows[NR_PROFILES] = {
		{PROFILE_ID_PLAIN, "plain", 0x7bc, 0xd01},
		{PROFILE_ID_PENTIUM3, "pentium3", 0x7fc, 0},
		{PROFILE_ID_CORE2, "core2", 0x7fc, 0xd01},
		{PROFILE_ID_K8, "k8", 0x7fc, 0xd01},
		{PROFILE_ID_NEHALEM, "nehalem", 0x7fc, 0xd01},
	};
	char names[64] = "";

	(void)state;
	for (uint32_t i = 0; i < NR_PROFILES; i++) {
		uint32_t word = i << PROFILE_SHIFT;

		assert_int_equal(rows[i].id, i);
		assert_string_equal(cpu_profile(rows[i].id)->name,
				    rows[i].name);
		assert_int_equal(cpu_cr4_bits(word), rows[i].cr4);
		assert_int_equal(cpu_efer_bits(word), rows[i].efer);
		assert_int_equal(cpu_cr4_bits(word | FEATURE_SMEP),
				 rows[i].cr4 | CR4_SMEP);
		strcat(names, i ? "," : "");
		strcat(names, rows[i].name);
	}
	assert_string_equal(names, PROFILE_NAMES);
}

static void modes(void **state)
{
	static const struct {
		uint64_t cr0, cr4, efer;
		enum paging_mode mode;
	} rows[] = {
		{PM, CR4_PAE | CR4_LA57, EFER_LME, PAGING_OFF},
		{PG, 0, 0, PAGING_32},
		{PG, CR4_PSE | CR4_LA57, 0, PAGING_32},
		{PG, CR4_PAE, 0, PAGING_PAE},
		{PG, CR4_PAE | CR4_LA57, 0, PAGING_PAE},
		{PG, CR4_PAE, LMA, PAGING_4LEVEL},
		{PG, CR4_PAE | CR4_LA57, LMA, PAGING_5LEVEL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct cpu cpu;

		cpu_init(&cpu, 40, FEATURE_ALL);
		cpu.cr0 = rows[i].cr0;
		cpu.cr4 = rows[i].cr4;
		cpu.efer = rows[i].efer;
		assert_int_equal(cpu_paging(&cpu), rows[i].mode);
	}
}

static void invpcid_operands(void **state)
{
	static const struct {
		const char *name;
		uint64_t cr4, type, pcid, gva;
		bool ok;
	} rows[] = {
		{"type 3", CR4_PCIDE, 3, 5, 0, true},
		{"type 4", CR4_PCIDE, 4, 0, 0, false},
		{"type 2^32", CR4_PCIDE, BIT(32), 0, 0, false},
		{"PCID of 12 bits", CR4_PCIDE, 1, 0xfff, 0, true},
		{"bit 12", CR4_PCIDE, 1, 0x1000, 0, false},
		{"bit 63, all contexts", CR4_PCIDE, 2, BIT(63), 0, false},
		{"no PCIDE, PCID 0", 0, 1, 0, 0, true},
		{"no PCIDE, one context", 0, 1, 1, 0, false},
		{"no PCIDE, one address", 0, 0, 1, 0, false},
		{"no PCIDE, all contexts", 0, 2, 1, 0, true},
		{"canonical, 4 levels", CR4_PCIDE, 0, 0, BITS(63, 47), true},
		{"not canonical", CR4_PCIDE, 0, 0, BIT(47), false},
		{"not looked at", CR4_PCIDE, 1, 0, BIT(47), true},
		{"canonical, 5 levels", CR4_LA57, 0, 0, BIT(47), true},
		{"not canonical, 5 levels", CR4_LA57, 0, 0, BIT(56), false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct cpu cpu;

		cpu_init(&cpu, 40, FEATURE_ALL);
		cpu.cr0 = PG;
		cpu.cr4 = CR4_PAE | rows[i].cr4;
		cpu.efer = LMA;
		if (cpu_invpcid_is_valid(&cpu, rows[i].type, rows[i].pcid,
					 rows[i].gva) != rows[i].ok)
			fail_msg("%s", rows[i].name);
	}
}

static void nxe_is_the_hosts(void **state)
{
	struct cpu cpu;

	(void)state;
	cpu_init(&cpu, 40, 0);
	assert_true(cpu_load_efer(&cpu, EFER_NXE));
	assert_true(cpu_is_sane(&cpu));
	cpu_init(&cpu, 40, 0);
	cpu.no_nx = true;
	assert_true(cpu_load_efer(&cpu, EFER_LME));
	assert_false(cpu_load_efer(&cpu, EFER_LME | EFER_NXE));
	assert_int_equal(cpu.efer, EFER_LME);
	cpu.efer |= EFER_NXE;
	assert_false(cpu_is_sane(&cpu));
}

static void pg_off_in_64bit_code(void **state)
{
	struct cpu cpu;

	(void)state;
	cpu_init(&cpu, 40, 0);
	cpu.cr0 = PM | CR0_PG;
	cpu.cr4 = CR4_PAE;
	cpu.efer = EFER_LME | EFER_LMA;
	assert_false(cpu_load_cr0(&cpu, mem, PM, true));
	assert_true(cpu_load_cr0(&cpu, mem, PM, false));
}

static void pdptes_are_loaded_and_checked(void **state)
{
	struct cpu cpu;

	(void)state;
	cpu_init(&cpu, 36, FEATURE_ALL);
	for (unsigned int i = 0; i < 4; i++)
		mem_write_u64(mem, 0x2020 + 8 * i, 0x3001 + i * 0x1000);
	assert_true(cpu_load_cr4(&cpu, mem, CR4_PAE));
	assert_true(cpu_load_cr3(&cpu, mem, 0x2020));
	assert_true(cpu_load_cr0(&cpu, mem, PM | CR0_PG, false));
	assert_int_equal(cpu_paging(&cpu), PAGING_PAE);
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

/* SDM vol. 3A, "PDPTE Registers": which changes of CR4 load them again. */
static void cr4_reloads_pdptes(void **state)
{
	const uint64_t reloads = CR4_PAE | CR4_PGE | CR4_PSE | CR4_SMEP;

	(void)state;
	for (unsigned int bit = 0; bit <= 22; bit++) {
		struct cpu cpu;

		cpu_init(&cpu, 40, FEATURE_ALL);
		cpu.cr0 = PG;
		cpu.cr3 = 0x2020;
		cpu.cr4 = bit == 5 ? 0 : CR4_PAE;
		mem_write_u64(mem, 0x2020, 0x7001);
		if (!cpu_load_cr4(&cpu, mem, CR4_PAE | BIT(bit)))
			continue;
		if ((cpu.pdpte[0] == 0x7001) != !!(reloads & BIT(bit)))
			fail_msg("CR4 bit %u", bit);

		/* A reserved bit in one of them refuses all. */
		cpu.cr4 = bit == 5 ? 0 : CR4_PAE;
		mem_write_u64(mem, 0x2020, 0x7003);
		assert_int_equal(cpu_load_cr4(&cpu, mem, CR4_PAE | BIT(bit)),
				 !(reloads & BIT(bit)));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(load_table),
		cmocka_unit_test(nxe_is_the_hosts),
		cmocka_unit_test(pg_off_in_64bit_code),
		cmocka_unit_test(pdptes_are_loaded_and_checked),
		cmocka_unit_test(cr4_reloads_pdptes),
		cmocka_unit_test(no_flush_is_not_kept),
		cmocka_unit_test(cr4_bits_come_with_features),
		cmocka_unit_test(profiles),
		cmocka_unit_test(modes),
		cmocka_unit_test(invpcid_operands),
	};

	return cmocka_run_group_tests_name("cpu_control", tests, set_up,
					   tear_down);
}
