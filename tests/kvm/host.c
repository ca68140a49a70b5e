/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "host.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct image_file {
	uint8_t data[65536];
	size_t size;
} images[2]; /* 32-bit, 64-bit */

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

void host_images(const char *path32, const char *path64)
{
	read_image(path32, &images[0]);
	read_image(path64, &images[1]);
}

/* One run of the matrix on a host. */
struct trip {
	struct host *host;
	struct matrix_space space;
	struct judge judge;
	struct batch batch;
	bool open, failed;
};

static void trip_open(struct trip *t)
{
	const struct image_file *image =
		&images[t->space.mode >= ORACLE_4LEVEL];

	if (!t->host->open(t->host)) {
		t->failed = true;
		return;
	}
	batch_init(&t->batch, &t->space, t->host->ram, image->data,
		   image->size);
	t->open = true;
}

static void judge_results(struct trip *t)
{
	for (uint32_t i = 0; i < t->batch.nr; i++) {
		const struct batch_case *c = &t->batch.cases[i];
		struct matrix_seen seen;

		if (!batch_seen(&t->batch, i, &seen))
			continue;
		if (t->host->forgive)
			t->host->forgive(&t->space, c, &seen);
		judge_case(&t->judge, &c->controls, &c->pair, c->access, &seen);
	}
}

static void trip_go(struct trip *t)
{
	const char *trouble;

	batch_seal(&t->batch);
	if (!t->host->run(t->host))
		t->failed = true;
	trouble = batch_trouble(&t->batch);
	if (!t->failed && trouble)
		snprintf(t->host->why, sizeof(t->host->why), "%s", trouble);
	t->failed = t->failed || trouble;
	if (!t->failed)
		judge_results(t);
	batch_finish(&t->batch);
	t->host->close(t->host);
	t->open = false;
}

static void add_case(struct trip *t, const struct matrix_controls *controls,
		     const struct matrix_pair *pair,
		     const struct matrix_access *access)
{
	for (int i = 0; i < 2 && !t->failed; i++) {
		if (!t->open)
			trip_open(t);
		if (t->failed || batch_add(&t->batch, controls, pair, access))
			return;
		trip_go(t);
	}
}

static void try_controls(struct trip *t, unsigned int i, uint64_t cases)
{
	struct matrix_controls controls = matrix_controls_at(&t->space, i);
	struct matrix_pair *pairs;
	size_t nr, stride;

	pairs = matrix_pairs(&t->space, &controls, &nr);
	stride = matrix_stride(&t->space, nr, cases);
	for (size_t at = i * 7 % stride; at < nr; at += stride)
		for (unsigned int a = 0; a < matrix_nr_accesses; a++)
			add_case(t, &controls, &pairs[at], &matrix_accesses[a]);
	free(pairs);
}

bool host_runs(struct host *h, const struct matrix_space *space)
{
	struct trip t = {.host = h, .space = *space};

	trip_open(&t);
	if (!t.failed)
		trip_go(&t);
	return !t.failed;
}

bool host_try(struct host *h, const struct matrix_space *space,
	      const char *name, uint64_t cases, unsigned int number)
{
	struct trip t = {.host = h, .space = *space};
	bool ok;

	judge_init(&t.judge, space, NULL, false);
	t.judge.has_devices = true;
	for (unsigned int i = 0; i < matrix_nr_controls(space); i++)
		try_controls(&t, i, cases);
	if (t.open)
		trip_go(&t);
	ok = !t.failed && !t.judge.wrong;
	if (t.failed)
		printf("# %s\n", h->why);
	if (t.judge.wrong)
		printf("# %" PRIu64 " differences, the first: %s\n",
		       t.judge.wrong, t.judge.first);
	printf("%sok %u - %s, of %d and %d: %" PRIu64 " cases\n",
	       ok ? "" : "not ", number, name, space->level + 1, space->level,
	       t.judge.cases);
	fflush(stdout);
	judge_finish(&t.judge);
	return ok;
}
