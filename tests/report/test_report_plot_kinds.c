/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Plots of figures over settings: how values of a setting make an axis, what
 * curves and maps show, what is drawn by default, what is refused, and which
 * results are chosen with --only.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/plot_axis.h"
#include "report/plot_figure.h"
#include "sample.h"
#include "script.h"

/* --- Settings as axes ---------------------------------------------------- */

static const struct {
	const char *text;
	double number; /* below 0: none */
} numbers[] = {
	{"0", 0},        {"64", 64},          {"64K", 65536},
	{"1M", 1048576}, {"2G", 2147483648.}, {"0x10", 16},
	{"", -1},        {"K", -1},           {"64MB", -1},
	{"on", -1},      {"kvm-2.6.25", -1},  {"-1", -1},
	{"+1", -1},      {" 1", -1},          {"1.5", -1},
	{"auto", -1},
};

static void test_numbers(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
		double got = -1;

		if (axis_number(numbers[i].text, &got) !=
			    (numbers[i].number >= 0) ||
		    (numbers[i].number >= 0 &&
		     (got < numbers[i].number || got > numbers[i].number)))
			fail_msg("\"%s\": got %g", numbers[i].text, got);
	}
}

static const struct {
	double number;
	const char *text;
} texts[] = {
	{0, "0"},
	{1, "1"},
	{9999, "9999"},
	{10000, "10.0 k"},
	{99949, "99.9 k"},
	{123456, "123 k"},
	{1e6, "1.0 M"},
	{61227542, "61.2 M"},
	{2.5e9, "2.5 G"},
	{1e13, "10.0 T"},
	{0.5, "0.50"},
	{9.994, "9.99"},
	{93.5, "93.5"},
	{100.25, "100.2"},
	{-12000, "-12.0 k"},
	{-0.004, "0"},
	{-0.006, "-0.01"},
};

static void test_texts(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		char got[32];

		plot_number(texts[i].number, got, sizeof(got));
		if (strcmp(got, texts[i].text) != 0)
			fail_msg("%g: got %s, want %s", texts[i].number, got,
				 texts[i].text);
	}
}

/* Settings of the samples: mmu, bypass, memory, mhz. */
struct sweep_point {
	const char *memory, *mhz;
	bool on;
	const char *guest;
};

static void add_point(struct report *report, const struct sweep_point *point,
		      uint64_t faults)
{
	struct sample sample;
	struct diag diag;

	sample_init(&sample, point->on ? SAMPLE_BYPASS : SAMPLE_UPDATE, faults);
	strcpy(sample.result.config[0].value, "kvm-2.6.25");
	sample.result.config[1].note[0] = 0;
	strcpy(sample.result.config[2].value, point->memory);
	strcpy(sample.result.config[3].value, point->mhz);
	sample.result.source_args = point->guest;
	assert_int_equal(report_add(report, &sample.result, &diag), 0);
	sample_finish(&sample);
}

/* Every combination; 2 + 3 and more faults in a row. */
static struct report *make_sweep(size_t nr_memory, size_t nr_mhz, size_t nr_on,
				 size_t nr_guests)
{
	static const char *const memory[] = {"1G", "64M", "256M", "1024M"};
	static const char *const mhz[] = {"100", "200", "300"};
	static const char *const guests[] = {"one",  "two", "three", "four",
					     "five", "six", "seven", "eight"};
	struct report *report = report_create();
	uint64_t faults = 3;

	for (size_t g = 0; g < nr_guests; g++)
		for (size_t on = 0; on < nr_on; on++)
			for (size_t m = 0; m < nr_memory; m++)
				for (size_t z = 0; z < nr_mhz; z++)
					add_point(report,
						  &(struct sweep_point){
							  memory[m], mhz[z],
							  on == 1, guests[g]},
						  faults++);
	return report;
}

static void test_axis(void **state)
{
	struct report *report = make_sweep(4, 1, 2, 1);
	struct plot_axis axis;
	struct diag diag;

	(void)state;
	assert_int_equal(axis_init(&axis, report, "memory", &diag), 0);
	/* By size, whatever it is written like. */
	assert_int_equal(axis.nr, 4);
	assert_true(axis.is_numeric && axis.is_log);
	assert_string_equal(axis.value[0].text, "64M");
	assert_string_equal(axis.value[1].text, "256M");
	assert_true(axis.value[3].number >= axis.value[2].number);
	axis_finish(&axis);
	assert_int_equal(axis_init(&axis, report, "bypass", &diag), 0);
	assert_false(axis.is_numeric);
	assert_int_equal(axis.nr, 2);
	axis_finish(&axis);
	assert_int_equal(axis_init(&axis, report, "memry", &diag), -ENOENT);
	assert_non_null(strstr(diag.msg, "did you mean \"memory\"?"));
	report_destroy(report);
}

