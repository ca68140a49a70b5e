/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A figure over a numeric setting: one curve for each combination of all else
 * that varies.  Colours tell these apart; where the bypass varies, curves
 * without it are dashed.
 */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "report/plot_axis.h"
#include "report/plot_figure.h"

#define TICS_MAX   14
#define LOG_SPREAD 50 /* a y axis of more than this is logarithmic */

/* Okabe and Ito's palette, without the yellow that is lost on white. */
static const char *const colours[] = {"#0072b2", "#d55e00", "#009e73",
				      "#cc79a7", "#e69f00", "#56b4e9",
				      "#000000"};

/* With and without the bypass. */
#define CURVES_MAX (2 * ARRAY_LEN(colours))

struct curve {
	char name[PLOT_TEXT_MAX];
	char hue[PLOT_TEXT_MAX]; /* the name but for the bypass */
	size_t colour;
	bool is_dashed;
	double *y; /* at each value of x; not a number: no result */
};

struct curves {
	const struct report *report;
	struct plot_axis x;
	struct plot_figure y;
	struct curve *curve;
	size_t nr, nr_colours;
	double least, most;
	bool is_log;
};

/* --- Gathering ----------------------------------------------------------- */

static bool has_dashes(const struct curves *curves)
{
	return label_differs(curves->report, "bypass") &&
	       strcmp(curves->x.key, "bypass") != 0;
}

static size_t colour_of(struct curves *curves, const char *hue)
{
	for (size_t i = 0; i < curves->nr; i++)
		if (!strcmp(curves->curve[i].hue, hue))
			return curves->curve[i].colour;
	return curves->nr_colours++;
}

static struct curve *find_curve(struct curves *curves, const char *name)
{
	for (size_t i = 0; i < curves->nr; i++)
		if (!strcmp(curves->curve[i].name, name))
			return &curves->curve[i];
	return NULL;
}

static struct curve *add_curve(struct curves *curves, const json_t *doc,
			       const char *name)
{
	const char *const skip[] = {curves->x.key, "bypass"};
	struct curve *curve = &curves->curve[curves->nr];

	curve->y = calloc(curves->x.nr, sizeof(*curve->y));
	if (!curve->y)
		return NULL;
	for (size_t i = 0; i < curves->x.nr; i++)
		curve->y[i] = (double)NAN;
	snprintf(curve->name, sizeof(curve->name), "%s", name);
	axis_rest(curves->report, doc, skip, 2, curve->hue, sizeof(curve->hue));
	curve->colour = colour_of(curves, curve->hue);
	curve->is_dashed = has_dashes(curves) &&
			   strcmp(doc_setting(doc, "bypass"), "on") != 0;
	curves->nr++;
	return curve;
}

static int add_result(struct curves *curves, const json_t *doc,
		      struct diag *diag)
{
	char name[PLOT_TEXT_MAX];
	struct curve *curve;

	axis_rest(curves->report, doc, &curves->x.key, 1, name, sizeof(name));
	curve = find_curve(curves, name);
	if (!curve && curves->nr == CURVES_MAX)
		return diag_set(diag, -EINVAL,
				"more than %zu curves cannot be told apart: "
				"choose results with --only",
				CURVES_MAX);
	if (!curve)
		curve = add_curve(curves, doc, name);
	if (!curve)
		return -ENOMEM;
	curve->y[axis_place(&curves->x, curves->report, doc)] =
		figure_of(&curves->y, curves->report, doc);
	return 0;
}

static void measure(struct curves *curves)
{
	bool first = true;

	for (size_t c = 0; c < curves->nr; c++) {
		for (size_t i = 0; i < curves->x.nr; i++) {
			double y = curves->curve[c].y[i];

			if (isnan(y))
				continue;
			if (first || y < curves->least)
				curves->least = y;
			if (first || y > curves->most)
				curves->most = y;
			first = false;
		}
	}
	curves->is_log =
		curves->least > 0 && curves->most > LOG_SPREAD * curves->least;
}

