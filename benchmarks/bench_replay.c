/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Replay: references a second through the TLBs, the simulator and the shadow
 * MMU, beside a plain decode of the same trace and a bare loop over an array
 * of references with TLBs of the same shape and nothing else.  All three run
 * in turns in this one program; the best of a few rounds counts.
 *
 * Usage: bench_replay [TRACE...]; without one, made-up streams are used (see
 * streams.h), in a guest with paging off, whose memory they are folded into.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "faults.h"
#include "measure.h"
#include "replay/replay.h"
#include "streams.h"

#define ROUNDS    4
#define RECORDS   12000000u
#define MEMORY    (UINT64_C(256) << 20)
#define LANES_MAX 8

static double decode(const char *path, struct trace_totals *totals)
{
	struct trace_reader *r = measure_open(path);
	struct trace_item item;
	struct diag diag;
	double t = measure_now();

	while (trace_read(r, &item, &diag) > 0)
		;
	t = measure_now() - t;
	*totals = *trace_reader_totals(r);
	trace_reader_close(r);
	return t;
}

/* --- The bare loop: 4 ways, LRU by a stamp, two levels ------------------- */

struct bare_set {
	uint64_t page[4];
	uint64_t used[4];
};

struct bare {
	struct bare_set l1i[32], l1d[4], l2[64];
	uint64_t now, misses;
};

static bool bare_lookup(struct bare *bare, struct bare_set *set, uint64_t page)
{
	unsigned int oldest = 0;

	for (unsigned int i = 0; i < 4; i++) {
		if (set->page[i] == page) {
			set->used[i] = ++bare->now;
			return true;
		}
		if (set->used[i] < set->used[oldest])
			oldest = i;
	}
	set->page[oldest] = page;
	set->used[oldest] = ++bare->now;
	return false;
}

static double bare_loop(const struct trace_ref *refs, uint32_t nr,
			uint64_t times)
{
	static struct bare bare;
	double t = measure_now();

	for (uint64_t k = 0; k < times; k++) {
		for (uint32_t i = 0; i < nr; i++) {
			uint64_t page = (refs[i].gva >> PAGE_SHIFT) + 1;

			if (refs[i].kind == TRACE_FETCH)
				bare.misses += !bare_lookup(
					&bare, &bare.l1i[page % 32], page);
			else if (!bare_lookup(&bare, &bare.l1d[page % 4], page))
				bare.misses += !bare_lookup(
					&bare, &bare.l2[page % 64], page);
		}
	}
	t = measure_now() - t;
	if (bare.misses == 1)
		measure_die("the loop was not made");
	return t;
}

/* The first references of a trace, for the bare loop. */
#define BARE_REFS 4000000u

static double bare_of(const char *path, uint64_t records)
{
	struct trace_ref *refs = malloc(BARE_REFS * sizeof(*refs));
	struct trace_reader *r = measure_open(path);
	struct trace_item item;
	struct diag diag;
	uint32_t nr = 0;
	double t;

	if (!refs)
		measure_die("no memory");
	while (nr < BARE_REFS && trace_read(r, &item, &diag) > 0) {
		uint32_t n = item.nr;

		if (n > BARE_REFS - nr)
			n = BARE_REFS - nr;
		if (item.kind == TRACE_ITEM_REFS)
			memcpy(refs + nr, item.refs, n * sizeof(*refs));
		nr += item.kind == TRACE_ITEM_REFS ? n : 0;
	}
	trace_reader_close(r);
	t = bare_loop(refs, nr, records / nr ? records / nr : 1);
	t *= (double)records /
	     ((double)nr * (double)(records / nr ? records / nr : 1));
	free(refs);
	return t;
}

/* --- The replay ---------------------------------------------------------- */

static void configure(struct config *config, size_t lane)
{
	static const char *const mmu[] = {"kvm-2.6.25", "kvm-2.6.24", "seed",
					  "kvm-2.6.20"};
	struct diag diag;

	config_init(config);
	if (config_set(config, "mmu", mmu[lane % 4], &diag) ||
	    config_set(config, "bypass", lane / 4 ? "off" : "on", &diag))
		measure_die(diag.msg);
}

struct counted {
	uint64_t faults, exits, walks;
};

