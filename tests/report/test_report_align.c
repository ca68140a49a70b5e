/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lists of exits made by hand and what they are paired to.  An exit is its
 * position and a letter: h, i, w, a, the first letters of page-fault causes
 * (w: pt_write), C and D, other reasons.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/align.h"

static const char letters[] = "hiwaCD";

static struct align_exit exit_of(uint64_t position, char letter)
{
	static const int causes[] = {CAUSE_hidden_fill, CAUSE_injected,
				     CAUSE_pt_write, CAUSE_accessed_dirty};
	size_t i = (size_t)(strchr(letters, letter) - letters);
	struct align_exit exit = {
		.position = position,
		.reason = EXIT_REASON_EXCEPTION_NMI,
		.cause = ALIGN_NO_CAUSE,
		.insns = i,
	};

	if (i < ARRAY_LEN(causes))
		exit.cause = causes[i];
	else
		exit.reason = letter == 'C' ? EXIT_REASON_CR_ACCESS
					    : EXIT_REASON_DR_ACCESS;
	return exit;
}

/* "1h 1i 7w" */
static void add_all(struct align *align, enum align_side side, const char *text)
{
	while (*text) {
		char *end;
		uint64_t position = strtoull(text, &end, 10);
		struct align_exit exit = exit_of(position, *end);

		assert_int_equal(align_add(align, side, &exit), 0);
		text = end + 1;
		text += *text == ' ';
	}
}

struct log {
	char text[4096];
	size_t len;
	size_t nr;
};

static void take_pair(void *context, const struct align_exit *a,
		      const struct align_exit *b)
{
	struct log *log = context;

	assert_true(a || b);
	if (a && b)
		assert_true(a->position == b->position);
	log->nr++;
	log->len += (size_t)snprintf(
		log->text + log->len, sizeof(log->text) - log->len,
		"%s%" PRIu64 "%c%c", log->len ? " " : "",
		a ? a->position : b->position, a ? letters[a->insns] : '-',
		b ? letters[b->insns] : '-');
	assert_true(log->len < sizeof(log->text));
}

static const struct {
	const char *name;
	const char *a, *b;
	const char *want; /* position, A, B */
} cases[] = {
	{"nothing", "", "", ""},
	{"equal", "1h 2i 2h 9C", "1h 2i 2h 9C", "1hh 2ii 2hh 9CC"},
	{"removed", "1i 2w 3i", "2w", "1i- 2ww 3i-"},
	{"added", "2w", "1i 2w 3i", "1-i 2ww 3-i"},
	{"changed", "4h", "4w", "4hw"},
	{"one reason or another", "4C", "4D", "4CD"},
	{"not at one position", "4h", "5h", "4h- 5-h"},
	{"removed before what stays", "1h 1i", "1i", "1h- 1ii"},
	{"removed after it", "1h 1i", "1h", "1hh 1i-"},
	{"removed in the midst", "1h 1a 1i", "1h 1i", "1hh 1a- 1ii"},
	{"added in the midst", "1h 1i", "1h 1a 1i", "1hh 1-a 1ii"},
	{"changed before what stays", "1h 1i", "1w 1i", "1hw 1ii"},
	{"changed between what stays", "1h 1a 1i", "1h 1w 1i", "1hh 1aw 1ii"},
	{"changed and one more", "1h 1h", "1w", "1hw 1h-"},
	{"as many as can be stay", "1i 1h 1w 1a", "1h 1w 1a 1i",
	 "1i- 1hh 1ww 1aa 1-i"},
	{"of two ways the one that removes first", "1h 1i", "1i 1h",
	 "1h- 1ii 1-h"},
	{"of two reasons one stays", "1C 1D", "1D", "1C- 1DD"},
	{"the same twice", "1h 1h", "1h", "1hh 1h-"},
	{"one side is empty", "1h 2h 3h", "", "1h- 2h- 3h-"},
	{"a demand fault, injected or not", "5i 8w 12h", "8w", "5i- 8ww 12h-"},
};

static void test_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct log log = {.text = ""};
		struct align *align = align_create(take_pair, &log);

		add_all(align, ALIGN_A, cases[i].a);
		add_all(align, ALIGN_B, cases[i].b);
		align_settle(align, UINT64_MAX);
		if (strcmp(log.text, cases[i].want) != 0)
			fail_msg("%s: got \"%s\", want \"%s\"", cases[i].name,
				 log.text, cases[i].want);
		align_destroy(align);
	}
}

