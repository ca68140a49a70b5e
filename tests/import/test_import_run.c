/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An import as a whole: what ends it, and what is left behind then.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/hash.h"
#include "import/import.h"
#include "rig.h"

struct call {
	const char *format, *text;
	uint32_t lines; /* of text, one after the other */
	const char *path, *output;
	struct import_request request;
	struct import_result result;
	struct diag diag;
};

static void prepare(struct call *call, const char *format)
{
	*call = (struct call){
		.format = format,
		.path = scratch_path("in"),
		.output = scratch_path("out"),
		.request = {.format = import_format_find(format),
			    .options = rig_options(TRACE_PAGES),
			    .origin = "who",
			    .tool = "what"},
	};
	call->request.path = call->path;
	call->request.output = call->output;
}

static int run(struct call *call)
{
	return import_run(&call->request, &call->result, &call->diag);
}

static void write_text(const char *path, const char *text)
{
	file_store(path, (const uint8_t *)text, strlen(text));
}

/* A write to each of so many pages. */
static void write_pages(const char *path, uint32_t pages)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	for (uint32_t i = 0; i < pages; i++)
		fprintf(file, "I  00400000,4\n S %08x,8\n",
			0x10000000 + i * 4096);
	assert_int_equal(fclose(file), 0);
}

static void check_no_output(const struct call *call)
{
	char temp[256];

	snprintf(temp, sizeof(temp), "%s.tmp", call->output);
	assert_int_not_equal(access(call->output, F_OK), 0);
	assert_int_not_equal(access(temp, F_OK), 0);
}

static void tells_where_from(void **state)
{
	struct tape_reading how;
	struct tape tape;
	struct call call;

	(void)state;
	prepare(&call, "lackey");
	write_pages(call.path, 3);
	assert_int_equal(run(&call), 0);
	assert_int_equal(call.result.records, 6);
	assert_int_equal(call.result.guest.faults, 4);
	assert_false(call.result.interrupted);
	assert_int_equal(tape_read(&tape, call.output, &how, &call.diag), 0);
	assert_string_equal(how.info.source, "lackey");
	assert_string_equal(how.info.origin, "who");
	assert_string_equal(how.info.tool, "what");
	assert_int_equal(how.info.memory, 32 << 20);
	assert_int_equal(how.totals.faults, call.result.totals.faults);
	assert_int_equal(how.totals.digest, call.result.totals.digest);
	assert_int_equal(how.totals.insns, call.result.guest.insns);
	tape_finish(&tape);
	scratch_remove();
}

/* The same input and options, the same bytes; another seed, other frames. */
static void is_deterministic(void **state)
{
	uint64_t digest[4];

	(void)state;
	for (int i = 0; i < 4; i++) {
		struct call call;

		prepare(&call, "lackey");
		call.request.options.seed = i < 2 ? 0 : (uint64_t)i;
		write_pages(call.path, 50);
		assert_int_equal(run(&call), 0);
		digest[i] = call.result.totals.digest;
		scratch_remove();
	}
	assert_int_equal(digest[0], digest[1]);
	assert_int_not_equal(digest[0], digest[2]);
	assert_int_not_equal(digest[2], digest[3]);
}

static void nothing_in_it(void **state)
{
	static const char *const formats[] = {"lackey", "perf", "drmemtrace",
					      "champsim"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(formats); i++) {
		struct call call;

		prepare(&call, formats[i]);
		write_text(call.path, "");
		assert_int_equal(run(&call), -EINVAL);
		assert_non_null(strstr(call.diag.msg, "no record of"));
		assert_non_null(strstr(call.diag.msg, formats[i]));
		check_no_output(&call);
		scratch_remove();
	}
}

/* Of a file of another format nothing is left, however lenient. */
static void all_malformed(void **state)
{
	struct call call;

	(void)state;
	prepare(&call, "perf");
	call.request.lenient = true;
	write_pages(call.path, 3);
	assert_int_equal(run(&call), -EINVAL);
	assert_non_null(strstr(call.diag.msg, "no record of perf"));
	check_no_output(&call);
	scratch_remove();
}

static void no_such_file(void **state)
{
	struct call call;

	(void)state;
	prepare(&call, "lackey");
	assert_int_equal(run(&call), -ENOENT);
	assert_non_null(strstr(call.diag.msg, "No such file"));
	check_no_output(&call);
	scratch_remove();
}