static int choose_x(struct curves *curves, const char *key, struct diag *diag)
{
	int err = 0;

	if (!key)
		err = axis_choose(curves->report, NULL, 0, true, false, &key);
	if (err)
		return err;
	if (!key)
		return diag_set(diag, -EINVAL,
				"no setting that is a number varies in these "
				"results: there is no x axis");
	err = axis_init(&curves->x, curves->report, key, diag);
	if (err)
		return err;
	if (!curves->x.is_numeric)
		return diag_set(diag, -EINVAL,
				"--x %.60s: its values are words; try --kind "
				"heat or exits",
				key);
	if (curves->x.nr < 2)
		return diag_set(diag, -EINVAL,
				"--x %.60s: it has only one value, %.60s", key,
				curves->x.value[0].text);
	return 0;
}

static int gather(struct curves *curves, const struct report_plot *request,
		  struct diag *diag)
{
	int err;

	err = choose_x(curves, request->x, diag);
	if (!err)
		err = figure_choose(curves->report, request->y, &curves->x.key,
				    1, &curves->y, diag);
	if (err)
		return err;
	curves->curve = calloc(CURVES_MAX, sizeof(*curves->curve));
	if (!curves->curve)
		return -ENOMEM;
	for (size_t i = 0; i < curves->report->nr && !err; i++)
		err = add_result(curves, curves->report->doc[i], diag);
	if (!err && curves->nr_colours > ARRAY_LEN(colours))
		err = diag_set(diag, -EINVAL,
			       "%zu colours cannot be told apart: choose "
			       "results with --only",
			       curves->nr_colours);
	measure(curves);
	return err;
}

static void curves_finish(struct curves *curves)
{
	for (size_t i = 0; i < curves->nr; i++)
		free(curves->curve[i].y);
	free(curves->curve);
	axis_finish(&curves->x);
}

/* --- Script -------------------------------------------------------------- */

static void print_x(const struct plot_axis *x, FILE *out)
{
	double first = x->value[0].number, last = x->value[x->nr - 1].number;
	double pad = (last - first) * 0.04;

	fputs("set xlabel ", out);
	plot_put_string(x->key, out);
	if (x->is_log)
		fprintf(out,
			"\nset logscale x 2\nset xrange [%.9g:%.9g]\n"
			"unset mxtics\n",
			first / pow(last / first, 0.04),
			last * pow(last / first, 0.04));
	else
		fprintf(out, "\nset xrange [%.9g:%.9g]\n", first - pad,
			last + pad);
	if (x->nr > TICS_MAX)
		return;
	fputs("set xtics (", out);
	for (size_t i = 0; i < x->nr; i++) {
		fputs(i ? ", " : "", out);
		plot_put_string(x->value[i].text, out);
		fprintf(out, " %.9g", x->value[i].number);
	}
	fputs(")\n", out);
}

static void print_y(const struct curves *curves, FILE *out)
{
	char label[PLOT_TEXT_MAX];
	const char *format = curves->most >= 1e6   ? "%.1s %c"
			     : curves->most >= 100 ? "%.0f"
						   : "%g";

	figure_label(&curves->y, label, sizeof(label));
	if (curves->is_log) {
		size_t len = strlen(label);

		snprintf(label + len, sizeof(label) - len,
			 ", logarithmic scale");
	}
	fputs("set ylabel ", out);
	plot_put_string(label, out);
	fprintf(out,
		"\nset format y \"%s\"\n"
		"set grid ytics linetype 1 linecolor rgb \"#e6e6e6\"\n",
		format);
	if (curves->is_log)
		fprintf(out, "set logscale y\nset yrange [%.9g:%.9g]\n",
			curves->least / 1.5, curves->most * 1.5);
	else
		fprintf(out, "set yrange [%.9g:%.9g]\n",
			curves->least < 0 ? curves->least * 1.1 : 0,
			curves->most > 0 ? curves->most * 1.1 : 1);
}

static size_t last_point(const struct curves *curves, const struct curve *curve)
{
	size_t i = curves->x.nr - 1;

	while (i && isnan(curve->y[i]))
		i--;
	return i;
}

/* Part of the height of the plot. */
static double height_of(const struct curves *curves, double y)
{
	if (curves->is_log)
		return log(y / curves->least * 1.5) /
		       log(curves->most / curves->least * 2.25);
	return curves->most > 0 ? y / (curves->most * 1.1) : 0;
}

