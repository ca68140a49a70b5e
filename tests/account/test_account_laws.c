/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What an account promises: sums that must agree, and that account_check()
 * says so, by name, for each that does not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "account/account.h"

/* Each cost another; emulation is the dearest. */
static uint64_t cost(enum cost_id id)
{
	return id == COST_EMULATE ? 5000 : 100 + 7 * (uint64_t)id;
}

/*
 * Ten references, of which five miss; two hit the second level, three walk: one
 * of them beside another, and four entries are read in its shadow.
 */
static void use_translation_hardware(struct account *acct)
{
	static const struct {
		enum tlb_counter id;
		uint64_t n;
	} counts[] = {
		{TLB_l1i_lookups, 4},  {TLB_l1d_lookups, 6},
		{TLB_l1i_misses, 1},   {TLB_l1d_misses, 4},
		{TLB_l2_lookups, 4},   {TLB_l2_hits, 2},
		{TLB_misses, 3},       {TLB_walks, 3},
		{TLB_psc_pde_hits, 1}, {TLB_psc_misses, 2},
		{TLB_walk_refs, 9},    {TLB_walk_refs_l1, 2},
		{TLB_walk_refs_l2, 3}, {TLB_walk_refs_mem, 4},
		{TLB_ad_assists, 1},   {TLB_walks_overlapped, 1},
		{TLB_ept_refs, 5},     {TLB_nested_lookups, 6},
		{TLB_nested_hits, 4},  {TLB_walk_refs_hidden, 4},
	};

	for (size_t i = 0; i < sizeof(counts) / sizeof(*counts); i++)
		acct->tlb[counts[i].id] = counts[i].n;
	account_charge(acct, COST_TLB_L2, 4);
	account_charge(acct, COST_WALK, 2);
	account_charge(acct, COST_WALK_L2, 1);
	account_charge(acct, COST_WALK_MEM, 4);
	account_charge(acct, COST_AD_ASSIST, 1);
}

/* Two page-fault exits, one CR access, a direct and an injected fault. */
static struct account *busy_account(void)
{
	struct account *acct = account_create();

	if (!acct)
		abort();
	for (int i = 0; i < NR_COSTS; i++)
		account_set_cost(acct, (enum cost_id)i,
				 cost_exact(cost((enum cost_id)i)));
	account_guest_time(acct, 1000);
	account_exit_begin(acct, EXIT_REASON_EXCEPTION_NMI);
	acct->pf_cause[CAUSE_injected]++;
	account_charge(acct, COST_GUEST_WALK_REF, 4);
	account_charge(acct, COST_INJECT, 1);
	account_exit_end(acct);
	account_guest_fault(acct, 7, false);
	account_charge(acct, COST_DELIVERY, 1);

	account_guest_fault(acct, 6, true);
	account_charge(acct, COST_DELIVERY, 1);
	account_exit_begin(acct, EXIT_REASON_EXCEPTION_NMI);
	acct->pf_cause[CAUSE_pt_write]++;
	account_charge(acct, COST_EMULATE, 1);
	account_exit_end(acct);

	account_exit_begin(acct, EXIT_REASON_CR_ACCESS);
	account_charge(acct, COST_CR_WRITE, 1);
	account_exit_end(acct);
	use_translation_hardware(acct);
	account_guest_time(acct, 1500);
	return acct;
}

static uint64_t part(const struct account *acct, enum cost_part id)
{
	return account_part_cycles(acct, id).typ;
}

