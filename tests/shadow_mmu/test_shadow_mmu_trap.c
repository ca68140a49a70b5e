/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where the entries that must fault do: every width, NXE, mode and level,
 * against what the facts say in words (C.3, C.5).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "shadow_mmu/trap.h"

static const struct trap_value *find(const char *name)
{
	unsigned int nr;
	const struct trap_value *values = trap_values(&nr);

	for (unsigned int i = 0; i < nr; i++)
		if (!strcmp(values[i].name, name))
			return &values[i];
	fail_msg("no value is called %s", name);
	return NULL;
}

/*
 * KVM's trap sets every address bit and bit 63, and neither PS nor anything
 * below.  PAE reserves 62:52 always.  Long mode with all 52 bits of address and
 * NXE reserves nothing of it: a leaf maps; an upper entry is a link to a table
 * of ones, which maps if that is a leaf table and faults if it is not.
 */
static enum trap_verdict of_kvm(enum paging_mode mode, int level, int width,
				bool nxe)
{
	if (mode == PAGING_PAE || width < 52 || !nxe)
		return TRAP_FAULTS;
	return level <= 2 ? TRAP_MAPS : TRAP_LEADS;
}

/* Given up at 52 bits; below, bit 51 is reserved in every mode. */
static enum trap_verdict of_xen(enum paging_mode mode, int level, int width,
				bool nxe)
{
	(void)mode, (void)level, (void)width, (void)nxe;
	return TRAP_FAULTS;
}

static const struct {
	const char *name;
	int levels;
	enum trap_verdict (*want)(enum paging_mode mode, int level, int width,
				  bool nxe);
} values[] = {
	{"trap", 5, of_kvm},
	{"trap, IO mark", 1, of_kvm},
	{"guest-not-present", 1, of_xen},
	{"MMIO", 1, of_xen},
};

static const struct {
	enum paging_mode mode;
	int levels;
} modes[] = {{PAGING_PAE, 2}, {PAGING_4LEVEL, 4}, {PAGING_5LEVEL, 5}};

static void verdicts_of(size_t v, size_t m)
{
	const struct trap_value *value = find(values[v].name);

	for (int level = 1;
	     level <= modes[m].levels && level <= values[v].levels; level++)
		for (int width = 36; width <= 52; width++)
			for (int nxe = 0; nxe < 2; nxe++) {
				struct paging_ctx ctx = {
					.mode = modes[m].mode,
					.nxe = nxe,
					.maxphyaddr = (uint8_t)width,
				};
				enum trap_verdict got = trap_judge(
					&ctx, trap_pte(value, width), level);
				enum trap_verdict want = values[v].want(
					modes[m].mode, level, width, nxe);

				if (got != want)
					fail_msg("%s, mode %d level %d width "
						 "%d nxe %d: got %d, want %d",
						 value->name, modes[m].mode,
						 level, width, nxe, got, want);
			}
}

static void verdicts(void **state)
{
	(void)state;
	for (size_t v = 0; v < ARRAY_LEN(values); v++) {
		assert_int_equal(find(values[v].name)->max_level,
				 values[v].levels);
		for (size_t m = 0; m < ARRAY_LEN(modes); m++)
			verdicts_of(v, m);
	}
}

static void all_are_judged(void **state)
{
	unsigned int nr;

	(void)state;
	trap_values(&nr);
	assert_int_equal(nr, ARRAY_LEN(values));
}

static void who_has_them(void **state)
{
	struct smmu_config bypass = {.trap_pte = SMMU_TRAP_PTE};
	struct smmu_config none = {.sw.mmio_mark = true};

	(void)state;
	assert_true(trap_is_used(&bypass, find("trap")));
	assert_false(trap_is_used(&bypass, find("trap, IO mark")));
	bypass.sw.mmio_mark = true;
	assert_true(trap_is_used(&bypass, find("trap, IO mark")));
	assert_false(trap_is_used(&none, find("trap")));
	assert_false(trap_is_used(&none, find("trap, IO mark")));
}

static void what_they_are(void **state)
{
	const struct trap_value *gnp = find("guest-not-present");
	const struct trap_value *mmio = find("MMIO");

	(void)state;
	for (int width = 36; width <= 52; width++) {
		uint64_t above = width < 52 ? BITS(51, width) : 0;

		assert_true(trap_pte(find("trap"), width) == ~UINT64_C(0xffe));
		assert_true(trap_pte(find("trap, IO mark"), width) ==
			    UINT64_C(0xfffffffffffff201));
		assert_true(trap_pte(gnp, width) ==
			    (width < 52 ? UINT64_MAX : 0));
		assert_true(trap_pte(mmio, width) ==
			    (width < 52 ? above | 0xfee00007 : 0));
	}
}

/* What the shadow MMU is told to use and what is judged are the same. */
static void as_configured(void **state)
{
	static const struct {
		const char *mmu;
		bool bypass, trap, io, gnp, mmio;
	} cases[] = {
		{"kvm-2.6.20-rc3", false, false, false, false, false},
		{"kvm-2.6.20", false, false, false, false, false},
		{"kvm-2.6.25", false, false, false, false, false},
		{"seed", true, true, true, false, false},
		{"kvm-2.6.25", true, true, true, false, false},
		{"kvm-2.6.28", true, true, false, false, false},
		{"kvm-3.1", false, false, false, false, true},
		{"xen", false, false, false, true, true},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct smmu_config config = {
			.sw = smmu_generation_find(cases[i].mmu)->sw,
			.maxphyaddr = 40,
		};

		smmu_set_values(&config, cases[i].bypass);
		assert_int_equal(trap_is_used(&config, find("trap")),
				 cases[i].trap);
		assert_int_equal(trap_is_used(&config, find("trap, IO mark")),
				 cases[i].io);
		assert_int_equal(
			trap_is_used(&config, find("guest-not-present")),
			cases[i].gnp);
		assert_int_equal(trap_is_used(&config, find("MMIO")),
				 cases[i].mmio);
	}
}

/* An entry with P=0 is no such value, but may be asked about. */
static void absent(void **state)
{
	struct paging_ctx ctx = {
		.mode = PAGING_4LEVEL, .nxe = true, .maxphyaddr = 52};

	(void)state;
	for (int level = 1; level <= 4; level++)
		assert_int_equal(trap_judge(&ctx, 0, level), TRAP_FAULTS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(verdicts),
		cmocka_unit_test(all_are_judged),
		cmocka_unit_test(who_has_them),
		cmocka_unit_test(what_they_are),
		cmocka_unit_test(as_configured),
		cmocka_unit_test(absent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
