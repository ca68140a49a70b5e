/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bars as a script. */
#include <string.h>

#include "report/plot_bars.h"

#define HALF        (BAR_WIDTH / 2)
#define FIGURE_ROOM 28 /* parts at least this part of the height have one */

static double cut(const struct bars *bars, double height)
{
	return height < bars->limit ? height : bars->limit;
}

static void print_data(const struct bars *bars, FILE *out)
{
	for (size_t part = 0; part < bars->nr_parts; part++) {
		fputs("\n# bar, from, to, height of ", out);
		plot_put_string(bars->part[part].name, out);
		fprintf(out, "\n$part%zu << EOD\n", part);
		for (size_t i = 0; i < bars->nr_bars; i++) {
			const struct bar *bar = &bars->bar[i];
			double from = 0;

			for (size_t below = 0; below < part; below++)
				from += bar->value[below];
			fprintf(out, "%.1f %.9g %.9g %.9g\n", bar->x,
				cut(bars, from),
				cut(bars, from + bar->value[part]),
				bar->value[part]);
		}
		fprintf(out, "EOD\n");
	}
}

static void print_label(const char *text, double x, double y, const char *how,
			FILE *out)
{
	fputs("set label ", out);
	plot_put_string(text, out);
	fprintf(out, " at first %.1f, first %.6g %s\n", x, y, how);
}

static bool has_room(const struct bars *bars, const char *figure)
{
	return (double)strlen(figure) * BARS_DIGIT <
	       BAR_WIDTH * bars->pitch + 1;
}

/* Figures in the bar where they fit. */
static void print_figures(const struct bars *bars, const struct bar *bar,
			  FILE *out)
{
	double from = 0;

	for (size_t part = 0; part < bars->nr_parts; part++) {
		double n = bar->value[part], to = cut(bars, from + n);

		if ((to - from) * FIGURE_ROOM >= bars->limit && n > 0 &&
		    has_room(bars, bar->figure[part]))
			print_label(bar->figure[part], bar->x, (from + to) / 2,
				    bars->part[part].dark
					    ? "center front textcolor rgb "
					      "\"white\""
					    : "center front",
				    out);
		from += n;
	}
}

/* White teeth across a bar that is cut. */
static void print_cut(const struct bars *bars, const struct bar *bar, FILE *out)
{
	for (int i = 0; i < 2; i++) {
		double y = bars->limit * (0.965 + 0.02 * i);

		fprintf(out,
			"set arrow from first %.2f, first %.6g to first %.2f, "
			"first %.6g nohead front linewidth 4 linecolor rgb "
			"\"white\"\n",
			bar->x - HALF - 0.05, y - bars->limit * 0.012,
			bar->x + HALF + 0.05, y + bars->limit * 0.012);
	}
}

/* The total and a smaller line above the bar. */
static void print_totals(const struct bars *bars, const struct bar *bar,
			 const struct plot_style *style, FILE *out)
{
	double top = cut(bars, bar->total);
	char how[128];

	if (bar->total > bars->limit)
		print_cut(bars, bar, out);
	snprintf(how, sizeof(how),
		 "center front offset 0,%.1f boxed font \"%s,%d\"",
		 *bar->note ? 1.6 : 0.6, style->strong, style->strong_size);
	print_label(bar->over, bar->x, top, how, out);
	if (*bar->note)
		print_label(bar->note, bar->x, top,
			    "center front offset 0,0.6 boxed "
			    "textcolor rgb \"" PLOT_GREY "\"",
			    out);
}

static void print_axes(const struct bars *bars, FILE *out)
{
	double top = bars->limit > 0 ? bars->limit * 1.16 : 1;

	fprintf(out,
		"set style fill solid 1.0 border rgb \"white\"\n"
		"set grid ytics linetype 1 linecolor rgb \"#e6e6e6\"\n"
		"set format y \"%s\"\n"
		"set ylabel ",
		bars->format);
	plot_put_string(bars->ylabel, out);
	fprintf(out,
		"\nset xrange [%.1f:%.1f]\n"
		"set yrange [0:%.6g]\n"
		"set xtics scale 0 %s(",
		-BARS_MARGIN, bars_span(bars) - BARS_MARGIN, top,
		bars->is_turned ? "rotate by 90 right " : "");
	for (size_t i = 0; i < bars->nr_bars; i++) {
		char label[PLOT_TEXT_MAX];

		bars_label(bars, &bars->bar[i], label, sizeof(label));
		fputs(i ? ", " : "", out);
		plot_put_string(label, out);
		fprintf(out, " %.1f", bars->bar[i].x);
	}
	fputs(")\n", out);
}

/* --- Names of guests ----------------------------------------------------- */

/* Where a line that starts here ends: at a gap, or when it is full. */
static size_t end_of_line(const char *text, size_t room)
{
	size_t best = 0;

	for (size_t i = 0; i < room; i++) {
		if (!text[i])
			return i;
		if (strchr(" _-/.", text[i]))
			best = i + 1;
	}
	if (!text[room] || text[room] == ' ')
		return room;
	return best ? best : room;
}

