/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lines of a file of numbers, and the one line that each wrong one gets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "machine/ini.h"

static int parse(const char *text, struct ini *ini, struct diag *diag)
{
	return ini_parse(text, strlen(text), "x.ini", ini, diag);
}

static void test_lines(void **state)
{
	static const char text[] = "# a comment; with = signs\n"
				   "\n"
				   "[costs]\n"
				   "  cost.exit = 1579 [1266 .. 2123] ; M:hi "
				   "Agesen'12; table 1\r\n"
				   "\tname=two words\t; A  = here #\n"
				   "[tlb]\n"
				   "name = 1 load 4k 64/4 ; R leaf 2";
	const struct ini_entry *entry;
	struct diag diag;
	struct ini ini;

	(void)state;
	assert_int_equal(parse(text, &ini, &diag), 0);
	assert_int_equal(ini.nr, 3);
	entry = ini_find(&ini, "costs", "cost.exit");
	assert_non_null(entry);
	assert_string_equal(entry->value, "1579");
	assert_string_equal(entry->range, "1266 .. 2123");
	assert_int_equal(entry->tag, INI_MEMORY_HIGH);
	assert_string_equal(entry->source, "Agesen'12; table 1");
	assert_int_equal(entry->line, 4);
	entry = ini_find(&ini, "costs", "name");
	assert_string_equal(entry->value, "two words");
	assert_null(entry->range);
	assert_int_equal(entry->tag, INI_ASSUMED);
	assert_string_equal(entry->source, "= here #");
	entry = ini_find(&ini, "tlb", "name");
	assert_string_equal(entry->value, "1 load 4k 64/4");
	assert_int_equal(entry->line, 7);
	assert_null(ini_find(&ini, "tlb", "cost.exit"));
	ini_finish(&ini);
}

static void test_tags(void **state)
{
	static const char *const names[] = {"R",     "D",    "M:hi",
					    "M:med", "M:lo", "A"};

	(void)state;
	assert_int_equal(ARRAY_LEN(names), NR_INI_TAGS);
	for (int i = 0; i < NR_INI_TAGS; i++) {
		char text[64];
		struct diag diag;
		struct ini ini;

		snprintf(text, sizeof(text), "[s]\nk = 1 ; %s why\n", names[i]);
		assert_int_equal(parse(text, &ini, &diag), 0);
		assert_int_equal(ini.entry[0].tag, i);
		assert_string_equal(ini_tag_name((enum ini_tag)i), names[i]);
		assert_true(ini_tag_what((enum ini_tag)i)[0]);
		ini_finish(&ini);
	}
}

/* Each after "[s]\n", so it is line 2. */
static const struct {
	const char *line, *says;
} refusals[] = {
	{"k = 1", "x.ini:2: k has no source; want \"; TAG source\""},
	{"k = 1 ;", "x.ini:2: k: \"\" is no tag; want R, D, M:hi"},
	{"k = 1 ; R", "x.ini:2: k: the source is missing behind R"},
	{"k = 1 ; R  ", "the source is missing behind R"},
	{"k = 1 ; X book", "x.ini:2: k: \"X\" is no tag"},
	{"k = 1 ; M book", "\"M\" is no tag"},
	{"k = 1 ; M:high book", "\"M:high\" is no tag"},
	{"k = 1 ; r book", "\"r\" is no tag"},
	{"k 1 ; R book", "x.ini:2: \"k 1 ; R book\": want key = value"},
	{"k ; R a = b", "want key = value"},
	{"k = ; R book", "x.ini:2: k has no value"},
	{"k = [1..2] ; R book", "x.ini:2: k has no value"},
	{"k = 1 [1..2 ; R book", "nothing may follow [MIN..MAX]"},
	{"k = 1 [1..2] 3 ; R book", "nothing may follow [MIN..MAX]"},
	{" = 1 ; R book", "\"\" is no name for a key"},
	{"K = 1 ; R book", "\"K\" is no name for a key"},
	{"a b = 1 ; R book", "\"a b\" is no name for a key"},
	{"[t", "x.ini:2: \"[t\": a section has no ']'"},
	{"[]", "\"\" is no name for a section"},
	{"[a b]", "\"a b\" is no name for a section"},
	{"k = 1 ; R \x01", "not a text of ASCII letters"},
	{"k = 1 ; R caf\xc3\xa9", "x.ini:2: not a text of ASCII letters"},
	{"k = 1 ; R a\nk = 1 ; R a", "x.ini:3: k is set at line 2 already"},
};

static void test_refusals(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(refusals); i++) {
		char text[128];
		struct diag diag = {""};
		struct ini ini = {0};
		int err;

		snprintf(text, sizeof(text), "[s]\n%s\n", refusals[i].line);
		err = parse(text, &ini, &diag);
		if (err != -EINVAL || !strstr(diag.msg, refusals[i].says) ||
		    strchr(diag.msg, '\n'))
			fail_msg("%s: got %d, \"%s\"; want \"%s\"",
				 refusals[i].line, err, diag.msg,
				 refusals[i].says);
		assert_null(ini.entry);
	}
}

static void test_outside(void **state)
{
	struct diag diag = {""};
	struct ini ini;
	char text[INI_LINE_MAX + 8];

	(void)state;
	assert_int_equal(parse("k = 1 ; R book\n", &ini, &diag), -EINVAL);
	assert_string_equal(diag.msg,
			    "x.ini:1: k stands before the first [section]");
	assert_int_equal(parse("", &ini, &diag), 0);
	assert_int_equal(ini.nr, 0);
	ini_finish(&ini);
	memset(text, '#', sizeof(text));
	assert_int_equal(ini_parse(text, INI_LINE_MAX, "x.ini", &ini, &diag),
			 0);
	ini_finish(&ini);
	assert_int_equal(
		ini_parse(text, INI_LINE_MAX + 1, "x.ini", &ini, &diag),
		-EINVAL);
	assert_string_equal(diag.msg, "x.ini:1: more than 512 letters in a "
				      "line");
	assert_int_equal(ini_parse("a\0b", 3, "x.ini", &ini, &diag), -EINVAL);
	assert_int_equal(ini_parse(text, INI_MAX + 1, "x.ini", &ini, &diag),
			 -EINVAL);
	assert_string_equal(diag.msg, "x.ini: more than 262144 bytes");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_tags),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_outside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
