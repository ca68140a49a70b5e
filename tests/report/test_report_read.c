/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading results: what is refused, and with which words; and that no damaged
 * file brings anything down, whether it is refused or shown.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../share.h"
#include "sample.h"

static char *sample_text(void)
{
	struct report *report = report_create();
	struct sample sample;
	struct diag diag;
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	sample_init(&sample, SAMPLE_BYPASS, 8);
	assert_int_equal(report_add(report, &sample.result, &diag), 0);
	sample_finish(&sample);
	report_print_json(report, out);
	fclose(out);
	report_destroy(report);
	return text;
}

static int read_text(const char *text, size_t len, size_t *nr,
		     struct diag *diag)
{
	struct report *report = report_create();
	FILE *in = len ? fmemopen((void *)text, len, "r")
		       : fopen("/dev/null", "r");
	int err = report_read(report, in, "f.json", diag);

	fclose(in);
	*nr = report_nr(report);
	report_destroy(report);
	return err;
}

/* Replace the first `from` by `to`; the caller frees. */
static char *changed(const char *from, const char *to)
{
	char *text = sample_text(), *ret = NULL;
	char *at = strstr(text, from);

	if (!at)
		fail_msg("the sample holds no %s", from);
	*at = 0;
	assert_true(asprintf(&ret, "%s%s%s", text, to, at + strlen(from)) > 0);
	free(text);
	return ret;
}

static const struct {
	const char *from, *to;
	const char *says; /* NULL: fine */
} changes[] = {
	{"{", "{", NULL},
	{"{", "\n\n {", NULL},
	/* Members of a later version, and members this one has added. */
	{"\"version\"", "\"more\": {\"x\": [1]}, \"version\"", NULL},
	{"\"mmu_flooded\": 0, ", "", NULL},
	{"\"per_guest_fault\": 1.111111", "\"per_guest_fault\": 1", NULL},
	{"\"coverage\": 1.0", "\"coverage\": null", NULL},
	{"notrap-result/1", "notrap-result/2", "schema \"notrap-result/2\""},
	{"notrap-result/1", "", "not a result of notrap run"},
	{"\"schema\"", "\"scheme\"", "not a result of notrap run"},
	{"\"exits\"", "\"exit\"", "member exits is missing"},
	{"\"cycles\": {", "\"cycles\": 3, \"x\": {",
	 "member cycles should be an object"},
	{"\"total\": 12", "\"total\": \"12\"",
	 "member exits.total should be an integer"},
	{"\"total\": 12", "\"total\": -12", "member total is negative"},
	{"\"CR_ACCESS\": 2", "\"CR_ACCESS\": \"2\"",
	 "member exits/by_reason/CR_ACCESS is not of the right type"},
	{"\"CR_ACCESS\": {", "\"X\": 1, \"CR_ACCESS\": {",
	 "member latency/exit/X is not of the right type"},
	{"\"mmu\": \"kvm-2.6.25\"", "\"mmu\": 25",
	 "member config/mmu is not of the right type"},
	{"\"ok\": true", "\"ok\": 1",
	 "member guest.ok should be true or false"},
	{"\"config_changed\": [", "\"config_changed\": 7, \"x\": [",
	 "member config_changed should be an array"},
	{"{", "[", "f.json:1:"},
	{"\"guest\"", "guest", "f.json:1:"},
	{"{", "\n\n\n{oops", "f.json:4:"},
};

static void test_changes(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
		char *text = changed(changes[i].from, changes[i].to);
		struct diag diag = {""};
		size_t nr;
		int err = read_text(text, strlen(text), &nr, &diag);

		if (err != (changes[i].says ? -EINVAL : 0) ||
		    nr != (changes[i].says ? 0 : 1) ||
		    (err && !strstr(diag.msg, changes[i].says)))
			fail_msg("%s -> %s: got %d, \"%s\"; want \"%s\"",
				 changes[i].from, changes[i].to, err, diag.msg,
				 changes[i].says ? changes[i].says : "");
		assert_null(strchr(diag.msg, '\n'));
		free(text);
	}
}

