/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Importing: records a second on one core, beside a plain search for newlines
 * in the same file.  All run in turns in this one program; the best of a few
 * rounds counts.
 *
 * Usage: bench_import [FORMAT FILE]...; without one, logs of lackey, drmemtrace
 * and ChampSim are made up from the streams of streams.h, and one of perf with
 * a new page in each line.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "import/import.h"
#include "streams.h"

#define ROUNDS     3
#define RECORDS    10000000u
#define PERF_LINES 50000u

#define GOAL 30.0 /* M records/s */

static char dir[] = "/tmp/notrap-bench.XXXXXX";
static char input[64], output[64];

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static _Noreturn void die(const struct diag *diag)
{
	fprintf(stderr, "bench_import: %s\n", diag->msg);
	exit(1);
}

static double best(double took, double so_far)
{
	return took < so_far ? took : so_far;
}

/* What reading alone costs. */
static double scan(const char *path, uint64_t *lines)
{
	static char buffer[1 << 18];
	int fd = open(path, O_RDONLY);
	double t = now();
	ssize_t n;

	*lines = 0;
	while ((n = read(fd, buffer, sizeof(buffer))) > 0) {
		const char *p = buffer, *end = buffer + n;

		while ((p = memchr(p, '\n', (size_t)(end - p)))) {
			++*lines;
			p++;
		}
	}
	close(fd);
	return now() - t;
}

/* As an importer gets them. */
static double split(const char *path)
{
	double t = now();
	struct text *text;
	const char *line;
	struct diag diag;
	size_t len;

	if (text_open(path, false, &text, &diag))
		die(&diag);
	while (text_line(text, &line, &len, &diag) > 0)
		;
	text_close(text);
	return now() - t;
}

static double import(const char *path, const struct import_format *format,
		     enum trace_granularity granularity,
		     struct import_result *ret)
{
	const struct import_request request = {
		.path = path,
		.format = format,
		.options = {.memory = UINT64_C(3) << 30,
			    .fault_around = 1,
			    .granularity = granularity},
		.origin = path,
		.tool = "bench_import",
		.output = output,
	};
	struct diag diag;
	double t = now();

	if (import_run(&request, ret, &diag))
		die(&diag);
	return now() - t;
}

static void bench(const char *name, const char *path,
		  const struct import_format *format)
{
	double scanned = 1e9, parted = 1e9, pages = 1e9, full = 1e9, m;
	struct import_result r;
	uint64_t lines;

	for (int i = 0; i < ROUNDS; i++) {
		scanned = best(scan(path, &lines), scanned);
		parted = best(split(path), parted);
		full = best(import(path, format, TRACE_FULL, &r), full);
		pages = best(import(path, format, TRACE_PAGES, &r), pages);
	}
	m = (double)r.records / 1e6;
	printf("%-18s %5.1f M records, %.3f faults each: ", name, m,
	       (double)r.guest.faults / (double)r.records);
	if (format->line)
		printf("newlines %4.0f M/s, lines %4.0f M/s, ",
		       (double)lines / scanned / 1e6,
		       (double)lines / parted / 1e6);
	else
		printf("%.2f references each, ",
		       (double)r.totals.refs / (double)r.records);
	printf("import %5.1f M/s", m / pages);
	if (format == import_format_find("lackey") || !format->line)
		printf(" (goal %.0f)", GOAL);
	printf(", full %5.1f M/s, ratio %.3f; %.2f M faults/s\n", m / full,
	       scanned / pages, (double)r.guest.faults / pages / 1e6);
	fflush(stdout);
}

static FILE *create(void)
{
	FILE *file = fopen(input, "w");

	if (!file) {
		perror("bench_import");
		exit(1);
	}
	return file;
}

static void make_stream(struct stream *s, enum stream_kind kind, uint32_t room)
{
	/* What faults all the time takes its time. */
	*s = (struct stream){
		.room = kind == STREAM_RANDOM ? room / 10 : room,
		.random = 1,
	};
	s->refs = malloc(room * sizeof(*s->refs));
	if (!s->refs)
		exit(1);
	stream_make(s, kind);
}

