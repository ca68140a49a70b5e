/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * O6: the access matrix on the real KVM.  The same guest code and the same
 * cases as in matrix_live; here the slow model itself is on trial, which all
 * else is compared with.  Skipped, with the reason, where there is no KVM or
 * where KVM has not got the mode.
 *
 *     test_kvm_matrix ACCESS32.BIN ACCESS64.BIN [STRIDE]
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../guests/access/job.h"
#include "batch.h"
#include "judge.h"
#include "vm.h"

#define RUN_SECONDS 600

static struct image_file {
	uint8_t data[65536];
	size_t size;
} images[2]; /* 32-bit, 64-bit */

static const struct {
	enum oracle_mode mode;
	const char *name;
	int level;
} tables[] = {
	{ORACLE_32, "32-bit", 1},       {ORACLE_PAE, "PAE", 1},
	{ORACLE_4LEVEL, "4 levels", 1}, {ORACLE_4LEVEL, "4 levels", 2},
	{ORACLE_5LEVEL, "5 levels", 1},
};
#define NR_TABLES (sizeof(tables) / sizeof(tables[0]))

static size_t stride = 61;

struct run {
	struct matrix_space space;
	struct judge judge;
	struct vm vm;
	struct batch batch;
	bool open;
	char why[256]; /* not empty: cannot go on */
};

static void machine_open(struct run *run)
{
	const struct image_file *image =
		&images[run->space.mode >= ORACLE_4LEVEL];
	const char *why;

	if (!vm_open(&run->vm, MATRIX_RAM, &why)) {
		snprintf(run->why, sizeof(run->why), "%s", why);
		return;
	}
	batch_init(&run->batch, &run->space, run->vm.ram, image->data,
		   image->size);
	run->open = true;
}

static void judge_results(struct run *run)
{
	const struct batch *b = &run->batch;

	for (uint32_t i = 0; i < b->nr; i++) {
		const struct batch_case *c = &b->cases[i];
		struct matrix_seen seen;

		if (batch_seen(b, i, &seen))
			judge_case(&run->judge, &c->controls, &c->pair,
				   c->access, &seen);
	}
}

static void machine_go(struct run *run)
{
	static const char *const ends[] = {
		[VM_OUT] = "OUT",          [VM_IN] = "IN",
		[VM_HALT] = "HLT",         [VM_SHUTDOWN] = "shutdown",
		[VM_TIMEOUT] = "time out", [VM_OTHER] = "no known exit",
	};
	struct vm_exit exit;
	const char *trouble;

	batch_seal(&run->batch);
	vm_start(&run->vm, ACCESS_LOAD, 0, 0);
	exit = vm_run(&run->vm, RUN_SECONDS);
	trouble = batch_trouble(&run->batch);
	if (exit.end == VM_OUT && !trouble)
		judge_results(run);
	else
		snprintf(run->why, sizeof(run->why), "ended with %s: %s",
			 ends[exit.end], trouble ? trouble : "");
	batch_finish(&run->batch);
	vm_close(&run->vm);
	run->open = false;
}

static void add_case(struct run *run, const struct matrix_controls *controls,
		     const struct matrix_pair *pair,
		     const struct matrix_access *access)
{
	for (int i = 0; i < 2 && !run->why[0]; i++) {
		if (!run->open)
			machine_open(run);
		if (run->why[0] ||
		    batch_add(&run->batch, controls, pair, access))
			return;
		machine_go(run);
	}
}

static void try_all(struct run *run)
{
	for (unsigned int i = 0; i < matrix_nr_controls(&run->space); i++) {
		struct matrix_controls controls =
			matrix_controls_at(&run->space, i);
		struct matrix_pair *pairs;
		size_t nr;

		pairs = matrix_pairs(&run->space, &controls, &nr);
		for (size_t at = i % stride; at < nr; at += stride)
			for (unsigned int a = 0; a < matrix_nr_accesses; a++)
				add_case(run, &controls, &pairs[at],
					 &matrix_accesses[a]);
		free(pairs);
	}
	if (run->open)
		machine_go(run);
}

/* Why KVM cannot be asked about this mode; NULL: it can. */
static const char *obstacle(size_t i, struct vm_features *features)
{
	static char line[320];
	struct run probe = {.space = {.mode = tables[i].mode, .level = 1}};
	const char *why;
	struct vm vm;

	if (!vm_open(&vm, MATRIX_RAM, &why))
		return why;
	*features = vm_features(&vm);
	vm_close(&vm);
	if (tables[i].mode == ORACLE_5LEVEL && !features->la57)
		return "KVM shows no LA57";
	if (!features->nx)
		return "KVM shows no NX";
	/* A guest with nothing to do must reach its end. */
	machine_open(&probe);
	if (!probe.why[0])
		machine_go(&probe);
	if (!probe.why[0])
		return NULL;
	snprintf(line, sizeof(line), "KVM does not run an empty guest: %s",
		 probe.why);
	return line;
}

static void print_controls(const struct vm_features *f)
{
	printf("# KVM has%s%s%s%s, MAXPHYADDR %d\n", f->smep ? " SMEP" : "",
	       f->smap ? " SMAP" : "", f->pku ? " PKU" : "",
	       f->pages_1g ? " 1G pages" : "", f->maxphyaddr);
}

static bool one_table(size_t i)
{
	struct vm_features f;
	const char *why = obstacle(i, &f);
	struct run run;
	bool ok;

	if (why) {
		printf("ok %zu - %s # SKIP %s\n", i + 1, tables[i].name, why);
		return true;
	}
	print_controls(&f);
	run = (struct run){
		.space = {.mode = tables[i].mode,
			  .level = tables[i].level,
			  .maxphyaddr = f.maxphyaddr,
			  .has_1g = f.pages_1g,
			  .has_smep = f.smep,
			  .has_smap = f.smap,
			  .has_pku = f.pku},
	};
	judge_init(&run.judge, &run.space, NULL);
	try_all(&run);
	ok = !run.why[0] && !run.judge.wrong;
	if (run.why[0])
		printf("# %s\n", run.why);
	if (run.judge.wrong)
		printf("# %" PRIu64 " differences, the first: %s\n",
		       run.judge.wrong, run.judge.first);
	printf("%sok %zu - %s, of %d and %d: %" PRIu64 " cases\n",
	       ok ? "" : "not ", i + 1, tables[i].name, tables[i].level + 1,
	       tables[i].level, run.judge.cases);
	judge_finish(&run.judge);
	fflush(stdout);
	return ok;
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
	bool ok = true;

	if (argc < 3)
		return 2;
	read_image(argv[1], &images[0]);
	read_image(argv[2], &images[1]);
	if (argc > 3)
		stride = strtoul(argv[3], NULL, 0);
	printf("1..%zu\n", NR_TABLES);
	for (size_t i = 0; i < NR_TABLES; i++)
		ok &= one_table(i);
	return ok ? 0 : 1;
}