static void bad_option(void **state)
{
	struct call call;

	(void)state;
	prepare(&call, "lackey");
	call.request.options.fault_around = 7;
	write_pages(call.path, 3);
	assert_int_equal(run(&call), -EINVAL);
	assert_non_null(strstr(call.diag.msg, "fault-around"));
	check_no_output(&call);
	scratch_remove();
}

static void malformed_line(void **state)
{
	struct call call;

	(void)state;
	prepare(&call, "lackey");
	write_text(call.path, "I  00400000,4\nwhat\n");
	assert_int_equal(run(&call), -EINVAL);
	assert_non_null(strstr(call.diag.msg, "in:2: "));
	check_no_output(&call);
	scratch_remove();
}

/* 28 MiB are less than 8000 pages. */
static void memory_used_up(void **state)
{
	struct call call;

	(void)state;
	prepare(&call, "lackey");
	write_pages(call.path, 8000);
	assert_int_equal(run(&call), -ENOMEM);
	assert_non_null(strstr(call.diag.msg, "--memory"));
	assert_null(strchr(call.diag.msg, '\n'));
	check_no_output(&call);

	call.request.options.memory = UINT64_C(64) << 20;
	assert_int_equal(run(&call), 0);
	assert_int_equal(call.result.guest.faults, 8001);
	scratch_remove();
}

/* It is not gone on with for hours, either. */
static void disk_full(void **state)
{
	struct rlimit old, limit;
	struct call call;
	int err;

	(void)state;
	prepare(&call, "lackey");
	call.request.options.granularity = TRACE_FULL;
	write_pages(call.path, 6000);
	getrlimit(RLIMIT_FSIZE, &old);
	limit = (struct rlimit){10000, old.rlim_max};
	signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &limit);
	err = run(&call);
	setrlimit(RLIMIT_FSIZE, &old);
	assert_int_equal(err, -EFBIG);
	assert_non_null(strstr(call.diag.msg, "File too large"));
	assert_int_equal(call.result.records, 0);
	check_no_output(&call);
	scratch_remove();
}

/* --- Interrupted ---------------------------------------------------------- */

static volatile int attention;

static void ask_for_attention(void *context, uint64_t done, uint64_t total)
{
	uint64_t *calls = context;

	assert_true(done <= total);
	attention = ++*calls == 2;
}

static void check_interrupted(struct call *call)
{
	uint64_t calls = 0;
	struct tape tape;

	call->request.attention = &attention;
	call->request.progress = ask_for_attention;
	call->request.context = &calls;
	attention = 0;
	assert_int_equal(run(call), 0);
	assert_true(call->result.interrupted);
	assert_int_equal(calls, 2);
	rig_read(call->output, &tape);
	rig_replay(call->format, call->output, rig_digest(&tape), 0);
	tape_finish(&tape);
}

static void interrupted_lackey(void **state)
{
	struct call call;

	(void)state;
	prepare(&call, "lackey");
	call.request.options.memory = UINT64_C(64) << 20;
	write_pages(call.path, 8000);
	check_interrupted(&call);
	assert_true(call.result.records > 1000);
	assert_true(call.result.records < 15000);
	scratch_remove();
}

static void interrupted_perf(void **state)
{
	struct call call;
	FILE *file;

	(void)state;
	prepare(&call, "perf");
	call.request.options.memory = UINT64_C(64) << 20;
	file = fopen(call.path, "w");
	assert_non_null(file);
	for (unsigned int i = 0; i < 5000; i++)
		fprintf(file,
			"x 1 [000] 1.0: exceptions:page_fault_user: "
			"address=0x%x ip=0x400000 error_code=0x6\n",
			0x10000000 + i * 4096);
	assert_int_equal(fclose(file), 0);
	check_interrupted(&call);
	assert_int_equal(call.result.records, 2048);
	assert_int_equal(call.result.guest.faults, 2048);
	scratch_remove();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tells_where_from),
		cmocka_unit_test(is_deterministic),
		cmocka_unit_test(nothing_in_it),
		cmocka_unit_test(all_malformed),
		cmocka_unit_test(no_such_file),
		cmocka_unit_test(bad_option),
		cmocka_unit_test(malformed_line),
		cmocka_unit_test(memory_used_up),
		cmocka_unit_test(disk_full),
		cmocka_unit_test(interrupted_lackey),
		cmocka_unit_test(interrupted_perf),
	};

	return cmocka_run_group_tests_name("import_run", tests, NULL, NULL);
}
