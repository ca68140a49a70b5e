/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A figure by two settings as a map of cells, dark where it is high, each
 * with its number.  What else varies makes a map each, in the same colours.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "report/plot_axis.h"
#include "report/plot_figure.h"

#define MAPS_MAX   12
#define CELLS_MAX  40 /* a side */
#define LOG_SPREAD 50

/* Light to dark, in one hue and in steps of brightness that look even. */
#define PALETTE                                              \
	"0 \"#eff5fa\", 0.25 \"#b5d3e7\", 0.5 \"#6baed6\", " \
	"0.75 \"#2b7bba\", 1 \"#0b3c6f\""

struct map {
	char name[PLOT_TEXT_MAX];
	double *cell; /* row after row of y; not a number: no result */
};

struct heat {
	const struct report *report;
	struct plot_axis x, y;
	struct plot_figure z;
	struct map map[MAPS_MAX];
	size_t nr;
	double least, most;
	bool is_log;
	size_t rows, columns; /* of maps */
	double cell_width;    /* pixels */
	int width, height;
};

/* --- Gathering ----------------------------------------------------------- */

static int init_axis(const struct heat *heat, char name, const char *key,
		     const char *other, struct plot_axis *axis,
		     struct diag *diag)
{
	int err = 0;

	if (!key)
		err = axis_choose(heat->report, &other, 1, false, true, &key);
	if (err)
		return err;
	if (!key)
		return diag_set(diag, -EINVAL,
				"a map wants two settings that vary; %s%s",
				other ? "only one does here: " : "none does",
				other ? other : "");
	if (other && !strcmp(key, other))
		return diag_set(diag, -EINVAL, "--x and --y are both %.60s",
				key);
	err = axis_init(axis, heat->report, key, diag);
	if (!err && axis->nr > CELLS_MAX)
		err = diag_set(diag, -EINVAL,
			       "--%c %.60s has %zu values, too many for a map "
			       "(%d)",
			       name, key, axis->nr, CELLS_MAX);
	return err;
}

static struct map *find_map(struct heat *heat, const char *name)
{
	size_t cells = heat->x.nr * heat->y.nr;
	struct map *map;

	for (size_t i = 0; i < heat->nr; i++)
		if (!strcmp(heat->map[i].name, name))
			return &heat->map[i];
	map = &heat->map[heat->nr];
	map->cell = calloc(cells, sizeof(*map->cell));
	if (!map->cell)
		return NULL;
	for (size_t i = 0; i < cells; i++)
		map->cell[i] = (double)NAN;
	snprintf(map->name, sizeof(map->name), "%s", name);
	heat->nr++;
	return map;
}

static bool has_map(const struct heat *heat, const char *name)
{
	for (size_t i = 0; i < heat->nr; i++)
		if (!strcmp(heat->map[i].name, name))
			return true;
	return false;
}

static int add_result(struct heat *heat, const json_t *doc, struct diag *diag)
{
	const char *const skip[] = {heat->x.key, heat->y.key};
	double z = figure_of(&heat->z, heat->report, doc);
	char name[PLOT_TEXT_MAX];
	struct map *map;

	/* A map of nothing helps nobody. */
	if (isnan(z))
		return 0;
	axis_rest(heat->report, doc, skip, 2, name, sizeof(name));
	if (heat->nr == MAPS_MAX && !has_map(heat, name))
		return diag_set(diag, -EINVAL,
				"more than %d maps are too many: choose "
				"results with --only",
				MAPS_MAX);
	map = find_map(heat, name);
	if (!map)
		return -ENOMEM;
	map->cell[axis_place(&heat->y, heat->report, doc) * heat->x.nr +
		  axis_place(&heat->x, heat->report, doc)] = z;
	return 0;
}

static void find_range(struct heat *heat)
{
	bool first = true;

	for (size_t m = 0; m < heat->nr; m++) {
		for (size_t i = 0; i < heat->x.nr * heat->y.nr; i++) {
			double z = heat->map[m].cell[i];

			if (isnan(z))
				continue;
			if (first || z < heat->least)
				heat->least = z;
			if (first || z > heat->most)
				heat->most = z;
			first = false;
		}
	}
	heat->is_log = heat->least > 0 && heat->most > LOG_SPREAD * heat->least;
}

static size_t longest_value(const struct plot_axis *axis)
{
	size_t longest = 0;

	for (size_t i = 0; i < axis->nr; i++)
		if (strlen(axis->value[i].text) > longest)
			longest = strlen(axis->value[i].text);
	return longest;
}

