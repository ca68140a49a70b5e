/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/sweep.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "trace/trace.h"

/* --- Traces -------------------------------------------------------------- */

static uint64_t hash_number(uint64_t h, uint64_t val)
{
	uint8_t bytes[8];

	for (unsigned int i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(val >> (8 * i));
	return fnv64(h, bytes, sizeof(bytes));
}

/* The digest is one of the items; a replay also depends on the header. */
static uint64_t identity_of(const struct trace_info *info, uint64_t digest)
{
	const uint64_t state[] = {digest,         (uint64_t)info->granularity,
				  info->memory,   info->cr0,
				  info->cr3,      info->cr4,
				  info->efer,     info->pdpte[0],
				  info->pdpte[1], info->pdpte[2],
				  info->pdpte[3]};
	uint64_t h = FNV64_INIT;

	for (size_t i = 0; i < ARRAY_LEN(state); i++)
		h = hash_number(h, state[i]);
	/* Rare, so that other traces keep their identity. */
	if (info->features | info->pkru)
		h = hash_number(hash_number(h, info->features), info->pkru);
	return h;
}

static bool is_elf(const char *path)
{
	static const char magic[4] = {'\x7f', 'E', 'L', 'F'};
	FILE *file = fopen(path, "rb");
	char head[sizeof(magic)];
	bool ret = file && fread(head, sizeof(head), 1, file) == 1 &&
		   !memcmp(head, magic, sizeof(magic));

	if (file)
		fclose(file);
	return ret;
}

static void explain_refusal(struct sweep_trace *trace)
{
	trace->is_guest_image = is_elf(trace->path);
	if (trace->is_guest_image)
		diag_set(&trace->why, trace->err,
			 "%.200s: a guest, not a trace; record it first: "
			 "notrap run %.200s --record FILE",
			 trace->path, trace->path);
}

static void look_into(struct sweep_trace *trace)
{
	struct trace_reader *reader;
	struct trace_totals totals;

	trace->err = trace_reader_open(trace->path, &reader, &trace->why);
	if (trace->err) {
		explain_refusal(trace);
		return;
	}
	if (trace_reader_footer(reader, &totals)) {
		trace->err = diag_set(&trace->why, -EINVAL,
				      "%.300s: has no end: it was cut short, "
				      "or is still being written",
				      trace->path);
	} else {
		trace->digest = totals.digest;
		trace->identity =
			identity_of(trace_reader_info(reader), totals.digest);
		trace->records = totals.records;
		trace->refs = totals.refs;
	}
	trace_reader_close(reader);
}

static void find_repetition(struct sweep *sweep, size_t i)
{
	struct sweep_trace *trace = &sweep->trace[i];

	for (size_t j = 0; j < i && !trace->err && !trace->is_repeated; j++) {
		const struct sweep_trace *other = &sweep->trace[j];

		if (other->err || other->identity != trace->identity)
			continue;
		trace->is_repeated = true;
		diag_set(&trace->why, 0,
			 "%.230s is the same as %.230s: swept once",
			 trace->path, other->path);
	}
}

/* The plan file has a trace a line. */
static bool is_one_line(const char *path)
{
	return !path[strcspn(path, "\r\n")];
}

static void add_trace(struct sweep *sweep, const char *path)
{
	struct sweep_trace *trace = &sweep->trace[sweep->nr_traces++];

	*trace = (struct sweep_trace){.path = path};
	if (is_one_line(path))
		look_into(trace);
	else
		trace->err = diag_set(&trace->why, -EINVAL,
				      "a trace whose name has a line break "
				      "cannot be swept");
	find_repetition(sweep, sweep->nr_traces - 1);
}

/* --- Points -------------------------------------------------------------- */

/* Every setting as it will be run with, so that a new one is a new point. */
static uint64_t hash_config(const struct config *config)
{
	uint64_t h = FNV64_INIT;

	for (unsigned int i = 0; i < config_nr_keys(); i++) {
		const char *key = config_key_name(i);
		char text[CONFIG_TEXT_MAX];

		config_text(config, i, text, sizeof(text));
		if (config_is_switch(i) && !strcmp(text, CONFIG_SWITCH_DEFAULT))
			continue;
		h = fnv64(h, key, strlen(key) + 1);
		h = fnv64(h, text, strlen(text) + 1);
	}
	/* What it is called does not say what it is. */
	h = hash_number(h, config->machine.digest);
	return hash_number(h, config->hypervisor.digest);
}

static void add_points(struct sweep *sweep)
{
	for (size_t t = 0; t < sweep->nr_traces; t++) {
		const struct sweep_trace *trace = &sweep->trace[t];

		if (trace->err || trace->is_repeated)
			continue;
		for (size_t c = 0; c < sweep->nr_configs; c++) {
			uint64_t h = hash_config(&sweep->config[c].config);

			sweep->point[sweep->nr_points++] = (struct sweep_point){
				.trace = t,
				.config = c,
				.number = t * sweep->nr_configs + c,
				.id = hash_number(h, trace->identity),
			};
		}
	}
}

int sweep_init(struct sweep *sweep, const struct plan *plan,
	       const struct plan_point *config, size_t nr_configs,
	       struct diag *diag)
{
	size_t nr = plan_nr_traces(plan);

	*sweep = (struct sweep){.config = config, .nr_configs = nr_configs};
	sweep->trace = calloc(nr, sizeof(*sweep->trace));
	sweep->point = calloc(nr * nr_configs, sizeof(*sweep->point));
	if (!sweep->trace || !sweep->point) {
		sweep_finish(sweep);
		return diag_set(diag, -ENOMEM, "no memory for the sweep");
	}
	for (size_t i = 0; i < nr; i++)
		add_trace(sweep, plan_trace(plan, i));
	add_points(sweep);
	return 0;
}

void sweep_finish(struct sweep *sweep)
{
	free(sweep->trace);
	free(sweep->point);
	*sweep = (struct sweep){0};
}

/* --- Slices -------------------------------------------------------------- */

int sweep_slice_parse(const char *text, struct sweep_slice *ret,
		      struct diag *diag)
{
	size_t part, of;
	char rest;

	/* A sign would do for sscanf(). */
	if (strspn(text, "0123456789/") != strlen(text) ||
	    sscanf(text, "%6zu/%6zu%c", &part, &of, &rest) != 2 || !part ||
	    part > of)
		return diag_set(diag, -EINVAL,
				"--job %.60s: want I/N, from 1/N to N/N", text);
	*ret = (struct sweep_slice){part, of};
	return 0;
}

bool sweep_slice_has(const struct sweep_slice *slice,
		     const struct sweep_point *point)
{
	return point->number % slice->of == slice->part - 1;
}
