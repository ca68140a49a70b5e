/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What B saves over the ranges of costs, against every corner of them: cycles
 * are linear in each cost, so that no other point is worse or better.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "report/saving.h"
#include "sample.h"

#define NR 4 /* costs that are charged; the first is that of an exit */

static const enum cost_id ids[NR] = {COST_EXIT, COST_DISPATCH, COST_EMULATE,
				     COST_DELIVERY};

struct side {
	uint64_t units[NR];
	struct cost_range cost[NR];
};

static json_t *doc_of(const struct side *side)
{
	json_t *config = json_object(), *counts = json_object();
	uint64_t total = 0;

	for (int i = 0; i < NR; i++) {
		const char *key = cost_info(ids[i])->key;
		char text[COST_RANGE_TEXT_MAX];

		cost_range_text(side->cost[i], text);
		json_object_set_new(config, key, json_string(text));
		json_object_set_new(counts, key,
				    json_integer((json_int_t)side->units[i]));
		total += side->units[i] * side->cost[i].typ;
	}
	return json_pack("{s:o, s:o, s:{s:I}}", "config", config, "cost_counts",
			 counts, "cycles", "total", (json_int_t)total);
}

/* Cycles of a side with cost i at its most if bit i of corner is set; from
 * `first` on. */
static double cycles_at(const struct side *side, unsigned int corner, int first)
{
	double sum = 0;

	for (int i = first; i < NR; i++) {
		struct cost_range cost = side->cost[i];

		sum += (double)side->units[i] *
		       (double)(corner >> i & 1 ? cost.max : cost.min);
	}
	return sum;
}

/* With one corner for both, or each its own where their ranges differ. */
static bool goes_together(const struct side *a, const struct side *b,
			  unsigned int corner_a, unsigned int corner_b)
{
	for (int i = 0; i < NR; i++)
		if (!memcmp(&a->cost[i], &b->cost[i], sizeof(a->cost[i])) &&
		    ((corner_a ^ corner_b) >> i & 1))
			return false;
	return true;
}

static bool is_cheaper(struct break_even even, double x)
{
	switch (even.kind) {
	case BREAK_EVEN_EQUAL:
	case BREAK_EVEN_NEVER:
		return false;
	case BREAK_EVEN_ALWAYS:
		return true;
	case BREAK_EVEN_ABOVE:
		return x > even.at;
	case BREAK_EVEN_BELOW:
		return x < even.at;
	}
	return false;
}

static void check_evens(const struct side *a, const struct side *b,
			const json_t *doc_a, const json_t *doc_b)
{
	const char *key = cost_info(COST_EXIT)->key;
	struct break_even best = doc_cost_even(doc_a, doc_b, key, COSTS_FOR_B);
	struct break_even worst =
		doc_cost_even(doc_a, doc_b, key, COSTS_AGAINST_B);

	/* Between whole numbers, where no break-even point of these lies. */
	for (double x = 0.0123; x < 40; x += 0.917) {
		bool some = false, all = true;

		for (unsigned int i = 0; i < 1u << NR; i++) {
			for (unsigned int k = 0; k < 1u << NR; k++) {
				bool cheaper;

				if (!goes_together(a, b, i, k))
					continue;
				cheaper = x * (double)b->units[0] +
						  cycles_at(b, k, 1) <
					  x * (double)a->units[0] +
						  cycles_at(a, i, 1);
				some |= cheaper;
				all &= cheaper;
			}
		}
		assert_int_equal(is_cheaper(best, x), some);
		assert_int_equal(is_cheaper(worst, x), all);
	}
}

static void check_range(const struct side *a, const struct side *b,
			const struct saving_range *got)
{
	double low = INFINITY, high = -INFINITY;
	double least = INFINITY, most = -INFINITY;

	for (unsigned int i = 0; i < 1u << NR; i++) {
		for (unsigned int k = 0; k < 1u << NR; k++) {
			double from = cycles_at(a, i, 0);
			double to = cycles_at(b, k, 0);

			if (!goes_together(a, b, i, k))
				continue;
			low = fmin(low, to - from);
			high = fmax(high, to - from);
			least = fmin(least, 100 * (to / from - 1));
			most = fmax(most, 100 * (to / from - 1));
		}
	}
	assert_true(got->low == low && got->high == high);
	assert_true(fabs(got->percent_low - least) < 1e-9);
	assert_true(fabs(got->percent_high - most) < 1e-9);
}

static uint64_t below(uint64_t *seed, uint64_t n)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed % n;
}

static void random_side(struct side *side, const struct side *like,
			uint64_t *seed)
{
	for (int i = 0; i < NR; i++) {
		struct cost_range *cost = &side->cost[i];

		side->units[i] = below(seed, 8) + (i == 1);
		cost->min = 1 + below(seed, 9);
		cost->typ = cost->min + below(seed, 4);
		cost->max = cost->typ + below(seed, 6);
		if (like && below(seed, 4))
			*cost = like->cost[i];
	}
}

