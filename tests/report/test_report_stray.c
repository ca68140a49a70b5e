/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Wrong translations in every format, and none where there are none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "sample.h"

static const struct result_stray strays[] = {
	{.gva = UINT64_C(0xffff888000123456),
	 .hpa = UINT64_C(0xffffffffff456),
	 .gpa = 0x123456,
	 .rip = UINT64_C(0xffffffff80111068),
	 .use = "read"},
	{.gva = 0x7000,
	 .hpa = UINT64_C(0x8000000000000),
	 .gpa = UINT64_MAX,
	 .rip = 0x401000,
	 .user = true,
	 .use = "write"},
};

/* A result with the first nr of them, as text; to be freed. */
static char *shown(unsigned int nr,
		   int (*print)(const struct report *report, FILE *out))
{
	struct report *report = report_create();
	struct sample sample;
	struct diag diag;
	char *text = NULL;
	size_t size;
	FILE *out;

	sample_init(&sample, SAMPLE_BYPASS, 8);
	memcpy(sample.result.stray, strays, nr * sizeof(*strays));
	sample.result.nr_strays = nr;
	assert_int_equal(report_add(report, &sample.result, &diag), 0);
	out = open_memstream(&text, &size);
	assert_int_equal(print(report, out), 0);
	fclose(out);
	report_destroy(report);
	sample_finish(&sample);
	return text;
}

static int print_table(const struct report *report, FILE *out)
{
	return report_print_tables(report, REPORT_TEXT, out);
}

static void test_json(void **state)
{
	char *text = shown(2, report_print_json);
	json_t *doc = json_loads(text, 0, NULL);
	const json_t *list = json_object_get(json_object_get(doc, "check"),
					     "wrong_translations");
	json_t *want = json_pack(
		"[{s:s,s:s,s:s,s:s,s:b,s:s},{s:s,s:s,s:n,s:s,s:b,s:s}]", "gva",
		"0xffff888000123456", "hpa", "0xffffffffff456", "gpa",
		"0x123456", "rip", "0xffffffff80111068", "user", 0, "use",
		"read", "gva", "0x7000", "hpa", "0x8000000000000", "gpa", "rip",
		"0x401000", "user", 1, "use", "write");

	(void)state;
	assert_non_null(want);
	assert_true(json_equal(list, want));
	json_decref(want);
	json_decref(doc);
	free(text);
}

static void test_table(void **state)
{
	static const char *const rows[] = {
		"wrong translation of          goes to  the guest's tables",
		"  0xffff888000123456  0xffffffffff456            0x123456  "
		"0xffffffff80111068  kernel read\n",
		"              0x7000  0x8000000000000             nothing  "
		"          0x401000  user write\n",
	};
	char *text = shown(2, print_table);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (!strstr(text, rows[i]))
			fail_msg("no \"%s\" in\n%s", rows[i], text);
	free(text);
}

/* CSV has a row a result: the list has no place there. */
static void test_csv(void **state)
{
	char *with = shown(2, report_print_csv);
	char *without = shown(0, report_print_csv);

	(void)state;
	assert_string_equal(with, without);
	free(with);
	free(without);
}

static void test_none(void **state)
{
	char *json = shown(0, report_print_json);
	char *table = shown(0, print_table);

	(void)state;
	assert_null(strstr(json, "\"wrong_translations\": ["));
	assert_null(strstr(table, "wrong translation of"));
	free(json);
	free(table);
}

/* What others have made of a result must not harm. */
static void test_odd_documents(void **state)
{
	static const char *const lists[] = {
		"7",       "{}", "[7]", "[{}]", "[{\"gva\": 7, \"use\": [1]}]",
		"\"text\""};
	char *plain = shown(0, report_print_json);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		struct report *report = report_create();
		json_t *doc = json_loads(plain, 0, NULL);
		struct diag diag;
		char *text;
		FILE *file;

		json_object_set_new(
			json_object_get(doc, "check"), "wrong_translations",
			json_loads(lists[i], JSON_DECODE_ANY, NULL));
		text = json_dumps(doc, 0);
		file = fmemopen(text, strlen(text), "r");
		if (!report_read(report, file, "odd", &diag)) {
			FILE *out = fopen("/dev/null", "w");

			assert_int_equal(print_table(report, out), 0);
			assert_int_equal(report_print_csv(report, out), 0);
			fclose(out);
		}
		fclose(file);
		free(text);
		json_decref(doc);
		report_destroy(report);
	}
	free(plain);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_csv),
		cmocka_unit_test(test_none),
		cmocka_unit_test(test_odd_documents),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