/* Pixels left of the cells: the values of y, and its name. */
static double left_room(const struct heat *heat)
{
	size_t value = longest_value(&heat->y), key = strlen(heat->y.key);

	return (double)(value > key ? value : key) * 8.8 + 30;
}

/* As square as maps are, reading from left to right. */
static void measure(struct heat *heat)
{
	double label = (double)longest_value(&heat->x) * 8.4 + 12;

	heat->cell_width = label < 72 ? 72 : label;
	heat->columns = heat->nr < 3 ? heat->nr : heat->nr < 5 ? 2 : 3;
	while (heat->columns > 1 &&
	       (double)heat->columns * (heat->cell_width * (double)heat->x.nr +
					left_room(heat)) >
		       2000)
		heat->columns--;
	heat->rows = (heat->nr + heat->columns - 1) / heat->columns;
	heat->width = 40 + (int)((double)heat->columns *
				 (heat->cell_width * (double)heat->x.nr +
				  left_room(heat) + 30));
	if (heat->nr == 1)
		heat->width += 90; /* the scale of colours */
	if (heat->width < 760)
		heat->width = 760;
	heat->height = 150 + (int)(heat->rows * (44 * heat->y.nr + 130));
}

static int gather(struct heat *heat, const struct report_plot *request,
		  struct diag *diag)
{
	const char *keys[2];
	int err;

	/* A setting that y asks for is not x's to take. */
	err = init_axis(heat, 'x', request->x, request->y, &heat->x, diag);
	if (!err)
		err = init_axis(heat, 'y', request->y, heat->x.key, &heat->y,
				diag);
	keys[0] = heat->x.key;
	keys[1] = heat->y.key;
	if (!err)
		err = figure_choose(heat->report, request->z, keys,
				    ARRAY_LEN(keys), &heat->z, diag);
	for (size_t i = 0; i < heat->report->nr && !err; i++)
		err = add_result(heat, heat->report->doc[i], diag);
	if (err)
		return err;
	find_range(heat);
	measure(heat);
	return 0;
}

static void heat_finish(struct heat *heat)
{
	for (size_t i = 0; i < heat->nr; i++)
		free(heat->map[i].cell);
	axis_finish(&heat->x);
	axis_finish(&heat->y);
}

/* --- Script -------------------------------------------------------------- */

/* Words are read from the top, numbers grow from the bottom. */
static size_t height_of(const struct heat *heat, size_t row)
{
	return heat->y.is_numeric ? row : heat->y.nr - 1 - row;
}

static void print_tics(const struct heat *heat, const char *which,
		       const struct plot_axis *axis, FILE *out)
{
	fprintf(out, "set %srange [-0.5:%zu.5]\nset %stics scale 0 (", which,
		axis->nr - 1, which);
	for (size_t i = 0; i < axis->nr; i++) {
		fputs(i ? ", " : "", out);
		plot_put_string(axis->value[i].text, out);
		fprintf(out, " %zu", axis == &heat->y ? height_of(heat, i) : i);
	}
	fputs(")\n", out);
}

static void print_colours(const struct heat *heat, FILE *out)
{
	double most = heat->most;

	/* One value for all is as light as can be. */
	if (!(most > heat->least))
		most = heat->least + 1;
	fprintf(out,
		"set palette defined (" PALETTE ")\n"
		"set cbrange [%.9g:%.9g]\n"
		"set cbtics\nset format cb \"%s\"\n"
		"%s",
		heat->least, most,
		heat->most >= 1e6   ? "%.1s %c"
		: heat->most >= 100 ? "%.0f"
				    : "%g",
		heat->is_log ? "set logscale cb\n" : "");
	if (heat->nr > 1)
		fputs("unset colorbox\n", out);
}

/* 0 light to 1 dark. */
static double darkness(const struct heat *heat, double z)
{
	if (!(heat->most > heat->least))
		return 0;
	if (heat->is_log)
		return log(z / heat->least) / log(heat->most / heat->least);
	return (z - heat->least) / (heat->most - heat->least);
}

static void print_numbers(const struct heat *heat, const struct map *map,
			  FILE *out)
{
	/* Above its values: how wide these are depends on the terminal. */
	fputs("unset label\nset label ", out);
	plot_put_string(heat->y.key, out);
	fputs(" at graph 0, graph 1 right offset -0.8,0.9\n", out);
	for (size_t i = 0; i < heat->x.nr * heat->y.nr; i++) {
		double z = map->cell[i];
		bool none = isnan(z);
		char text[32] = "-";

		if (!none)
			plot_number(z, text, sizeof(text));
		fputs("set label ", out);
		plot_put_string(text, out);
		fprintf(out,
			" at first %zu, first %zu center front textcolor rgb "
			"\"%s\"\n",
			i % heat->x.nr, height_of(heat, i / heat->x.nr),
			none                       ? PLOT_GREY
			: darkness(heat, z) > 0.55 ? "white"
						   : "black");
	}
}

