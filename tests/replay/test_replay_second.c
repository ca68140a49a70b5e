/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The second-level TLB of a replay: who asks it, what it answers, and that it
 * takes its time either way.  The generic machine: 4 sets of 4 ways for data in
 * the first level, 64 of 4 in the second, and none for fetches.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "arch/cpu_features.h"
#include "arch/cr.h"
#include "lanes.h"
#include "tape.h"

#define CODE  UINT64_C(0x1000)
#define DATA  UINT64_C(0x10000) /* pages of one set, five of them */
#define NR    5
#define STEP  UINT64_C(0x4000)
#define LEAF  (PTE_P | PTE_W | PTE_A | PTE_D)
#define TABLE (LEAF | PTE_U)

static uint64_t table[4][PT_ENTRIES];

/* A supervisor's code, and a user's data. */
static struct replay_lane *begin(void)
{
	struct trace_info info = tape_info();
	struct trace_item item = {.kind = TRACE_ITEM_TABLE};
	struct replay_lane *lane;

	info.features = FEATURE_SMAP;
	info.cr4 |= CR4_SMAP;
	lane = lane_of("native", "off", &info);
	memset(table, 0, sizeof(table));
	table[0][0] = TAPE_PDPT | TABLE;
	table[1][0] = TAPE_PD | TABLE;
	table[2][0] = TAPE_PT | TABLE;
	table[3][CODE >> PAGE_SHIFT] = 0x80000 | LEAF;
	for (unsigned int i = 0; i < NR; i++)
		table[3][(DATA + i * STEP) >> PAGE_SHIFT] =
			(0x90000 + i * PAGE_SIZE) | LEAF | PTE_U;
	for (unsigned int i = 0; i < ARRAY_LEN(table); i++) {
		item.gpa = TAPE_PML4 + i * PAGE_SIZE;
		item.table = table[i];
		replay_lane_item(lane, &item);
	}
	return lane;
}

static void refer(struct replay_lane *lane, enum trace_kind kind, gva_t gva,
		  bool user)
{
	const struct trace_ref ref = {.gva = gva,
				      .count = 1,
				      .kind = (uint8_t)kind,
				      .size = 4,
				      .user = user,
				      .ac = !user && kind != TRACE_FETCH};
	const struct trace_item item = {
		.kind = TRACE_ITEM_REFS, .nr = 1, .refs = &ref};

	replay_lane_item(lane, &item);
	assert_string_equal(replay_lane_line(lane), "");
}

static void expect(struct replay_lane *lane, uint64_t misses, uint64_t lookups,
		   uint64_t hits)
{
	const struct account *acct = sim_account(replay_lane_sim(lane));

	assert_int_equal(acct->tlb[TLB_l1d_misses], misses);
	assert_int_equal(acct->tlb[TLB_l2_lookups], lookups);
	assert_int_equal(acct->tlb[TLB_l2_hits], hits);
	assert_int_equal(acct->cost_count[COST_TLB_L2], lookups);
}

/* Five pages in four ways: the first is out again, and the second level's. */
static void answers_for_data(bool user)
{
	struct replay_lane *lane = begin();

	refer(lane, TRACE_FETCH, CODE, false);
	expect(lane, 0, 0, 0);
	for (unsigned int i = 0; i < NR; i++) {
		refer(lane, TRACE_READ, DATA + i * STEP, user);
		expect(lane, i + 1, i + 1, 0);
	}
	refer(lane, TRACE_READ, DATA + (NR - 1) * STEP, user);
	expect(lane, NR, NR, 0);
	refer(lane, TRACE_READ, DATA, user);
	expect(lane, NR + 1, NR + 1, 1);
	/* It is in the first level again. */
	refer(lane, TRACE_WRITE, DATA + 8, user);
	expect(lane, NR + 1, NR + 1, 1);
	replay_lane_destroy(lane);
}

static void answers_a_user(void **state)
{
	(void)state;
	answers_for_data(true);
}

/* With RFLAGS.AC a supervisor needs less than SMAP takes. */
static void answers_a_supervisor_with_ac(void **state)
{
	(void)state;
	answers_for_data(false);
}

/* Fetches have none here: a miss of theirs asks nobody. */
static void fetches_have_none(void **state)
{
	struct replay_lane *lane = begin();
	const struct account *acct = sim_account(replay_lane_sim(lane));

	(void)state;
	refer(lane, TRACE_FETCH, CODE, false);
	refer(lane, TRACE_FETCH, CODE + 4, false);
	assert_int_equal(acct->tlb[TLB_l1i_lookups], 2);
	assert_int_equal(acct->tlb[TLB_l1i_misses], 1);
	expect(lane, 0, 0, 0);
	replay_lane_destroy(lane);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_a_user),
		cmocka_unit_test(answers_a_supervisor_with_ac),
		cmocka_unit_test(fetches_have_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
