/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "runs.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../share.h"

#define MAXPHYADDR 40
#define MAX_RUNS   512

static const struct {
	enum oracle_mode mode;
	const char *name;
	int level;
} tables[] = {
	{ORACLE_32, "32-bit", 1},       {ORACLE_PAE, "PAE", 1},
	{ORACLE_4LEVEL, "4 levels", 1}, {ORACLE_4LEVEL, "4 levels", 2},
	{ORACLE_4LEVEL, "4 levels", 3}, {ORACLE_5LEVEL, "5 levels", 1},
	{ORACLE_5LEVEL, "5 levels", 2}, {ORACLE_5LEVEL, "5 levels", 3},
	{ORACLE_5LEVEL, "5 levels", 4},
};

static uint64_t nr_cases, nr_left_out;

static void set(struct config *config, const char *key, const char *value)
{
	struct diag diag;

	if (config_set(config, key, value, &diag))
		fail_msg("%s", diag.msg);
}

static void configure(struct matrix_run *run)
{
	char maxphyaddr[16];
	struct diag diag;

	config_init(&run->config);
	snprintf(maxphyaddr, sizeof(maxphyaddr), "%d", MAXPHYADDR);
	set(&run->config, "mmu", run->mmu.name);
	set(&run->config, "bypass", run->bypass ? "on" : "off");
	set(&run->config, "maxphyaddr", maxphyaddr);
	set(&run->config, "audit", "entry");
	set(&run->config, "features", "la57+smep+smap+pku+1g");
	if (config_check(&run->config, &diag))
		fail_msg("%s", diag.msg);
}

static int set_up(void **state)
{
	struct matrix_run *run = *state;

	configure(run);
	judge_init(&run->judge, &run->space, run->mmu.generation, run->bypass);
	return 0;
}

static int tear_down(void **state)
{
	struct matrix_run *run = *state;

	nr_cases += run->judge.cases;
	nr_left_out += run->judge.left_out;
	judge_finish(&run->judge);
	return 0;
}

static void add_run(struct matrix_run *run, const struct mmu_choice *mmu,
		    bool bypass, size_t table)
{
	*run = (struct matrix_run){
		.space = {.mode = tables[table].mode,
			  .level = tables[table].level,
			  .maxphyaddr = MAXPHYADDR,
			  .has_1g = true,
			  .has_smep = true,
			  .has_smap = true,
			  .has_pku = true},
		.mmu = *mmu,
		.bypass = bypass,
	};
	snprintf(run->name, sizeof(run->name), "%s bypass=%s, %s, of %d and %d",
		 mmu->name, bypass ? "on" : "off", tables[table].name,
		 tables[table].level + 1, tables[table].level);
}

static bool has_bypass(const struct mmu_choice *mmu)
{
	return mmu->generation && mmu->generation->has_bypass;
}

int runs_all(const char *group, void (*one)(void **state))
{
	static struct matrix_run runs[MAX_RUNS];
	static struct CMUnitTest tests[MAX_RUNS];
	struct mmu_choice mmu;
	size_t n = 0, all = 0;
	int failed;

	for (unsigned int i = 0; mmu_choice(i, &mmu); i++)
		for (int bypass = 0; bypass <= has_bypass(&mmu); bypass++)
			for (size_t t = 0; t < ARRAY_LEN(tables); t++)
				if (all++ % one_of_cases() == 0)
					add_run(&runs[n++], &mmu, bypass, t);
	for (size_t i = 0; i < n; i++)
		tests[i] = (struct CMUnitTest){runs[i].name, one, set_up,
					       tear_down, &runs[i]};
	failed = _cmocka_run_group_tests(group, tests, n, NULL, NULL);
	printf("# %" PRIu64 " cases in all, %" PRIu64 " left out\n", nr_cases,
	       nr_left_out);
	return failed;
}

/* Where all controls are off thirty times as dense, as most flaws show there.
 */
static size_t stride_for(const struct matrix_run *run, unsigned int setting,
			 size_t nr_pairs, uint64_t cases)
{
	return matrix_stride(&run->space, nr_pairs,
			     setting ? cases : 30 * cases);
}

void runs_each_pair(
	struct matrix_run *run, uint64_t cases,
	void (*set_controls)(struct matrix_run *run,
			     const struct matrix_controls *controls),
	void (*try_pair)(struct matrix_run *run,
			 const struct matrix_controls *controls,
			 const struct matrix_pair *pair))
{
	for (unsigned int i = 0; i < matrix_nr_controls(&run->space); i++) {
		struct matrix_controls controls =
			matrix_controls_at(&run->space, i);
		struct matrix_pair *pairs;
		size_t nr, stride;

		if (set_controls)
			set_controls(run, &controls);
		pairs = matrix_pairs(&run->space, &controls, &nr);
		stride = stride_for(run, i, nr, cases);
		for (size_t at = i * 7 % stride; at < nr; at += stride)
			try_pair(run, &controls, &pairs[at]);
		free(pairs);
	}
}

void runs_conclude(struct matrix_run *run, bool whole)
{
	const struct judge *j = &run->judge;

	printf("# %s: %" PRIu64 " cases, %" PRIu64 " left out\n", run->name,
	       j->cases, j->left_out);
	for (int i = 0; i < NR_MATRIX_FLAWS; i++)
		if (j->flaws[i])
			printf("# %10" PRIu64 " %s\n", j->flaws[i],
			       judge_flaw_name((enum matrix_flaw)i));
	if (j->wrong)
		fail_msg("%" PRIu64 " differences, the first: %s", j->wrong,
			 j->first);
	for (int i = 0; whole && i < NR_MATRIX_FLAWS; i++)
		if (judge_must_show(j, (enum matrix_flaw)i) && !j->flaws[i])
			fail_msg("flaw %s did not show: is it fixed?",
				 judge_flaw_name((enum matrix_flaw)i));
}
