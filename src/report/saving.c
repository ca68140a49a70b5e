/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report/saving.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "account/account.h"
#include "report/internal.h"

struct cost_range doc_cost(const json_t *doc, const char *key)
{
	struct cost_range range;

	if (cost_range_parse(doc_setting(doc, key), &range))
		return (struct cost_range){0};
	return range;
}

/* One cost on both sides. */
struct term {
	const char *key;
	uint64_t units[2]; /* of A, of B */
	struct cost_range cost[2];
	bool same; /* one cost, whatever it is */
};

static bool is_equal(struct cost_range a, struct cost_range b)
{
	return a.typ == b.typ && a.min == b.min && a.max == b.max;
}

/* Returns how many: the costs there are in this version. */
static size_t terms_of(const json_t *a, const json_t *b,
		       struct term terms[NR_COSTS])
{
	const json_t *doc[2] = {a, b};

	for (unsigned int i = 0; i < NR_COSTS; i++) {
		struct term *t = &terms[i];

		t->key = cost_info((enum cost_id)i)->key;
		for (int side = 0; side < 2; side++) {
			t->units[side] = doc_member(
				json_object_get(doc[side], "cost_counts"),
				t->key);
			t->cost[side] = doc_cost(doc[side], t->key);
		}
		t->same = is_equal(t->cost[0], t->cost[1]);
	}
	return NR_COSTS;
}

static uint64_t end_of(struct cost_range cost, bool high)
{
	return high ? cost.max : cost.min;
}

/*
 * The cost to take on one side so that units[1] * cost - weight * units[0] *
 * cost is as small, or as large, as it can be.
 */
static uint64_t choose(const struct term *t, int side, double weight,
		       bool largest)
{
	double slope = (double)t->units[1] - weight * (double)t->units[0];

	if (t->same)
		return end_of(t->cost[0], (slope > 0) == largest);
	return end_of(t->cost[side], (side == 1) == largest);
}

/* Cycles of both sides with such costs; `but` is left out. */
static void sum_terms(const struct term *terms, size_t nr, const char *but,
		      double weight, bool largest, uint64_t sum[2])
{
	sum[0] = sum[1] = 0;
	for (size_t i = 0; i < nr; i++) {
		if (but && !strcmp(terms[i].key, but))
			continue;
		for (int side = 0; side < 2; side++)
			sum[side] += terms[i].units[side] *
				     choose(&terms[i], side, weight, largest);
	}
}

struct break_even doc_cost_even(const json_t *a, const json_t *b,
				const char *key, enum cost_choice choice)
{
	const json_t *doc[2] = {a, b};
	struct term terms[NR_COSTS];
	size_t nr = terms_of(a, b, terms);
	struct break_even_side side[2];
	uint64_t rest[2];

	sum_terms(terms, nr, key, 1, choice == COSTS_AGAINST_B, rest);
	for (int i = 0; i < 2; i++) {
		side[i].units =
			doc_member(json_object_get(doc[i], "cost_counts"), key);
		side[i].rest = rest[i];
		/* Also of what an older version counted. */
		if (choice == COSTS_TYPICAL)
			side[i].rest =
				doc_u64(doc[i], "cycles/total") -
				side[i].units * doc_cost(doc[i], key).typ;
	}
	return break_even(side[0], side[1]);
}

/* "when an exit costs more than 812.0 cycles" */
static void phrase(struct break_even even, char *buf, size_t size)
{
	switch (even.kind) {
	case BREAK_EVEN_EQUAL:
	case BREAK_EVEN_NEVER:
		snprintf(buf, size, "at no cost of an exit");
		break;
	case BREAK_EVEN_ALWAYS:
		snprintf(buf, size, "at any cost of an exit");
		break;
	case BREAK_EVEN_ABOVE:
	case BREAK_EVEN_BELOW:
		snprintf(buf, size, "when an exit costs %s than %.1f cycles",
			 even.kind == BREAK_EVEN_ABOVE ? "more" : "less",
			 even.at);
		break;
	}
}

static const char *exit_key(void)
{
	return cost_info(COST_EXIT)->key;
}

void exit_even_text(const json_t *a, const json_t *b, const char *name,
		    char *buf, size_t size)
{
	struct break_even even = doc_cost_even(a, b, exit_key(), COSTS_TYPICAL);
	uint64_t now = doc_cost(b, exit_key()).typ;
	char when[80];

	buf[0] = 0;
	if (!*doc_setting(a, exit_key()) || !*doc_setting(b, exit_key()))
		return;
	phrase(even, when, sizeof(when));
	if (even.kind == BREAK_EVEN_EQUAL)
		snprintf(buf, size,
			 "%s costs the same, whatever an exit costs.", name);
	else
		snprintf(buf, size, "%s is cheaper %s (now %" PRIu64 ").", name,
			 when, now);
}

static bool has_range(const struct term *terms, size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		for (int side = 0; side < 2; side++)
			if (terms[i].units[side] &&
			    !cost_is_exact(terms[i].cost[side]))
				return true;
	return false;
}

/*
 * The least or greatest B / A.  A quotient of two sums over a box is greatest
 * where B - r * A is, r being that quotient: begin somewhere and repeat until
 * it stays (Dinkelbach's method; each turn improves it, and there are finitely
 * many corners).
 */
static double extreme_ratio(const struct term *terms, size_t nr, bool largest)
{
	double ratio = 1;

	for (int i = 0; i < 64; i++) {
		double before = ratio;
		uint64_t sum[2];

		sum_terms(terms, nr, NULL, ratio, largest, sum);
		if (!sum[0])
			return ratio;
		ratio = (double)sum[1] / (double)sum[0];
		if (fabs(ratio - before) < 1e-12)
			break;
	}
	return ratio;
}

bool saving_range(const json_t *a, const json_t *b, struct saving_range *ret)
{
	struct term terms[NR_COSTS];
	size_t nr = terms_of(a, b, terms);
	uint64_t least[2], most[2];

	if (!has_range(terms, nr))
		return false;
	sum_terms(terms, nr, NULL, 1, false, least);
	sum_terms(terms, nr, NULL, 1, true, most);
	if (!least[0] || !least[1])
		return false;
	*ret = (struct saving_range){
		.low = (double)least[1] - (double)least[0],
		.high = (double)most[1] - (double)most[0],
		.percent_low = 100 * (extreme_ratio(terms, nr, false) - 1),
		.percent_high = 100 * (extreme_ratio(terms, nr, true) - 1),
	};
	return true;
}

void saving_range_text(const json_t *a, const json_t *b, const char *name,
		       char *buf, size_t size)
{
	char best[80], worst[80], when[256];
	struct saving_range range;

	buf[0] = 0;
	if (!saving_range(a, b, &range))
		return;
	phrase(doc_cost_even(a, b, exit_key(), COSTS_FOR_B), best,
	       sizeof(best));
	phrase(doc_cost_even(a, b, exit_key(), COSTS_AGAINST_B), worst,
	       sizeof(worst));
	if (!strcmp(best, worst))
		snprintf(when, sizeof(when), "%s", best);
	else
		snprintf(when, sizeof(when),
			 "%s if the other costs favour it most, %s if they "
			 "favour it least",
			 best, worst);
	snprintf(buf, size,
		 "Over the ranges of costs, %s changes cycles by %+.0f to "
		 "%+.0f (%+.1f%% to %+.1f%%); it is cheaper %s.",
		 name, range.low, range.high, range.percent_low,
		 range.percent_high, when);
}
