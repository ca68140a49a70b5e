/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A guest of two demand faults and a copy-on-write fault, with and without the
 * bypass, exit by exit; every format against a committed file.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "golden.h"
#include "report/diff.h"
#include "sample.h"

static const char *golden_dir;

#define RIP  0x400100
#define DATA 0x7000000
#define PTE  0xffffffff80004000

static void add(struct diff *diff, enum align_side side, uint64_t position,
		int cause, gva_t gva)
{
	struct align_exit exit = {
		.position = position,
		.insns = 10 * position,
		.rip = RIP + 4 * position,
		.gva = gva,
		.pfec = cause == CAUSE_injected ? 6 : 3,
		.reason = cause == ALIGN_NO_CAUSE ? EXIT_REASON_CR_ACCESS
						  : EXIT_REASON_EXCEPTION_NMI,
		.cause = cause,
		.cycles = cause == CAUSE_pt_write ? 151 : 101,
	};

	diff_add(diff, side, &exit);
}

/* As many as SAMPLE_UPDATE and SAMPLE_BYPASS have with two faults. */
static void add_exits(struct diff *diff)
{
	for (uint64_t i = 1; i <= 3; i++) {
		if (i == 3)
			add(diff, ALIGN_B, 100 * i, CAUSE_injected, DATA + i);
		add(diff, ALIGN_A, 100 * i, CAUSE_injected, DATA + i);
		add(diff, ALIGN_A, 100 * i + 7, CAUSE_pt_write, PTE + 8 * i);
		/* The last one is of another kind in B. */
		add(diff, ALIGN_B, 100 * i + 7,
		    i == 3 ? CAUSE_hidden_fill : CAUSE_pt_write, PTE + 8 * i);
		diff_settle(diff, 100 * i + 8);
	}
	add(diff, ALIGN_A, 400, ALIGN_NO_CAUSE, 0);
	add(diff, ALIGN_B, 400, ALIGN_NO_CAUSE, 0);
	add(diff, ALIGN_A, 401, ALIGN_NO_CAUSE, 0);
	add(diff, ALIGN_B, 402, ALIGN_NO_CAUSE, 0);
	diff_settle(diff, UINT64_MAX);
}

static struct report *make_report(void)
{
	struct report *report = report_create();

	for (int kind = SAMPLE_UPDATE; kind <= SAMPLE_BYPASS; kind++) {
		struct sample sample;
		struct diag diag;

		sample_init(&sample, (enum sample_kind)kind, 2);
		/* So that there are costs at which A and B are equal. */
		if (kind == SAMPLE_BYPASS)
			account_charge(sample.acct, COST_SP_ALLOC, 250);
		sample.result.source_kind = "trace";
		sample.result.source_path = "t.ntr";
		sample.result.guest_status = "replayed";
		/* Settings of the costs, which break-even points are of. */
		for (unsigned int i = 0; i < NR_COSTS; i++) {
			struct result_setting *set =
				&sample.result
					 .config[sample.result.nr_config++];

			snprintf(set->key, sizeof(set->key), "%s",
				 cost_info((enum cost_id)i)->key);
			snprintf(set->value, sizeof(set->value), "%d",
				 (int)sample.acct->cost[i].typ);
		}
		assert_int_equal(report_add(report, &sample.result, &diag), 0);
		sample_finish(&sample);
	}
	return report;
}

static char *print(const struct diff_window *window, enum sheet_format format)
{
	struct report *report = make_report();
	struct diff *diff = diff_create(window);
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	add_exits(diff);
	assert_int_equal(diff_print(diff, report, format, out), 0);
	fclose(out);
	diff_destroy(diff);
	report_destroy(report);
	return text;
}

static void test_goldens(void **state)
{
	static const char *const files[] = {
		[SHEET_TABLE] = "diff.txt",
		[SHEET_JSON] = "diff.json",
		[SHEET_CSV] = "diff.csv",
		[SHEET_MD] = "diff.md",
	};
	const struct diff_window window = {
		.list = true, .all = true, .limit = 8};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		char *text = print(&window, (enum sheet_format)i);

		golden_check(golden_dir, files[i], text);
		free(text);
	}
}

static const struct {
	const char *name;
	struct diff_window window;
	const char *positions; /* of the rows, then how many are left out */
} windows[] = {
	{"no list", {.limit = 9}, "none"},
	{"those that differ",
	 {.list = true, .limit = 9},
	 "100 200 307 401 402"},
	{"all",
	 {.list = true, .all = true, .limit = 99},
	 "100 107 200 207 300 307 400 401 402"},
	{"from one on",
	 {.list = true, .from = 200, .limit = 9},
	 "200 307 401 402"},
	{"behind one", {.list = true, .from = 201, .limit = 9}, "307 401 402"},
	{"so many positions",
	 {.list = true, .from = 200, .count = 108, .limit = 9},
	 "200 307"},
	{"one less",
	 {.list = true, .from = 200, .count = 107, .limit = 9},
	 "200"},
	{"the first two", {.list = true, .limit = 2}, "100 200 +3"},
	{"none of them", {.list = true}, "+5"},
	{"nothing there", {.list = true, .from = 1000, .limit = 9}, ""},
};

/* The rows of a list in CSV, and the number in a note about more. */
static void positions_of(const char *csv, const char *table, char *buf)
{
	const char *row = csv;

	buf[0] = 0;
	while ((row = strstr(row, "\nlist,"))) {
		row += 6;
		sprintf(buf + strlen(buf), "%s%.*s", *buf ? " " : "",
			(int)strcspn(row, ","), row);
	}
	row = strstr(table, " more are not listed");
	if (row) {
		while (row[-1] != '\n')
			row--;
		sprintf(buf + strlen(buf), "%s+%d", *buf ? " " : "", atoi(row));
	}
}

static void test_windows(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(windows); i++) {
		char *csv = print(&windows[i].window, SHEET_CSV);
		char *table = print(&windows[i].window, SHEET_TABLE);
		bool none = strstr(table, "No exit to list.");
		char got[256];

		positions_of(csv, table, got);
		if (!windows[i].window.list)
			strcpy(got, *got ? got : "none");
		if (strcmp(got, windows[i].positions) != 0)
			fail_msg("%s: got \"%s\", want \"%s\"", windows[i].name,
				 got, windows[i].positions);
		assert_int_equal(none, windows[i].window.list &&
					       !strstr(csv, "\nlist,"));
		free(csv);
		free(table);
	}
}

/* What was before a region of interest does not count. */
static void test_forget(void **state)
{
	const struct diff_window window = {
		.list = true, .all = true, .limit = 3};
	struct diff *diff = diff_create(&window);
	struct report *report = make_report();
	char *want = print(&window, SHEET_JSON), *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	for (uint64_t i = 0; i < 9; i++)
		add(diff, ALIGN_A, i, CAUSE_injected, DATA);
	diff_settle(diff, 6);
	add(diff, ALIGN_B, 8, CAUSE_injected, DATA);
	diff_forget(diff, ALIGN_A);
	diff_forget(diff, ALIGN_B);
	add_exits(diff);
	assert_int_equal(diff_print(diff, report, SHEET_JSON, out), 0);
	fclose(out);
	assert_string_equal(text, want);
	free(text);
	free(want);
	diff_destroy(diff);
	report_destroy(report);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_goldens),
		cmocka_unit_test(test_windows),
		cmocka_unit_test(test_forget),
	};

	golden_dir = argc > 1 ? argv[1] : "golden";
	return cmocka_run_group_tests(tests, NULL, NULL);
}
