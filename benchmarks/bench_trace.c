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

#include "trace/trace.h"

#define ROUNDS  5
#define RECORDS 12000000u

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

/* Made-up references, as many as are asked for. */
struct stream {
	struct trace_ref *refs;
	uint32_t nr, room;
	uint64_t random;
};

static uint64_t next_random(struct stream *s)
{
	s->random = s->random * UINT64_C(6364136223846793005) +
		    UINT64_C(1442695040888963407);
	return s->random >> 33;
}

static void add(struct stream *s, enum trace_kind kind, gva_t gva, uint8_t size)
{
	if (s->nr < s->room)
		s->refs[s->nr++] =
			(struct trace_ref){.gva = gva & ~(gva_t)(size - 1),
					   .count = 1,
					   .kind = (uint8_t)kind,
					   .size = size,
					   .user = true};
}

static void add_fetch(struct stream *s, gva_t *pc, uint8_t size)
{
	if ((*pc & PAGE_MASK) + size > PAGE_SIZE)
		*pc = (*pc | PAGE_MASK) + 1;
	if (s->nr < s->room)
		s->refs[s->nr++] = (struct trace_ref){.gva = *pc,
						      .count = 1,
						      .kind = TRACE_FETCH,
						      .size = size,
						      .user = true};
	*pc += size;
}

static void make_loop(struct stream *s)
{
	for (uint64_t i = 0; s->nr < s->room; i++) {
		gva_t pc = 0x401000;

		for (int insn = 0; insn < 10; insn++) {
			add_fetch(s, &pc, (uint8_t)(2 + insn % 5));
			if (insn == 2)
				add(s, TRACE_READ, 0x7f0000000000 + 8 * i, 8);
			if (insn == 5)
				add(s, TRACE_READ, 0x7ffe00001000 + i % 4 * 8,
				    8);
			if (insn == 8)
				add(s, TRACE_WRITE, 0x7f0000000000 + 8 * i, 8);
		}
	}
}

static void make_random(struct stream *s)
{
	while (s->nr < s->room) {
		gva_t pc = 0x401000;

		for (int insn = 0; insn < 10; insn++) {
			gva_t gva = 0x7f0000000000 + next_random(s) % BIT(30);

			add_fetch(s, &pc, (uint8_t)(2 + insn % 5));
			add(s, next_random(s) % 2 ? TRACE_READ : TRACE_WRITE,
			    gva, 8);
		}
	}
}

#define FUNCTIONS 500

/* What an instruction does beside being fetched. */
enum act {
	ACT_NONE = 8, /* and all below it */
	ACT_LOCAL,
	ACT_STORE,
	ACT_ARRAY,
	ACT_GLOBAL,
	ACT_HEAP,
	NR_ACTS
};

struct function {
	gva_t entry;
	uint32_t insns, frame, loop; /* loop: where it goes back to */
	uint8_t sizes[64], acts[64];
	gva_t array;
};

static void make_function(struct stream *s, struct function *f, uint32_t n)
{
	f->entry = 0x400000 + n * 0x180;
	f->insns = 16 + (uint32_t)next_random(s) % 48;
	f->loop = (uint32_t)next_random(s) % f->insns;
	f->frame = 16 * (2 + (uint32_t)next_random(s) % 8);
	f->array = 0x600000 + (next_random(s) % 4096) * 0x1000;
	for (uint32_t i = 0; i < f->insns; i++) {
		f->sizes[i] = (uint8_t)(1 + next_random(s) % 7);
		f->acts[i] = (uint8_t)(next_random(s) % NR_ACTS);
	}
}

static void run_insn(struct stream *s, struct function *f, uint32_t i, gva_t sp,
		     uint64_t turn)
{
	switch ((enum act)f->acts[i]) {
	case ACT_LOCAL:
		add(s, TRACE_READ, sp + 8 * (i % 8), 8);
		break;
	case ACT_STORE:
		add(s, TRACE_WRITE, sp + 8 * (i % 8), 8);
		break;
	case ACT_ARRAY:
		add(s, TRACE_READ, f->array + 4 * turn, 4);
		break;
	case ACT_GLOBAL:
		add(s, TRACE_READ, 0x5f0000 + 16 * (i + f->frame), 8);
		break;
	case ACT_HEAP:
		add(s, i % 2 ? TRACE_READ : TRACE_WRITE,
		    0x55550000000 + next_random(s) % 0x40000, 8);
		break;
	default:
		break;
	}
}

static void call(struct stream *s, struct function *fs, uint32_t n, gva_t sp,
		 int depth)
{
	struct function *f = &fs[n];
	uint64_t turns = 1 + next_random(s) % 12;
	uint32_t i = 0;

	sp -= f->frame;
	for (uint64_t turn = 0; turn < turns; turn++) {
		gva_t pc = f->entry;

		for (uint32_t k = 0; k < i; k++)
			pc += f->sizes[k];
		for (; i < f->insns; i++) {
			add_fetch(s, &pc, f->sizes[i]);
			run_insn(s, f, i, sp, turn);
			if (i % 16 == 15 && depth && next_random(s) % 4 == 0)
				call(s, fs, (n * 7 + i) % FUNCTIONS, sp,
				     depth - 1);
		}
		i = f->loop;
	}
}

static void make_program(struct stream *s)
{
	struct function *fs = calloc(FUNCTIONS, sizeof(*fs));

	for (uint32_t n = 0; fs && n < FUNCTIONS; n++)
		make_function(s, &fs[n], n);
	while (fs && s->nr < s->room)
		call(s, fs, (uint32_t)next_random(s) % FUNCTIONS,
		     0x7ffe00010000, 4);
	free(fs);
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

static const struct {
	const char *name;
	void (*make)(struct stream *s);
	double goal; /* M records/s of a `full` trace, DESIGN.md */
} streams[] = {
	{"loop",    make_loop,    250},
	{"program", make_program, 250},
	{"random",  make_random,  0  },
};

static void bench_streams(const char *path)
{
	for (size_t i = 0; i < ARRAY_LEN(streams); i++) {
		struct stream s = {.room = RECORDS, .random = 1};
		double took[2];

		s.refs = malloc(RECORDS * sizeof(*s.refs));
		if (!s.refs)
			exit(1);
		streams[i].make(&s);
		for (int pages = 0; pages < 2; pages++) {
			char name[32];

			snprintf(name, sizeof(name), "%s %s", streams[i].name,
				 pages ? "pages" : "full");
			took[pages] = write_stream(
				&s, path, pages ? TRACE_PAGES : TRACE_FULL);
			bench_file(name, path, pages ? 0 : streams[i].goal);
		}
		printf("%-14s write %.0f M refs/s full, %.0f M refs/s pages\n",
		       streams[i].name, s.nr / took[0] / 1e6,
		       s.nr / took[1] / 1e6);
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
