/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Replay, for each processor of machines/: millions of references a second
 * through its TLBs, walks and caches, the simulator and the MMU.  Two made-up
 * streams (streams.h) in a guest with paging on: one of a program, which hits,
 * as a `pages` and as a `full` trace, and one where every second reference goes
 * to a page at random of 112 MiB, so that nearly all of those are walks; that
 * one under shadow paging, under EPT where the processor has it, and native.
 * Each is done twice, in turns; the better one counts.
 *
 * Usage: bench_machines [TRACE...]: traces in place of the streams, with
 * default settings.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "machine/machine.h"
#include "measure.h"
#include "replay/replay.h"

#define ROUNDS  2
#define RECORDS 3000000u
#define MEMORY  (UINT64_C(128) << 20)

#define MACHINES_MAX 32
#define COLUMNS_MAX  8

/* M references/s; the issue of the cycle model. */
#define GOAL_HIT  50
#define GOAL_MISS 10

/* What is replayed, and how. */
struct column {
	char name[32];
	char path[256];
	const char *mmu;
	double goal;
};

struct cell {
	double rate;          /* M references/s; 0: none */
	double missed, walks; /* of 100 references */
};

struct bench {
	struct column column[COLUMNS_MAX];
	size_t nr_columns;
	const struct machine_file *machine;
	size_t nr_machines;
	struct cell cell[MACHINES_MAX][COLUMNS_MAX];
};

/* False: the processor has no such MMU. */
static bool configure(struct config *config, const char *machine,
		      const char *mmu)
{
	struct diag diag;

	config_init(config);
	if (config_set(config, "machine", machine, &diag) ||
	    config_set(config, "mmu", mmu, &diag))
		measure_die(diag.msg);
	return !config_check(config, &diag);
}

static void measure(struct cell *cell, const struct column *column,
		    const struct config *config)
{
	struct replay_lane *lane;
	struct replay_pass pass = {.reader = measure_open(column->path),
				   .lane = &lane,
				   .nr_lanes = 1};
	const struct account *acct;
	struct diag diag;
	double refs, t;

	if (replay_lane_create(config, trace_reader_info(pass.reader), &lane,
			       &diag))
		measure_die(diag.msg);
	t = measure_now();
	if (replay_run(&pass, &diag))
		measure_die(diag.msg);
	t = measure_now() - t;
	if (replay_lane_status(lane) != REPLAY_DONE)
		measure_die(replay_lane_line(lane));
	acct = sim_account(replay_lane_sim(lane));
	refs = (double)trace_reader_totals(pass.reader)->refs;
	if (refs / t / 1e6 > cell->rate)
		cell->rate = refs / t / 1e6;
	cell->missed = 100 *
		       (double)(acct->tlb[TLB_l1i_misses] +
				acct->tlb[TLB_l1d_misses]) /
		       refs;
	cell->walks = 100 * (double)acct->tlb[TLB_walks] / refs;
	replay_lane_destroy(lane);
	trace_reader_close(pass.reader);
}

static void measure_machine(struct bench *b, size_t m)
{
	for (size_t i = 0; i < ROUNDS * b->nr_columns; i++) {
		size_t c = i % b->nr_columns;
		struct config config;

		if (configure(&config, b->machine[m].name, b->column[c].mmu))
			measure(&b->cell[m][c], &b->column[c], &config);
	}
}

/* Rates near the goals with a decimal. */
static int decimals(double rate)
{
	return rate < 100 ? 1 : 0;
}

static void print_row(const struct bench *b, size_t m)
{
	printf("| %s |", b->machine[m].name);
	for (size_t c = 0; c < b->nr_columns; c++) {
		const struct cell *cell = &b->cell[m][c];

		if (cell->rate > 0)
			printf(" %.*f (%.1f, %.1f) |", decimals(cell->rate),
			       cell->rate, cell->missed, cell->walks);
		else
			printf(" - |");
	}
	printf("\n");
}

