/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * O1 by guest code: the access matrix executed by the access guest on the live
 * engine, for each generation, bypass and mode, against the slow model.
 *
 *     test_matrix_live ACCESS32.BIN ACCESS64.BIN [STRIDE]
 *
 * Only every STRIDE-th pair of entries (1: all).
 */
#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../guests/access/job.h"
#include "batch.h"
#include "judge.h"
#include "live/live.h"
#include "sim/sim.h"

#define MAXPHYADDR 40

/* Unicorn 2.1.1 itself loses 32 bytes for each engine. */
const char *__lsan_default_suppressions(void);

const char *__lsan_default_suppressions(void)
{
	return "leak:libunicorn.so";
}

static struct image_file {
	uint8_t data[65536];
	size_t size;
} images[2]; /* 32-bit, 64-bit */

struct run {
	char name[128];
	struct matrix_space space;
	const struct smmu_generation *gen;
	bool bypass;
	/* While it runs: */
	struct config config;
	struct judge judge;
	struct machine {
		struct mem *mem;
		struct platform *platform;
		struct sim *sim;
		struct live *live;
		struct batch batch;
	} m;
	bool open; /* m is being filled */
};

static size_t stride = 23;
static uint64_t nr_cases, nr_left_out;

static const struct {
	enum oracle_mode mode;
	const char *name;
	int level;
} tables[] = {
	{ORACLE_PAE, "PAE", 1},
	{ORACLE_4LEVEL, "4 levels", 1},
	{ORACLE_4LEVEL, "4 levels", 2},
};

static void must(int err, const struct diag *diag)
{
	if (err)
		fail_msg("%s", diag->msg);
}

static void machine_open(struct run *run)
{
	const struct image_file *image =
		&images[run->space.mode >= ORACLE_4LEVEL];
	struct live_config live = {
		.boot = {.entry = ACCESS_LOAD},
		.maxphyaddr = MAXPHYADDR,
	};
	struct machine *m = &run->m;
	struct diag diag;

	must(mem_create(MATRIX_RAM, sim_pool_pages(&run->config), true, &m->mem,
			&diag),
	     &diag);
	m->platform = platform_create(NULL);
	assert_non_null(m->platform);
	must(sim_create(&run->config, m->mem, &m->sim, &diag), &diag);
	must(live_create(&live, m->mem, m->platform, sim_sink(m->sim), &m->live,
			 &diag),
	     &diag);
	batch_init(&m->batch, &run->space, m->mem->ram, image->data,
		   image->size);
	run->open = true;
}

static void judge_results(struct run *run)
{
	const struct batch *b = &run->m.batch;

	for (uint32_t i = 0; i < b->nr; i++) {
		const struct batch_case *c = &b->cases[i];
		struct matrix_seen seen;

		if (batch_seen(b, i, &seen))
			judge_case(&run->judge, &c->controls, &c->pair,
				   c->access, &seen);
	}
}

/* Run what has been gathered. */
static void machine_go(struct run *run)
{
	struct machine *m = &run->m;
	struct live_end end;
	const char *trouble;

	batch_seal(&m->batch);
	live_run(m->live, UINT64_MAX, NULL, &end);
	trouble = batch_trouble(&m->batch);
	if (end.status != LIVE_EXIT || trouble)
		fail_msg("the guest ended with %d (%s), %s", (int)end.status,
			 end.line, trouble ? trouble : "all done");
	sim_finish(m->sim, live_insns(m->live));
	assert_string_equal(sim_check(m->sim) ? sim_check(m->sim) : "", "");
	assert_string_equal(sim_audit(m->sim)->first, "");
	judge_results(run);

	batch_finish(&m->batch);
	live_destroy(m->live);
	sim_destroy(m->sim);
	platform_destroy(m->platform);
	mem_destroy(m->mem);
	run->open = false;
}

static void add_case(struct run *run, const struct matrix_controls *controls,
		     const struct matrix_pair *pair,
		     const struct matrix_access *access)
{
	if (judge_leaves_out(&run->judge, controls, pair, access))
		return;
	if (!run->open)
		machine_open(run);
	if (batch_add(&run->m.batch, controls, pair, access))
		return;
	machine_go(run);
	machine_open(run);
	assert_true(batch_add(&run->m.batch, controls, pair, access));
}

static void try_controls(struct run *run, unsigned int i)
{
	struct matrix_controls controls = matrix_controls_at(&run->space, i);
	struct matrix_pair *pairs;
	size_t nr;

	pairs = matrix_pairs(&run->space, &controls, &nr);
	for (size_t at = i % stride; at < nr; at += stride)
		for (unsigned int a = 0; a < matrix_nr_accesses; a++)
			add_case(run, &controls, &pairs[at],
				 &matrix_accesses[a]);
	free(pairs);
}

static void configure(struct run *run)
{
	struct diag diag;

	config_init(&run->config);
	must(config_set(&run->config, "mmu", run->gen->name, &diag), &diag);
	must(config_set(&run->config, "bypass", run->bypass ? "on" : "off",
			&diag),
	     &diag);
	must(config_check(&run->config, &diag), &diag);
}

static void one_run(void **state)
{
	struct run *run = *state;
	struct judge *j = &run->judge;

	configure(run);
	judge_init(j, &run->space, run->gen);
	for (unsigned int i = 0; i < matrix_nr_controls(&run->space); i++)
		try_controls(run, i);
	if (run->open)
		machine_go(run);
	printf("# %s: %" PRIu64 " cases, %" PRIu64 " left out\n", run->name,
	       j->cases, j->left_out);
	for (int i = 0; i < NR_MATRIX_FLAWS; i++)
		if (j->flaws[i])
			printf("# %10" PRIu64 " %s\n", j->flaws[i],
			       judge_flaw_name((enum matrix_flaw)i));
	nr_cases += j->cases;
	nr_left_out += j->left_out;
	if (j->wrong)
		fail_msg("%" PRIu64 " differences, the first: %s", j->wrong,
			 j->first);
	judge_finish(j);
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

static void read_image(const char *path, struct image_file *image)
{
	FILE *f = fopen(path, "rb");

	if (!f) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		exit(2);
	}
	image->size = fread(image->data, 1, sizeof(image->data), f);
	fclose(f);
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

	if (argc < 3)
		return 2;
	read_image(argv[1], &images[0]);
	read_image(argv[2], &images[1]);
	if (argc > 3)
		stride = strtoul(argv[3], NULL, 0);
	for (unsigned int g = 0; g < nr_gens; g++)
		for (int bypass = 0; bypass <= gens[g].has_bypass; bypass++)
			for (size_t t = 0; t < ARRAY_LEN(tables); t++)
				add_run(&runs[n++], &gens[g], bypass, t);
	for (size_t i = 0; i < n; i++)
		tests[i] = (struct CMUnitTest){.name = runs[i].name,
					       .test_func = one_run,
					       .initial_state = &runs[i]};
	failed = _cmocka_run_group_tests("matrix_live", tests, n, NULL, NULL);
	printf("# %" PRIu64 " cases in all, %" PRIu64 " left out\n", nr_cases,
	       nr_left_out);
	return failed;
}
