/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the progress line says, and that only a terminal ever sees it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "cli/progress.h"

static const struct {
	const char *name;
	const char *label;
	uint64_t total, done;
	double seconds;
	const char *want;
} cases[] = {
	{"a quarter", "1/2 bypass=on", 4000000, 1000000, 1,
	 "1/2 bypass=on [#####...............]  25%, 1.0 M insns/s, 0:03 left"},
	{"nothing yet", "run", 100, 0, 2,
	 "run [....................]   0%, 0.0 M insns/s, 0:00 left"},
	{"done", "run", 1000000, 1000000, 1,
	 "run [####################] 100%, 1.0 M insns/s, 0:00 left"},
	{"more than was thought", "run", 1000000, 3000000, 1,
	 "run [####################] 100%, 3.0 M insns/s, 0:00 left"},
	{"minutes left", "run", 100000000, 1000000, 1,
	 "run [....................]   1%, 1.0 M insns/s, 1:39 left"},
	{"no end known", "run", 0, 5000000, 2,
	 "run | 5 M insns, 2.5 M insns/s"},
	{"a long label is cut", "abcdefghijklmnopqrstuvwxyz0123456789", 0, 0, 1,
	 "abcdefghijklmnopqrstuvwxyz | 0 M insns, 0.0 M insns/s"},
};

static void test_lines(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct progress progress = {.unit = "insns",
					    .label = cases[i].label,
					    .total = cases[i].total};
		char got[256];

		progress_line(&progress, cases[i].done, cases[i].seconds, got,
			      sizeof(got));
		if (strcmp(got, cases[i].want) != 0)
			fail_msg("%s: got \"%s\", want \"%s\"", cases[i].name,
				 got, cases[i].want);
		assert_true(strlen(got) < 79);
	}
}

static void test_not_a_terminal(void **state)
{
	FILE *file = tmpfile();
	struct progress progress;

	(void)state;
	progress_begin(&progress, file, "run", 100);
	progress.began = 0; /* long ago */
	for (uint64_t done = 0; done < 100; done++)
		progress_update(&progress, done);
	progress_hide(&progress);
	fflush(file);
	assert_int_equal(ftell(file), 0);
	fclose(file);
}

/* As on a terminal: nothing in the first second, erased at the end. */
static void test_shown_and_erased(void **state)
{
	FILE *file = tmpfile();
	struct progress progress;
	char text[512] = "";

	(void)state;
	progress_begin(&progress, file, "run", 100);
	progress.is_terminal = true;
	progress_update(&progress, 10);
	assert_int_equal(ftell(file), 0);
	progress.began = 0;
	progress_update(&progress, 50);
	progress_update(&progress, 51); /* too soon for another */
	progress_hide(&progress);
	progress_hide(&progress);
	rewind(file);
	assert_true(fread(text, 1, sizeof(text) - 1, file) > 0);
	assert_int_equal(strncmp(text, "\r\033[Krun [##########", 18), 0);
	assert_null(strchr(text, '\n'));
	/* One line, then one erasure, at the very end. */
	assert_string_equal(strrchr(text, '\r'), "\r\033[K");
	assert_ptr_equal(strchr(text + 1, '\r'), strrchr(text, '\r'));
	fclose(file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_not_a_terminal),
		cmocka_unit_test(test_shown_and_erased),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
