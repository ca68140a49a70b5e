/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report/plot.h"

#include <errno.h>
#include <math.h>
#include <string.h>

/* --- Words of a script --------------------------------------------------- */

void plot_put_string(const char *text, FILE *out)
{
	fputc('"', out);
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c == '\n')
			fputs("\\n", out);
		else if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			 (c >= '0' && c <= '9') || strchr(" .,:;=-+/#%()_", c))
			fputc(c, out);
		else
			fprintf(out, "\\%03o", c);
	}
	fputc('"', out);
}

static const struct plot_style styles[] = {
	[REPORT_SVG] = {"svg dynamic", "sans-serif", 14, 15, 20},
	[REPORT_PNG] = {"pngcairo", "sans-serif:Bold", 11, 11, 16},
	[REPORT_PDF] = {"pdfcairo", "sans-serif:Bold", 11, 11, 16},
};

const struct plot_style *plot_style(enum report_image image)
{
	return &styles[image];
}

void plot_print_head(enum report_image image, int width, int height, FILE *out)
{
	/* Paper is measured in inches, of 96 pixels as in CSS. */
	double scale = image == REPORT_PDF ? 96 : 1;
	const char *unit = image == REPORT_PDF ? "in" : "";

	fprintf(out,
		"# Drawn by notrap plot; run with: gnuplot THIS > IMAGE\n"
		"set terminal %s size %.6g%s,%.6g%s noenhanced "
		"font \"sans-serif,%d\" "
		"background rgb \"white\"\n"
		"set encoding utf8\n"
		"set style textbox opaque fillcolor rgb \"white\" noborder "
		"margins 0.3,0.3\n"
		"set border 3 linecolor rgb \"" PLOT_GREY "\"\n"
		"set tics nomirror out\n",
		styles[image].terminal, width / scale, unit, height / scale,
		unit, styles[image].size);
}

void plot_print_title(enum report_image image, const char *title,
		      const char *answer, FILE *out)
{
	const struct plot_style *style = &styles[image];

	if (*answer) {
		fputs("set label ", out);
		plot_put_string(answer, out);
		fputs(" at graph 0.5, graph 1 center offset 0,1.6 "
		      "textcolor rgb \"" PLOT_GREY "\"\n",
		      out);
	}
	fputs("set title ", out);
	plot_put_string(title, out);
	fprintf(out, " font \"%s,%d\" offset 0,%.1f\nset tmargin %.1f\n",
		style->strong, style->title_size, *answer ? 1.8 : 0.6,
		*answer ? 5.4 : 4.0);
}

/* --- The caption --------------------------------------------------------- */

static bool is_changed_anywhere(const struct report *report, const char *key)
{
	for (size_t i = 0; i < report->nr; i++) {
		const json_t *list =
			json_object_get(report->doc[i], "config_changed");
		const json_t *item;
		size_t n;

		json_array_foreach(list, n, item)
		{
			if (json_is_string(item) &&
			    !strcmp(json_string_value(item), key))
				return true;
		}
	}
	return false;
}

/* Said in every caption, whether it is the default or not. */
static bool is_always_told(const char *key)
{
	static const char *const keys[] = {"mmu",          "bypass",
					   "vendor",       "memory",
					   "shadow-pages", "maxphyaddr"};

	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		if (!strcmp(key, keys[i]))
			return true;
	return false;
}

/* A replay that is not given any has the trace's, which is not told. */
static bool is_of_trace(const json_t *doc, const char *key)
{
	return !strcmp(key, "memory") &&
	       !strcmp(doc_text(doc, "source/kind"), "trace");
}

/* Append a word; lines are `room` letters long. */
static void add_word(const char *word, size_t room, char *buf, size_t size)
{
	size_t len = strlen(buf);
	const char *line = strrchr(buf, '\n');
	size_t column = line ? strlen(line + 1) : len;
	const char *gap = column + strlen(word) + 2 > room ? "\n" : "  ";

	snprintf(buf + len, size - len, "%s%s", len ? gap : "", word);
}

/* The image of live results, of which there may be many runs. */
static bool has_one_path(const struct report *report)
{
	const char *path = doc_text(report->doc[0], "source/path");

	for (size_t i = 1; i < report->nr; i++)
		if (strcmp(path, doc_text(report->doc[i], "source/path")) != 0)
			return false;
	return true;
}

