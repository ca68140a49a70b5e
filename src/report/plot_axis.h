/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Values of a setting in a list of results, and what else tells the results
 * apart.  "guest" stands for the guests, as if it were a setting.
 */
#ifndef NOTRAP_REPORT_PLOT_AXIS_H
#define NOTRAP_REPORT_PLOT_AXIS_H

#include "report/plot.h"

#define AXIS_GUEST "guest"

struct axis_value {
	char *text;    /* "64M", "kvm-2.6.25" */
	double number; /* if the axis is numeric */
};

struct plot_axis {
	const char *key;
	bool is_numeric; /* all its values are numbers */
	bool is_log;     /* they are spaced like powers rather than multiples */
	/* Ascending if numeric, else as they come. */
	struct axis_value *value;
	size_t nr;
};

/* -ENOENT with a line: no such setting; -ENOMEM. */
int axis_init(struct plot_axis *axis, const struct report *report,
	      const char *key, struct diag *diag);
void axis_finish(struct plot_axis *axis);
/* Where the result stands. */
size_t axis_place(const struct plot_axis *axis, const struct report *report,
		  const json_t *doc);

/*
 * The setting with most values that is none of skip[0..nr), numeric ones first;
 * then "guest", if `guests`.  NULL: nothing else varies; must_be_numeric: or
 * not in numbers.  -ENOMEM.
 */
int axis_choose(const struct report *report, const char *const *skip, size_t nr,
		bool must_be_numeric, bool guests, const char **ret);

/*
 * What tells a result apart but for skip[0..nr): "touch bypass=on".  Empty
 * where nothing does.
 */
void axis_rest(const struct report *report, const json_t *doc,
	       const char *const *skip, size_t nr, char *buf, size_t size);

/* "4K" is 4096.  False: not a number. */
bool axis_number(const char *text, double *ret);

#endif
