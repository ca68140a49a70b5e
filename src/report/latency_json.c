/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Latencies and chains in a result, and how far costs that are ranges leave
 * its cycles open. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "report/internal.h"

#define TOP 32 /* chains listed */

#define EXITS_MAX 16 /* told exactly below */

const char *const latency_points[NR_LATENCY_POINTS] = {"min", "mean", "p50",
						       "p90", "p99",  "max"};

static uint64_t point_of(const struct histogram *h, size_t point)
{
	static const unsigned int permille[] = {[2] = 500, 900, 990};

	if (!h->count)
		return 0;
	switch (point) {
	case 0:
		return h->min;
	case 1:
		return (h->sum + h->count / 2) / h->count;
	case NR_LATENCY_POINTS - 1:
		return h->max;
	default:
		return histogram_quantile(h, permille[point]);
	}
}

static int put_u64(json_t *into, const char *key, uint64_t val)
{
	return json_object_set_new(
		into, key, json_integer((json_int_t)min_u64(val, INT64_MAX)));
}

static int put_points(json_t *into, const struct histogram *h)
{
	int err = 0;

	for (size_t i = 0; i < NR_LATENCY_POINTS; i++)
		err |= put_u64(into, latency_points[i], point_of(h, i));
	return err;
}

int latency_put(json_t *into, const char *key, const struct histogram *h)
{
	json_t *object = json_object();
	int err = put_u64(object, "count", h->count);

	err |= put_u64(object, "sum", h->sum);
	err |= put_points(object, h);
	err |= json_object_set_new(into, key, object);
	return err ? -ENOMEM : 0;
}

/* --- Chains -------------------------------------------------------------- */

static json_t *chain_object(const char *name, const struct chain *chain)
{
	json_t *object = json_object();
	int err = json_object_set_new(object, "chain", json_string(name));

	err |= put_u64(object, "faults", chain->latency.typ.count);
	err |= put_u64(object, "exits", chain->exits);
	err |= put_u64(object, "sum", chain->latency.typ.sum);
	err |= put_points(object, &chain->latency.typ);
	if (!err)
		return object;
	json_decref(object);
	return NULL;
}

static void merge(struct chain *into, const struct chain *from)
{
	into->exits += from->exits;
	latency_merge(&into->latency, &from->latency);
}

static int put_chains(json_t *list, const struct chains *chains,
		      struct chain *rest)
{
	const struct chain *chain[CHAINS_MAX];
	size_t nr = chains_sorted(chains, chain);
	int err = 0;

	for (size_t i = 0; i < nr; i++) {
		char name[CHAIN_TEXT_MAX];

		if (i >= TOP) {
			merge(rest, chain[i]);
			continue;
		}
		chain_text(&chain[i]->key, name);
		err |= json_array_append_new(list,
					     chain_object(name, chain[i]));
	}
	if (chains_other(chains))
		merge(rest, chains_other(chains));
	if (rest->latency.typ.count)
		err |= json_array_append_new(list, chain_object("other", rest));
	return err;
}

static int put_by_exits(json_t *faults, const struct histogram *h)
{
	json_t *map = json_object();
	uint64_t told = 0;
	char key[8];
	int err = 0;

	for (unsigned int i = 0; i < EXITS_MAX; i++) {
		snprintf(key, sizeof(key), "%u", i);
		if (h->bucket[i])
			err |= put_u64(map, key, h->bucket[i]);
		told += h->bucket[i];
	}
	snprintf(key, sizeof(key), "%u+", EXITS_MAX);
	if (h->count > told)
		err |= put_u64(map, key, h->count - told);
	return err | json_object_set_new(faults, "by_exits", map);
}

int chains_put(json_t *faults, const struct account *acct)
{
	static const struct histogram none;
	const struct histogram *exits =
		acct->fault_exits ? acct->fault_exits : &none;
	struct chain *rest = calloc(1, sizeof(*rest));
	json_t *list = json_array();
	int err = !rest;

	err |= put_u64(faults, "retried", exits->count);
	err |= latency_put(faults, "exits", exits);
	err |= json_object_set_new(
		json_object_get(faults, "exits"), "mean",
		exits->count
			? json_real(round(doc_ratio(exits->sum, exits->count) *
					  1e6) /
				    1e6)
			: json_null());
	err |= put_by_exits(faults, exits);
	if (!err)
		err = put_chains(list, acct->chains, rest);
	err |= json_object_set_new(faults, "chains", list);
	free(rest);
	return err ? -ENOMEM : 0;
}

static bool is_row(const json_t *row)
{
	const char *key;
	json_t *val;

	if (!json_is_string(json_object_get(row, "chain")))
		return false;
	json_object_foreach((json_t *)row, key, val)
	{
		if (strcmp(key, "chain") != 0 && !json_is_integer(val))
			return false;
		if (json_integer_value(val) < 0)
			return false;
	}
	return true;
}

bool chains_are_valid(const json_t *doc)
{
	const json_t *list = doc_at(doc, "guest_faults/chains"), *row;
	size_t i;

	if (list && !json_is_array(list))
		return false;
	json_array_foreach(list, i, row)
	{
		if (!is_row(row))
			return false;
	}
	return true;
}

/* --- Uncertainty --------------------------------------------------------- */

static int put_range(json_t *into, const char *key, uint64_t low, uint64_t high)
{
	json_t *object = json_object();
	int err = put_u64(object, "low", low);

	err |= put_u64(object, "high", high);
	return err | json_object_set_new(into, key, object);
}

static int put_cycles(json_t *into, const struct account *acct)
{
	json_t *cycles = json_object();
	int err = json_object_set_new(into, "cycles", cycles);

	err |= put_range(cycles, "total", acct->now_min, acct->now_max);
	for (unsigned int i = 0; i < NR_PARTS && !err; i++) {
		enum cost_part part = (enum cost_part)i;
		struct cost_range sum = account_part_cycles(acct, part);

		if (sum.max)
			err = put_range(cycles, part_name(part), sum.min,
					sum.max);
	}
	return err;
}

static int put_ranges(json_t *into, const char *key,
		      const struct latency *latency)
{
	json_t *object = json_object();
	int err = json_object_set_new(into, key, object);

	for (size_t i = 0; i < NR_LATENCY_POINTS && !err; i++)
		err = put_range(object, latency_points[i],
				point_of(&latency->low, i),
				point_of(&latency->high, i));
	return err;
}

static int put_latencies(json_t *into, const struct account *acct)
{
	json_t *latency = json_object(), *exit = json_object();
	int err = json_object_set_new(into, "latency", latency);

	if (acct->fault_latency->typ.count)
		err |= put_ranges(latency, "guest_fault", acct->fault_latency);
	err |= json_object_set_new(latency, "exit", exit);
	for (unsigned int i = 0; i < NR_EXIT_REASONS && !err; i++)
		if (account_exits(acct, i))
			err = put_ranges(exit, exit_reason_name(i),
					 acct->exit[i]);
	return err;
}

int uncertainty_put(json_t *doc, const struct account *acct)
{
	json_t *object;
	int err;

	if (acct->now_min == acct->now_max)
		return 0;
	object = json_object();
	err = json_object_set_new(doc, "uncertainty", object);
	if (!err)
		err = put_cycles(object, acct);
	if (!err)
		err = put_latencies(object, acct);
	return err ? -ENOMEM : 0;
}
