/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Results of one guest side by side: a line each, then what the bypass saved,
 * for each two that differ in nothing else.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "report/internal.h"
#include "report/saving.h"

#define TEXT_MAX 512

/* Against `from`: "-48.8%"; no change, or nothing to compare with: "". */
static void change_cell(struct grid *grid, uint64_t from, uint64_t to)
{
	if (from && from != to)
		grid_cell(grid, "%+.1f%%",
			  100 * ((double)to - (double)from) / (double)from);
	else
		grid_cell(grid, "%s", "");
}

static void ratio_cell(struct grid *grid, const json_t *doc)
{
	uint64_t faults = doc_u64(doc, "guest_faults/total");

	if (faults)
		grid_cell(grid, "%.3f",
			  doc_ratio(doc_u64(doc, "exits/page_fault_total"),
				    faults));
	else
		grid_cell(grid, "%s", "");
}

static void summary_row(struct grid *grid, const struct report *report,
			size_t i, const json_t *first)
{
	const json_t *doc = report->doc[i];
	uint64_t exits = doc_u64(doc, "exits/total");
	uint64_t cycles = doc_u64(doc, "cycles/total");
	char label[TEXT_MAX];

	report_label(report, i, label, sizeof(label));
	grid_cell(grid, "%s", label);
	grid_cell(grid, "%" PRIu64, exits);
	change_cell(grid, doc_u64(first, "exits/total"), exits);
	grid_cell(grid, "%" PRIu64, doc_u64(doc, "exits/page_fault_total"));
	grid_cell(grid, "%" PRIu64, doc_u64(doc, "guest_faults/total"));
	grid_cell(grid, "%" PRIu64, doc_u64(doc, "guest_faults/direct"));
	ratio_cell(grid, doc);
	grid_cell(grid, "%" PRIu64, cycles);
	change_cell(grid, doc_u64(first, "cycles/total"), cycles);
	if (report->tells_ranges)
		range_cells(grid, doc, "cycles/total");
}

static int print_summary(const struct report *report, const size_t *group,
			 size_t nr, enum report_markup markup, FILE *out)
{
	struct grid *grid = grid_create();

	grid_column(grid, "configuration", GRID_LEFT, 0);
	grid_column(grid, "exits", GRID_RIGHT, 0);
	grid_column(grid, "vs 1st", GRID_RIGHT, 0);
	grid_column(grid, "#PF exits", GRID_RIGHT, 0);
	grid_column(grid, "guest #PFs", GRID_RIGHT, 0);
	grid_column(grid, "direct", GRID_RIGHT, 0);
	grid_column(grid, "per #PF", GRID_RIGHT, 0); /* #PF exits */
	grid_column(grid, "cycles", GRID_RIGHT, 0);
	grid_column(grid, "vs 1st", GRID_RIGHT, 0);
	if (report->tells_ranges)
		range_columns(grid);
	for (size_t i = 0; i < nr; i++)
		summary_row(grid, report, group[i], report->doc[group[0]]);
	return grid_print(grid, markup, out);
}

static void change_count(struct grid *grid, uint64_t from, uint64_t to)
{
	if (to == from)
		grid_cell(grid, "0");
	else if (to > from)
		grid_cell(grid, "+%" PRIu64, to - from);
	else
		grid_cell(grid, "-%" PRIu64, from - to);
}

static void count_row(struct grid *grid, const char *indent, const char *name,
		      uint64_t a, uint64_t b)
{
	if (!a && !b)
		return;
	grid_cell(grid, "%s%s", indent, name);
	grid_cell(grid, "%" PRIu64, a);
	grid_cell(grid, "%" PRIu64, b);
	change_count(grid, a, b);
	change_cell(grid, a, b);
}

static void doc_row(struct grid *grid, const char *name, const char *path,
		    const json_t *a, const json_t *b)
{
	count_row(grid, "", name, doc_u64(a, path), doc_u64(b, path));
}

/* Members of a's map, then those that only b's has. */
static void map_rows(struct grid *grid, const char *path, const json_t *a,
		     const json_t *b)
{
	json_t *in_a = (json_t *)doc_at(a, path);
	json_t *in_b = (json_t *)doc_at(b, path);
	const char *key;
	json_t *val;

	json_object_foreach(in_a, key, val)
	{
		if (strcmp(key, "total") != 0)
			count_row(grid, "  ", key,
				  (uint64_t)json_integer_value(val),
				  doc_member(in_b, key));
	}
	json_object_foreach(in_b, key, val)
	{
		if (strcmp(key, "total") != 0 && !json_object_get(in_a, key))
			count_row(grid, "  ", key, 0,
				  (uint64_t)json_integer_value(val));
	}
}