/* --- Figures ------------------------------------------------------------- */

/* Of SAMPLE_BYPASS with 8 faults: 9 guest faults, 8 of them direct. */
static const struct {
	const char *name;
	double value;
} figures[] = {
	{"exits", 12},
	{"pf-exits", 10},
	{"per-fault", 10. / 9},
	{"faults", 9},
	{"direct", 8},
	{"injected", 1},
	{"coverage", 100},
	{"cycles", 2671},
	{"exit-cycles", 1200},
	{"latency", 163}, /* (8 * 152 + 253) / 9 */
	{"exits.by_reason.CR_ACCESS", 2},
	{"shadow.mmu_pte_write", 9},
};

/*
 * Two figures of a result beside others: what the bypass saves of the result
 * without it, and how many times the cycles of native it takes.
 */
static void test_pair_figures(void **state)
{
	static const char *const mmu[] = {"native", "kvm-2.6.25", "kvm-2.6.25"};
	struct report *report = report_create();
	struct plot_figure saved, times;
	double cycles[3];
	struct diag diag;

	(void)state;
	for (int i = 0; i < 3; i++) {
		struct sample sample;

		sample_init(&sample, i == 2 ? SAMPLE_BYPASS : SAMPLE_UPDATE, 8);
		strcpy(sample.result.config[0].value, mmu[i]);
		sample.result.config[1].note[0] = 0;
		cycles[i] = (double)sample.acct->now;
		assert_int_equal(report_add(report, &sample.result, &diag), 0);
		sample_finish(&sample);
	}
	assert_int_equal(figure_find(report, "saved", &saved, &diag), 0);
	assert_int_equal(figure_find(report, "native", &times, &diag), 0);
	assert_true(isnan(figure_of(&saved, report, report->doc[0])));
	assert_true(isnan(figure_of(&saved, report, report->doc[1])));
	assert_true(fabs(figure_of(&saved, report, report->doc[2]) -
			 100 * (1 - cycles[2] / cycles[1])) < 1e-9);
	assert_true(fabs(figure_of(&times, report, report->doc[2]) -
			 cycles[2] / cycles[0]) < 1e-9);
	report_destroy(report);

	/* Another processor's native run is not what to compare with. */
	report = make_sweep(1, 2, 1, 1);
	json_object_set_new(json_object_get(report->doc[0], "config"), "mmu",
			    json_string("native"));
	assert_true(isnan(figure_of(&times, report, report->doc[1])));
	report_destroy(report);
}

static void set_cost(const struct report *report, size_t i, const char *key,
		     const char *value, int count)
{
	json_t *doc = report->doc[i];

	json_object_set_new(json_object_get(doc, "config"), key,
			    json_string(value));
	json_object_set_new(json_object_get(doc, "cost_counts"), key,
			    json_integer(count));
}

/* Native time depends on what native paid for, and on no other cost. */
static void test_native_costs(void **state)
{
	struct report *report = make_sweep(1, 1, 1, 2);
	struct plot_figure times;
	struct diag diag;

	(void)state;
	for (size_t i = 0; i < 2; i++)
		json_object_set_new(json_object_get(report->doc[i], "source"),
				    "args", json_string("one"));
	json_object_set_new(json_object_get(report->doc[0], "config"), "mmu",
			    json_string("native"));
	assert_int_equal(figure_find(report, "native", &times, &diag), 0);

	set_cost(report, 0, "cost.walk", "1", 0);
	set_cost(report, 1, "cost.walk", "2", 5);
	assert_true(figure_of(&times, report, report->doc[1]) > 1);
	set_cost(report, 0, "cost.walk", "1", 3);
	assert_true(isnan(figure_of(&times, report, report->doc[1])));
	set_cost(report, 1, "cost.walk", "1", 5);
	assert_true(figure_of(&times, report, report->doc[1]) > 1);
	report_destroy(report);
}

