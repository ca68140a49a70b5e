/* SPDX-License-Identifier: GPL-2.0-or-later */
/* When two results tell of the same guest run, and how results are called. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "sample.h"

static void change_console(struct result *result)
{
	result->guest_console_digest++;
}

static void change_faults(struct result *result)
{
	result->guest_fault_digest++;
}

static void change_insns(struct result *result)
{
	result->guest_insns++;
}

static void change_status(struct result *result)
{
	result->guest_status = "triple fault";
}

static void change_memory_digest(struct result *result)
{
	result->guest_memory_digest++;
}

static void change_memory_size(struct result *result)
{
	strcpy(result->config[2].value, "32M");
	result->guest_console_digest++;
}

static void change_args(struct result *result)
{
	result->source_args = "another workload";
	result->guest_console_digest++;
}

static void change_initrd(struct result *result)
{
	result->source_initrd = "another";
	result->source_initrd_digest++;
	result->guest_console_digest++;
}

static void change_to_timeout(struct result *result)
{
	result->guest_status = "timeout";
	result->guest_insns++;
}

static void change_to_interrupted(struct result *result)
{
	result->guest_status = "interrupted";
	result->guest_insns++;
}

static void change_clock(struct result *result)
{
	strcpy(result->config[3].value, "200");
	result->guest_console_digest++;
}

static const struct {
	const char *name;
	void (*change)(struct result *result);
	const char *what; /* NULL: nothing to complain of */
} cases[] = {
	{"the console", change_console, "console output"},
	{"the faults", change_faults, "page faults as it saw them"},
	{"the instructions", change_insns, "number of instructions"},
	{"the end", change_status, "end"},
	{"memory: A bits may differ", change_memory_digest, NULL},
	{"memory size: the guest can see it", change_memory_size, NULL},
	{"another guest", change_args, NULL},
	{"another initrd", change_initrd, NULL},
	{"an end by the host's clock", change_to_timeout, NULL},
	{"an end by the user", change_to_interrupted, NULL},
	{"a setting that no guest sees", change_clock, "console output"},
};

static void test_differences(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct report *report = report_create();
		struct report_difference diff = {0};
		struct sample a, b, c;
		struct diag diag;
		bool same;

		sample_init(&a, SAMPLE_CLEAR, 3);
		sample_init(&b, SAMPLE_UPDATE, 3);
		sample_init(&c, SAMPLE_BYPASS, 3);
		cases[i].change(&c.result);
		report_add(report, &a.result, &diag);
		report_add(report, &b.result, &diag);
		report_add(report, &c.result, &diag);
		same = report_is_transparent(report, &diff);
		if (same != !cases[i].what ||
		    (!same && (strcmp(diff.what, cases[i].what) != 0 ||
			       diff.first != 0 || diff.other != 2)))
			fail_msg("%s: got %s of %zu and %zu, want %s",
				 cases[i].name, same ? "nothing" : diff.what,
				 diff.first, diff.other,
				 cases[i].what ? cases[i].what : "nothing");
		sample_finish(&a);
		sample_finish(&b);
		sample_finish(&c);
		report_destroy(report);
	}
}

static void check_label(const struct report *report, size_t i, const char *want)
{
	char got[128];

	report_label(report, i, got, sizeof(got));
	assert_string_equal(got, want);
}

static void test_labels(void **state)
{
	struct report *report = report_create();
	struct sample a, b;
	struct diag diag;

	(void)state;
	sample_init(&a, SAMPLE_BYPASS, 3);
	sample_init(&b, SAMPLE_BYPASS, 3);
	report_add(report, &a.result, &diag);
	check_label(report, 0, "#1");

	strcpy(b.result.config[1].value, "off");
	report_add(report, &b.result, &diag);
	check_label(report, 0, "bypass=on");
	check_label(report, 1, "bypass=off");

	/* It may follow from the generation; then it was given. */
	strcpy(b.result.config[2].value, "32M");
	strcpy(b.result.config[0].value, "seed");
	report_add(report, &b.result, &diag);
	check_label(report, 0, "mmu=kvm-2.6.25 bypass=on");
	check_label(report, 2, "mmu=seed bypass=off");
	b.result.config[2].changed = true;
	report_add(report, &b.result, &diag);
	check_label(report, 0, "mmu=kvm-2.6.25 bypass=on memory=64M");
	check_label(report, 3, "mmu=seed bypass=off memory=32M");
	sample_finish(&a);
	sample_finish(&b);
	report_destroy(report);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_differences),
		cmocka_unit_test(test_labels),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