static void test_sums(void **state)
{
	struct account *acct = busy_account();
	uint64_t hardware = cost(COST_EXIT), dispatch = cost(COST_DISPATCH);
	uint64_t handler = 3 * dispatch + 4 * cost(COST_GUEST_WALK_REF) +
			   cost(COST_INJECT) + cost(COST_EMULATE) +
			   cost(COST_CR_WRITE);
	uint64_t translation = 4 * cost(COST_TLB_L2) + 2 * cost(COST_WALK) +
			       cost(COST_WALK_L2) + 4 * cost(COST_WALK_MEM) +
			       cost(COST_AD_ASSIST);
	const struct histogram *pf =
		&acct->exit[EXIT_REASON_EXCEPTION_NMI]->typ;

	(void)state;
	assert_null(account_check(acct, 2));
	assert_int_equal(account_exits_total(acct), 3);
	assert_int_equal(account_exits(acct, EXIT_REASON_EXCEPTION_NMI), 2);
	assert_int_equal(account_exits(acct, EXIT_REASON_CR_ACCESS), 1);
	assert_int_equal(account_exits(acct, EXIT_REASON_HLT), 0);
	assert_int_equal(account_faults_direct(acct), 1);
	assert_int_equal(account_faults_injected(acct), 1);

	assert_int_equal(part(acct, PART_guest), 1500 * cost(COST_GUEST_INSN));
	assert_int_equal(part(acct, PART_exit), 3 * hardware);
	assert_int_equal(part(acct, PART_handler), handler);
	assert_int_equal(part(acct, PART_delivery), 2 * cost(COST_DELIVERY));
	assert_int_equal(part(acct, PART_translation), translation);
	assert_int_equal(acct->now,
			 1500 * cost(COST_GUEST_INSN) + 3 * hardware + handler +
				 translation + 2 * cost(COST_DELIVERY));

	/* The latency of an exit is what was charged between its ends. */
	assert_int_equal(pf->count, 2);
	assert_int_equal(pf->min, hardware + dispatch + cost(COST_INJECT) +
					  4 * cost(COST_GUEST_WALK_REF));
	assert_int_equal(pf->max, hardware + dispatch + cost(COST_EMULATE));
	account_destroy(acct);
}

static void test_time_never_runs_back(void **state)
{
	struct account *acct = account_create();

	(void)state;
	account_guest_time(acct, 100);
	account_guest_time(acct, 50);
	account_guest_time(acct, 100);
	account_guest_time(acct, 101);
	assert_int_equal(acct->cost_count[COST_GUEST_INSN], 101);
	assert_int_equal(acct->insns, 101);
	account_destroy(acct);
}

/* 5 walks of 3, 2 to 10; 7 exits of 100, 90 to 200; 2 flushes, exactly 11. */
static void test_three_clocks(void **state)
{
	struct account *acct = account_create();
	struct cost_range clock, translation, exit, handler;

	(void)state;
	account_set_cost(acct, COST_WALK_L1, (struct cost_range){3, 2, 10});
	account_set_cost(acct, COST_EXIT, (struct cost_range){100, 90, 200});
	account_set_cost(acct, COST_FLUSH, cost_exact(11));
	account_charge(acct, COST_WALK_L1, 5);
	account_charge(acct, COST_EXIT, 3);
	account_charge(acct, COST_FLUSH, 2);
	account_charge(acct, COST_EXIT, 4);

	clock = account_clock(acct);
	assert_int_equal(clock.typ, 15 + 700 + 22);
	assert_int_equal(clock.min, 10 + 630 + 22);
	assert_int_equal(clock.max, 50 + 1400 + 22);
	assert_int_equal(clock.typ, acct->now);

	translation = account_part_cycles(acct, PART_translation);
	exit = account_part_cycles(acct, PART_exit);
	handler = account_part_cycles(acct, PART_handler);
	assert_int_equal(translation.min, 10);
	assert_int_equal(translation.max, 50);
	assert_int_equal(exit.min, 630);
	assert_int_equal(exit.max, 1400);
	assert_true(cost_is_exact(handler));
	assert_int_equal(handler.typ, 22);

	/* The costs stay, the clocks begin again. */
	account_reset(acct);
	account_charge(acct, COST_EXIT, 1);
	clock = account_clock(acct);
	assert_int_equal(clock.min, 90);
	assert_int_equal(clock.max, 200);
	account_destroy(acct);
}

static void lose_cause(struct account *acct)
{
	acct->pf_cause[CAUSE_injected]--;
}

static void swap_cause_for_nothing(struct account *acct)
{
	acct->pf_cause[CAUSE_spurious] += 2;
}

static void lose_cycles(struct account *acct)
{
	acct->now--;
}

static void charge_twice(struct account *acct)
{
	acct->cost_count[COST_INJECT]++;
}

static void file_twice(struct account *acct)
{
	latency_add(acct->exit[EXIT_REASON_CR_ACCESS], cost_exact(1));
}