/* What follows from a machine is not told beside its name. */
static void test_following(void **state)
{
	struct report *report = report_create();
	char name[PLOT_TEXT_MAX];
	struct diag diag;

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct sample sample;
		struct result *result = &sample.result;
		struct result_setting *set;

		sample_init(&sample, SAMPLE_BYPASS, 8);
		set = &result->config[result->nr_config++];
		strcpy(set->key, "machine");
		strcpy(set->value, i ? "merom" : "nehalem");
		set->changed = true;
		strcpy(result->config[2].value, i ? "32M" : "64M");
		strcpy(result->config[3].value, i ? "2930" : "2800");
		result->config[3].changed = false;
		assert_int_equal(report_add(report, result, &diag), 0);
		sample_finish(&sample);
	}
	report_label(report, 1, name, sizeof(name));
	assert_string_equal(name, "machine=merom");
	axis_rest(report, report->doc[1], NULL, 0, name, sizeof(name));
	assert_string_equal(name, "machine=merom");
	/* Where a clock was given it is. */
	json_array_append_new(json_object_get(report->doc[0], "config_changed"),
			      json_string("mhz"));
	json_object_set_new(report->changed, "mhz", json_true());
	report_label(report, 1, name, sizeof(name));
	assert_string_equal(name, "mhz=2930 machine=merom");
	report_destroy(report);
}

static void test_figures(void **state)
{
	struct report *report = make_sweep(1, 1, 2, 1);
	struct sample sample;
	struct diag diag;

	(void)state;
	sample_init(&sample, SAMPLE_BYPASS, 8);
	report_add(report, &sample.result, &diag);
	for (size_t i = 0; i < ARRAY_LEN(figures); i++) {
		struct plot_figure figure;
		double got;

		assert_int_equal(
			figure_find(report, figures[i].name, &figure, &diag),
			0);
		got = figure_of(&figure, report, report->doc[2]);
		if (fabs(got - figures[i].value) > 1e-9)
			fail_msg("%s: got %g, want %g", figures[i].name, got,
				 figures[i].value);
	}
	sample_finish(&sample);
	report_destroy(report);
}

static void test_default_figure(void **state)
{
	static const char *const cost[] = {"memory", "cost.exit"};
	struct report *report = make_sweep(2, 1, 1, 1);
	struct report *same = report_create();
	struct plot_figure figure;
	struct diag diag;

	(void)state;
	figure_choose(report, NULL, cost, 1, &figure, &diag);
	assert_string_equal(figure.name, "exits");
	figure_choose(report, NULL, cost, 2, &figure, &diag);
	assert_string_equal(figure.name, "cycles");
	figure_choose(report, "coverage", cost, 2, &figure, &diag);
	assert_string_equal(figure.name, "coverage");
	/* 18 exits each: 2 * (7 + 1) + 2 and 1 + 14 + 1 + 2. */
	for (int i = 0; i < 2; i++)
		add_point(same, &(struct sweep_point){"1G", "1", i == 1, "g"},
			  (uint64_t)(i ? 14 : 7));
	figure_choose(same, NULL, cost, 1, &figure, &diag);
	assert_string_equal(figure.name, "cycles");
	report_destroy(report);
	report_destroy(same);
}

/* --- Curves and maps ----------------------------------------------------- */

/* Rows of a data block. */
static size_t read_block(const char *script, const char *name, double rows[][3],
			 size_t size)
{
	char head[32];
	const char *line;
	size_t nr = 0;

	snprintf(head, sizeof(head), "%s << EOD\n", name);
	line = strstr(script, head);
	if (!line)
		return 0;
	for (line += strlen(head); strncmp(line, "EOD", 3) != 0;
	     line = strchr(line, '\n') + 1) {
		assert_true(nr < size);
		assert_true(sscanf(line, "%lf %lf %lf", &rows[nr][0],
				   &rows[nr][1], &rows[nr][2]) >= 2);
		nr++;
	}
	return nr;
}

static double exits_of(bool on, double faults)
{
	return on ? 1 + faults + 1 + 2 : 2 * (faults + 1) + 2;
}

