/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * O1 by guest code: the access matrix executed by the access guest on the live
 * engine, for each generation, bypass and mode, against the slow model.
 *
 *     test_matrix_live ACCESS32.BIN ACCESS64.BIN [CASES]
 *
 * CASES of each run; 0: all.
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
#include "live/live.h"
#include "runs.h"
#include "sim/sim.h"

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

struct machine {
	struct mem *mem;
	struct platform *platform;
	struct sim *sim;
	struct live *live;
	struct batch batch;
	bool open; /* being filled */
};

static uint64_t cases = 1000; /* of each run */
static void must(int err, const struct diag *diag)
{
	if (err)
		fail_msg("%s", diag->msg);
}

static void machine_open(struct matrix_run *run)
{
	const struct image_file *image =
		&images[run->space.mode >= ORACLE_4LEVEL];
	struct live_config live = {
		.boot = {.entry = ACCESS_LOAD},
		.maxphyaddr = (uint8_t)run->space.maxphyaddr,
		.features = (uint32_t)config_get(&run->config, OPT_features),
	};
	struct machine *m = run->own;
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
	m->open = true;
}

static void judge_results(struct matrix_run *run)
{
	const struct batch *b = &((struct machine *)run->own)->batch;

	for (uint32_t i = 0; i < b->nr; i++) {
		const struct batch_case *c = &b->cases[i];
		struct matrix_seen seen;

		if (batch_seen(b, i, &seen))
			judge_case(&run->judge, &c->controls, &c->pair,
				   c->access, &seen);
	}
}

/* Run what has been gathered. */
static void machine_go(struct matrix_run *run)
{
	struct machine *m = run->own;
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
	assert_string_equal(sim_audit(m->sim).first, "");
	judge_results(run);

	batch_finish(&m->batch);
	live_destroy(m->live);
	sim_destroy(m->sim);
	platform_destroy(m->platform);
	mem_destroy(m->mem);
	m->open = false;
}

static void add_case(struct matrix_run *run,
		     const struct matrix_controls *controls,
		     const struct matrix_pair *pair,
		     const struct matrix_access *access)
{
	struct machine *m = run->own;

	if (judge_leaves_out(&run->judge, controls, pair, access))
		return;
	if (!m->open)
		machine_open(run);
	if (batch_add(&m->batch, controls, pair, access))
		return;
	machine_go(run);
	machine_open(run);
	assert_true(batch_add(&m->batch, controls, pair, access));
}

static void try_pair(struct matrix_run *run,
		     const struct matrix_controls *controls,
		     const struct matrix_pair *pair)
{
	for (unsigned int i = 0; i < matrix_nr_accesses; i++)
		add_case(run, controls, pair, &matrix_accesses[i]);
}

static void one_run(void **state)
{
	struct matrix_run *run = *state;
	struct machine machine = {.open = false};

	run->own = &machine;
	runs_each_pair(run, cases, NULL, try_pair);
	if (machine.open)
		machine_go(run);
	runs_conclude(run, false);
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

int main(int argc, char **argv)
{
	if (argc < 3)
		return 2;
	read_image(argv[1], &images[0]);
	read_image(argv[2], &images[1]);
	if (argc > 3)
		cases = strtoull(argv[3], NULL, 0);
	return runs_all("matrix_live", one_run);
}
