/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory does not grow with the trace: ten times the length takes no more, by
 * what the kernel says about a child that writes and reads it.
 */
#include "random.h"
#include "tape.h"

#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define SHORT 1200000u /* some chunks */

/* KiB; a byte a record would be 10 MiB. */
#define SLACK 3072

/* Every third reference to a random page, so that the file grows, too. */
static int write_and_read(const char *path, enum trace_granularity granularity,
			  unsigned int nr)
{
	struct trace_info info = {.granularity = granularity};
	struct trace_writer *w;
	struct trace_reader *r;
	struct trace_item item;
	struct diag diag;
	struct rng rng;
	int got;

	rng_init(&rng, 1);
	if (trace_writer_create(path, &info, &w, &diag))
		return 1;
	for (unsigned int i = 0; i < nr; i++) {
		struct trace_ref ref;

		random_program_ref(&rng, &ref);
		if (i % 3 == 0)
			ref.gva ^= rng_below(&rng, 1 << 20) << PAGE_SHIFT;
		if (trace_write_ref(w, &ref))
			return 2;
	}
	if (trace_writer_close(w, NULL, &diag))
		return 3;
	if (trace_reader_open(path, &r, &diag))
		return 4;
	while ((got = trace_read(r, &item, &diag)) > 0)
		;
	got = got || trace_reader_damage(r);
	trace_reader_close(r);
	return got ? 5 : 0;
}

/* In KiB. */
static long memory_of(enum trace_granularity granularity, unsigned int nr)
{
	const char *path = scratch_path("memory");
	struct rusage usage;
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (!pid)
		_exit(write_and_read(path, granularity, nr));
	assert_int_equal(wait4(pid, &status, 0, &usage), pid);
	assert_int_equal(status, 0);
	return usage.ru_maxrss;
}

static void flat(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		enum trace_granularity granularity =
			i ? TRACE_PAGES : TRACE_FULL;
		long few = memory_of(granularity, SHORT);
		long many = memory_of(granularity, 10 * SHORT);

		if (many > few + SLACK || many > 64 * 1024)
			fail_msg("%s: %ld KiB, and for ten times that %ld KiB",
				 i ? "pages" : "full", few, many);
	}
	scratch_remove();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(flat),
	};

	return cmocka_run_group_tests_name("trace_memory", tests, NULL, NULL);
}
