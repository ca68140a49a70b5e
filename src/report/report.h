/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Results, and every way to show them.
 *
 * A report is a list of results in the order they were added.  Whatever shows
 * one sees only what is in its JSON, so a saved file is shown exactly as the
 * run that made it.  Output goes to a FILE of the caller's, who asks ferror().
 *
 * Left out: running guests, and files by name; those are cli's.
 */
#ifndef NOTRAP_REPORT_REPORT_H
#define NOTRAP_REPORT_REPORT_H

#include <stdio.h>

#include "base/diag.h"
#include "report/result.h"
#include "report/sheet.h"

struct report;

struct report *report_create(void);         /* NULL: out of memory */
void report_destroy(struct report *report); /* NULL is fine */

/* Copies what it needs.  -ENOMEM with a line. */
int report_add(struct report *report, const struct result *result,
	       struct diag *diag);

/*
 * Add every JSON object of a stream; `name` is for messages.  -EINVAL: not
 * results, the line says where; what came before it stays added.  Another
 * -errno: the stream could not be read.
 */
int report_read(struct report *report, FILE *in, const char *name,
		struct diag *diag);

size_t report_nr(const struct report *report);

/*
 * Result i as a file of its own, with a sum over what it says.  0 or -ENOMEM.
 */
int report_print_point(const struct report *report, size_t i, FILE *out);

/*
 * Add the one result of such a file, without the sum.  -EINVAL with a line:
 * it is none, or not what was written.  -ESTALE with a line: `want` (NULL:
 * anything will do) is of another version, configuration, kind or digest of
 * the source, or the result did not end well.
 */
int report_read_point(struct report *report, FILE *in, const char *name,
		      const struct result *want, struct diag *diag);

/* What the source of result i is called now.  0 or -ENOMEM. */
int report_set_path(struct report *report, size_t i, const char *path);

/* Where result i comes from; texts live as long as the report. */
struct report_origin {
	const char *kind; /* "live", "trace" */
	const char *path;
	const char *digest; /* "0x..." */
};

struct report_origin report_origin(const struct report *report, size_t i);

/* A member by its path ("bypass/direct"); 0: there is none. */
uint64_t report_number(const struct report *report, size_t i, const char *path);

/* The value of a setting as it took effect; "": there is none. */
const char *report_value(const struct report *report, size_t i,
			 const char *key);

/* Key and value of its n-th setting, as it took effect; NULL: no more. */
const char *report_setting(const struct report *report, size_t i, size_t n,
			   const char **value);

/* What has to be equal under every policy if the bypass is transparent. */
struct report_difference {
	size_t first, other;
	const char *what; /* "console output" */
};

/*
 * Compare each later result with the first one of the same guest and the same
 * guest-visible settings (memory, vendor, ...).  False: *ret names the first
 * difference.
 */
bool report_is_transparent(const struct report *report,
			   struct report_difference *ret);

/* The settings in which result i differs from the others: "bypass=on". */
void report_label(const struct report *report, size_t i, char *buf,
		  size_t size);

/* From now on tables also say how far the ranges of costs leave cycles open. */
void report_tell_uncertainty(struct report *report);

enum report_markup {
	REPORT_TEXT,
	REPORT_MARKDOWN,
};

/* All return 0, or -ENOMEM. */
int report_print_json(const struct report *report, FILE *out);
int report_print_csv(const struct report *report, FILE *out);
int report_print_tables(const struct report *report, enum report_markup markup,
			FILE *out);

enum report_by {
	REPORT_BY_REASON,
	REPORT_BY_CAUSE,
	REPORT_BY_ERROR_CODE, /* guest faults */
	REPORT_BY_RIP,        /* pages of guest code */
	REPORT_BY_GFN,        /* guest frames that page faults were about */
	REPORT_BY_CHAIN,      /* guest faults, from access to retry */
	REPORT_BY_COST,       /* cycles: count, number, source */
	REPORT_BY_POINT,      /* all of a result in one row */
};

bool report_by_find(const char *name, enum report_by *ret);

/* A row for each that was seen, of every result. */
int report_print_by(const struct report *report, enum report_by by,
		    enum sheet_format format, FILE *out);

enum report_image {
	REPORT_SVG,
	REPORT_PNG,
	REPORT_PDF,
};

enum report_plot_kind {
	REPORT_PLOT_EXITS,    /* stacked bars by cause */
	REPORT_PLOT_LADDER,   /* these for each guest fault */
	REPORT_PLOT_COVERAGE, /* guest faults that bypass the hypervisor */
	REPORT_PLOT_SWEEP,    /* curves over a numeric setting */
	REPORT_PLOT_HEAT,     /* a map of two settings */
};

bool report_plot_find(const char *name, enum report_plot_kind *ret);

struct report_plot {
	enum report_plot_kind kind;
	enum report_image image;
	/*
	 * NULL: what fits best.  Settings or "guest", but for y of curves and
	 * z of a map, which are figures ("cycles"), and y of exits ("percent").
	 */
	const char *x, *y, *z;
};

/*
 * A gnuplot script that draws to its standard output, with the data in it.
 * -EINVAL, -ENOENT: the results do not fit what was asked for; -ENOMEM; all
 * with a line.
 */
int report_print_plot(const struct report *report,
		      const struct report_plot *request, FILE *out,
		      struct diag *diag);

/*
 * Keep only results in which a setting has one of some values ("bypass=on",
 * "mmu=seed,kvm-2.6.25"; "guest" is a setting here, with the names that plots
 * show).  -EINVAL, -ENOENT: nothing would be left; -ENOMEM; all with a line.
 */
int report_keep(struct report *report, const char *only, struct diag *diag);

#endif