/* Lines of at most `room` letters. */
static void wrap(const char *text, size_t room, char *buf, size_t size)
{
	size_t len = 0;

	while (*text && len + 2 < size) {
		size_t end = end_of_line(text, room);

		end = end < size - len - 2 ? end : size - len - 2;
		memcpy(buf + len, text, end);
		len += end;
		text += end;
		text += strspn(text, " ");
		while (len && buf[len - 1] == ' ')
			len--;
		if (*text)
			buf[len++] = '\n';
	}
	buf[len] = 0;
}

static size_t end_of_group(const struct bars *bars, size_t i)
{
	size_t end = i;

	while (end < bars->nr_bars &&
	       doc_has_same_source(bars->bar[i].doc, bars->bar[end].doc))
		end++;
	return end;
}

static void group_name(const struct bars *bars, size_t i, size_t end, char *buf,
		       size_t size)
{
	double room = ((double)(end - i) + 0.4) * bars->pitch / 9;
	char name[PLOT_TEXT_MAX];

	label_short_source(bars->report, bars->bar[i].doc, name, sizeof(name));
	wrap(name, room < 4 ? 4 : (size_t)room, buf, size);
}

/* Height, in lines, of labels of bars. */
static double label_height(const struct bars *bars)
{
	if (bars->is_turned)
		return (double)bars->label_longest * 0.5 + 0.6;
	return (double)bars->label_lines;
}

static size_t lines_of_groups(const struct bars *bars)
{
	size_t most = 0;

	for (size_t i = 0, end; i < bars->nr_bars; i = end) {
		char name[PLOT_TEXT_MAX];
		size_t lines;

		end = end_of_group(bars, i);
		group_name(bars, i, end, name, sizeof(name));
		lines = plot_lines(name, NULL);
		most = lines > most ? lines : most;
	}
	return most;
}

/* Which guest a group of bars is of, if there are several. */
static void print_groups(const struct bars *bars,
			 const struct plot_style *style, FILE *out)
{
	for (size_t i = 0, end; i < bars->nr_bars; i = end) {
		char name[PLOT_TEXT_MAX];

		end = end_of_group(bars, i);
		group_name(bars, i, end, name, sizeof(name));
		fputs("set label ", out);
		plot_put_string(name, out);
		fprintf(out,
			" at first %.2f, graph 0 center offset 0,-%.1f "
			"font \"%s,%d\"\n",
			(bars->bar[i].x + bars->bar[end - 1].x) / 2,
			label_height(bars) + 1.4, style->strong,
			style->strong_size);
	}
}

/* --- All of it ----------------------------------------------------------- */

/* Everything below the axis: labels of bars and groups, then the caption. */
static void print_below(const struct bars *bars, FILE *out)
{
	bool has_groups = bars->nr_groups > 1;
	double lines = label_height(bars);
	char more[PLOT_TEXT_MAX];

	snprintf(more, sizeof(more), "%s%s%s%s", bars->key ? "bars: " : "",
		 bars->key ? bars->key : "",
		 bars->key && *bars->caption ? "  " : "", bars->caption);
	if (has_groups)
		lines += (double)lines_of_groups(bars) + 0.4;
	lines += (double)plot_print_caption(bars->report, bars->width,
					    bars->height, more, out);
	fprintf(out, "set bmargin %.1f\n", lines + 2.2);
}

static void print_plot(const struct bars *bars, FILE *out)
{
	fputs("\nplot ", out);
	for (size_t i = 0; i < bars->nr_parts; i++) {
		const struct bar_part *part = &bars->part[i];
		char title[PLOT_TEXT_MAX];

		snprintf(title, sizeof(title), "%s%s", part->prefix,
			 part->name);
		fprintf(out,
			"%s$part%zu using 1:2:($1-%.2f):($1+%.2f):2:3 "
			"with boxxyerror linecolor rgb \"%s\" title ",
			i ? ", \\\n     " : "", i, HALF, HALF, part->colour);
		plot_put_string(title, out);
	}
	if (!bars->nr_parts)
		fputs("NaN title \"none\"", out);
	fputc('\n', out);
}

void bars_print(const struct bars *bars, enum report_image image, FILE *out)
{
	const struct plot_style *style = plot_style(image);

	plot_print_head(image, bars->width, bars->height, out);
	print_axes(bars, out);
	plot_print_title(image, bars->title, bars->answer, out);
	fputs("set key outside right top vertical Left reverse invert samplen "
	      "1 spacing 1.3 title ",
	      out);
	plot_put_string(bars->legend, out);
	fputs(" left\n", out);
	print_below(bars, out);
	if (bars->nr_groups > 1)
		print_groups(bars, style, out);
	for (size_t i = 0; i < bars->nr_bars; i++) {
		print_figures(bars, &bars->bar[i], out);
		print_totals(bars, &bars->bar[i], style, out);
	}
	print_data(bars, out);
	print_plot(bars, out);
}