static void exit_for_free(struct account *acct)
{
	acct->cost_count[COST_EXIT]--;
	acct->now -= acct->cost[COST_EXIT].typ;
	acct->now_min -= acct->cost[COST_EXIT].min;
	acct->now_max -= acct->cost[COST_EXIT].max;
}

static void stop_least_clock(struct account *acct)
{
	acct->now_min++;
}

static void stop_most_clock(struct account *acct)
{
	acct->now_max--;
}

static void lose_miss(struct account *acct)
{
	acct->tlb[TLB_misses]--;
}

static void miss_unasked(struct account *acct)
{
	acct->tlb[TLB_l1i_lookups] = 0;
}

static void begin_nowhere(struct account *acct)
{
	acct->tlb[TLB_psc_pml4e_hits]++;
}

static void read_nowhere(struct account *acct)
{
	acct->tlb[TLB_walk_refs_l3]++;
}

static void read_for_free(struct account *acct)
{
	acct->tlb[TLB_walk_refs]++;
	acct->tlb[TLB_walk_refs_l1]++;
}

static void hide_walk(struct account *acct)
{
	acct->tlb[TLB_walks_overlapped]++;
}

static void assist_for_free(struct account *acct)
{
	acct->tlb[TLB_ad_assists]++;
}

static const struct {
	const char *name;
	void (*spoil)(struct account *acct);
	const char *law; /* part of its name */
} violations[] = {
	{"a miss that went nowhere", lose_miss, "missed the first TLB"},
	{"a miss without a lookup", miss_unasked, "lookups as misses"},
	{"a walk that began nowhere", begin_nowhere, "walks begin"},
	{"a read that ended nowhere", read_nowhere, "each cache level"},
	{"a read for free", read_for_free, "reads are paid"},
	{"a walk hidden and paid for", hide_walk, "walks are paid"},
	{"an assist for free", assist_for_free, "A/D assists"},
	{"a page-fault exit without cause", lose_cause, "causes"},
	{"more causes than exits", swap_cause_for_nothing, "causes"},
	{"the clock lost a cycle", lose_cycles, "part"},
	{"the clock of least costs is off", stop_least_clock, "part"},
	{"the clock of most costs is off", stop_most_clock, "part"},
	{"a cost counted and not charged", charge_twice, "part"},
	{"an exit filed twice", file_twice, "paid"},
	{"an exit that nobody paid for", exit_for_free, "paid"},
};

static void test_violations(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(violations); i++) {
		struct account *acct = busy_account();
		const char *law;

		violations[i].spoil(acct);
		law = account_check(acct, 2);
		if (!law || !strstr(law, violations[i].law))
			fail_msg("%s: got %s, want a law on %s",
				 violations[i].name, law ? law : "nothing",
				 violations[i].law);
		account_destroy(acct);
	}
}

/* Names are members of results: there must be one each, and no two alike. */
static void test_names(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < NR_COUNTERS; i++) {
		assert_true(counter_what((enum counter_id)i)[0]);
		for (unsigned int j = 0; j < i; j++)
			assert_string_not_equal(
				counter_name((enum counter_id)i),
				counter_name((enum counter_id)j));
	}
	for (unsigned int i = 0; i < NR_CAUSES; i++) {
		assert_true(cause_what((enum pf_cause)i)[0]);
		for (unsigned int j = 0; j < i; j++)
			assert_string_not_equal(cause_name((enum pf_cause)i),
						cause_name((enum pf_cause)j));
	}
	for (unsigned int i = 0; i < NR_COSTS; i++) {
		const struct cost_info *info = cost_info((enum cost_id)i);

		assert_true(info->what[0]);
		assert_int_equal(strncmp(info->key, "cost.", 5), 0);
		for (unsigned int j = 0; j < i; j++)
			assert_string_not_equal(
				info->key, cost_info((enum cost_id)j)->key);
	}
	for (unsigned int i = 0; i < NR_PARTS; i++)
		assert_true(part_name((enum cost_part)i)[0] &&
			    part_what((enum cost_part)i)[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sums),
		cmocka_unit_test(test_three_clocks),
		cmocka_unit_test(test_time_never_runs_back),
		cmocka_unit_test(test_violations),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
