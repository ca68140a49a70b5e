/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * O1 by events: the access matrix through src/sim, for each generation, bypass
 * and mode, against the slow model.  What differs must be a flaw that the
 * generation is known for, and each of those must show: one that was fixed
 * has to leave judge.c and docs/shadow-mmu.md.
 *
 * An argument is the stride through the pairs of entries; 1: all.
 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "judge.h"
#include "play.h"

#define MAXPHYADDR 40

struct run {
	char name[128];
	struct matrix_space space;
	const struct smmu_generation *gen;
	bool bypass;
};

static size_t stride = 11;
static uint64_t nr_cases;

static const struct {
	enum oracle_mode mode;
	const char *name;
	int level;
} tables[] = {
	{ORACLE_PAE, "PAE", 1},
	{ORACLE_4LEVEL, "4 levels", 1},
	{ORACLE_4LEVEL, "4 levels", 2},
};

static void try_pair(struct play *play, struct judge *judge,
		     const struct matrix_controls *controls,
		     const struct matrix_pair *pair)
{
	for (unsigned int i = 0; i < matrix_nr_accesses; i++) {
		const struct matrix_access *access = &matrix_accesses[i];
		struct matrix_seen seen;

		play_pair(play, pair);
		seen = play_access(play, access);
		judge_case(judge, controls, pair, access, &seen);
	}
}

static void try_controls(struct play *play, struct judge *judge, unsigned int i)
{
	struct matrix_controls controls = matrix_controls_at(&judge->space, i);
	struct matrix_pair *pairs;
	size_t nr;

	play_controls(play, &controls);
	pairs = matrix_pairs(&judge->space, &controls, &nr);
	for (size_t at = i % stride; at < nr; at += stride)
		try_pair(play, judge, &controls, &pairs[at]);
	free(pairs);
}

static void check_flaws(const struct judge *j)
{
	for (int i = 0; i < NR_MATRIX_FLAWS; i++) {
		enum matrix_flaw flaw = (enum matrix_flaw)i;

		if (j->flaws[i])
			printf("# %10" PRIu64 " %s\n", j->flaws[i],
			       judge_flaw_name(flaw));
		if (judge_must_show(j, flaw) && !j->flaws[i])
			fail_msg("flaw %s did not show: is it fixed?",
				 judge_flaw_name(flaw));
	}
}

static void one_run(void **state)
{
	const struct run *run = *state;
	struct play play;
	struct judge judge;
	char config[128];

	snprintf(config, sizeof(config), "mmu=%s bypass=%s maxphyaddr=%d",
		 run->gen->name, run->bypass ? "on" : "off", MAXPHYADDR);
	judge_init(&judge, &run->space, run->gen);
	play_start(&play, &run->space, config);
	for (unsigned int i = 0; i < matrix_nr_controls(&run->space); i++)
		try_controls(&play, &judge, i);
	printf("# %s: %" PRIu64 " cases\n", run->name, judge.cases);
	nr_cases += judge.cases;
	if (judge.wrong)
		fail_msg("%" PRIu64 " differences, the first: %s", judge.wrong,
			 judge.first);
	check_flaws(&judge);
	play_end(&play);
	judge_finish(&judge);
}

static void add_run(struct run *run, const struct smmu_generation *gen,
		    bool bypass, size_t table)
{
	*run = (struct run){
		.space = {.mode = tables[table].mode,
			  .level = tables[table].level,
			  .maxphyaddr = MAXPHYADDR,
			  .has_1g = true},
		.gen = gen,
		.bypass = bypass,
	};
	snprintf(run->name, sizeof(run->name), "%s bypass=%s, %s, of %d and %d",
		 gen->name, bypass ? "on" : "off", tables[table].name,
		 tables[table].level + 1, tables[table].level);
}

#define MAX_RUNS 512

int main(int argc, char **argv)
{
	static struct run runs[MAX_RUNS];
	static struct CMUnitTest tests[MAX_RUNS];
	unsigned int nr_gens;
	const struct smmu_generation *gens = smmu_generations(&nr_gens);
	size_t n = 0;
	int failed;

	if (argc > 1)
		stride = strtoul(argv[1], NULL, 0);
	for (unsigned int g = 0; g < nr_gens; g++)
		for (int bypass = 0; bypass <= gens[g].has_bypass; bypass++)
			for (size_t t = 0; t < ARRAY_LEN(tables); t++)
				add_run(&runs[n++], &gens[g], bypass, t);
	for (size_t i = 0; i < n; i++)
		tests[i] = (struct CMUnitTest){.name = runs[i].name,
					       .test_func = one_run,
					       .initial_state = &runs[i]};
	failed = _cmocka_run_group_tests("matrix_sim", tests, n, NULL, NULL);
	printf("# %" PRIu64 " cases in all\n", nr_cases);
	return failed;
}