static void test_curves(void **state)
{
	struct report *report = make_sweep(3, 1, 2, 1);
	struct report_plot request = {.kind = REPORT_PLOT_SWEEP};
	struct diag diag = {""};
	char *script = NULL;
	double rows[8][3];

	(void)state;
	if (script_try(report, &request, &script, &diag))
		fail_msg("%s", diag.msg);
	for (int on = 0; on < 2; on++) {
		/* 1G, 64M, 256M were run with 3, 4, 5 faults, then 6, 7, 8. */
		const double want[3][2] = {
			{64, exits_of(on, on ? 7 : 4)},
			{256, exits_of(on, on ? 8 : 5)},
			{1024, exits_of(on, on ? 6 : 3)},
		};
		char name[16];

		snprintf(name, sizeof(name), "$curve%d", on);
		assert_int_equal(read_block(script, name, rows, 8), 3);
		for (int i = 0; i < 3; i++) {
			assert_true(rows[i][0] / 1048576 > want[i][0] - 1e-3 &&
				    rows[i][0] / 1048576 < want[i][0] + 1e-3);
			if (rows[i][1] < want[i][1] || rows[i][1] > want[i][1])
				fail_msg("%s, %g M: got %g, want %g", name,
					 want[i][0], rows[i][1], want[i][1]);
		}
	}
	assert_non_null(strstr(script, "VM exits by memory"));
	assert_non_null(strstr(script, "set logscale x"));
	assert_non_null(strstr(script, "title \"bypass=off\""));
	assert_non_null(strstr(script, "dashed: without the bypass"));
	free(script);
	report_destroy(report);
}

/* The first map has six cells.  free() what is returned. */
static char *map_script(const struct report *report,
			const struct report_plot *request, double rows[8][3])
{
	struct diag diag = {""};
	char *script = NULL;

	if (script_try(report, request, &script, &diag))
		fail_msg("%s", diag.msg);
	assert_int_equal(read_block(script, "$map0", rows, 8), 6);
	return script;
}

static void test_map(void **state)
{
	struct report *report = make_sweep(3, 2, 1, 1);
	struct report_plot request = {.kind = REPORT_PLOT_HEAT,
				      .y = "mhz",
				      .z = "guest_faults.total"};
	double rows[8][3];
	char *script = map_script(report, &request, rows);

	(void)state;
	for (int i = 0; i < 6; i++) {
		/* Columns 64M, 256M, 1G; run were 1G first, mhz fastest. */
		static const int order[] = {1, 2, 0};
		int x = (int)rows[i][0], y = (int)rows[i][1];
		double want = 3 + 2 * order[x] + y + 1;

		assert_int_equal(x, i % 3);
		assert_int_equal(y, i / 3);
		if (rows[i][2] < want || rows[i][2] > want)
			fail_msg("cell %d,%d: got %g, want %g", x, y,
				 rows[i][2], want);
	}
	assert_non_null(strstr(script, "guest_faults.total by memory and mhz"));
	free(script);
	report_destroy(report);
}

/* Of results with the bypass and without: the latter save nothing. */
static void test_map_of_some(void **state)
{
	struct report *report = make_sweep(3, 2, 2, 1);
	struct report_plot request = {.kind = REPORT_PLOT_HEAT,
				      .x = "memory",
				      .y = "mhz",
				      .z = "saved"};
	double rows[8][3];
	char *script = map_script(report, &request, rows);

	(void)state;
	for (int i = 0; i < 6; i++)
		assert_true(rows[i][2] < 100);
	assert_null(strstr(script, "$map1"));
	free(script);
	report_destroy(report);
}

/* --- What fits ----------------------------------------------------------- */

