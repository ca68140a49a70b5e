/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a plot shows, worked out before a line of script is written: a stacked
 * bar a result, its segments (categories), and how large it all is.
 */
#ifndef NOTRAP_REPORT_PLOT_H
#define NOTRAP_REPORT_PLOT_H

#include "report/internal.h"

#define PLOT_TEXT_MAX  1024
#define CATEGORIES_MAX 12
#define PLOT_MARGIN    0.6 /* left of the first bar, right of the last */

struct category {
	const char *name; /* of a cause or a reason; NULL: all other reasons */
	bool is_cause;
	const char *colour;
	bool dark;
};

struct bar {
	const json_t *doc;
	double x;
	uint64_t total;
};

struct plot {
	const struct report *report;
	struct category category[CATEGORIES_MAX];
	size_t nr_categories;
	struct bar *bar; /* bars of one guest stand together */
	size_t nr_bars;
	size_t nr_groups;
	size_t longest; /* line under a bar, letters */
	uint64_t highest;
	int width, height;
};

/* -EINVAL: no results; -ENOMEM. */
int plot_init(struct plot *plot, const struct report *report);
void plot_finish(struct plot *plot);

/* Width of the x axis, where a bar and its share of the gap take 1. */
static inline double plot_span(const struct plot *plot)
{
	return plot->bar[plot->nr_bars - 1].x + 2 * PLOT_MARGIN;
}

uint64_t plot_exits(const struct plot *plot, const struct bar *bar, size_t c);

/* "kvm-2.6.25\nbypass=on": a line a setting */
void plot_bar_label(const struct plot *plot, const struct bar *bar, char *buf,
		    size_t size);

#endif
