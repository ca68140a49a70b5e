/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Results as stacked bars: which categories there are, where the bars stand,
 * how large the image must be.  Page-fault exits are split by cause; of the
 * other reasons the most frequent are shown, the rest are one category.
 */
#include "report/plot.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define WIDTH_MIN     960 /* the title must fit */
#define REASONS_SHOWN 3   /* besides page faults; the rest is "other" */
#define THIN          200 /* a two-hundredth of the highest bar */

/* Okabe and Ito's palette, safe for colour-blind eyes; greys for the rest. */
static const struct {
	const char *cause;
	const char *colour;
	bool dark; /* needs white figures */
} palette[] = {
	{"hidden_fill", "#56b4e9", false}, {"injected", "#d55e00", true},
	{"pt_write", "#e69f00", false},    {"accessed_dirty", "#009e73", true},
	{"mmio", "#cc79a7", false},        {"reserved", "#f0e442", false},
	{"spurious", "#0072b2", true},
};

static const struct {
	const char *colour;
	bool dark;
} greys[REASONS_SHOWN + 1] = {
	{"#595959", true},
	{"#8c8c8c", false},
	{"#b8b8b8", false},
	{"#dedede", false},
};

static uint64_t sum_of_reasons(const json_t *doc)
{
	json_t *map = (json_t *)doc_at(doc, "exits/by_reason");
	const char *key;
	uint64_t sum = 0;
	json_t *val;

	json_object_foreach(map, key, val)
	{
		sum += (uint64_t)json_integer_value(val);
	}
	return sum;
}

/* Exits of a reason that are not page faults. */
static uint64_t exits_of_reason(const json_t *doc, const char *name)
{
	uint64_t n = doc_member(doc_at(doc, "exits/by_reason"), name);
	uint64_t page_faults = doc_u64(doc, "exits/page_fault_total");

	if (strcmp(name, "EXCEPTION_NMI") != 0)
		return n;
	return n > page_faults ? n - page_faults : 0;
}

uint64_t plot_exits(const struct plot *plot, const struct bar *bar, size_t c)
{
	const struct category *cat = &plot->category[c];
	const json_t *doc = bar->doc;
	uint64_t rest;

	if (cat->is_cause)
		return doc_member(doc_at(doc, "exits/page_fault"), cat->name);
	if (cat->name)
		return exits_of_reason(doc, cat->name);

	rest = sum_of_reasons(doc);
	for (size_t i = 0; i < c; i++) {
		uint64_t n = plot_exits(plot, bar, i);

		rest -= n < rest ? n : rest;
	}
	return rest;
}

static uint64_t exits_in_all(const struct plot *plot, size_t c)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < plot->nr_bars; i++)
		sum += plot_exits(plot, &plot->bar[i], c);
	return sum;
}

/* Keep the category just written if anything belongs to it. */
static void keep_if_seen(struct plot *plot)
{
	if (exits_in_all(plot, plot->nr_categories))
		plot->nr_categories++;
}

static void add_causes(struct plot *plot)
{
	for (size_t i = 0; i < ARRAY_LEN(palette); i++) {
		plot->category[plot->nr_categories] =
			(struct category){palette[i].cause, true,
					  palette[i].colour, palette[i].dark};
		keep_if_seen(plot);
	}
}

static bool is_listed(const struct plot *plot, const char *reason)
{
	for (size_t i = 0; i < plot->nr_categories; i++)
		if (!plot->category[i].is_cause &&
		    !strcmp(plot->category[i].name, reason))
			return true;
	return false;
}

/* The reason with most exits over all bars that is not listed yet. */
static const char *next_reason(const struct plot *plot)
{
	const char *best = NULL;
	uint64_t most = 0;

	for (size_t i = 0; i < plot->nr_bars; i++) {
		json_t *map =
			(json_t *)doc_at(plot->bar[i].doc, "exits/by_reason");
		const char *key;
		json_t *val;

		json_object_foreach(map, key, val)
		{
			uint64_t sum = 0;

			if (is_listed(plot, key))
				continue;
			for (size_t j = 0; j < plot->nr_bars; j++)
				sum += exits_of_reason(plot->bar[j].doc, key);
			if (sum > most) {
				most = sum;
				best = key;
			}
		}
	}
	return best;
}