/* clang-format off */
static const struct {
	const char *name;
	size_t memory, mhz, on, guests; /* make_sweep() */
	struct report_plot request;
	int err;
	const char *says; /* part of the script, or of the line if refused */
} fits[] = {
	{"the numeric setting with most values", 2, 3, 2, 1,
	 {.kind = REPORT_PLOT_SWEEP}, 0, "VM exits by mhz"},
	{"a setting asked for", 2, 3, 2, 1,
	 {.kind = REPORT_PLOT_SWEEP, .x = "memory", .y = "coverage"},
	 0, "Bypass coverage by memory"},
	{"no number varies", 1, 1, 2, 2,
	 {.kind = REPORT_PLOT_SWEEP}, -EINVAL, "there is no x axis"},
	{"words are no x axis", 2, 1, 2, 1,
	 {.kind = REPORT_PLOT_SWEEP, .x = "bypass"},
	 -EINVAL, "--x bypass: its values are words"},
	{"one value is no axis", 2, 1, 2, 1,
	 {.kind = REPORT_PLOT_SWEEP, .x = "mhz"},
	 -EINVAL, "it has only one value, 100"},
	{"an unknown setting", 2, 1, 2, 1,
	 {.kind = REPORT_PLOT_SWEEP, .x = "mhx"},
	 -ENOENT, "did you mean \"mhz\"?"},
	{"an unknown figure", 2, 1, 2, 1,
	 {.kind = REPORT_PLOT_SWEEP, .y = "cycle"},
	 -ENOENT, "did you mean \"cycles\"?"},
	{"a member that is no number", 2, 1, 2, 1,
	 {.kind = REPORT_PLOT_SWEEP, .y = "guest.status"},
	 -ENOENT, "no figure is called \"guest.status\""},
	{"14 curves", 2, 1, 2, 7,
	 {.kind = REPORT_PLOT_SWEEP}, 0, "VM exits by memory"},
	{"16 curves", 2, 1, 2, 8,
	 {.kind = REPORT_PLOT_SWEEP}, -EINVAL, "more than 14 curves"},
	{"8 colours", 2, 1, 1, 8,
	 {.kind = REPORT_PLOT_SWEEP},
	 -EINVAL, "8 colours cannot be told apart"},
	{"a map of what varies most", 2, 3, 2, 1,
	 {.kind = REPORT_PLOT_HEAT}, 0, "by mhz and memory"},
	{"a map of one setting and the guests", 1, 1, 2, 2,
	 {.kind = REPORT_PLOT_HEAT}, 0, "by bypass and guest"},
	{"a map of one setting", 1, 1, 2, 1,
	 {.kind = REPORT_PLOT_HEAT}, -EINVAL,
	 "a map wants two settings that vary; only one does here: bypass"},
	{"a map of none", 1, 1, 1, 1,
	 {.kind = REPORT_PLOT_HEAT}, -EINVAL, "none does"},
	{"x is y", 2, 2, 1, 1,
	 {.kind = REPORT_PLOT_HEAT, .x = "mhz", .y = "mhz"},
	 -EINVAL, "--x and --y are both mhz"},
	{"y is left alone by x", 2, 3, 1, 1,
	 {.kind = REPORT_PLOT_HEAT, .y = "mhz"}, 0, "by memory and mhz"},
	{"bars take no x", 1, 1, 2, 1,
	 {.kind = REPORT_PLOT_EXITS, .x = "mhz"},
	 -EINVAL, "--kind exits takes no --x"},
	{"the ladder takes no y", 1, 1, 2, 1,
	 {.kind = REPORT_PLOT_LADDER, .y = "exits"},
	 -EINVAL, "--kind ladder takes no --y"},
	{"curves take no z", 2, 1, 2, 1,
	 {.kind = REPORT_PLOT_SWEEP, .z = "exits"},
	 -EINVAL, "--kind sweep takes no --z"},
	{"bars in percent", 1, 1, 2, 1,
	 {.kind = REPORT_PLOT_EXITS, .y = "percent"},
	 0, "VM exits (% of the guest\\047s first bar)"},
	{"bars of another figure", 1, 1, 2, 1,
	 {.kind = REPORT_PLOT_EXITS, .y = "cycles"},
	 -EINVAL, "--y cycles: bars show exits or percent"},
	{"no bypass, no coverage", 1, 1, 1, 1,
	 {.kind = REPORT_PLOT_COVERAGE},
	 -EINVAL, "no result with bypass=on"},
	{"more bars than can be read", 4, 3, 2, 9,
	 {.kind = REPORT_PLOT_EXITS}, -EINVAL, "216 bars"},
};
/* clang-format on */

static void test_fits(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(fits); i++) {
		/* The ninth guest is made of the first one's name. */
		struct report *report =
			make_sweep(fits[i].memory, fits[i].mhz, fits[i].on,
				   fits[i].guests > 8 ? 8 : fits[i].guests);
		struct diag diag = {""};
		char *script = NULL;
		int err;

		for (size_t n = 0; n < 24 && fits[i].guests > 8; n++)
			add_point(
				report,
				&(struct sweep_point){"1G", "1", true, "nine"},
				1);
		err = script_try(report, &fits[i].request, &script, &diag);
		if (err != fits[i].err ||
		    !strstr(err ? diag.msg : script, fits[i].says))
			fail_msg("%s: got %d, %s", fits[i].name, err, diag.msg);
		if (!err)
			script_check_tame(script);
		free(script);
		report_destroy(report);
	}
}

