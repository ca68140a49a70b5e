/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Exits by page: order, the rest, the limit; and that reports show them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "sample.h"

#define NONE WHERE_NO_FRAME

/* Code below 0x400000 is the kernel's. */
static void add(struct where *where, gva_t rip, gpa_t gpa, int cause,
		uint64_t cycles)
{
	const struct where_exit exit = {rip, rip >= 0x400000, gpa, cause,
					cycles};

	where_add(where, &exit);
}

static void add_times(struct where *where, uint64_t page, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		add(where, page << 12 | i, NONE, WHERE_NO_CAUSE, 10);
}

static void test_top(void **state)
{
	struct where *where = where_create();
	struct where_row row[4];

	(void)state;
	add_times(where, 7, 2);
	add_times(where, 3, 2);
	add_times(where, 9, 5);
	add_times(where, 0x400, 1); /* of user code */
	assert_int_equal(where_top(where, WHERE_RIP, 3, row), 4);
	assert_int_equal(row[0].page, 9);
	assert_int_equal(row[0].cycles, 50);
	assert_int_equal(row[1].page, 3); /* the lower one of equals */
	assert_int_equal(row[2].page, 7);
	assert_true(row[3].page == WHERE_OTHER);
	assert_int_equal(row[3].exits, 1);
	assert_int_equal(row[3].user, 1);
	/* All fit: there is no rest. */
	assert_int_equal(where_top(where, WHERE_RIP, 4, row), 4);
	assert_int_equal(row[3].page, 0x400);
	assert_int_equal(where_top(where, WHERE_GFN, 3, row), 0);
	where_reset(where);
	assert_int_equal(where_top(where, WHERE_RIP, 3, row), 0);
	where_destroy(where);
}

static void test_frames_and_causes(void **state)
{
	struct where *where = where_create();
	struct where_row row[4];

	(void)state;
	add(where, 0x401000, 0x5123, CAUSE_injected, 7);
	add(where, 0x2000, 0x5fff, CAUSE_pt_write, 8);
	assert_int_equal(where_top(where, WHERE_GFN, 3, row), 1);
	assert_int_equal(row[0].page, 5);
	assert_int_equal(row[0].cycles, 15);
	assert_int_equal(row[0].cause[CAUSE_injected], 1);
	assert_int_equal(row[0].cause[CAUSE_pt_write], 1);
	assert_int_equal(row[0].user, 1);
	assert_int_equal(where_top(where, WHERE_RIP, 3, row), 2);
	add(where, 0x2000, NONE, WHERE_NO_CAUSE, 9);
	assert_int_equal(where_total(where, WHERE_RIP), 3);
	assert_int_equal(where_total(where, WHERE_GFN), 2);
	where_destroy(where);
}

/* Pages beyond the limit are the rest; those known go on being counted. */
static void test_limit(void **state)
{
	struct where *where = where_create();
	struct where_row row[3];

	(void)state;
	for (uint64_t i = 0; i < WHERE_PAGES_MAX + 100; i++)
		add_times(where, i, 1);
	add_times(where, 42, 3);
	assert_int_equal(where_top(where, WHERE_RIP, 1, row), 2);
	assert_int_equal(row[0].page, 42);
	assert_int_equal(row[0].exits, 4);
	assert_int_equal(row[1].exits, WHERE_PAGES_MAX + 99);
	assert_int_equal(where_total(where, WHERE_RIP), WHERE_PAGES_MAX + 103);
	where_destroy(where);
}

static char *text_by(const struct report *report, enum report_by by,
		     enum sheet_format format)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_int_equal(report_print_by(report, by, format, out), 0);
	fclose(out);
	return text;
}

static struct report *report_of(const struct where *where)
{
	struct report *report = report_create();
	struct sample sample;
	struct diag diag;

	sample_init(&sample, SAMPLE_UPDATE, 8);
	sample.result.where = where;
	assert_int_equal(report_add(report, &sample.result, &diag), 0);
	sample_finish(&sample);
	return report;
}

/* Of a single result. */
#define LABEL "mmu=kvm-2.6.24 bypass=off (this generation has none)"

static const struct {
	const char *name;
	enum report_by by;
	enum sheet_format format;
	const char *want;
} cases[] = {
	{"rip", REPORT_BY_RIP, SHEET_CSV,
	 "table,configuration,page,exits,percent,cycles,mode,causes\n"
	 "rows," LABEL ",0x401000,2,66.67,15,user,\"injected 1, pt_write 1\"\n"
	 "rows," LABEL ",0x7000,1,33.33,9,kernel,\n"},
	{"gfn", REPORT_BY_GFN, SHEET_JSON,
	 "{\"schema\": \"notrap-by/1\", \"rows\": [{\"configuration\": "
	 "\"" LABEL "\", \"gfn\": \"0x5\", \"exits\": 2, "
	 "\"percent\": 100.0, \"cycles\": 15, \"mode\": \"user\", "
	 "\"causes\": \"injected 1, pt_write 1\"}], \"notes\": []}\n"},
	{"code", REPORT_BY_ERROR_CODE, SHEET_CSV,
	 "table,configuration,error_code,faults,percent,direct,injected,what\n"
	 "rows," LABEL ",0x6,8,88.89,0,8,\"not present, write, user\"\n"
	 "rows," LABEL ",0x7,1,11.11,0,1,\"protection, write, user\"\n"},
};

static void test_shown(void **state)
{
	struct where *where = where_create();
	struct report *report;

	(void)state;
	add(where, 0x401000, 0x5000, CAUSE_injected, 7);
	add(where, 0x401fff, 0x5008, CAUSE_pt_write, 8);
	add(where, 0x7000, NONE, WHERE_NO_CAUSE, 9);
	report = report_of(where);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char *got = text_by(report, cases[i].by, cases[i].format);

		if (strcmp(got, cases[i].want) != 0)
			fail_msg("%s: got %s, want %s", cases[i].name, got,
				 cases[i].want);
		free(got);
	}
	report_destroy(report);
	where_destroy(where);
}

static void test_not_watched(void **state)
{
	struct report *report = report_of(NULL);
	char *got = text_by(report, REPORT_BY_RIP, SHEET_TABLE);

	(void)state;
	assert_non_null(strstr(got, "1 of 1 results do not tell exits by rip"));
	free(got);
	report_destroy(report);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_top),
		cmocka_unit_test(test_frames_and_causes),
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_shown),
		cmocka_unit_test(test_not_watched),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
