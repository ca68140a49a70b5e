/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Exits per guest fault, by exact formula.
 *
 * One demand fault on a page whose page table exists already costs
 *   kvm-2.6.20   guest fault + PT write + refault     = 3 exits
 *                (its fork detector is never reset: every write to the same
 *                table from the third on zaps it, for no further exit)
 *   kvm-2.6.24   guest fault + PT write               = 2
 *   seed and kvm-2.6.25, bypass off                   = 2
 *   kvm-2.6.25, bypass on               PT write      = 1
 *   seed, bypass on        PT write, and at every third of them the fork
 *                          detector zaps the table, for a refault: 4/3
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "synth.h"

/* All in one page table: 512 entries, one taken by the warm-up. */
#define PAGES 300

struct counts {
	uint64_t exits, injected, hidden, pt_write, direct, flooded;
};

static struct counts counts_of(const struct synth *s)
{
	const struct account *acct = sim_account(s->sim);

	return (struct counts){
		.exits = account_exits_total(acct),
		.injected = acct->pf_cause[CAUSE_injected],
		.hidden = acct->pf_cause[CAUSE_hidden_fill],
		.pt_write = acct->pf_cause[CAUSE_pt_write],
		.direct = account_faults_direct(acct),
		.flooded = acct->counter[CNT_mmu_flooded],
	};
}

/* The page table exists and is shadowed; the flood counter is at rest. */
static void warm_up(struct synth *s)
{
	assert_true(synth_touch(s, SYNTH_USER, PFEC_W, SYNTH_PTE_RW));
	assert_true(
		synth_touch(s, SYNTH_USER + PAGE_SIZE, PFEC_W, SYNTH_PTE_RW));
	synth_kernel_access(s, SYNTH_DIRECT + 0x180000, PFEC_W);
}

static const struct {
	const char *config;
	/* Exits per PAGES demand faults. */
	struct counts want;
} ladder[] = {
	{"audit=table mmu=kvm-2.6.20",
	 {3 * PAGES, PAGES, PAGES, PAGES, 0, PAGES - 1}},
	{"audit=table mmu=kvm-2.6.24", {2 * PAGES, PAGES, 0, PAGES, 0, 0}},
	{"audit=table mmu=seed bypass=off", {2 * PAGES, PAGES, 0, PAGES, 0, 0}},
	{"audit=table mmu=kvm-2.6.25 bypass=off",
	 {2 * PAGES, PAGES, 0, PAGES, 0, 0}},
	{"audit=table mmu=seed bypass=on",
	 {PAGES + PAGES / 3, 0, PAGES / 3, PAGES, PAGES, PAGES / 3}},
	{"audit=table mmu=kvm-2.6.25 bypass=on",
	 {PAGES, 0, 0, PAGES, PAGES, 0}},
};

static void expect(const char *config, const char *what, uint64_t got,
		   uint64_t want)
{
	if (got != want)
		fail_msg("%s: %s: got %llu, want %llu", config, what,
			 (unsigned long long)got, (unsigned long long)want);
}

static void exits_per_demand_fault(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(ladder); i++) {
		const struct counts *want = &ladder[i].want;
		const char *config = ladder[i].config;
		struct counts was, is;
		struct synth s;

		synth_start(&s, config);
		warm_up(&s);
		was = counts_of(&s);
		for (unsigned int n = 0; n < PAGES; n++)
			assert_true(synth_touch(
				&s, SYNTH_USER + (n + 2) * PAGE_SIZE, PFEC_W,
				SYNTH_PTE_RW));
		is = counts_of(&s);

		expect(config, "hidden", is.hidden - was.hidden, want->hidden);
		expect(config, "injected", is.injected - was.injected,
		       want->injected);
		expect(config, "pt_write", is.pt_write - was.pt_write,
		       want->pt_write);
		expect(config, "direct", is.direct - was.direct, want->direct);
		expect(config, "flooded", is.flooded - was.flooded,
		       want->flooded);
		expect(config, "exits", is.exits - was.exits, want->exits);
		expect(config, "guest faults", s.faults, PAGES + 2);
		synth_end(&s);
	}
}

/* A fault with P=1 in its code is the hypervisor's, bypass or not. */
static void cow_faults_still_exit(void **state)
{
	static const char *const config[] = {
		"audit=table mmu=kvm-2.6.25 bypass=off",
		"audit=table mmu=kvm-2.6.25 bypass=on",
		"audit=table mmu=seed bypass=on",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(config); i++) {
		struct counts was, is;
		struct synth s;

		synth_start(&s, config[i]);
		warm_up(&s);
		for (unsigned int n = 0; n < 16; n++)
			assert_true(synth_touch(
				&s, SYNTH_USER + (n + 2) * PAGE_SIZE, 0,
				SYNTH_PTE_RO));
		was = counts_of(&s);
		for (unsigned int n = 0; n < 16; n++)
			assert_true(synth_touch(
				&s, SYNTH_USER + (n + 2) * PAGE_SIZE, PFEC_W,
				SYNTH_PTE_RW));
		is = counts_of(&s);
		expect(config[i], "injected", is.injected - was.injected, 16);
		expect(config[i], "direct", is.direct - was.direct, 0);
		expect(config[i], "code 7", s.faults_by_code[7], 16);
		synth_end(&s);
	}
}

/* The order and the codes of the faults do not depend on the policy. */
static void the_guest_sees_the_same(void **state)
{
	uint64_t digest = 0, faults = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(ladder); i++) {
		struct synth s;
		gpa_t other;

		synth_start(&s, ladder[i].config);
		warm_up(&s);
		other = synth_new_space(&s);
		for (unsigned int n = 0; n < 200; n++) {
			gva_t gva = SYNTH_USER + (n * 37 % 101) * PAGE_SIZE;

			if (n % 50 == 49)
				synth_load_cr3(&s,
					       s.cr3 == other ? 0x1000 : other);
			synth_touch(&s, gva, n % 3 ? PFEC_W : 0,
				    n % 3 ? SYNTH_PTE_RW : SYNTH_PTE_RO);
		}
		if (!i) {
			digest = sim_fault_digest(s.sim);
			faults = s.faults;
		}
		expect(ladder[i].config, "faults", s.faults, faults);
		expect(ladder[i].config, "digest", sim_fault_digest(s.sim),
		       digest);
		synth_end(&s);
	}
	assert_true(faults > 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(exits_per_demand_fault),
		cmocka_unit_test(cow_faults_still_exit),
		cmocka_unit_test(the_guest_sees_the_same),
	};

	return cmocka_run_group_tests_name("sim_ladder", tests, NULL, NULL);
}
