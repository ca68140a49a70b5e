/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a guest is called: no more than tells it from the others there are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "sample.h"

static void add(struct report *report, const char *path, const char *args,
		uint64_t digest)
{
	struct sample sample;
	struct diag diag;

	sample_init(&sample, SAMPLE_UPDATE, 1);
	sample.result.source_path = path;
	sample.result.source_args = args;
	sample.result.source_digest = digest;
	if (report_add(report, &sample.result, &diag))
		fail_msg("%s", diag.msg);
	sample_finish(&sample);
}

/* By what is said of one that is not there. */
static void check_names(struct report *report, const char *want)
{
	struct diag diag = {""};

	assert_true(report_keep(report, "guest=none", &diag) < 0);
	if (!strstr(diag.msg, want))
		fail_msg("want \"%s\", got \"%s\"", want, diag.msg);
}

static void test_names(void **state)
{
	struct report *report = report_create();
	struct diag diag;

	(void)state;
	add(report, "a.elf", "sort", 1);
	check_names(report, "there are sort");
	add(report, "elsewhere/a.elf", "sort", 1);
	check_names(report, "there are sort");
	add(report, "b.elf", "sort", 2);
	add(report, "b.elf", "fork", 2);
	check_names(report, "a.elf \"sort\", elsewhere/a.elf \"sort\", "
			    "b.elf \"sort\", fork");
	assert_int_equal(
		report_keep(report, "guest=fork,b.elf \"sort\"", &diag), 0);
	check_names(report, "there are sort, fork");
	report_destroy(report);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
