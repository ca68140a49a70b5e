/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Results in files of their own: what was written comes back, what was changed
 * since is seen, and the results of other runs are told apart.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sample.h"

static char *text_of(int (*print)(const struct report *report, FILE *out),
		     const struct report *report)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_int_equal(print(report, out), 0);
	fclose(out);
	return text;
}

static int print_first_point(const struct report *report, FILE *out)
{
	return report_print_point(report, 0, out);
}

static struct report *report_of(struct sample *sample)
{
	struct report *report = report_create();
	struct diag diag;

	sample_init(sample, SAMPLE_BYPASS, 8);
	sample->result.source_kind = "trace";
	assert_int_equal(report_add(report, &sample->result, &diag), 0);
	return report;
}

static int read_point(struct report *report, const char *text, size_t len,
		      const struct result *want, struct diag *diag)
{
	FILE *in = fmemopen((void *)text, len, "r");
	int err;

	assert_non_null(in);
	err = report_read_point(report, in, "p", want, diag);
	fclose(in);
	return err;
}

static void test_comes_back(void **state)
{
	struct report *copy = report_create(), *report;
	struct sample sample;
	struct diag diag = {""};
	char *point, *before, *after;

	(void)state;
	report = report_of(&sample);
	before = text_of(report_print_json, report);
	point = text_of(print_first_point, report);
	assert_non_null(strstr(point, "\"sum\": \"0x"));
	if (read_point(copy, point, strlen(point), &sample.result, &diag))
		fail_msg("%s", diag.msg);
	after = text_of(report_print_json, copy);
	assert_string_equal(before, after);
	free(before);
	free(after);

	/* Another name, and nothing but the name. */
	assert_int_equal(report_set_path(copy, 0, "x/y"), 0);
	after = text_of(report_print_json, copy);
	assert_non_null(strstr(after, "\"path\": \"x/y\""));
	assert_non_null(strstr(after, "\"args\": \"touch pages=8\""));
	free(after);
	free(point);
	sample_finish(&sample);
	report_destroy(report);
	report_destroy(copy);
}

/* What is taken in spite of a change has to say what was written. */
static void check_change(const char *point, size_t len, const char *want,
			 const char *what, size_t at)
{
	struct report *copy = report_create();
	struct diag diag = {""};
	int err = read_point(copy, point, len, NULL, &diag);
	char *text;

	if (err) {
		assert_true(err == -EINVAL && diag.msg[0]);
		assert_int_equal(report_nr(copy), 0);
	} else {
		text = text_of(report_print_json, copy);
		if (strcmp(text, want) != 0)
			fail_msg("%s at %zu is not seen: %.40s", what, at,
				 point + at);
		free(text);
	}
	report_destroy(copy);
}

static void test_damage(void **state)
{
	struct sample sample;
	struct report *report = report_of(&sample);
	char *want = text_of(report_print_json, report);
	char *point = text_of(print_first_point, report);
	size_t len = strlen(point);

	(void)state;
	for (size_t i = 0; i < len; i++) {
		char old = point[i];

		point[i] = (char)(old ^ 1);
		check_change(point, len, want, "a flipped bit", i);
		point[i] = old;
	}
	for (size_t cut = 1; cut < len; cut += 7)
		check_change(point, len - cut, want, "a lost end", len - cut);
	free(point);
	free(want);
	sample_finish(&sample);
	report_destroy(report);
}

/* Two results, or one without a sum, are no file of a point. */
static void test_others(void **state)
{
	struct sample sample;
	struct report *report = report_of(&sample);
	struct report *copy = report_create();
	char *plain = text_of(report_print_json, report);
	char *point = text_of(print_first_point, report), *twice;
	struct diag diag;

	(void)state;
	assert_int_equal(read_point(copy, plain, strlen(plain), NULL, &diag),
			 -EINVAL);
	assert_true(asprintf(&twice, "%s%s", point, point) > 0);
	assert_int_equal(read_point(copy, twice, strlen(twice), NULL, &diag),
			 -EINVAL);
	assert_int_equal(report_nr(copy), 0);
	free(twice);
	free(point);
	free(plain);
	sample_finish(&sample);
	report_destroy(report);
	report_destroy(copy);
}

static void ask_for_digest(struct result *want)
{
	want->source_digest++;
}

static void ask_for_kind(struct result *want)
{
	want->source_kind = "live";
}

static void ask_for_value(struct result *want)
{
	strcpy(want->config[2].value, "65M");
}

static void ask_for_less(struct result *want)
{
	want->nr_config--;
}

static void ask_for_more(struct result *want)
{
	strcpy(want->config[want->nr_config].key, "new");
	want->nr_config++;
}

static void ask_for_path(struct result *want)
{
	want->source_path = "elsewhere";
	want->source_args = "";
}

static const struct {
	const char *name;
	void (*change)(struct result *want);
	int err;
} wants[] = {
	{"another trace", ask_for_digest, -ESTALE},
	{"another kind of source", ask_for_kind, -ESTALE},
	{"another value", ask_for_value, -ESTALE},
	{"a setting less", ask_for_less, -ESTALE},
	{"a setting more", ask_for_more, -ESTALE},
	{"another name of the same trace", ask_for_path, 0},
};

static void test_wanted(void **state)
{
	struct sample sample;
	struct report *report = report_of(&sample);
	char *point = text_of(print_first_point, report);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(wants); i++) {
		struct report *copy = report_create();
		struct result want = sample.result;
		struct diag diag = {""};
		int err;

		wants[i].change(&want);
		err = read_point(copy, point, strlen(point), &want, &diag);
		if (err != wants[i].err)
			fail_msg("%s: got %d, want %d", wants[i].name, err,
				 wants[i].err);
		report_destroy(copy);
	}
	free(point);
	sample_finish(&sample);
	report_destroy(report);
}

static void spoil_end(struct result *result)
{
	result->guest_ok = false;
}

static void spoil_check(struct result *result)
{
	result->check = "a law";
}

static void spoil_audit(struct result *result)
{
	result->audit_violations = 1;
}

/* A point that did not end well is never done. */
static void test_bad_end(void **state)
{
	static void (*const spoil[])(struct result *) = {spoil_end, spoil_check,
							 spoil_audit};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(spoil); i++) {
		struct report *report = report_create(), *copy;
		struct sample sample;
		struct diag diag;
		char *point;

		sample_init(&sample, SAMPLE_BYPASS, 8);
		spoil[i](&sample.result);
		report_add(report, &sample.result, &diag);
		point = text_of(print_first_point, report);
		copy = report_create();
		assert_int_equal(read_point(copy, point, strlen(point),
					    &sample.result, &diag),
				 -ESTALE);
		assert_int_equal(
			read_point(copy, point, strlen(point), NULL, &diag), 0);
		free(point);
		sample_finish(&sample);
		report_destroy(report);
		report_destroy(copy);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_comes_back),
		cmocka_unit_test(test_damage),
		cmocka_unit_test(test_others),
		cmocka_unit_test(test_wanted),
		cmocka_unit_test(test_bad_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
