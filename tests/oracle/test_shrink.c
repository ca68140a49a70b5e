/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The shrinker itself: it finds the steps that matter, and those alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "shrink.h"

#define STEPS 500u

struct guilt {
	bool keep[STEPS];
	size_t guilty[3];
	size_t nr;
	unsigned int calls;
};

/* It fails if all the guilty are there. */
static bool all_there(void *context)
{
	struct guilt *g = context;

	g->calls++;
	for (size_t i = 0; i < g->nr; i++)
		if (!g->keep[g->guilty[i]])
			return false;
	return true;
}

/* Or an even number of those left: one alone can never be left out. */
static bool pairs_only(void *context)
{
	struct guilt *g = context;
	size_t kept = 0;

	g->calls++;
	for (size_t i = 0; i < STEPS; i++)
		kept += g->keep[i];
	return kept % 2 == 0 && all_there(g);
}

static void finds_the_guilty(void **state)
{
	static const struct {
		size_t guilty[3];
		size_t nr;
	} cases[] = {
		{{0, 0, 0}, 0},     {{0, 0, 0}, 1},     {{499, 0, 0}, 1},
		{{250, 251, 0}, 2}, {{0, 250, 499}, 3}, {{17, 18, 400}, 3},
	};

	(void)state;
	for (size_t c = 0; c < sizeof(cases) / sizeof(*cases); c++) {
		struct guilt g = {.nr = cases[c].nr};

		memset(g.keep, true, sizeof(g.keep));
		memcpy(g.guilty, cases[c].guilty, sizeof(g.guilty));
		assert_int_equal(shrink(g.keep, STEPS, all_there, &g, 10000),
				 g.nr);
		for (size_t i = 0; i < g.nr; i++)
			assert_true(g.keep[g.guilty[i]]);
		assert_true(g.calls < 1000);
	}
}

static void stops_in_time(void **state)
{
	struct guilt g = {.nr = 1, .guilty = {499}};

	(void)state;
	memset(g.keep, true, sizeof(g.keep));
	assert_true(shrink(g.keep, STEPS, all_there, &g, 3) > 1);
	assert_int_equal(g.calls, 3);
	assert_true(all_there(&g));
}

static void keeps_what_fails(void **state)
{
	struct guilt g = {.nr = 2, .guilty = {3, 7}};

	(void)state;
	memset(g.keep, true, sizeof(g.keep));
	assert_true(shrink(g.keep, STEPS, pairs_only, &g, 100000) >= 2);
	assert_true(pairs_only(&g));
}

static void ends_well(void *context)
{
	(void)context;
}

static void ends_badly(void *context)
{
	(void)context;
	_exit(3);
}

static void crashes(void *context)
{
	(void)context;
	abort();
}

static void hangs(void *context)
{
	(void)context;
	for (;;)
		pause();
}

static void tells_who_survives(void **state)
{
	(void)state;
	assert_true(survives(ends_well, NULL, true, 10));
	assert_false(survives(ends_badly, NULL, true, 10));
	assert_false(survives(crashes, NULL, true, 10));
	assert_false(survives(hangs, NULL, true, 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_the_guilty),
		cmocka_unit_test(stops_in_time),
		cmocka_unit_test(keeps_what_fails),
		cmocka_unit_test(tells_who_survives),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
