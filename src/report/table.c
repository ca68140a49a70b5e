/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One result as tables.  The first has the columns of `perf kvm stat report`;
 * the others say what that one hides: why page faults exited, what the guest
 * saw, and where the cycles went.
 */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "arch/pfec.h"
#include "report/internal.h"

#define TEXT_MAX 512

struct reason {
	const char *name;
	uint64_t count, sum, min, max, mean, p50, p90, p99;
	const json_t *range; /* of the mean; NULL: none */
};

/* Cycles as microseconds of the configured clock, or as they are. */
struct unit {
	double mhz; /* 0: show cycles */
};

static struct unit unit_of(const json_t *doc)
{
	const char *mhz = doc_setting(doc, "mhz");

	return (struct unit){.mhz = *mhz ? strtod(mhz, NULL) : 0};
}

static void unit_text(struct unit unit, uint64_t cycles, char *buf, size_t size)
{
	if (unit.mhz > 0)
		snprintf(buf, size, "%.2fus", (double)cycles / unit.mhz);
	else
		snprintf(buf, size, "%" PRIu64, cycles);
}

static void time_cell(struct grid *grid, struct unit unit, uint64_t cycles)
{
	char text[40];

	unit_text(unit, cycles, text, sizeof(text));
	grid_cell(grid, "%s", text);
}

/* Most samples first; the order of the document, which is SDM's, in a tie. */
static int by_count(const void *a, const void *b)
{
	const struct reason *x = a, *y = b;

	if (x->count != y->count)
		return x->count < y->count ? 1 : -1;
	return x < y ? -1 : 1;
}

static const json_t *mean_range(const json_t *doc, const char *reason)
{
	const json_t *exits = doc_at(doc, "uncertainty/latency/exit");

	return doc_at(json_object_get(exits, reason), "mean");
}

/* *ret is the caller's to free. */
static int read_reasons(const json_t *doc, struct reason **ret, size_t *nr)
{
	const json_t *map = doc_at(doc, "exits/by_reason");
	struct reason *reasons =
		calloc(json_object_size(map) + 1, sizeof(*reasons));
	const char *key;
	json_t *val;

	if (!reasons)
		return -ENOMEM;
	*nr = 0;
	json_object_foreach((json_t *)map, key, val)
	{
		const json_t *h =
			json_object_get(doc_at(doc, "latency/exit"), key);

		reasons[(*nr)++] = (struct reason){
			.name = key,
			.count = (uint64_t)json_integer_value(val),
			.sum = doc_member(h, "sum"),
			.min = doc_member(h, "min"),
			.max = doc_member(h, "max"),
			.mean = doc_member(h, "mean"),
			.p50 = doc_member(h, "p50"),
			.p90 = doc_member(h, "p90"),
			.p99 = doc_member(h, "p99"),
			.range = mean_range(doc, key),
		};
	}
	qsort(reasons, *nr, sizeof(*reasons), by_count);
	*ret = reasons;
	return 0;
}

/* The columns of perf first, as scripts read them. */
static struct grid *reason_grid(struct unit unit, bool tells_ranges)
{
	struct grid *grid = grid_create();
	bool us = unit.mhz > 0;

	grid_column(grid, "VM-EXIT", GRID_RIGHT, 20);
	grid_column(grid, "Samples", GRID_RIGHT, 9);
	grid_column(grid, "Samples%", GRID_RIGHT, 8);
	grid_column(grid, "Time%", GRID_RIGHT, 8);
	grid_column(grid, us ? "Min Time" : "Min cycles", GRID_RIGHT, 10);
	grid_column(grid, us ? "Max Time" : "Max cycles", GRID_RIGHT, 10);
	grid_column(grid, us ? "Avg time" : "Avg cycles", GRID_RIGHT, 10);
	grid_column(grid, "p50", GRID_RIGHT, 8);
	grid_column(grid, "p90", GRID_RIGHT, 8);
	grid_column(grid, "p99", GRID_RIGHT, 8);
	if (tells_ranges) {
		grid_column(grid, "Avg at least", GRID_RIGHT, 0);
		grid_column(grid, "at most", GRID_RIGHT, 0);
	}
	return grid;
}

static void quantile_cells(struct grid *grid, struct unit unit,
			   const struct reason *r)
{
	time_cell(grid, unit, r->p50);
	time_cell(grid, unit, r->p90);
	time_cell(grid, unit, r->p99);
}

static void mean_range_cells(struct grid *grid, struct unit unit,
			     const struct reason *r)
{
	time_cell(grid, unit, r->range ? doc_member(r->range, "low") : r->mean);
	time_cell(grid, unit,
		  r->range ? doc_member(r->range, "high") : r->mean);
}

static int print_reasons(const json_t *doc, bool tells_ranges,
			 enum report_markup markup, FILE *out)
{
	struct unit unit = unit_of(doc);
	struct grid *grid = reason_grid(unit, tells_ranges);
	struct reason *reasons;
	uint64_t count = 0, sum = 0;
	char total[40];
	size_t nr;
	int err;

