/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The cycles of a few events, added up by hand from the files of machines/ and
 * hypervisors/: -D machine= and hypervisor= reach the account.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "synth.h"

/* CPUID: exit and entry, dispatch, a handler of the common kind. */
static const struct {
	const char *settings;
	uint64_t typ, min, max;
} cpuids[] = {
	{"", 1579 + 2500 + 300, 1579 + 2500 + 150, 2123 + 4000 + 600},
	{"machine=merom", 1579 + 2500 + 300, 1579 + 2500 + 150,
	 2123 + 4000 + 600},
	{"machine=prescott", 3963 + 2500 + 300, 3963 + 2500 + 150,
	 4340 + 4000 + 600},
	{"machine=westmere", 761 + 2500 + 300, 761 + 2500 + 150,
	 761 + 4000 + 600},
	{"machine=westmere cost.exit=5", 5 + 2500 + 300, 5 + 2500 + 150,
	 5 + 4000 + 600},
	{"cost.exit=5:1..9 machine=westmere", 5 + 2500 + 300, 1 + 2500 + 150,
	 9 + 4000 + 600},
	{"hypervisor=kvm-2.6.20", 1579 + 7421 + 300, 1579 + 6500 + 150,
	 2123 + 7421 + 600},
	{"hypervisor=era mmu=kvm-2.6.20", 1579 + 7421 + 300, 1579 + 6500 + 150,
	 2123 + 7421 + 600},
	{"mmu=kvm-2.6.24 hypervisor=era machine=penryn", 1266 + 3991 + 300,
	 1266 + 2500 + 150, 1266 + 4291 + 600},
	{"machine=k10 hypervisor=kvm-2.6.20", 1300 + 7421 + 300,
	 900 + 6500 + 150, 2000 + 7421 + 600},
};

static void test_cpuid(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cpuids); i++) {
		const struct account *acct;
		struct cost_range before, after;
		struct synth s;

		synth_start(&s, cpuids[i].settings);
		acct = sim_account(s.sim);
		before = account_clock(acct);
		/* An instruction has passed since, by synth's own clock. */
		before.typ -= acct->cost_count[COST_GUEST_INSN];
		before.min -= acct->cost_count[COST_GUEST_INSN];
		before.max -= acct->cost_count[COST_GUEST_INSN];
		synth_push(&s, (struct guest_event){.kind = GE_CPUID});
		after = account_clock(acct);
		after.typ -= acct->cost_count[COST_GUEST_INSN];
		after.min -= acct->cost_count[COST_GUEST_INSN];
		after.max -= acct->cost_count[COST_GUEST_INSN];
		if (after.typ - before.typ != cpuids[i].typ ||
		    after.min - before.min != cpuids[i].min ||
		    after.max - before.max != cpuids[i].max)
			fail_msg("%s: got %llu:%llu..%llu", cpuids[i].settings,
				 (unsigned long long)(after.typ - before.typ),
				 (unsigned long long)(after.min - before.min),
				 (unsigned long long)(after.max - before.max));
		synth_end(&s);
	}
}

/* The shape, too. */
static void test_geometry(void **state)
{
	struct config config;

	(void)state;
	assert_true(synth_configure(&config, "machine=skylake"));
	assert_int_equal(config.machine.geometry.walkers, 2);
	assert_int_equal(config.machine.geometry.psc[PSC_PDE].sets, 8);
	assert_true(synth_configure(&config, "machine=zen2"));
	assert_int_equal(config_get(&config, OPT_vendor), VENDOR_AMD);
	assert_int_equal(config_get(&config, OPT_maxphyaddr), 48);
	assert_int_equal(config.machine.geometry.nr_tlbs, 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cpuid),
		cmocka_unit_test(test_geometry),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
