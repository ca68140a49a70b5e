/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Random guests in every mode, MMU and bypass setting (O5; wander.h
 * says what must hold).  A failure is shrunk: operations and table entries are
 * left out as long as it fails, and what is left is printed.
 *
 * Usage: test [operations a configuration] [seed]
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "../share.h"
#include "shrink.h"
#include "wander.h"

/* Enough for the smallest set of most failures, and of time. */
#define SHRINK_TRIES 3000u
#define SECONDS      30u /* for an episode */

static uint64_t operations = 10000;
static uint64_t seed = 1;

static const char *const modes[] = {
	[ORACLE_32] = "32-bit",
	[ORACLE_PAE] = "PAE",
	[ORACLE_4LEVEL] = "4 levels",
	[ORACLE_5LEVEL] = "5 levels",
};

struct random_run {
	char name[96];
	struct wander_config config;
};

/* Of a child, told to its parent. */
struct progress {
	uint64_t episode;
	struct wander_counts counts;
};

struct trip {
	const struct wander_config *config;
	uint64_t first, last; /* episodes */
	struct progress *progress;
	struct wander_choice choice;
};

static void travel(void *context)
{
	struct trip *trip = context;

	for (uint64_t i = trip->first; i < trip->last; i++) {
		trip->progress->episode = i;
		wander(trip->config, i, &trip->choice, &trip->progress->counts);
	}
}

static bool still_fails(void *context)
{
	return !survives(travel, context, true, SECONDS);
}

static void set_all(bool *keep, size_t n)
{
	for (size_t i = 0; i < n; i++)
		keep[i] = true;
}

/* trip: the one episode that fails. */
static void tell_smallest(struct trip *trip)
{
	static bool ops[WANDER_OPS], slots[WANDER_SLOTS];
	size_t nr_ops, nr_slots;

	set_all(ops, WANDER_OPS);
	set_all(slots, WANDER_SLOTS);
	trip->choice = (struct wander_choice){.ops = ops, .slots = slots};
	nr_ops = shrink(ops, WANDER_OPS, still_fails, trip, SHRINK_TRIES);
	nr_slots = shrink(slots, WANDER_SLOTS, still_fails, trip, SHRINK_TRIES);
	nr_ops = shrink(ops, WANDER_OPS, still_fails, trip, SHRINK_TRIES);
	print_message("# seed %llu, episode %llu: %zu operations and %zu table "
		      "entries are enough\n",
		      (unsigned long long)trip->config->seed,
		      (unsigned long long)trip->first, nr_ops, nr_slots);
	trip->choice.tell = true;
	survives(travel, trip, false, SECONDS);
}