static void ratio_row(struct grid *grid, const json_t *a, const json_t *b)
{
	const char *path = "exits/per_guest_fault";
	double from = json_number_value(doc_at(a, path));
	double to = json_number_value(doc_at(b, path));

	if (from <= 0 || to <= 0)
		return;
	grid_cell(grid, "#PF exits per guest #PF");
	grid_cell(grid, "%.3f", from);
	grid_cell(grid, "%.3f", to);
	grid_cell(grid, "%+.3f", to - from);
	grid_cell(grid, "%+.1f%%", 100 * (to - from) / from);
}

static void pair_rows(struct grid *grid, const json_t *a, const json_t *b)
{
	doc_row(grid, "exits", "exits/total", a, b);
	map_rows(grid, "exits/by_reason", a, b);
	doc_row(grid, "#PF exits", "exits/page_fault_total", a, b);
	map_rows(grid, "exits/page_fault", a, b);
	doc_row(grid, "guest #PFs", "guest_faults/total", a, b);
	doc_row(grid, "  direct", "guest_faults/direct", a, b);
	doc_row(grid, "  injected", "guest_faults/injected", a, b);
	ratio_row(grid, a, b);
	doc_row(grid, "cycles", "cycles/total", a, b);
	map_rows(grid, "cycles", a, b);
	doc_row(grid, "guest #PF to retry", "latency/guest_fault/sum", a, b);
	for (size_t i = 0; i < NR_LATENCY_POINTS; i++) {
		char path[64];

		snprintf(path, sizeof(path), "latency/guest_fault/%s",
			 latency_points[i]);
		count_row(grid, "  ", latency_points[i], doc_u64(a, path),
			  doc_u64(b, path));
	}
}

/* Two results, row by row; what they are called above their columns. */
struct pair {
	const char *title;
	const char *from, *to;
	size_t i, j;
};

static int print_pair(const struct report *report, const struct pair *pair,
		      enum report_markup markup, FILE *out)
{
	const json_t *a = report->doc[pair->i], *b = report->doc[pair->j];
	char from[TEXT_MAX], to[TEXT_MAX], saving[TEXT_MAX];
	struct grid *grid = grid_create();

	report_label(report, pair->i, from, sizeof(from));
	report_label(report, pair->j, to, sizeof(to));
	grid_heading(markup, 3, out, "%s: %s -> %s", pair->title, from, to);

	grid_column(grid, "", GRID_LEFT, 0);
	grid_column(grid, pair->from, GRID_RIGHT, 10);
	grid_column(grid, pair->to, GRID_RIGHT, 10);
	grid_column(grid, "change", GRID_RIGHT, 10);
	grid_column(grid, "%", GRID_RIGHT, 8);
	pair_rows(grid, a, b);
	if (grid_print(grid, markup, out))
		return -ENOMEM;

	saving_text(a, b, saving, sizeof(saving));
	fprintf(out, "%s %s.\n", to, saving);
	exit_even_text(a, b, to, saving, sizeof(saving));
	fprintf(out, "%s%s", saving, saving[0] ? "\n" : "");
	if (report->tells_ranges) {
		saving_range_text(a, b, to, saving, sizeof(saving));
		fprintf(out, "%s%s", saving, saving[0] ? "\n" : "");
	}
	fputc('\n', out);
	return 0;
}

int compare_print(const struct report *report, const size_t *group, size_t nr,
		  enum report_markup markup, FILE *out)
{
	struct pair pair = {"What the bypass saves", "bypass=off", "bypass=on",
			    0, 0};
	unsigned int pairs = 0;
	char source[TEXT_MAX];
	int err;

	label_source(report->doc[group[0]], source, sizeof(source));
	grid_heading(markup, 2, out, "Comparison: %s", source);
	err = print_summary(report, group, nr, markup, out);
	for (size_t i = 0; i < nr && !err; i++) {
		for (size_t j = 0; j < nr && !err; j++) {
			if (!doc_is_bypass_pair(report->doc[group[i]],
						report->doc[group[j]]))
				continue;
			pair.i = group[i];
			pair.j = group[j];
			err = print_pair(report, &pair, markup, out);
			pairs++;
		}
	}
	if (!err && !pairs && nr == 2) {
		pair = (struct pair){"Change", "first", "second", group[0],
				     group[1]};
		err = print_pair(report, &pair, markup, out);
	}
	return err;
}