	err = read_reasons(doc, &reasons, &nr);
	for (size_t i = 0; !err && i < nr; i++) {
		count += reasons[i].count;
		sum += reasons[i].sum;
	}
	for (size_t i = 0; !err && i < nr; i++) {
		const struct reason *r = &reasons[i];

		grid_cell(grid, "%s", r->name);
		grid_cell(grid, "%" PRIu64, r->count);
		grid_cell(grid, "%.2f%%", doc_percent(r->count, count));
		grid_cell(grid, "%.2f%%", doc_percent(r->sum, sum));
		time_cell(grid, unit, r->min);
		time_cell(grid, unit, r->max);
		time_cell(grid, unit, r->mean);
		quantile_cells(grid, unit, r);
		if (tells_ranges)
			mean_range_cells(grid, unit, r);
	}
	if (!err)
		free(reasons);
	if (grid_print(grid, markup, out) || err)
		return -ENOMEM;
	unit_text(unit, sum, total, sizeof(total));
	fprintf(out,
		"Total Samples:%" PRIu64
		", Total events handled time:%s%s.\n\n",
		count, total, unit.mhz > 0 ? "" : " cycles");
	return 0;
}

const char *what_cause(const char *name)
{
	for (int i = 0; i < NR_CAUSES; i++)
		if (!strcmp(name, cause_name((enum pf_cause)i)))
			return cause_what((enum pf_cause)i);
	return "";
}

static const char *what_counter(const char *name)
{
	for (int i = 0; i < NR_COUNTERS; i++)
		if (!strcmp(name, counter_name((enum counter_id)i)))
			return counter_what((enum counter_id)i);
	return "";
}

static const char *what_part(const char *name)
{
	for (int i = 0; i < NR_PARTS; i++)
		if (!strcmp(name, part_name((enum cost_part)i)))
			return part_what((enum cost_part)i);
	return "";
}

/* A map of counts, its zeros left out, with what each member means. */
struct listing {
	const char *path;
	const char *heading;
	const char *unit;
	const char *(*what)(const char *name);
	uint64_t whole; /* 0: no percentages */
	bool tells_ranges;
};

static int print_listing(const json_t *doc, const struct listing *list,
			 enum report_markup markup, FILE *out)
{
	struct grid *grid = grid_create();
	const char *key;
	json_t *val;

	grid_column(grid, list->heading, GRID_RIGHT, 20);
	grid_column(grid, list->unit, GRID_RIGHT, 9);
	if (list->whole)
		grid_column(grid, "%", GRID_RIGHT, 8);
	if (list->tells_ranges)
		range_columns(grid);
	grid_column(grid, "what", GRID_LEFT, 0);
	json_object_foreach((json_t *)doc_at(doc, list->path), key, val)
	{
		char path[TEXT_MAX];

		uint64_t n = (uint64_t)json_integer_value(val);

		if (!n || !strcmp(key, "total"))
			continue;
		grid_cell(grid, "%s", key);
		grid_cell(grid, "%" PRIu64, n);
		if (list->whole)
			grid_cell(grid, "%.2f%%", doc_percent(n, list->whole));
		snprintf(path, sizeof(path), "%s/%s", list->path, key);
		if (list->tells_ranges)
			range_cells(grid, doc, path);
		grid_cell(grid, "%s", list->what(key));
	}
	return grid_print(grid, markup, out);
}

void describe_error_code(const char *code, char *buf, size_t size)
{
	pfec_text((uint32_t)strtoul(code, NULL, 16), buf, size);
}

static int print_faults(const json_t *doc, enum report_markup markup, FILE *out)
{
	const json_t *faults = doc_at(doc, "guest_faults");
	const json_t *direct = doc_at(faults, "direct_by_error_code");
	const json_t *injected = doc_at(faults, "injected_by_error_code");
	struct grid *grid = grid_create();
	const char *code;
	json_t *val;

	grid_column(grid, "guest fault, code", GRID_RIGHT, 20);
	grid_column(grid, "direct", GRID_RIGHT, 9);
	grid_column(grid, "injected", GRID_RIGHT, 9);
	grid_column(grid, "total", GRID_RIGHT, 9);
	grid_column(grid, "what", GRID_LEFT, 0);
	json_object_foreach((json_t *)doc_at(faults, "by_error_code"), code,
			    val)
	{
		char what[TEXT_MAX];

		describe_error_code(code, what, sizeof(what));
		grid_cell(grid, "%s", code);
		grid_cell(grid, "%" PRIu64, doc_member(direct, code));
		grid_cell(grid, "%" PRIu64, doc_member(injected, code));
		grid_cell(grid, "%" PRIu64, (uint64_t)json_integer_value(val));
		grid_cell(grid, "%s", what);
	}
	grid_cell(grid, "all");
	grid_cell(grid, "%" PRIu64, doc_member(faults, "direct"));
	grid_cell(grid, "%" PRIu64, doc_member(faults, "injected"));
	grid_cell(grid, "%" PRIu64, doc_member(faults, "total"));
	grid_cell(grid, "as the guest saw them");
	return grid_print(grid, markup, out);
}

