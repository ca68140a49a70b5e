/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the kinds of plots share: text that is safe in a script, the head of a
 * script, what stands below an image.  A plot is a gnuplot script that draws
 * to its standard output; data and positions stand in it, so that it can be
 * kept and edited.
 *
 *   plot.c          kinds by name, and the words above
 *   plot_bars.c     stacked bars: where they stand; plot_bars_script.c: script
 *   plot_causes.c   #PF exits by cause as parts of bars
 *   plot_exits.c    exits by cause, as bars
 *   plot_faults.c   exits for each guest fault, and the bypass, as bars
 *   plot_figure.c   numbers of a result by name
 *   plot_axis.c     values of a setting, and what else varies
 *   plot_sweep.c    curves; plot_heat.c: a map
 */
#ifndef NOTRAP_REPORT_PLOT_H
#define NOTRAP_REPORT_PLOT_H

#include "report/internal.h"

#define PLOT_TEXT_MAX 1024

#define PLOT_GREY "#555555"

/* SVG knows no "name:Bold"; its sizes are pixels, the others' are points. */
struct plot_style {
	const char *terminal;
	const char *strong;
	int size, strong_size, title_size;
};

const struct plot_style *plot_style(enum report_image image);

/*
 * A double-quoted string in which nothing but plain text stands as itself:
 * results may come from anywhere, and gnuplot runs what is in backquotes.  A
 * newline is a line break.
 */
void plot_put_string(const char *text, FILE *out);

/* Terminal, encoding, grid and tics; sizes in pixels. */
void plot_print_head(enum report_image image, int width, int height, FILE *out);

/* The title, with a smaller line below it where there is one (or ""). */
void plot_print_title(enum report_image image, const char *title,
		      const char *answer, FILE *out);

/*
 * Below the image: the guest, if it is one, and the settings all results have
 * in common, then `more` words.  Returns how many lines that is.
 */
size_t plot_print_caption(const struct report *report, int width, int height,
			  const char *more, FILE *out);

bool plot_has_one_source(const struct report *report);

/* Four digits at most: "9999", "61.2 M", "0.183". */
void plot_number(double val, char *buf, size_t size);

/* Lines of a text, and letters of the longest. */
size_t plot_lines(const char *text, size_t *longest);

/* The kinds.  -EINVAL with a line: the results do not fit; -ENOMEM. */
int plot_print_exits(const struct report *report,
		     const struct report_plot *request, FILE *out,
		     struct diag *diag);
int plot_print_ladder(const struct report *report,
		      const struct report_plot *request, FILE *out,
		      struct diag *diag);
int plot_print_coverage(const struct report *report,
			const struct report_plot *request, FILE *out,
			struct diag *diag);
int plot_print_sweep(const struct report *report,
		     const struct report_plot *request, FILE *out,
		     struct diag *diag);
int plot_print_heat(const struct report *report,
		    const struct report_plot *request, FILE *out,
		    struct diag *diag);

#endif
