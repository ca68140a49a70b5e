/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The verdict against the cycles themselves, at many costs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/types.h"
#include "report/break_even.h"

#define MOST 6

static uint64_t cycles(struct break_even_side side, uint64_t x, uint64_t scale)
{
	return side.units * x + side.rest * scale;
}

/* x is a fraction: x / scale */
static bool says_b(struct break_even even, uint64_t x, uint64_t scale)
{
	double at = (double)x / (double)scale;

	switch (even.kind) {
	case BREAK_EVEN_EQUAL:
	case BREAK_EVEN_NEVER:
		return false;
	case BREAK_EVEN_ALWAYS:
		return true;
	case BREAK_EVEN_ABOVE:
		return at > even.at + 1e-9;
	case BREAK_EVEN_BELOW:
		return at < even.at - 1e-9;
	}
	return false;
}

static void check(struct break_even_side a, struct break_even_side b)
{
	struct break_even even = break_even(a, b);
	const uint64_t scale = 60; /* 1, 2, 3, 4, 5 and 6 divide it */

	if (even.kind == BREAK_EVEN_ABOVE || even.kind == BREAK_EVEN_BELOW)
		assert_true(even.at > 0);
	for (uint64_t x = 1; x <= MOST * scale; x++) {
		bool want = cycles(b, x, scale) < cycles(a, x, scale);

		if (says_b(even, x, scale) != want)
			fail_msg("A %d %d, B %d %d, x %d/60: kind %d at %g",
				 (int)a.units, (int)a.rest, (int)b.units,
				 (int)b.rest, (int)x, even.kind, even.at);
	}
}

static void test_all(void **state)
{
	(void)state;
	for (uint64_t n = 0; n < MOST * MOST * MOST * MOST; n++) {
		struct break_even_side a = {n % MOST, n / MOST % MOST};
		struct break_even_side b = {n / MOST / MOST % MOST,
					    n / MOST / MOST / MOST};

		check(a, b);
	}
}

static const struct {
	const char *name;
	struct break_even_side a, b;
	const char *want;
} cases[] = {
	{"the same", {3, 5}, {3, 5}, "equal"},
	{"fewer exits, dearer handlers", {10, 100}, {4, 1000}, "> 150.0 x"},
	{"more exits, cheaper handlers", {4, 1000}, {10, 100}, "< 150.0 x"},
	{"a third", {4, 1}, {1, 2}, "> 0.3 x"},
	{"fewer of all", {10, 100}, {4, 99}, "any"},
	{"fewer exits, else equal", {10, 100}, {4, 100}, "any"},
	{"more exits, else equal", {4, 100}, {10, 100}, "none"},
	{"more of all", {4, 99}, {10, 100}, "none"},
	{"as many, the rest cheaper", {4, 99}, {4, 98}, "any"},
	{"as many, the rest dearer", {4, 98}, {4, 99}, "none"},
	{"large numbers",
	 {UINT64_C(1) << 40, 0},
	 {0, UINT64_C(3) << 40},
	 "> 3.0 x"},
};

static void test_text(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct break_even even = break_even(cases[i].a, cases[i].b);
		char text[64];

		break_even_text(even, 1, "x", text, sizeof(text));
		if (strcmp(text, cases[i].want) != 0)
			fail_msg("%s: got \"%s\", want \"%s\"", cases[i].name,
				 text, cases[i].want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all),
		cmocka_unit_test(test_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