static void test_streams(void **state)
{
	char *one = sample_text(), *many = NULL;
	struct diag diag = {""};
	size_t nr;

	(void)state;
	assert_true(asprintf(&many, "%s%s \n\n%s", one, one, one) > 0);
	assert_int_equal(read_text(many, strlen(many), &nr, &diag), 0);
	assert_int_equal(nr, 3);
	free(many);

	/* What was good before the damage has been read; it says where. */
	assert_true(asprintf(&many, "%s%s{\"schema\": 1}\n", one, one) > 0);
	assert_int_equal(read_text(many, strlen(many), &nr, &diag), -EINVAL);
	assert_int_equal(nr, 2);
	assert_non_null(strstr(diag.msg, "f.json:3:"));
	free(many);
	free(one);

	assert_int_equal(read_text("", 0, &nr, &diag), -EINVAL);
	assert_string_equal(diag.msg, "f.json: holds no result");
	assert_int_equal(read_text(" \n ", 3, &nr, &diag), -EINVAL);
	assert_int_equal(read_text("hello", 5, &nr, &diag), -EINVAL);
	assert_int_equal(read_text("[]", 2, &nr, &diag), -EINVAL);
}

/* Spread over lines, as other tools write it. */
static void test_pretty_printed(void **state)
{
	char *text = sample_text();
	struct diag diag = {""};
	size_t nr;

	(void)state;
	for (char *p = text; *p; p++)
		if (*p == ' ' && p[-1] == ',')
			*p = '\n';
	assert_int_equal(read_text(text, strlen(text), &nr, &diag), 0);
	assert_int_equal(nr, 1);
	free(text);
}

static void test_truncated(void **state)
{
	char *text = sample_text();
	size_t len = strlen(text), nr;

	(void)state;
	for (size_t cut = 1; cut + 1 < len; cut += one_of_cases()) {
		struct diag diag = {""};

		if (read_text(text, cut, &nr, &diag) != -EINVAL || nr)
			fail_msg("cut at %zu: it was taken for whole", cut);
		assert_true(diag.msg[0]);
	}
	free(text);
}

/* --- Anything at all ----------------------------------------------------- */

static uint64_t rng_next(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static void show_all(const struct report *report)
{
	struct report_difference diff;
	struct diag diag;
	char label[64];
	FILE *out = fopen("/dev/null", "w");

	report_print_tables(report, REPORT_TEXT, out);
	report_print_tables(report, REPORT_MARKDOWN, out);
	report_print_csv(report, out);
	report_print_json(report, out);
	for (int kind = REPORT_PLOT_EXITS; kind <= REPORT_PLOT_HEAT; kind++) {
		const struct report_plot request = {
			.kind = (enum report_plot_kind)kind,
		};

		report_print_plot(report, &request, out, &diag);
	}
	report_is_transparent(report, &diff);
	for (size_t i = 0; i < report_nr(report); i++)
		report_label(report, i, label, sizeof(label));
	fclose(out);
}

/* Change a few bytes: to others that JSON knows, or to any. */
static void mutate(uint64_t *rng, char *text, size_t len)
{
	static const char likely_bytes[] = "{}[]\",:0123456789-eE.ntf\\/ ax_";

	for (uint64_t n = 1 + rng_next(rng) % 4; n; n--) {
		size_t at = rng_next(rng) % len;

		if (rng_next(rng) % 4)
			text[at] = likely_bytes[rng_next(rng) %
						(sizeof(likely_bytes) - 1)];
		else
			text[at] = (char)rng_next(rng);
	}
}

static void test_mutated(void **state)
{
	char *text = sample_text();
	size_t len = strlen(text);
	char *copy = malloc(2 * len);
	int rounds = 4000 / (int)one_of_cases();
	uint64_t rng = 0xfeedface12345678;
	unsigned int shown = 0, refused = 0;

	(void)state;
	for (int round = 0; round < rounds; round++) {
		struct report *report = report_create();
		struct diag diag = {""};
		FILE *in;

		memcpy(copy, text, len);
		memcpy(copy + len, text, len);
		mutate(&rng, copy, 2 * len);
		in = fmemopen(copy, 2 * len, "r");
		if (report_read(report, in, "f.json", &diag))
			refused++;
		if (report_nr(report)) {
			show_all(report);
			shown++;
		}
		fclose(in);
		report_destroy(report);
	}
	assert_true(shown * one_of_cases() > 500);
	assert_true(refused * one_of_cases() > 500);
	free(copy);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_changes),
		cmocka_unit_test(test_streams),
		cmocka_unit_test(test_pretty_printed),
		cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_mutated),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
