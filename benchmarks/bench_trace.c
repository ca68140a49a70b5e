/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Traces: bytes a record and a reference, writing, and decoding (from the page
 * cache, digest and all) beside a plain copy of the decoded records in memory.
 * Both run in turns in this one program; the best of a few rounds counts.
 *
 * Usage: bench_trace [TRACE...]; without one, three made-up streams are used:
 * a tight loop, code of many functions with loops, calls, locals and arrays,
 * and code that goes to a random page of 1 GiB with every second reference.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "streams.h"
#include "trace/trace.h"

#define ROUNDS  5
#define RECORDS 12000000u

/* M records/s of a `full` trace, DESIGN.md. */
static const double goals[NR_STREAMS] = {250, 250, 0};

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static _Noreturn void die(const struct diag *diag)
{
	fprintf(stderr, "bench_trace: %s\n", diag->msg);
	exit(1);
}

static double write_stream(const struct stream *s, const char *path,
			   enum trace_granularity granularity)
{
	struct trace_info info = {.granularity = granularity,
				  .source = "benchmark"};
	struct trace_writer *w;
	struct diag diag;
	double t = now();

	if (trace_writer_create(path, &info, &w, &diag))
		die(&diag);
	for (uint32_t i = 0; i < s->nr; i++)
		trace_write_ref(w, &s->refs[i]);
	if (trace_writer_close(w, NULL, &diag))
		die(&diag);
	return now() - t;
}

static double read_trace(const char *path, struct trace_totals *totals,
			 uint64_t *bytes)
{
	struct trace_reader *r;
	struct trace_item item;
	struct diag diag;
	uint64_t done;
	double t = now();

	if (trace_reader_open(path, &r, &diag))
		die(&diag);
	while (trace_read(r, &item, &diag) > 0)
		;
	t = now() - t;
	if (trace_reader_damage(r)) {
		diag_set(&diag, 0, "%s", trace_reader_damage(r));
		die(&diag);
	}
	*totals = *trace_reader_totals(r);
	trace_reader_progress(r, &done, bytes);
	trace_reader_close(r);
	return t;
}

/* As many records, from an array beyond the caches to a reader's batch. */
#define COPY_ARRAY (1u << 22)
#define COPY_BATCH 2048u

static double copy_records(const struct trace_ref *array, uint64_t nr)
{
	static struct trace_ref batch[COPY_BATCH];
	double t = now();

	for (uint64_t i = 0; i < nr; i += COPY_BATCH) {
		memcpy(batch, array + i % COPY_ARRAY, sizeof(batch));
		if (batch[i / COPY_BATCH % COPY_BATCH].kind != 1)
			abort(); /* never: but so the copy is made */
	}
	return now() - t;
}

static void bench_file(const char *name, const char *path, double goal)
{
	struct trace_ref *array = calloc(COPY_ARRAY, sizeof(*array));
	struct trace_totals t = {0};
	double decode = 1e9, copy = 1e9;
	uint64_t bytes = 0;

	if (!array)
		exit(1);
	memset(array, 1, COPY_ARRAY * sizeof(*array));
	for (int i = 0; i < ROUNDS; i++) {
		double took = read_trace(path, &t, &bytes);

		decode = took < decode ? took : decode;
		took = copy_records(array, t.records);
		copy = took < copy ? took : copy;
	}
	free(array);
	printf("%-14s %5.1f refs/record, %.4f bytes/record, %.4f bytes/ref; "
	       "decode %4.0f M records/s",
	       name, (double)t.refs / (double)t.records,
	       (double)bytes / (double)t.records,
	       (double)bytes / (double)t.refs,
	       (double)t.records / decode / 1e6);
	if (goal > 0)
		printf(" (goal %.0f)", goal);
	printf(", %4.0f M refs/s; copy %4.0f M records/s, ratio %.2f\n",
	       (double)t.refs / decode / 1e6, (double)t.records / copy / 1e6,
	       copy / decode);
	fflush(stdout);
}

static void bench_streams(const char *path)
{
	for (size_t i = 0; i < NR_STREAMS; i++) {
		struct stream s = {.room = RECORDS, .random = 1};
		double took[2];

		s.refs = malloc(RECORDS * sizeof(*s.refs));
		if (!s.refs)
			exit(1);
		stream_make(&s, (enum stream_kind)i);
		for (int pages = 0; pages < 2; pages++) {
			char name[32];

			snprintf(name, sizeof(name), "%s %s",
				 stream_kind_name((enum stream_kind)i),
				 pages ? "pages" : "full");
			took[pages] = write_stream(
				&s, path, pages ? TRACE_PAGES : TRACE_FULL);
			bench_file(name, path, pages ? 0 : goals[i]);
		}
		printf("%-14s write %.0f M refs/s full, %.0f M refs/s pages\n",
		       stream_kind_name((enum stream_kind)i),
		       s.nr / took[0] / 1e6, s.nr / took[1] / 1e6);
		free(s.refs);
	}
}

int main(int argc, char **argv)
{
	char dir[] = "/tmp/notrap-bench.XXXXXX", path[64];

	for (int i = 1; i < argc; i++)
		bench_file(strrchr(argv[i], '/') ? strrchr(argv[i], '/') + 1
						 : argv[i],
			   argv[i], 0);
	if (argc > 1)
		return 0;
	if (!mkdtemp(dir)) {
		perror("bench_trace: mkdtemp");
		return 1;
	}
	snprintf(path, sizeof(path), "%s/trace", dir);
	bench_streams(path);
	unlink(path);
	rmdir(dir);
	return 0;
}