/* Would the figure at the end of the curve stand in another one? */
static bool is_covered(const struct curves *curves, size_t c)
{
	const struct curve *curve = &curves->curve[c];
	size_t end = last_point(curves, curve);

	for (size_t i = 0; i < c; i++) {
		const struct curve *other = &curves->curve[i];

		if (last_point(curves, other) == end &&
		    fabs(height_of(curves, other->y[end]) -
			 height_of(curves, curve->y[end])) < 0.045)
			return true;
	}
	return false;
}

static void print_ends(const struct curves *curves, FILE *out)
{
	for (size_t c = 0; c < curves->nr; c++) {
		const struct curve *curve = &curves->curve[c];
		size_t end = last_point(curves, curve);
		char text[32];

		if (isnan(curve->y[end]) || is_covered(curves, c))
			continue;
		plot_number(curve->y[end], text, sizeof(text));
		fputs("set label ", out);
		plot_put_string(text, out);
		fprintf(out,
			" at first %.9g, first %.9g left offset 1,0 front "
			"textcolor rgb \"%s\"\n",
			curves->x.value[end].number, curve->y[end],
			colours[curve->colour]);
	}
}

static void print_data(const struct curves *curves, FILE *out)
{
	for (size_t c = 0; c < curves->nr; c++) {
		const struct curve *curve = &curves->curve[c];

		fputs("\n# ", out);
		plot_put_string(curve->name, out);
		fprintf(out, "\n$curve%zu << EOD\n", c);
		for (size_t i = 0; i < curves->x.nr; i++)
			if (!isnan(curve->y[i]))
				fprintf(out, "%.9g %.9g\n",
					curves->x.value[i].number, curve->y[i]);
		fputs("EOD\n", out);
	}
}

static void print_plot(const struct curves *curves, FILE *out)
{
	fputs("\nplot ", out);
	for (size_t c = 0; c < curves->nr; c++) {
		const struct curve *curve = &curves->curve[c];

		fprintf(out,
			"%s$curve%zu using 1:2 with linespoints linewidth 2 "
			"linecolor rgb \"%s\" dashtype %s pointtype %d "
			"pointsize 1.2 ",
			c ? ", \\\n     " : "", c, colours[curve->colour],
			curve->is_dashed ? "(9,6)" : "1",
			curve->is_dashed ? 6 : 7);
		if (*curve->name) {
			fputs("title ", out);
			plot_put_string(curve->name, out);
		} else {
			fputs("notitle", out);
		}
	}
	fputc('\n', out);
}

static size_t longest_name(const struct curves *curves)
{
	size_t longest = 0;

	for (size_t i = 0; i < curves->nr; i++)
		if (strlen(curves->curve[i].name) > longest)
			longest = strlen(curves->curve[i].name);
	return longest;
}

static void print(const struct curves *curves, enum report_image image,
		  FILE *out)
{
	int width = 860 + (int)longest_name(curves) * 8, height = 600;
	char title[PLOT_TEXT_MAX];
	size_t lines;

	plot_print_head(image, width, height, out);
	print_x(&curves->x, out);
	print_y(curves, out);
	snprintf(title, sizeof(title), "%s by %s", curves->y.title,
		 curves->x.key);
	plot_print_title(image, title, "", out);
	lines = plot_print_caption(
		curves->report, width, height,
		has_dashes(curves) ? "(dashed: without the bypass)" : "", out);
	fprintf(out,
		"set bmargin %.1f\n"
		"set rmargin at screen %.4f\n"
		"set key at screen %.4f, graph 1 left top vertical Left "
		"reverse samplen 3 spacing 1.3\n",
		(double)lines + 5.0,
		1 - (90 + 8.4 * (double)longest_name(curves)) / width,
		1 - (60 + 8.4 * (double)longest_name(curves)) / width);
	print_ends(curves, out);
	print_data(curves, out);
	print_plot(curves, out);
}

int plot_print_sweep(const struct report *report,
		     const struct report_plot *request, FILE *out,
		     struct diag *diag)
{
	struct curves curves = {.report = report};
	int err = gather(&curves, request, diag);

	if (!err)
		print(&curves, request->image, out);
	curves_finish(&curves);
	return err;
}