/* What is not settled waits, on either side. */
static void test_settle(void **state)
{
	struct log log = {.text = ""};
	struct align *align = align_create(take_pair, &log);

	(void)state;
	add_all(align, ALIGN_A, "1h 3i 5w");
	align_settle(align, 1);
	assert_string_equal(log.text, "");
	add_all(align, ALIGN_B, "1h");
	align_settle(align, 5);
	assert_string_equal(log.text, "1hh 3i-");
	add_all(align, ALIGN_B, "5w 6C");
	align_settle(align, 6);
	assert_string_equal(log.text, "1hh 3i- 5ww");
	align_settle(align, 6);
	align_settle(align, 7);
	assert_string_equal(log.text, "1hh 3i- 5ww 6-C");
	align_destroy(align);
	align_destroy(NULL);
}

static void test_forget(void **state)
{
	struct log log = {.text = ""};
	struct align *align = align_create(take_pair, &log);

	(void)state;
	add_all(align, ALIGN_A, "1h 2h");
	add_all(align, ALIGN_B, "1h");
	align_forget(align, ALIGN_A);
	add_all(align, ALIGN_A, "3C");
	align_settle(align, UINT64_MAX);
	assert_string_equal(log.text, "1-h 3C-");
	align_destroy(align);
}

/* Too many at one position for a look at all pairs: in their order. */
static void test_crowd(void **state)
{
	struct log log = {.text = ""};
	struct align *align = align_create(take_pair, &log);
	struct align_exit fill = exit_of(7, 'h'), inject = exit_of(7, 'i');

	(void)state;
	for (int i = 0; i < 300; i++)
		assert_int_equal(align_add(align, ALIGN_A, &fill), 0);
	assert_int_equal(align_add(align, ALIGN_B, &inject), 0);
	for (int i = 0; i < 298; i++)
		assert_int_equal(align_add(align, ALIGN_B, &fill), 0);
	align_settle(align, UINT64_MAX);
	assert_int_equal(log.nr, 300);
	assert_memory_equal(log.text, "7hi 7hh ", 8);
	assert_string_equal(log.text + log.len - 3, "7h-");

	/* Or on one side alone. */
	for (int side = 0; side < 2; side++) {
		enum align_side crowded = (enum align_side)side;

		log = (struct log){.text = ""};
		for (int i = 0; i < 300; i++)
			assert_int_equal(align_add(align, crowded, &fill), 0);
		assert_int_equal(
			align_add(align, (enum align_side) !side, &inject), 0);
		align_settle(align, UINT64_MAX);
		assert_int_equal(log.nr, 300);
		assert_memory_equal(log.text, side ? "7ih " : "7hi ", 4);
	}
	align_destroy(align);
}

static char random_letter(uint32_t *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return letters[(*seed >> 16) % (sizeof(letters) - 1)];
}

/* What is paired is what was added, in the order of each side. */
static void test_random(void **state)
{
	uint32_t seed = 1;

	(void)state;
	for (int round = 0; round < 300; round++) {
		struct log log = {.text = ""};
		struct align *align = align_create(take_pair, &log);
		char all[2][256] = {"", ""}, got[2][256] = {"", ""};

		for (int i = 0; i < 80; i++) {
			int side = random_letter(&seed) < 'h';
			char letter = random_letter(&seed);
			struct align_exit exit =
				exit_of((uint64_t)(i / 8), letter);

			assert_int_equal(
				align_add(align, (enum align_side)side, &exit),
				0);
			strncat(all[side], &letter, 1);
			if (i % 16 == 15)
				align_settle(align, (uint64_t)(i / 8));
		}
		align_settle(align, UINT64_MAX);
		for (char *p = log.text; *p; p += strcspn(p, " ") + !!p[3]) {
			if (p[1] != '-')
				strncat(got[0], p + 1, 1);
			if (p[2] != '-')
				strncat(got[1], p + 2, 1);
		}
		assert_string_equal(got[0], all[0]);
		assert_string_equal(got[1], all[1]);
		align_destroy(align);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),  cmocka_unit_test(test_settle),
		cmocka_unit_test(test_forget), cmocka_unit_test(test_crowd),
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