static void test_corners(void **state)
{
	uint64_t seed = 0x9e3779b97f4a7c15;
	unsigned int ranged = 0;

	(void)state;
	for (int i = 0; i < 400; i++) {
		struct saving_range range;
		struct side a, b;
		json_t *doc_a, *doc_b;

		random_side(&a, NULL, &seed);
		random_side(&b, &a, &seed);
		doc_a = doc_of(&a);
		doc_b = doc_of(&b);
		if (saving_range(doc_a, doc_b, &range)) {
			check_range(&a, &b, &range);
			ranged++;
		}
		check_evens(&a, &b, doc_a, doc_b);
		json_decref(doc_a);
		json_decref(doc_b);
	}
	assert_true(ranged > 300);
}

/* By hand.  A: 10 exits, 20 emulations; B: 4 exits, 20 emulations, 30
 * deliveries.  An exit 100 (90 to 120), an emulation exactly 7. */
static void test_text(void **state)
{
	struct side a = {{10, 0, 20, 0}, {{100, 90, 120}, {0}, {7, 7, 7}, {0}}};
	struct side b = {{4, 0, 20, 30}, {{100, 90, 120}, {0}, {7, 7, 7}, {0}}};
	char text[512];
	json_t *doc_a, *doc_b;

	(void)state;
	a.cost[3] = b.cost[3] = (struct cost_range){10, 8, 20};
	doc_a = doc_of(&a);
	doc_b = doc_of(&b);
	/* 30 deliveries for 6 exits: 5 times 10; 8; 20. */
	exit_even_text(doc_a, doc_b, "B", text, sizeof(text));
	assert_string_equal(text, "B is cheaper when an exit costs more than "
				  "50.0 cycles (now 100).");
	/* -6 * 120 + 30 * 8, -6 * 90 + 30 * 20; of 1340 and of 1040. */
	saving_range_text(doc_a, doc_b, "B", text, sizeof(text));
	assert_string_equal(
		text, "Over the ranges of costs, B changes cycles by -480 to "
		      "+60 (-35.8% to +5.8%); it is cheaper when an exit costs "
		      "more than 40.0 cycles if the other costs favour it "
		      "most, when an exit costs more than 100.0 cycles if they "
		      "favour it least.");
	json_decref(doc_a);
	json_decref(doc_b);
}

/* Without a range there is nothing to say. */
static void test_exact(void **state)
{
	struct side a = {{10, 0, 0, 0},
			 {{5, 5, 5}, {1, 1, 2}, {1, 1, 1}, {1, 1, 1}}};
	json_t *doc = doc_of(&a);
	struct saving_range range;
	char text[512] = "x";

	(void)state;
	assert_false(saving_range(doc, doc, &range));
	saving_range_text(doc, doc, "B", text, sizeof(text));
	assert_string_equal(text, "");
	exit_even_text(doc, doc, "B", text, sizeof(text));
	assert_string_equal(text, "B costs the same, whatever an exit costs.");
	json_decref(doc);
}

static uint64_t number(const struct report *report, const char *path)
{
	return report_number(report, 0, path);
}

/* In a result: three walks of 10, 8 to 15; an exit of 100, 90 to 120. */
static void test_result(void **state)
{
	struct account *acct = account_create();
	struct result result = {.acct = acct};
	struct report *report = report_create();
	struct diag diag;

	(void)state;
	for (unsigned int i = 0; i < NR_COSTS; i++)
		account_set_cost(acct, (enum cost_id)i, cost_exact(0));
	account_set_cost(acct, COST_DELIVERY, (struct cost_range){10, 8, 15});
	account_set_cost(acct, COST_EXIT, (struct cost_range){100, 90, 120});
	account_charge(acct, COST_DELIVERY, 3);
	assert_int_equal(report_add(report, &result, &diag), 0);
	account_exit_begin(acct, EXIT_REASON_HLT);
	account_exit_end(acct);
	assert_int_equal(report_add(report, &result, &diag), 0);

	assert_int_equal(number(report, "uncertainty/cycles/total/low"), 24);
	assert_int_equal(number(report, "uncertainty/cycles/total/high"), 45);
	assert_int_equal(
		report_number(report, 1, "uncertainty/cycles/total/high"), 165);
	assert_int_equal(
		report_number(report, 1, "uncertainty/cycles/exit/low"), 90);
	assert_int_equal(report_number(report, 1,
				       "uncertainty/latency/exit/HLT/p50/high"),
			 120);
	assert_int_equal(report_number(report, 1,
				       "uncertainty/latency/exit/HLT/mean/low"),
			 90);
	report_destroy(report);
	account_destroy(acct);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_corners),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_exact),
		cmocka_unit_test(test_result),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
