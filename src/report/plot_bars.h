/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Stacked bars: one a result, those of a guest side by side.  A kind of plot
 * says what the parts of a bar are and how high; everything about places and
 * sizes follows from that.
 */
#ifndef NOTRAP_REPORT_PLOT_BARS_H
#define NOTRAP_REPORT_PLOT_BARS_H

#include "report/plot.h"

#define BAR_PARTS_MAX 12
#define BAR_WIDTH     0.72 /* of the place it has */
#define BARS_DIGIT    9.4  /* pixels, at most, in the fonts of plot_style() */
#define BARS_MARGIN   0.6  /* left of the first bar, right of the last */

struct bar_part {
	const char *name; /* as the legend tells it, after `prefix` */
	const char *prefix;
	const char *colour;
	bool dark; /* needs white figures */
};

struct bar {
	const json_t *doc;
	size_t index; /* of the result that is shown */
	double x;
	double value[BAR_PARTS_MAX];
	char figure[BAR_PARTS_MAX][24]; /* what stands in each part */
	double total;
	char over[40]; /* what stands above the bar */
	char note[40]; /* the smaller line below that, or "" */
};

struct bars {
	struct report *report; /* the results that are shown */
	struct bar_part part[BAR_PARTS_MAX];
	size_t nr_parts;
	struct bar *bar; /* bars of one guest stand together */
	size_t nr_bars;
	size_t nr_groups;

	const char *title, *ylabel, *format, *legend;
	const char *caption;        /* words at its end, or "" */
	char answer[PLOT_TEXT_MAX]; /* below the title, or "" */
	bool may_cut;               /* bars that leave no room for others */
	bool by_mmu; /* label bars by generation alone, if that tells */

	/* Set by bars_measure(). */
	double highest;  /* of all bars */
	double limit;    /* bars are cut there, so that others can be seen */
	const char *key; /* the one setting that differs, or NULL */
	bool is_turned;  /* labels of bars stand upright */
	double pitch;    /* pixels from bar to bar */
	size_t label_lines, label_longest;
	size_t figure_longest;
	int width, height;
};

/*
 * A bar for each result that is wanted (all if NULL), all values 0.  -EINVAL
 * with a line: there is none, or there are too many; -ENOMEM.
 */
int bars_init(struct bars *bars, const struct report *report,
	      bool (*is_wanted)(const struct report *report, const json_t *doc),
	      struct diag *diag);
void bars_finish(struct bars *bars);

/* The parts' values are in: sums, places and sizes. */
void bars_measure(struct bars *bars);

/* "kvm-2.6.25\nbypass=on": a line a setting; the value alone, if it is one. */
void bars_label(const struct bars *bars, const struct bar *bar, char *buf,
		size_t size);

/* Width of the x axis, where a bar and its share of the gap take 1. */
static inline double bars_span(const struct bars *bars)
{
	return bars->bar[bars->nr_bars - 1].x + 2 * BARS_MARGIN;
}

/* plot_bars_script.c */
void bars_print(const struct bars *bars, enum report_image image, FILE *out);

#endif