static void caption(const struct report *report, size_t room, const char *more,
		    char *buf, size_t size)
{
	const json_t *doc = report->doc[0];
	char word[PLOT_TEXT_MAX];
	const char *key;
	json_t *val;

	buf[0] = 0;
	if (plot_has_one_source(report))
		label_source(doc, buf, size);
	else if (has_one_path(report))
		snprintf(buf, size, "%s", doc_text(doc, "source/path"));
	json_object_foreach(json_object_get(doc, "config"), key, val)
	{
		if (label_differs(report, key) ||
		    (!is_changed_anywhere(report, key) &&
		     (!is_always_told(key) || is_of_trace(doc, key))))
			continue;
		snprintf(word, sizeof(word), "%s=%s", key,
			 doc_setting(doc, key));
		add_word(word, room, buf, size);
	}
	if (*more)
		add_word(more, room, buf, size);
	snprintf(word, sizeof(word), "notrap %s", doc_text(doc, "version"));
	add_word(word, room, buf, size);
}

size_t plot_print_caption(const struct report *report, int width, int height,
			  const char *more, FILE *out)
{
	char text[2 * PLOT_TEXT_MAX];
	size_t lines;

	caption(report, (size_t)width / 9, more, text, sizeof(text));
	lines = plot_lines(text, NULL);
	fputs("set label ", out);
	plot_put_string(text, out);
	fprintf(out,
		" at screen 0.02, screen %.3f left textcolor rgb \"" PLOT_GREY
		"\"\n",
		(5 + 18 * (double)lines) / height);
	return lines;
}

/* --- Names and numbers --------------------------------------------------- */

bool plot_has_one_source(const struct report *report)
{
	for (size_t i = 1; i < report->nr; i++)
		if (!doc_has_same_source(report->doc[0], report->doc[i]))
			return false;
	return true;
}

void plot_number(double val, char *buf, size_t size)
{
	static const struct {
		double unit;
		const char *name;
	} units[] = {{1e12, " T"}, {1e9, " G"}, {1e6, " M"}, {1e4, " k"}};

	for (size_t i = 0; i < ARRAY_LEN(units); i++) {
		double scaled = val / units[i].unit;

		if (fabs(val) < units[i].unit)
			continue;
		if (units[i].unit < 1e6)
			scaled = val / 1e3;
		snprintf(buf, size, "%.*f%s", fabs(scaled) < 99.95 ? 1 : 0,
			 scaled, units[i].name);
		return;
	}
	/* Not "-0.00". */
	if (fabs(val) < 0.005)
		val = 0;
	if (val == floor(val))
		snprintf(buf, size, "%.0f", val);
	else
		snprintf(buf, size, "%.*f",
			 fabs(val) < 10 ? 2 : (fabs(val) < 999.5 ? 1 : 0), val);
}

size_t plot_lines(const char *text, size_t *longest)
{
	size_t lines = 1, len = 0, most = 0;

	for (; *text; text++) {
		len = *text == '\n' ? 0 : len + 1;
		lines += *text == '\n';
		most = len > most ? len : most;
	}
	if (longest)
		*longest = most;
	return lines;
}

/* --- Kinds --------------------------------------------------------------- */

static const struct {
	const char *name;
	int (*print)(const struct report *report,
		     const struct report_plot *request, FILE *out,
		     struct diag *diag);
	const char *takes; /* which of x, y, z */
} kinds[] = {
	[REPORT_PLOT_EXITS] = {"exits", plot_print_exits, "y"},
	[REPORT_PLOT_LADDER] = {"ladder", plot_print_ladder, ""},
	[REPORT_PLOT_COVERAGE] = {"coverage", plot_print_coverage, ""},
	[REPORT_PLOT_SWEEP] = {"sweep", plot_print_sweep, "xy"},
	[REPORT_PLOT_HEAT] = {"heat", plot_print_heat, "xyz"},
};

bool report_plot_find(const char *name, enum report_plot_kind *ret)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		if (!strcmp(kinds[i].name, name)) {
			*ret = (enum report_plot_kind)i;
			return true;
		}
	}
	return false;
}

static int check_axes(const struct report_plot *request, struct diag *diag)
{
	const char *const given[] = {request->x, request->y, request->z};

	for (size_t i = 0; i < ARRAY_LEN(given); i++)
		if (given[i] && !strchr(kinds[request->kind].takes, "xyz"[i]))
			return diag_set(diag, -EINVAL,
					"--kind %s takes no --%c",
					kinds[request->kind].name, "xyz"[i]);
	return 0;
}

int report_print_plot(const struct report *report,
		      const struct report_plot *request, FILE *out,
		      struct diag *diag)
{
	int err = check_axes(request, diag);

	if (err)
		return err;
	if (!report->nr)
		return diag_set(diag, -EINVAL, "no results to draw");
	err = kinds[request->kind].print(report, request, out, diag);
	if (err == -ENOMEM)
		diag_set(diag, err, "no memory for the plot");
	return err;
}