/* Too thin to be seen in any bar: not worth a line in the legend. */
static bool is_thin(const struct plot *plot, const char *reason)
{
	for (size_t i = 0; i < plot->nr_bars; i++)
		if (exits_of_reason(plot->bar[i].doc, reason) * THIN >=
		    plot->highest)
			return false;
	return true;
}

static void add_reasons(struct plot *plot)
{
	for (size_t i = 0; i <= REASONS_SHOWN; i++) {
		const char *name = i < REASONS_SHOWN ? next_reason(plot) : NULL;

		if (name && is_thin(plot, name))
			name = NULL;
		plot->category[plot->nr_categories] = (struct category){
			name, false, greys[i].colour, greys[i].dark};
		keep_if_seen(plot);
		if (!name)
			return;
	}
}

/* Bars of one guest side by side, a gap between guests. */
static void place_bars(struct plot *plot)
{
	const struct report *report = plot->report;
	double x = 0;

	for (size_t i = 0; i < report->nr; i++) {
		bool first = true;

		for (size_t j = 0; j < i; j++)
			if (doc_has_same_source(report->doc[i], report->doc[j]))
				first = false;
		if (!first)
			continue;
		for (size_t j = i; j < report->nr; j++) {
			const json_t *doc = report->doc[j];

			if (!doc_has_same_source(report->doc[i], doc))
				continue;
			plot->bar[plot->nr_bars++] = (struct bar){
				doc, x, doc_u64(doc, "exits/total")};
			x += 1;
		}
		plot->nr_groups++;
		x += 0.6;
	}
}

static size_t index_of(const struct plot *plot, const json_t *doc)
{
	for (size_t i = 0; i < plot->report->nr; i++)
		if (plot->report->doc[i] == doc)
			return i;
	return 0;
}

void plot_bar_label(const struct plot *plot, const struct bar *bar, char *buf,
		    size_t size)
{
	static const char mmu[] = "mmu=";
	const size_t len = sizeof(mmu) - 1;

	report_label(plot->report, index_of(plot, bar->doc), buf, size);
	if (!strncmp(buf, mmu, len))
		memmove(buf, buf + len, strlen(buf + len) + 1);
	for (; *buf; buf++)
		if (*buf == ' ')
			*buf = '\n';
}

static void measure(struct plot *plot)
{
	double pitch;

	for (size_t i = 0; i < plot->nr_bars; i++) {
		char label[PLOT_TEXT_MAX], *line = label, *rest;

		plot_bar_label(plot, &plot->bar[i], label, sizeof(label));
		while ((rest = strsep(&line, "\n")))
			if (strlen(rest) > plot->longest)
				plot->longest = strlen(rest);
		if (plot->bar[i].total > plot->highest)
			plot->highest = plot->bar[i].total;
	}
	pitch = (double)plot->longest * 8.5 + 16;
	if (pitch < 112)
		pitch = 112;
	plot->width = 300 + (int)(pitch * plot_span(plot));
	if (plot->width < WIDTH_MIN)
		plot->width = WIDTH_MIN;
	plot->height = 640;
}

int plot_init(struct plot *plot, const struct report *report)
{
	*plot = (struct plot){.report = report};
	if (!report->nr)
		return -EINVAL;
	plot->bar = calloc(report->nr, sizeof(*plot->bar));
	if (!plot->bar)
		return -ENOMEM;
	place_bars(plot);
	measure(plot);
	add_causes(plot);
	add_reasons(plot);
	return 0;
}

void plot_finish(struct plot *plot)
{
	free(plot->bar);
}
