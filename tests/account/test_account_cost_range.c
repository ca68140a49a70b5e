/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ranges as text: what is taken, what is refused, and what is printed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "account/cost_range.h"

static const struct {
	const char *text;
	struct cost_range range;
	const char *printed; /* NULL: as it was */
} good[] = {
	{"0", {0, 0, 0}, NULL},
	{"1579", {1579, 1579, 1579}, NULL},
	{"007", {7, 7, 7}, "7"},
	{"0x1F", {31, 31, 31}, "31"},
	{"18446744073709551615", {UINT64_MAX, UINT64_MAX, UINT64_MAX}, NULL},
	{"1579:1400..1800", {1579, 1400, 1800}, NULL},
	{"5:5..6", {5, 5, 6}, NULL},
	{"6:5..6", {6, 5, 6}, NULL},
	{"5:5..5", {5, 5, 5}, "5"},
	{"0x10:0xf..0x11", {16, 15, 17}, "16:15..17"},
	{"18446744073709551614:18446744073709551613..18446744073709551615",
	 {UINT64_MAX - 1, UINT64_MAX - 2, UINT64_MAX},
	 NULL},
};

static void test_good(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		const char *want =
			good[i].printed ? good[i].printed : good[i].text;
		char text[COST_RANGE_TEXT_MAX];
		struct cost_range got;

		if (cost_range_parse(good[i].text, &got))
			fail_msg("%s: refused", good[i].text);
		assert_true(got.typ == good[i].range.typ);
		assert_true(got.min == good[i].range.min);
		assert_true(got.max == good[i].range.max);
		cost_range_text(got, text);
		assert_string_equal(text, want);
	}
}

static const char *const bad[] = {
	"",
	"x",
	"-1",
	"+1",
	" 1",
	"1 ",
	"1k",
	"0x",
	"18446744073709551616",
	"1:",
	"1:1",
	"1:1..",
	"1:..1",
	"1:1.1",
	"1:1..2 ",
	"1:2..3",
	"4:2..3",
	"2:3..1",
	"1..2",
	":1..2",
	"1:-1..2",
	"1:0..18446744073709551616",
};

static void test_bad(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct cost_range got = {1, 2, 3};

		if (cost_range_parse(bad[i], &got) != -EINVAL)
			fail_msg("\"%s\": taken", bad[i]);
		assert_true(got.typ == 1 && got.min == 2 && got.max == 3);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