/* A guest that leaves the others no room is cut, and says how high it is. */
static void test_outlier(void **state)
{
	struct report_plot request = {.kind = REPORT_PLOT_LADDER};
	struct report *report = make_sweep(1, 1, 1, 3);
	struct diag diag = {""};
	struct sample sample;
	char *script = NULL;

	(void)state;
	sample_init(&sample, SAMPLE_UPDATE, 1);
	sample.acct->pf_cause[CAUSE_hidden_fill] = 96;
	sample.result.source_args = "outlier";
	report_add(report, &sample.result, &diag);
	sample_finish(&sample);
	if (script_try(report, &request, &script, &diag))
		fail_msg("%s", diag.msg);
	assert_non_null(strstr(script, "set label \"50.0\""));
	assert_non_null(strstr(script, "set yrange [0:2.784]"));
	assert_non_null(strstr(script, "nohead front"));
	free(script);
	report_destroy(report);
}

/* --- Choosing results ---------------------------------------------------- */

static const struct {
	const char *only;
	size_t kept; /* of 2 memories, 3 clocks, off and on, 2 guests */
	const char *says;
} onlys[] = {
	{"bypass=on", 12, NULL},
	{"bypass=on,off", 24, NULL},
	{"mhz=100,300", 16, NULL},
	{"guest=two", 12, NULL},
	{"memory=1G", 12, NULL},
	{"bypass", 0, "want KEY=VALUE"},
	{"bypass=", 0, "no result has bypass=; there are off, on"},
	{"bypass=maybe", 0, "no result has bypass=maybe; there are off, on"},
	{"bypass=on,maybe", 0, "no result has bypass=maybe"},
	{"bypas=on", 0, "did you mean \"bypass\"?"},
	{"guest=three", 0, "there are one, two"},
};

static void test_only(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(onlys); i++) {
		struct report *report = make_sweep(2, 3, 2, 2);
		struct diag diag = {""};
		int err = report_keep(report, onlys[i].only, &diag);

		if (!err != !onlys[i].says ||
		    (err ? !strstr(diag.msg, onlys[i].says)
			 : report_nr(report) != onlys[i].kept))
			fail_msg("%s: got %d, %zu results, %s", onlys[i].only,
				 err, report_nr(report), diag.msg);
		report_destroy(report);
	}
}

/* A setting that only results of a later version have is a difference. */
static void test_new_setting(void **state)
{
	struct report *report = make_sweep(1, 1, 1, 1);
	struct sample sample;
	struct diag diag;
	char label[64];

	(void)state;
	sample_init(&sample, SAMPLE_UPDATE, 3);
	strcpy(sample.result.config[0].value, "kvm-2.6.25");
	strcpy(sample.result.config[2].value, "1G");
	strcpy(sample.result.config[4].key, "new");
	strcpy(sample.result.config[4].value, "1");
	sample.result.nr_config++;
	report_add(report, &sample.result, &diag);
	sample_finish(&sample);
	report_label(report, 1, label, sizeof(label));
	assert_string_equal(label, "new=1");
	report_destroy(report);
}

/* What was chosen is no difference any more. */
static void test_only_labels(void **state)
{
	struct report *report = make_sweep(2, 3, 2, 1);
	struct diag diag;
	char label[64];

	(void)state;
	report_label(report, 0, label, sizeof(label));
	assert_string_equal(label, "bypass=off memory=1G mhz=100");
	assert_int_equal(report_keep(report, "bypass=on", &diag), 0);
	assert_int_equal(report_keep(report, "mhz=300", &diag), 0);
	assert_int_equal(report_nr(report), 2);
	report_label(report, 1, label, sizeof(label));
	assert_string_equal(label, "memory=64M");
	report_destroy(report);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_axis),
		cmocka_unit_test(test_curves),
		cmocka_unit_test(test_map),
		cmocka_unit_test(test_map_of_some),
		cmocka_unit_test(test_fits),
		cmocka_unit_test(test_outlier),
		cmocka_unit_test(test_only),
		cmocka_unit_test(test_only_labels),
		cmocka_unit_test(test_new_setting),
		cmocka_unit_test(test_figures),
		cmocka_unit_test(test_pair_figures),
		cmocka_unit_test(test_native_costs),
		cmocka_unit_test(test_following),
		cmocka_unit_test(test_default_figure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