static struct progress *shared_progress(void)
{
	void *p = mmap(NULL, sizeof(struct progress), PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	assert_true(p != MAP_FAILED);
	return p;
}

static void report(const struct wander_counts *c)
{
	print_message("# %llu operations: through %llu, direct %llu, injected "
		      "%llu, emulated %llu, MMIO %llu; stores %llu; I/D too "
		      "much %llu\n",
		      (unsigned long long)c->ops,
		      (unsigned long long)c->ends[WANDER_THROUGH],
		      (unsigned long long)c->ends[WANDER_DIRECT],
		      (unsigned long long)c->ends[WANDER_INJECTED],
		      (unsigned long long)c->ends[WANDER_EMULATED],
		      (unsigned long long)c->ends[WANDER_MMIO],
		      (unsigned long long)c->stores,
		      (unsigned long long)c->fetch_bit);
}

static bool has_bypass(const struct mmu_choice *mmu)
{
	return mmu->generation && mmu->generation->has_bypass;
}

/* Without shadow tables every fault is the guest's own affair. */
static bool may_come(const struct random_run *run, int end)
{
	if (!run->config.mmu.generation)
		return end != WANDER_INJECTED;
	return end != WANDER_DIRECT || run->config.bypass;
}

/* And a write that nothing but emulation lets through is rare. */
static bool may_lack(const struct random_run *run, int end)
{
	const struct smmu_generation *gen = run->config.mmu.generation;

	return (!gen || gen->sw.vtlb) && end == WANDER_EMULATED;
}

/* What never happened was not tested. */
static void check_coverage(const struct random_run *run,
			   const struct wander_counts *c)
{
	for (int i = 0; i < NR_WANDER_ENDS; i++) {
		if (may_come(run, i) && may_lack(run, i))
			continue;
		if (!c->ends[i] == may_come(run, i))
			fail_msg("%s: end %d came %llu times", run->name, i,
				 (unsigned long long)c->ends[i]);
	}
}

static void random_guest(void **state)
{
	const struct random_run *run = *state;
	struct trip trip = {
		.config = &run->config,
		.last = (operations + WANDER_OPS - 1) / WANDER_OPS,
		.progress = shared_progress(),
	};
	bool fine = survives(travel, &trip, false,
			     SECONDS + (unsigned int)(operations / 1000));

	if (!fine) {
		trip.first = trip.progress->episode;
		trip.last = trip.first + 1;
		tell_smallest(&trip);
		fail_msg("%s: seed %llu, episode %llu", run->name,
			 (unsigned long long)seed,
			 (unsigned long long)trip.first);
	}
	report(&trip.progress->counts);
	if (operations >= 5000)
		check_coverage(run, &trip.progress->counts);
	munmap(trip.progress, sizeof(*trip.progress));
}

/* Three processors, in one mode or another. */
static size_t add_smp_runs(struct random_run *runs, size_t nr,
			   const struct mmu_choice *mmu)
{
	const size_t nr_modes = ORACLE_5LEVEL - ORACLE_32 + 1;

	for (int bypass = 0; bypass <= has_bypass(mmu); bypass++) {
		struct random_run *run = &runs[nr++];

		run->config = (struct wander_config){
			.mode = (enum oracle_mode)(ORACLE_32 + nr % nr_modes),
			.mmu = *mmu,
			.bypass = bypass,
			.features = true,
			.vcpus = 3,
			.seed = seed,
		};
		snprintf(run->name, sizeof(run->name),
			 "random, %s, %s%s, 3 processors",
			 modes[run->config.mode], mmu->name,
			 bypass ? ", bypass" : "");
	}
	return nr;
}

static size_t add_runs(struct random_run *runs, size_t nr,
		       const struct mmu_choice *mmu)
{
	for (int mode = ORACLE_32; mode <= ORACLE_5LEVEL; mode++) {
		for (int bypass = 0; bypass <= has_bypass(mmu); bypass++) {
			struct random_run *run = &runs[nr++];

			run->config = (struct wander_config){
				.mode = (enum oracle_mode)mode,
				.mmu = *mmu,
				.bypass = bypass,
				.features = true,
				.vcpus = 1,
				.seed = seed,
			};
			snprintf(run->name, sizeof(run->name),
				 "random, %s, %s%s", modes[mode], mmu->name,
				 bypass ? ", bypass" : "");
		}
	}
	return nr;
}

int main(int argc, char **argv)
{
	static struct random_run runs[256];
	static struct CMUnitTest tests[256];
	struct mmu_choice mmu;
	size_t nr = 0, nr_tests = 0;

	if (argc > 1)
		operations = strtoull(argv[1], NULL, 0);
	if (argc > 2)
		seed = strtoull(argv[2], NULL, 0);
	if (!operations)
		return EXIT_FAILURE;
	for (unsigned int i = 0; mmu_choice(i, &mmu); i++)
		nr = add_smp_runs(runs, add_runs(runs, nr, &mmu), &mmu);
	for (size_t i = 0; i < nr; i += one_of_cases())
		tests[nr_tests++] = (struct CMUnitTest){
			runs[i].name, random_guest, NULL, NULL, &runs[i]};
	return _cmocka_run_group_tests("oracle_random", tests, nr_tests, NULL,
				       NULL);
}
