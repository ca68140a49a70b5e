/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Numbers of a result that can be drawn, by name. */
#ifndef NOTRAP_REPORT_PLOT_FIGURE_H
#define NOTRAP_REPORT_PLOT_FIGURE_H

#include "base/diag.h"
#include "report/internal.h"

struct plot_figure {
	const char *name;  /* "coverage", or a member: "shadow.mmu_flooded" */
	const char *title; /* "Bypass coverage" */
	const char *unit;  /* "count", "cycles", "%"; "": none */
	const char *path;  /* the number, or the part of the whole... */
	const char *whole; /* ...NULL: it is no ratio */
	/* Of a result beside others; NULL: it is one of its own. */
	double (*of)(const struct report *report, const json_t *doc);
};

/*
 * A name from the list, or a member of results that is a number, with dots.
 * -ENOENT with a line.
 */
int figure_find(const struct report *report, const char *name,
		struct plot_figure *ret, struct diag *diag);

/* Not a number: the result does not tell. */
double figure_of(const struct plot_figure *figure, const struct report *report,
		 const json_t *doc);

/*
 * The figure of that name; NULL: exits if they vary, and cycles if not, or if
 * one of the keys is a cost, which no exit depends on.  As figure_find().
 */
int figure_choose(const struct report *report, const char *name,
		  const char *const *keys, size_t nr, struct plot_figure *ret,
		  struct diag *diag);

/* "VM exits (count)", or for a member its name. */
void figure_label(const struct plot_figure *figure, char *buf, size_t size);

#endif