static void latency_row(struct grid *grid, const json_t *doc, const char *name,
			uint64_t (*value)(const json_t *doc, const char *path))
{
	static const char *const points[] = {"min", "p50", "p90",
					     "p99", "max", "mean"};
	struct unit unit = unit_of(doc);
	char line[TEXT_MAX] = "";
	size_t len = 0;

	for (size_t i = 0; i < ARRAY_LEN(points); i++) {
		char text[40], path[64];

		snprintf(path, sizeof(path), "latency/guest_fault/%s",
			 points[i]);
		unit_text(unit, value(doc, path), text, sizeof(text));
		len += (size_t)snprintf(line + len, sizeof(line) - len,
					"%s%s %s", i ? ", " : "", points[i],
					text);
	}
	grid_cell(grid, "%s", name);
	grid_cell(grid, "%s%s", line, unit.mhz > 0 ? "" : " (cycles)");
}

static void add_latency(struct grid *grid, const json_t *doc, bool tells_ranges)
{
	if (!doc_u64(doc, "latency/guest_fault/count"))
		return;
	latency_row(grid, doc, "guest fault to retry", doc_u64);
	if (!tells_ranges)
		return;
	latency_row(grid, doc, "at least", doc_low);
	latency_row(grid, doc, "at most", doc_high);
}

static void add_total(struct grid *grid, const json_t *doc)
{
	const char *path = "cycles/total";

	grid_cell(grid, "cycles");
	grid_cell(grid, "%" PRIu64 ", at least %" PRIu64 ", at most %" PRIu64,
		  doc_u64(doc, path), doc_low(doc, path), doc_high(doc, path));
}

static void add_checks(struct grid *grid, const json_t *doc)
{
	const char *broken = doc_text(doc, "check/broken");
	uint64_t audits = doc_u64(doc, "check/audit_violations");

	if (audits) {
		grid_cell(grid, "AUDIT");
		grid_cell(grid, "%" PRIu64 " violations", audits);
	}
	if (*broken) {
		grid_cell(grid, "BROKEN");
		grid_cell(grid, "%s", broken);
	}
}

static int print_figures(const json_t *doc, bool tells_ranges,
			 enum report_markup markup, FILE *out)
{
	uint64_t exits = doc_u64(doc, "exits/page_fault_total");
	uint64_t faults = doc_u64(doc, "guest_faults/total");
	uint64_t direct = doc_u64(doc, "bypass/direct");
	uint64_t possible = doc_u64(doc, "bypass/possible");
	struct grid *grid = grid_create();

	grid_column(grid, "figure", GRID_RIGHT, 20);
	grid_column(grid, "value", GRID_LEFT, 0);
	if (faults) {
		grid_cell(grid, "exits per guest fault");
		grid_cell(grid,
			  "%.3f (%" PRIu64 " #PF exits, %" PRIu64
			  " guest faults)",
			  doc_ratio(exits, faults), exits, faults);
		grid_cell(grid, "bypass coverage");
		grid_cell(grid,
			  "%.2f%% (%" PRIu64 " delivered directly of %" PRIu64
			  " not-present guest faults)",
			  doc_percent(direct, possible), direct, possible);
	}
	add_latency(grid, doc, tells_ranges);
	if (tells_ranges)
		add_total(grid, doc);
	grid_cell(grid, "guest");
	grid_cell(grid, "%s; %" PRIu64 " instructions",
		  doc_text(doc, "guest/status"),
		  doc_u64(doc, "guest/instructions"));
	add_checks(grid, doc);
	return grid_print(grid, markup, out);
}

void range_columns(struct grid *grid)
{
	grid_column(grid, "at least", GRID_RIGHT, 0);
	grid_column(grid, "at most", GRID_RIGHT, 0);
}

void range_cells(struct grid *grid, const json_t *doc, const char *path)
{
	grid_cell(grid, "%" PRIu64, doc_low(doc, path));
	grid_cell(grid, "%" PRIu64, doc_high(doc, path));
}

int table_print(const struct report *report, size_t i,
		enum report_markup markup, FILE *out)
{
	const json_t *doc = report->doc[i];
	const struct listing causes = {"exits/page_fault", "#PF exit, by cause",
				       "Samples", what_cause,
				       doc_u64(doc, "exits/page_fault_total")};
	const struct listing cycles = {"cycles",
				       "part",
				       "cycles",
				       what_part,
				       doc_u64(doc, "cycles/total"),
				       report->tells_ranges};
	const struct listing shadow = {"shadow", "shadow MMU", "count",
				       what_counter, 0};
	char heading[TEXT_MAX];
	int err;

	label_heading(report, i, true, heading, sizeof(heading));
	grid_heading(markup, 3, out, "%s", heading);
	err = print_reasons(doc, report->tells_ranges, markup, out);
	if (!err)
		err = print_listing(doc, &causes, markup, out);
	if (!err)
		err = print_faults(doc, markup, out);
	if (!err)
		err = print_figures(doc, report->tells_ranges, markup, out);
	if (!err)
		err = stray_print(doc, markup, out);
	if (!err)
		err = print_listing(doc, &cycles, markup, out);
	if (!err)
		err = print_listing(doc, &shadow, markup, out);
	return err;
}
