/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every format against a committed file: a change shows as a diff that a
 * person reviews.
 *
 * Two guests: one under three generations, one with the bypass off and on.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "golden.h"
#include "sample.h"

static const char *golden_dir;

static void add(struct report *report, struct sample *sample)
{
	struct diag diag;

	assert_int_equal(report_add(report, &sample->result, &diag), 0);
	sample_finish(sample);
}

/* Two pages of code and two frames, and a page that is in no list. */
static void add_exits(struct where *where, bool bypass)
{
	const struct where_exit exits[] = {
		{0x401234, true, 0x5010, CAUSE_injected, 1514},
		{0x401fff, true, 0x6000, CAUSE_injected, 1515},
		{0xffffffff80110004, false, 0x5020, CAUSE_pt_write, 2020},
		{0xffffffff80110014, false, WHERE_NO_FRAME, WHERE_NO_CAUSE, 9},
		{0xffffffff80110024, false, WHERE_NO_FRAME, WHERE_NO_CAUSE, 9},
	};

	for (size_t i = bypass; i < ARRAY_LEN(exits); i++)
		where_add(where, &exits[i]);
}

static struct report *make_report(void)
{
	struct report *report = report_create();
	struct where *where = where_create();
	struct sample sample;

	assert_non_null(report);
	for (int kind = SAMPLE_CLEAR; kind <= SAMPLE_BYPASS; kind++) {
		sample_init(&sample, (enum sample_kind)kind, 8);
		add(report, &sample);
	}
	for (int on = 0; on <= 1; on++) {
		sample_init(&sample, on ? SAMPLE_BYPASS : SAMPLE_UPDATE, 20);
		strcpy(sample.result.config[0].value, "kvm-2.6.25");
		sample.result.config[1].note[0] = 0;
		sample.result.source_args = "fork procs=2, \"x\"";
		sample.result.guest_status = "exit 1";
		sample.result.guest_ok = false;
		where_reset(where);
		add_exits(where, on);
		sample.result.where = where;
		add(report, &sample);
	}
	where_destroy(where);
	return report;
}

/* A sweep: a numeric setting, the bypass, two traces; one point is missing. */
static struct report *make_sweep(void)
{
	static const char *const memory[] = {"32M", "64M", "256M"};
	struct report *report = report_create();
	struct sample sample;

	for (int i = 0; i < 12; i++) {
		bool on = i % 2;

		if (i == 10)
			continue;
		sample_init(&sample, on ? SAMPLE_BYPASS : SAMPLE_UPDATE,
			    (uint64_t)(8 + i));
		strcpy(sample.result.config[0].value, "kvm-2.6.25");
		sample.result.config[1].note[0] = 0;
		strcpy(sample.result.config[2].value, memory[i / 4]);
		sample.result.source_kind = "trace";
		sample.result.source_path = i / 2 % 2 ? "a/two.trace" : "one";
		sample.result.source_digest = (uint64_t)(i / 2 % 2);
		add(report, &sample);
	}
	return report;
}

/* What things cost, and where the numbers are from. */
static struct report *make_costs(void)
{
	struct report *report = report_create();
	struct sample sample;
	struct result *result = &sample.result;

	sample_init(&sample, SAMPLE_UPDATE, 8);
	for (int i = 0; i < NR_COSTS; i++) {
		struct result_setting *set =
			&result->config[result->nr_config++];

		snprintf(set->key, sizeof(set->key), "%s",
			 cost_info((enum cost_id)i)->key);
		strcpy(set->value, i == COST_EXIT      ? "100:90..120"
				   : i == COST_EMULATE ? "50"
						       : "1");
	}
	result->origin[COST_EXIT] = (struct result_origin){
		"machines/one.ini", "M:hi", "somebody, table 1"};
	result->origin[COST_EMULATE] =
		(struct result_origin){"-D", "", "given with the run"};
	/* Nobody paid for it, so nobody asks. */
	result->origin[COST_IPI] =
		(struct result_origin){"hypervisors/one.ini", "A", "a guess"};
	add(report, &sample);
	return report;
}

static int print_costs(const struct report *report, FILE *out)
{
	static const enum sheet_format formats[] = {SHEET_TABLE, SHEET_CSV,
						    SHEET_JSON};
	int err = 0;

	for (size_t i = 0; i < ARRAY_LEN(formats) && !err; i++)
		err = report_print_by(report, REPORT_BY_COST, formats[i], out);
	return err;
}

static int print_text(const struct report *report, FILE *out)
{
	return report_print_tables(report, REPORT_TEXT, out);
}