static double slowest(const struct bench *b, size_t c)
{
	double least = 1e9;

	for (size_t m = 0; m < b->nr_machines; m++)
		if (b->cell[m][c].rate > 0)
			least = measure_least(least, b->cell[m][c].rate);
	return least;
}

static void print_table(struct bench *b)
{
	printf("M references/s (of 100 references: first-level misses, "
	       "walks)\n\n| machine |");
	for (size_t c = 0; c < b->nr_columns; c++)
		printf(" %s |", b->column[c].name);
	printf("\n|---|");
	for (size_t c = 0; c < b->nr_columns; c++)
		printf("---|");
	printf("\n");
	for (size_t m = 0; m < b->nr_machines; m++) {
		measure_machine(b, m);
		print_row(b, m);
		fflush(stdout);
	}
	printf("| slowest |");
	for (size_t c = 0; c < b->nr_columns; c++)
		printf(" %.*f |", decimals(slowest(b, c)), slowest(b, c));
	printf("\n| goal |");
	for (size_t c = 0; c < b->nr_columns; c++)
		printf(" %.0f |", b->column[c].goal);
	printf("\n");
}

static void add_column(struct bench *b, const char *name, const char *path,
		       const char *mmu, double goal)
{
	struct column *c = &b->column[b->nr_columns++];

	snprintf(c->name, sizeof(c->name), "%s", name);
	snprintf(c->path, sizeof(c->path), "%s", path);
	c->mmu = mmu;
	c->goal = goal;
}

static void add_stream(const char *path, enum stream_kind kind,
		       enum trace_granularity granularity)
{
	const struct measure_guest guest = {
		.memory = MEMORY, .granularity = granularity, .is_paged = true};
	struct stream s = {.room = RECORDS, .random = 1};

	s.refs = malloc(RECORDS * sizeof(*s.refs));
	if (!s.refs)
		measure_die("no memory");
	stream_make(&s, kind);
	measure_write(&s, &guest, path);
	free(s.refs);
}

static void add_streams(struct bench *b, char path[3][64])
{
	add_stream(path[0], STREAM_PROGRAM, TRACE_PAGES);
	add_stream(path[1], STREAM_PROGRAM, TRACE_FULL);
	add_stream(path[2], STREAM_RANDOM, TRACE_FULL);
	add_column(b, "program, pages", path[0], "kvm-2.6.25", GOAL_HIT);
	add_column(b, "program, full", path[1], "kvm-2.6.25", GOAL_HIT);
	add_column(b, "random, shadow", path[2], "kvm-2.6.25", GOAL_MISS);
	add_column(b, "random, ept", path[2], "ept", GOAL_MISS);
	add_column(b, "random, native", path[2], "native", GOAL_MISS);
}

static void add_traces(struct bench *b, char **path)
{
	for (; *path; path++) {
		const char *name = strrchr(*path, '/');

		if (b->nr_columns == COLUMNS_MAX)
			measure_die("too many traces");
		add_column(b, name ? name + 1 : *path, *path, "kvm-2.6.25",
			   GOAL_HIT);
	}
}

int main(int argc, char **argv)
{
	char dir[] = "/tmp/notrap-bench.XXXXXX", path[3][64];
	static struct bench b;

	b.machine = machine_files(KIND_MACHINE, &b.nr_machines);
	if (b.nr_machines > MACHINES_MAX)
		measure_die("too many machines");
	if (!mkdtemp(dir))
		measure_die("no directory for the traces");
	for (int i = 0; i < 3; i++)
		snprintf(path[i], sizeof(path[i]), "%s/%d", dir, i);
	if (argc > 1)
		add_traces(&b, argv + 1);
	else
		add_streams(&b, path);
	print_table(&b);
	for (int i = 0; i < 3; i++)
		unlink(path[i]);
	rmdir(dir);
	return 0;
}