static void print_data(const struct heat *heat, FILE *out)
{
	for (size_t m = 0; m < heat->nr; m++) {
		fputs("\n# ", out);
		plot_put_string(heat->map[m].name, out);
		fprintf(out, "\n$map%zu << EOD\n", m);
		for (size_t i = 0; i < heat->x.nr * heat->y.nr; i++)
			if (!isnan(heat->map[m].cell[i]))
				fprintf(out, "%zu %zu %.9g\n", i % heat->x.nr,
					height_of(heat, i / heat->x.nr),
					heat->map[m].cell[i]);
		fputs("EOD\n", out);
	}
}

/* Places of a map in the image, as parts of it. */
static void print_place(const struct heat *heat, size_t m, double below,
			FILE *out)
{
	double columns = (double)heat->columns, rows = (double)heat->rows;
	double column = (double)(m % heat->columns);
	double row = (double)(m / heat->columns);
	double width = (heat->width - 20 - (heat->nr == 1 ? 90 : 0)) / columns;
	double height = (heat->height - 64 - below) / rows;
	double left = 10 + column * width + left_room(heat);
	double right = 10 + (column + 1) * width - 20;
	double top = heat->height - 64 - row * height - 34;
	double bottom = heat->height - 64 - (row + 1) * height + 62;

	fprintf(out,
		"set lmargin at screen %.4f\nset rmargin at screen %.4f\n"
		"set tmargin at screen %.4f\nset bmargin at screen %.4f\n",
		left / heat->width, right / heat->width, top / heat->height,
		bottom / heat->height);
}

static void print_map(const struct heat *heat, size_t m, double below,
		      FILE *out)
{
	const struct map *map = &heat->map[m];

	fputc('\n', out);
	print_place(heat, m, below, out);
	print_numbers(heat, map, out);
	fputs("set title ", out);
	plot_put_string(map->name, out);
	fprintf(out,
		"\nplot $map%zu using 1:2:($1-0.5):($1+0.5):($2-0.5):($2+0.5):"
		"3 with boxxyerror linecolor palette notitle\n",
		m);
}

/* What stands around the maps is a plot of its own, with nothing in it. */
static double print_frame(const struct heat *heat, enum report_image image,
			  FILE *out)
{
	const struct plot_style *style = plot_style(image);
	char title[2 * PLOT_TEXT_MAX], label[PLOT_TEXT_MAX];
	size_t lines;

	figure_label(&heat->z, label, sizeof(label));
	snprintf(title, sizeof(title), "%s by %s and %s", label, heat->x.key,
		 heat->y.key);
	fputs("set label ", out);
	plot_put_string(title, out);
	fprintf(out, " at screen 0.5, screen %.4f center font \"%s,%d\"\n",
		1 - 34. / heat->height, style->strong, style->title_size);
	lines = plot_print_caption(heat->report, heat->width, heat->height,
				   heat->is_log ? "(dark: more, logarithmic)"
						: "(dark: more)",
				   out);
	fputs("set lmargin 0\nset rmargin 0\nset tmargin 0\nset bmargin 0\n"
	      "unset border\nunset tics\nset xrange [0:1]\nset yrange [0:1]\n"
	      "plot NaN notitle\n"
	      "set border 0\n",
	      out);
	return 18 * (double)lines + 20;
}

static void print(const struct heat *heat, enum report_image image, FILE *out)
{
	double below;

	plot_print_head(image, heat->width, heat->height, out);
	print_data(heat, out);
	fputs("\nset multiplot\n", out);
	below = print_frame(heat, image, out);
	fputs("set xlabel ", out);
	plot_put_string(heat->x.key, out);
	fputc('\n', out);
	print_tics(heat, "x", &heat->x, out);
	print_tics(heat, "y", &heat->y, out);
	print_colours(heat, out);
	fputs("set style fill solid 1.0 border rgb \"white\"\n", out);
	for (size_t m = 0; m < heat->nr; m++)
		print_map(heat, m, below, out);
	fputs("unset multiplot\n", out);
}

int plot_print_heat(const struct report *report,
		    const struct report_plot *request, FILE *out,
		    struct diag *diag)
{
	struct heat heat = {.report = report};
	int err = gather(&heat, request, diag);

	if (!err)
		print(&heat, request->image, out);
	heat_finish(&heat);
	return err;
}