static int print_markdown(const struct report *report, FILE *out)
{
	return report_print_tables(report, REPORT_MARKDOWN, out);
}

static int print_plot(const struct report *report, const char *kind,
		      const char *y, FILE *out)
{
	struct report_plot request = {.image = REPORT_SVG, .y = y};
	struct diag diag = {""};
	int err;

	assert_true(report_plot_find(kind, &request.kind));
	err = report_print_plot(report, &request, out, &diag);
	if (err)
		fail_msg("%s: %s", kind, diag.msg);
	return err;
}

static int print_exits(const struct report *report, FILE *out)
{
	return print_plot(report, "exits", NULL, out);
}

static int print_percent(const struct report *report, FILE *out)
{
	return print_plot(report, "exits", "percent", out);
}

static int print_ladder(const struct report *report, FILE *out)
{
	return print_plot(report, "ladder", NULL, out);
}

static int print_coverage(const struct report *report, FILE *out)
{
	return print_plot(report, "coverage", NULL, out);
}

static int print_sweep(const struct report *report, FILE *out)
{
	return print_plot(report, "sweep", NULL, out);
}

static int print_heat(const struct report *report, FILE *out)
{
	return print_plot(report, "heat", NULL, out);
}

/* Every --by, one after another. */
static int print_by(const struct report *report, enum sheet_format format,
		    FILE *out)
{
	static const char *const names[] = {"reason", "cause", "error-code",
					    "rip",    "gfn",   "chain",
					    "point"};

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		enum report_by by;

		assert_true(report_by_find(names[i], &by));
		if (report_print_by(report, by, format, out))
			return -1;
	}
	return 0;
}

static int print_by_text(const struct report *report, FILE *out)
{
	return print_by(report, SHEET_TABLE, out);
}

static int print_by_markdown(const struct report *report, FILE *out)
{
	return print_by(report, SHEET_MD, out);
}

static int print_by_csv(const struct report *report, FILE *out)
{
	return print_by(report, SHEET_CSV, out);
}

static int print_by_json(const struct report *report, FILE *out)
{
	return print_by(report, SHEET_JSON, out);
}

static const struct {
	const char *file;
	int (*print)(const struct report *report, FILE *out);
	struct report *(*make)(void); /* NULL: make_report() */
} goldens[] = {
	{"sample.json", report_print_json},
	{"sample.csv", report_print_csv},
	{"sample.txt", print_text},
	{"sample.md", print_markdown},
	{"sample.gp", print_exits},
	{"by.txt", print_by_text},
	{"by.md", print_by_markdown},
	{"by.csv", print_by_csv},
	{"by.json", print_by_json},
	{"percent.gp", print_percent},
	{"ladder.gp", print_ladder},
	{"coverage.gp", print_coverage},
	{"sweep.gp", print_sweep, make_sweep},
	{"heat.gp", print_heat, make_sweep},
	{"cost.txt", print_costs, make_costs},
};

static struct report *make(size_t i)
{
	return goldens[i].make ? goldens[i].make() : make_report();
}

static void test_goldens(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(goldens); i++) {
		struct report *report = make(i);
		char *text = NULL;
		size_t size;
		FILE *out = open_memstream(&text, &size);

		assert_int_equal(goldens[i].print(report, out), 0);
		fclose(out);
		golden_check(golden_dir, goldens[i].file, text);
		free(text);
		report_destroy(report);
	}
}

/* Whatever shows a result sees only what is in its JSON. */
static void test_same_after_reading(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(goldens); i++) {
		struct report *copy = report_create(), *report = make(i);
		char *json = NULL, *before = NULL, *after = NULL;
		size_t size;
		struct diag diag = {""};
		FILE *file = open_memstream(&json, &size);

		report_print_json(report, file);
		fclose(file);
		file = fmemopen(json, strlen(json), "r");
		if (report_read(copy, file, "copy", &diag))
			fail_msg("%s", diag.msg);
		fclose(file);

		file = open_memstream(&before, &size);
		goldens[i].print(report, file);
		fclose(file);
		file = open_memstream(&after, &size);
		goldens[i].print(copy, file);
		fclose(file);
		assert_string_equal(before, after);
		free(json);
		free(before);
		free(after);
		report_destroy(copy);
		report_destroy(report);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_goldens),
		cmocka_unit_test(test_same_after_reading),
	};

	golden_dir = argc > 1 ? argv[1] : "golden";
	return cmocka_run_group_tests(tests, NULL, NULL);
}