static void write_lackey(FILE *file, const struct stream *s)
{
	static const char *const words[] = {"I  ", " L ", " S "};

	for (uint32_t i = 0; i < s->nr; i++)
		fprintf(file, "%s%08llx,%u\n", words[s->refs[i].kind],
			(unsigned long long)s->refs[i].gva, s->refs[i].size);
}

static void write_view(FILE *file, const struct stream *s)
{
	static const char *const words[] = {"ifetch", "read", "write"};
	unsigned long long pc = 0;
	unsigned int insns = 0;

	for (uint32_t i = 0; i < s->nr; i++) {
		const struct trace_ref *ref = &s->refs[i];
		bool is_fetch = ref->kind == TRACE_FETCH;

		if (is_fetch)
			pc = ref->gva;
		insns += is_fetch;
		fprintf(file,
			"%12u%12u: W0.T3256418 %-12s%2u byte(s) @ 0x%016llx ",
			i + 1, insns, words[ref->kind], ref->size,
			(unsigned long long)ref->gva);
		if (is_fetch)
			fprintf(file, "8b 05 c0 3e 00 00    mov    <rel> "
				      "0x00007fc2c03fe134, %%eax\n");
		else
			fprintf(file, "by PC 0x%016llx\n", pc);
	}
}

/* A record for each fetch, with the data up to the next one. */
static void write_champsim(FILE *file, const struct stream *s)
{
	for (uint32_t i = 0; i < s->nr;) {
		uint64_t record[8] = {s->refs[i++].gva};
		unsigned int nr_read = 0, nr_written = 0;

		for (; i < s->nr && s->refs[i].kind != TRACE_FETCH; i++) {
			if (s->refs[i].kind == TRACE_READ && nr_read < 4)
				record[4 + nr_read++] = s->refs[i].gva;
			if (s->refs[i].kind == TRACE_WRITE && nr_written < 2)
				record[2 + nr_written++] = s->refs[i].gva;
		}
		fwrite(record, sizeof(record), 1, file);
	}
}

static void bench_streams(const char *format, uint32_t room, int nr,
			  void (*write)(FILE *file, const struct stream *s))
{
	for (int i = 0; i < nr; i++) {
		FILE *file = create();
		struct stream s;
		char name[32];

		make_stream(&s, (enum stream_kind)i, room);
		write(file, &s);
		fclose(file);
		free(s.refs);
		snprintf(name, sizeof(name), "%s %s", format,
			 stream_kind_name((enum stream_kind)i));
		bench(name, input, import_format_find(format));
	}
}

/* As a program that writes to all of its memory once. */
static void write_perf(void)
{
	FILE *file = create();

	for (uint32_t i = 0; i < PERF_LINES; i++)
		fprintf(file,
			"        program %5u/%-5u [%03u] %5u.%06u: exceptions:"
			"page_fault_user: address=0x%llx ip=0x%x "
			"error_code=0x6\n",
			1234u, 1234u, 1u, 100 + i / 1000000, i % 1000000,
			0x7f0000000000 + i * 4096ull, 0x401000 + i % 64);
	fclose(file);
}

static void bench_made_up(void)
{
	bench_streams("lackey", RECORDS, NR_STREAMS, write_lackey);
	/* What is random takes as long whatever the format. */
	bench_streams("champsim", RECORDS, STREAM_RANDOM, write_champsim);
	bench_streams("drmemtrace", RECORDS / 4, STREAM_RANDOM, write_view);
	write_perf();
	bench("perf", input, import_format_find("perf"));
}

int main(int argc, char **argv)
{
	if (!mkdtemp(dir)) {
		perror("bench_import: mkdtemp");
		return 1;
	}
	snprintf(input, sizeof(input), "%s/input", dir);
	snprintf(output, sizeof(output), "%s/trace", dir);
	for (int i = 1; i + 1 < argc; i += 2) {
		const struct import_format *format =
			import_format_find(argv[i]);

		if (format)
			bench(argv[i], argv[i + 1], format);
	}
	if (argc == 1)
		bench_made_up();
	unlink(input);
	unlink(output);
	rmdir(dir);
	return 0;
}
