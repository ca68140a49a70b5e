/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The gnuplot script: bars as high as the exits they show, and text of
 * results, which may come from anywhere, that never becomes script, whatever
 * the kind of plot.  Whole scripts are in golden/.
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

#include "sample.h"
#include "script.h"

/* Rows of the data blocks: segments [from, to] of n exits of the bar at x. */
struct segment {
	double x;
	uint64_t from, to, n;
};

static size_t read_segments(const char *script, struct segment *ret,
			    size_t size)
{
	const char *line = script;
	bool in_data = false;
	size_t nr = 0;

	while (*line) {
		struct segment *s = &ret[nr];

		if (!strncmp(line, "$part", 5) && strstr(line, "<< EOD"))
			in_data = true;
		else if (!strncmp(line, "EOD", 3))
			in_data = false;
		else if (in_data) {
			assert_true(nr < size);
			assert_int_equal(sscanf(line,
						"%lf %" SCNu64 " %" SCNu64
						" %" SCNu64,
						&s->x, &s->from, &s->to, &s->n),
					 4);
			nr++;
		}
		line += strcspn(line, "\n");
		line += *line == '\n';
	}
	return nr;
}

static void test_bars(void **state)
{
	static const uint64_t want[] = {29, 20, 12}; /* exits of the samples */
	struct report *report = report_create();
	struct segment segment[64];
	struct diag diag;
	size_t nr;
	char *script;

	(void)state;
	for (int kind = SAMPLE_CLEAR; kind <= SAMPLE_BYPASS; kind++) {
		struct sample sample;

		sample_init(&sample, (enum sample_kind)kind, 8);
		report_add(report, &sample.result, &diag);
		sample_finish(&sample);
	}
	script = script_of(report, REPORT_PNG);
	nr = read_segments(script, segment, ARRAY_LEN(segment));
	/* hidden_fill, injected, pt_write and CR_ACCESS, of three bars. */
	assert_int_equal(nr, 12);
	for (int bar = 0; bar < 3; bar++) {
		uint64_t top = 0;

		/* Segments lie on one another and reach the total. */
		for (size_t i = 0; i < nr; i++) {
			if ((int)segment[i].x != bar)
				continue;
			assert_true(segment[i].from == top);
			assert_true(segment[i].to - segment[i].from ==
				    segment[i].n);
			top = segment[i].to;
		}
		if (top != want[bar])
			fail_msg("bar %d: got %" PRIu64 ", want %" PRIu64, bar,
				 top, want[bar]);
	}
	assert_non_null(strstr(script, "title \"#PF injected\""));
	assert_non_null(strstr(script, "title \"CR_ACCESS\""));
	assert_null(strstr(script, "title \"#PF mmio\""));
	free(script);
	report_destroy(report);
}

/* More reasons than there are greys: the rest is one segment, none is lost. */
static void test_many_reasons(void **state)
{
	struct report *report = report_create();
	struct segment segment[64];
	struct sample sample;
	struct diag diag;
	uint64_t sum = 0;
	size_t nr;
	char *script;

	(void)state;
	sample_init(&sample, SAMPLE_CLEAR, 8);
	for (unsigned int reason = 10; reason < 20; reason++) {
		for (unsigned int i = 0; i < reason; i++) {
			account_exit_begin(sample.acct, reason);
			account_exit_end(sample.acct);
		}
	}
	report_add(report, &sample.result, &diag);
	script = script_of(report, REPORT_SVG);
	nr = read_segments(script, segment, ARRAY_LEN(segment));
	for (size_t i = 0; i < nr; i++)
		sum += segment[i].n;
	assert_true(sum == 29 + (10 + 19) * 10 / 2);
	assert_int_equal(nr, 3 + 3 + 1);
	assert_non_null(strstr(script, "title \"other\""));
	free(script);
	sample_finish(&sample);
	report_destroy(report);
}

static void test_hostile_text(void **state)
{
	static char evil[] = "`touch /tmp/x`\"; system(\"x\")\n!x\n'@a$b\\\xc3";
	struct report *report = report_create();
	struct sample sample;
	struct diag diag;
	char *json = NULL, *hostile = NULL, *at;
	size_t size;
	FILE *file;
	static const char evil_json[] = "`x`\\n!touch /tmp/x\\nEOD\\nset";

	(void)state;
	sample_init(&sample, SAMPLE_BYPASS, 8);
	sample.result.source_path = evil;
	sample.result.source_args = evil;
	snprintf(sample.result.config[2].value, 64, "%s", evil);
	report_add(report, &sample.result, &diag);
	sample.result.source_args = "another";
	strcpy(sample.result.config[0].value, "`x`");
	report_add(report, &sample.result, &diag);
	strcpy(sample.result.config[2].value, "0x10");
	report_add(report, &sample.result, &diag);

	/* Names of reasons come from the file too. */
	file = open_memstream(&json, &size);
	report_print_json(report, file);
	fclose(file);
	at = strstr(json, "\"CR_ACCESS\": 2");
	assert_non_null(at);
	*at = 0;
	assert_true(asprintf(&hostile, "%s\"%s\": 2%s", json, evil_json,
			     at + strlen("\"CR_ACCESS\": 2")) > 0);
	file = fmemopen(hostile, strlen(hostile), "r");
	if (report_read(report, file, "hostile", &diag))
		fail_msg("%s", diag.msg);
	fclose(file);

	for (int i = 0; i < 3 * 5; i++) {
		struct report_plot request = {
			.kind = (enum report_plot_kind)(i / 3),
			.image = (enum report_image)(i % 3),
			.x = i / 3 < 3    ? NULL
			     : i / 3 == 3 ? "memory"
					  : "mmu",
		};
		char *script = NULL;

		/* Even when it ends with an error. */
		script_try(report, &request, &script, &diag);
		script_check_tame(script);
		free(script);
	}
	free(json);
	free(hostile);
	sample_finish(&sample);
	report_destroy(report);
}

/* Of a trace the guest's memory is its own, unless less was asked for. */
static void test_memory(void **state)
{
	static const struct {
		const char *name, *kind;
		bool changed, told;
	} cases[] = {
		{"live", "live", false, true},
		{"a replay", "trace", false, false},
		{"a replay that was given it", "trace", true, true},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct report *report = report_create();
		struct sample sample;
		struct diag diag;
		char *script;

		sample_init(&sample, SAMPLE_CLEAR, 8);
		sample.result.source_kind = cases[i].kind;
		assert_string_equal(sample.result.config[2].key, "memory");
		sample.result.config[2].changed = cases[i].changed;
		report_add(report, &sample.result, &diag);
		script = script_of(report, REPORT_SVG);
		if (!strstr(script, "memory=64M") == cases[i].told)
			fail_msg("%s", cases[i].name);
		free(script);
		sample_finish(&sample);
		report_destroy(report);
	}
}

static void test_no_exits(void **state)
{
	struct account *acct = account_create();
	struct result result = {.acct = acct};
	struct report *report = report_create();
	struct diag diag;
	char *script;

	(void)state;
	report_add(report, &result, &diag);
	script = script_of(report, REPORT_SVG);
	script_check_tame(script);
	assert_non_null(strstr(script, "title \"none\""));
	free(script);
	account_destroy(acct);
	report_destroy(report);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bars),
		cmocka_unit_test(test_many_reasons),
		cmocka_unit_test(test_hostile_text),
		cmocka_unit_test(test_memory),
		cmocka_unit_test(test_no_exits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