/* Lanes first..first + nr - 1. */
static double replay(const char *path, size_t first, size_t nr,
		     struct counted *ret)
{
	struct replay_lane *lane[LANES_MAX];
	struct replay_pass pass = {
		.reader = measure_open(path), .lane = lane, .nr_lanes = nr};
	const struct account *acct;
	struct diag diag;
	double t;

	for (size_t i = 0; i < nr; i++) {
		struct config config;

		configure(&config, first + i);
		if (replay_lane_create(&config, trace_reader_info(pass.reader),
				       &lane[i], &diag))
			measure_die(diag.msg);
	}
	t = measure_now();
	if (replay_run(&pass, &diag))
		measure_die(diag.msg);
	t = measure_now() - t;
	acct = sim_account(replay_lane_sim(lane[0]));
	ret->faults =
		account_faults_direct(acct) + account_faults_injected(acct);
	ret->exits = account_exits_total(acct);
	ret->walks = acct->tlb[TLB_walks];
	for (size_t i = 0; i < nr; i++) {
		if (replay_lane_status(lane[i]) != REPLAY_DONE)
			measure_die(replay_lane_line(lane[i]));
		replay_lane_destroy(lane[i]);
	}
	trace_reader_close(pass.reader);
	return t;
}

static void bench_file(const char *name, const char *path, double goal)
{
	double plain = 1e9, bare = 1e9, one = 1e9, eight = 1e9, passes = 1e9;
	struct trace_totals totals = {0};
	struct counted counted = {0}, ignored;
	double refs;

	for (int i = 0; i < ROUNDS; i++) {
		plain = measure_least(plain, decode(path, &totals));
		bare = measure_least(bare, bare_of(path, totals.records));
		one = measure_least(one, replay(path, 0, 1, &counted));
	}
	for (int i = 0; i < 2; i++) {
		double apart = 0;

		for (size_t k = 0; k < LANES_MAX; k++)
			apart += replay(path, k, 1, &ignored);
		eight = measure_least(eight,
				      replay(path, 0, LANES_MAX, &ignored));
		passes = measure_least(passes, apart);
	}
	refs = (double)totals.refs;
	printf("%-14s replay %5.0f M refs/s", name, refs / one / 1e6);
	if (goal > 0)
		printf(" (goal %.0f)", goal);
	printf(", %.0f M records/s; decode %.0f M refs/s (x%.2f); bare TLB "
	       "loop "
	       "%.0f M refs/s (x%.2f); 8 configurations %.2f of 8 passes "
	       "(goal 0.6)\n",
	       (double)totals.records / one / 1e6, refs / plain / 1e6,
	       plain / one, refs / bare / 1e6, bare / one, eight / passes);
	printf("%-14s %.4f walks a reference, %llu exits", "",
	       (double)counted.walks / refs, (unsigned long long)counted.exits);
	if (counted.faults)
		printf(", %.2f M guest faults/s (goal 3)",
		       (double)counted.faults / one / 1e6);
	printf("\n");
	fflush(stdout);
}

/* M references/s, DESIGN.md. */
static double goal_of(enum stream_kind kind, bool pages)
{
	return kind == STREAM_RANDOM ? 30 : pages ? 400 : 150;
}

static void bench_streams(const char *path)
{
	for (int i = 0; i < NR_STREAMS; i++) {
		enum stream_kind kind = (enum stream_kind)i;
		struct stream s = {.room = RECORDS, .random = 1};

		s.refs = malloc(RECORDS * sizeof(*s.refs));
		if (!s.refs)
			measure_die("no memory");
		stream_make(&s, kind);
		for (int pages = 0; pages < 2; pages++) {
			const struct measure_guest guest = {
				.memory = MEMORY,
				.granularity =
					pages ? TRACE_PAGES : TRACE_FULL};
			char name[32];

			snprintf(name, sizeof(name), "%s %s",
				 stream_kind_name(kind),
				 pages ? "pages" : "full");
			measure_write(&s, &guest, path);
			bench_file(name, path, goal_of(kind, pages));
		}
		free(s.refs);
	}
}

static void bench_faults(const char *path)
{
	struct diag diag;

	if (faults_write(path, FAULTS_MAX, &diag))
		measure_die(diag.msg);
	bench_file("demand faults", path, 0);
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
		perror("bench_replay: mkdtemp");
		return 1;
	}
	snprintf(path, sizeof(path), "%s/trace", dir);
	bench_streams(path);
	bench_faults(path);
	unlink(path);
	rmdir(dir);
	return 0;
}
