/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/sweep_units.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/*
 * Reading and decoding a record takes as long as so many lanes take to run it
 * (benchmarks/bench_replay.c, traces of granularity `pages`).
 */
#define DECODE_COST 3

/* More units than this for each worker are even enough. */
#define UNITS_PER_WORKER 4

struct division {
	const struct sweep_load *load;
	size_t nr_loads;
	size_t *parts; /* of each load */
	struct sweep_unit *unit;
	size_t nr, room;
};

static uint64_t cost_of(const struct sweep_load *load, size_t points)
{
	/* A trace without records is opened and ended, too. */
	return (load->records + 1) * (DECODE_COST + points);
}

/* The longest first; else in their order. */
static int compare(const void *a, const void *b)
{
	const struct sweep_unit *x = a, *y = b;

	if (x->cost != y->cost)
		return x->cost < y->cost ? 1 : -1;
	if (x->load != y->load)
		return x->load < y->load ? -1 : 1;
	return x->first < y->first ? -1 : 1;
}

static int make_units(struct division *div)
{
	size_t all = 0;

	for (size_t i = 0; i < div->nr_loads; i++)
		all += div->parts[i];
	if (!div->unit || all > div->room) {
		struct sweep_unit *grown =
			realloc(div->unit, (2 * all + 1) * sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		div->unit = grown;
		div->room = 2 * all + 1;
	}
	div->nr = 0;
	for (size_t i = 0; i < div->nr_loads; i++) {
		const struct sweep_load *load = &div->load[i];
		size_t parts = div->parts[i];

		for (size_t part = 0; part < parts; part++) {
			size_t first = load->points * part / parts;
			size_t nr = load->points * (part + 1) / parts - first;

			div->unit[div->nr++] = (struct sweep_unit){
				i, first, nr, cost_of(load, nr)};
		}
	}
	qsort(div->unit, div->nr, sizeof(*div->unit), compare);
	return 0;
}

static uint64_t *idlest(uint64_t *busy, unsigned int workers)
{
	uint64_t *ret = busy;

	for (unsigned int i = 1; i < workers; i++)
		if (busy[i] < *ret)
			ret = &busy[i];
	return ret;
}

uint64_t sweep_makespan(const struct sweep_unit *unit, size_t nr,
			unsigned int workers)
{
	uint64_t busy[SWEEP_WORKERS_MAX] = {0}, longest = 0;

	for (size_t i = 0; i < nr; i++) {
		uint64_t *worker = idlest(busy, workers);

		*worker += unit[i].cost;
		if (*worker > longest)
			longest = *worker;
	}
	return longest;
}

/* The longest unit that can be cut; false: there is none. */
static bool cut_one(struct division *div)
{
	for (size_t i = 0; i < div->nr; i++) {
		if (div->unit[i].nr == 1)
			continue;
		div->parts[div->unit[i].load]++;
		return true;
	}
	return false;
}

/* Cut the longest unit again and again; what was best on the way stays. */
static int divide(struct division *div, size_t *best, unsigned int workers)
{
	size_t bytes = div->nr_loads * sizeof(*best);
	uint64_t shortest = UINT64_MAX;
	size_t limit = 0;

	for (;;) {
		uint64_t span;

		if (make_units(div))
			return -ENOMEM;
		if (!limit)
			limit = div->nr + UNITS_PER_WORKER * workers;
		span = sweep_makespan(div->unit, div->nr, workers);
		if (span < shortest) {
			shortest = span;
			memcpy(best, div->parts, bytes);
		}
		if (workers == 1 || div->nr >= limit || !cut_one(div))
			break;
	}
	memcpy(div->parts, best, bytes);
	return make_units(div);
}

int sweep_units(const struct sweep_load *load, size_t nr_loads,
		unsigned int workers, size_t most, struct sweep_unit **ret,
		size_t *nr)
{
	struct division div = {
		.load = load,
		.nr_loads = nr_loads,
		.parts = calloc(nr_loads + 1, sizeof(*div.parts)),
	};
	size_t *best = calloc(nr_loads + 1, sizeof(*best));
	int err = div.parts && best ? 0 : -ENOMEM;

	for (size_t i = 0; i < nr_loads && !err; i++)
		div.parts[i] = (load[i].points + most - 1) / most;
	if (!err)
		err = divide(&div, best, workers);
	free(div.parts);
	free(best);
	if (err) {
		free(div.unit);
		return err;
	}
	*ret = div.unit;
	*nr = div.nr;
	return 0;
}
