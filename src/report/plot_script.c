/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A plot as a gnuplot script, which draws to its standard output.  Positions
 * and data stand in the script, so that it can be kept and edited.
 *
 * Results may come from anywhere, so their text is data to gnuplot, never
 * script: see put_string().
 */
#include <inttypes.h>
#include <string.h>

#include "report/plot.h"

/*
 * A double-quoted string in which nothing but plain text stands as itself:
 * gnuplot runs what is between backquotes.  A newline is a line break.
 */
static void put_string(const char *text, FILE *out)
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

/* SVG knows no "name:Bold"; its sizes are pixels, the others' are points. */
static const struct style {
	const char *terminal;
	const char *strong;
	int size, strong_size, title_size;
} styles[] = {
	[REPORT_SVG] = {"svg dynamic", "sans-serif", 14, 15, 20},
	[REPORT_PNG] = {"pngcairo", "sans-serif:Bold", 11, 11, 16},
	[REPORT_PDF] = {"pdfcairo", "sans-serif:Bold", 11, 11, 16},
};

static void print_terminal(const struct plot *plot, enum report_image image,
			   FILE *out)
{
	/* Paper is measured in inches, of 96 pixels as in CSS. */
	double scale = image == REPORT_PDF ? 96 : 1;

	fprintf(out,
		"set terminal %s size %.6g%s,%.6g%s noenhanced "
		"font \"sans-serif,%d\" "
		"background rgb \"white\"\n",
		styles[image].terminal, plot->width / scale,
		image == REPORT_PDF ? "in" : "", plot->height / scale,
		image == REPORT_PDF ? "in" : "", styles[image].size);
}

static const char *category_name(const struct category *cat)
{
	return cat->name ? cat->name : "other";
}

static void print_data(const struct plot *plot, FILE *out)
{
	for (size_t c = 0; c < plot->nr_categories; c++) {
		fputs("\n# bar, from, to, exits of ", out);
		put_string(category_name(&plot->category[c]), out);
		fprintf(out, "\n$category%zu << EOD\n", c);
		for (size_t i = 0; i < plot->nr_bars; i++) {
			const struct bar *bar = &plot->bar[i];
			uint64_t from = 0, n = plot_exits(plot, bar, c);

			for (size_t below = 0; below < c; below++)
				from += plot_exits(plot, bar, below);
			fprintf(out,
				"%.1f %" PRIu64 " %" PRIu64 " %" PRIu64 "\n",
				bar->x, from, from + n, n);
		}
		fprintf(out, "EOD\n");
	}
}

static void print_label(const char *text, double x, double y, const char *how,
			FILE *out)
{
	fputs("set label ", out);
	put_string(text, out);
	fprintf(out, " at first %.1f, first %.6g %s\n", x, y, how);
}

/* Figures in the bar where they fit. */
static void print_figures(const struct plot *plot, const struct bar *bar,
			  FILE *out)
{
	uint64_t from = 0;

	for (size_t c = 0; c < plot->nr_categories; c++) {
		uint64_t n = plot_exits(plot, bar, c);
		char figure[24];

		snprintf(figure, sizeof(figure), "%" PRIu64, n);
		if (n * 28 >= plot->highest && n)
			print_label(figure, bar->x,
				    (double)from + (double)n / 2,
				    plot->category[c].dark
					    ? "center front textcolor rgb "
					      "\"white\""
					    : "center front",
				    out);
		from += n;
	}
}

/* The total and the ladder's figure above it. */
static void print_totals(const struct bar *bar, const struct style *style,
			 FILE *out)
{
	uint64_t faults = doc_u64(bar->doc, "guest_faults/total");
	uint64_t exits = doc_u64(bar->doc, "exits/page_fault_total");
	double top = (double)bar->total;
	char text[PLOT_TEXT_MAX], how[128];

	snprintf(text, sizeof(text), "%" PRIu64, bar->total);
	snprintf(how, sizeof(how),
		 "center front offset 0,1.6 boxed font \"%s,%d\"",
		 style->strong, style->strong_size);
	print_label(text, bar->x, top, how, out);
	if (!faults)
		return;
	snprintf(text, sizeof(text), "%.2f per #PF", doc_ratio(exits, faults));
	print_label(text, bar->x, top,
		    "center front offset 0,0.6 boxed textcolor rgb \"#555555\"",
		    out);
}

static void print_axes(const struct plot *plot, FILE *out)
{
	double top = plot->highest ? (double)plot->highest * 1.16 : 1;

	fprintf(out,
		"set encoding utf8\n"
		"set style textbox opaque fillcolor rgb \"white\" noborder "
		"margins 0.3,0.3\n"
		"set style fill solid 1.0 border rgb \"white\"\n"
		"set border 3 linecolor rgb \"#555555\"\n"
		"set grid ytics linetype 1 linecolor rgb \"#e6e6e6\"\n"
		"set tics nomirror out\n"
		"set format y \"%%.0f\"\n"
		"set ylabel \"VM exits (count)\"\n"
		"set xrange [%.1f:%.1f]\n"
		"set yrange [0:%.6g]\n",
		-PLOT_MARGIN, plot_span(plot) - PLOT_MARGIN, top);
	fputs("set xtics scale 0 (", out);
	for (size_t i = 0; i < plot->nr_bars; i++) {
		char label[PLOT_TEXT_MAX];

		plot_bar_label(plot, &plot->bar[i], label, sizeof(label));
		fputs(i ? ", " : "", out);
		put_string(label, out);
		fprintf(out, " %.1f", plot->bar[i].x);
	}
	fputs(")\n", out);
}

static size_t lines_of_labels(const struct plot *plot)
{
	size_t most = 1;

	for (size_t i = 0; i < plot->nr_bars; i++) {
		char label[PLOT_TEXT_MAX];
		size_t lines = 1;

		plot_bar_label(plot, &plot->bar[i], label, sizeof(label));
		for (const char *p = label; *p; p++)
			lines += *p == '\n';
		if (lines > most)
			most = lines;
	}
	return most;
}

/* Which guest a group of bars is of, if there are several. */
static void print_groups(const struct plot *plot, const struct style *style,
			 FILE *out)
{
	size_t lines = lines_of_labels(plot);

	for (size_t i = 0; i < plot->nr_bars && plot->nr_groups > 1;) {
		const json_t *doc = plot->bar[i].doc;
		char text[PLOT_TEXT_MAX];
		size_t end = i;
		double x;

		while (end < plot->nr_bars &&
		       doc_has_same_source(doc, plot->bar[end].doc))
			end++;
		x = (plot->bar[i].x + plot->bar[end - 1].x) / 2;
		snprintf(text, sizeof(text), "%.60s",
			 *doc_text(doc, "source/args")
				 ? doc_text(doc, "source/args")
				 : doc_text(doc, "source/path"));
		fputs("set label ", out);
		put_string(text, out);
		fprintf(out,
			" at first %.2f, graph 0 center offset 0,-%.1f "
			"font \"%s,%d\"\n",
			x, (double)lines + 1.4, style->strong,
			style->strong_size);
		i = end;
	}
}

/* --- Title and caption --------------------------------------------------- */

static bool has_bypass(const struct plot *plot, const char *setting)
{
	for (size_t i = 0; i < plot->nr_bars; i++)
		if (!strcmp(doc_setting(plot->bar[i].doc, "bypass"), setting))
			return true;
	return false;
}

static const char *question(const struct plot *plot)
{
	if (has_bypass(plot, "on") && has_bypass(plot, "off"))
		return "How many VM exits does the guest page-fault bypass "
		       "save?";
	return "What do the VM exits come from?";
}

static bool is_changed_anywhere(const struct plot *plot, const char *key)
{
	for (size_t i = 0; i < plot->nr_bars; i++) {
		const json_t *list =
			json_object_get(plot->bar[i].doc, "config_changed");
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

/* Append a word; lines are `room` letters long. */
static void add_word(const char *word, size_t room, char *buf, size_t size)
{
	size_t len = strlen(buf);
	const char *line = strrchr(buf, '\n');
	size_t column = line ? strlen(line + 1) : len;
	const char *gap = column + strlen(word) + 2 > room ? "\n" : "  ";

	snprintf(buf + len, size - len, "%s%s", len ? gap : "", word);
}

/* What all bars have in common: the guest, and settings that matter. */
static void caption(const struct plot *plot, char *buf, size_t size)
{
	const json_t *doc = plot->bar[0].doc;
	size_t room = (size_t)plot->width / 9;
	char word[PLOT_TEXT_MAX];
	const char *key;
	json_t *val;

	if (plot->nr_groups == 1)
		label_source(doc, buf, size);
	else
		snprintf(buf, size, "%s", doc_text(doc, "source/path"));
	json_object_foreach(json_object_get(doc, "config"), key, val)
	{
		if (label_differs(plot->report, key) ||
		    !(is_always_told(key) || is_changed_anywhere(plot, key)))
			continue;
		snprintf(word, sizeof(word), "%s=%s", key,
			 doc_setting(doc, key));
		add_word(word, room, buf, size);
	}
	add_word("(per #PF: #PF exits for each guest page fault)", room, buf,
		 size);
	snprintf(word, sizeof(word), "notrap %s", doc_text(doc, "version"));
	add_word(word, room, buf, size);
}

/* The answer in a line, where there is just one. */
static bool print_answer(const struct plot *plot, FILE *out)
{
	const struct bar *off = NULL, *on = NULL;
	char text[PLOT_TEXT_MAX];

	for (size_t i = 0; i < plot->nr_bars; i++) {
		for (size_t j = 0; j < plot->nr_bars; j++) {
			const struct bar *a = &plot->bar[i], *b = &plot->bar[j];

			if (!doc_is_bypass_pair(a->doc, b->doc) ||
			    !doc_has_same_source(a->doc, b->doc))
				continue;
			if (off)
				return false;
			off = a;
			on = b;
		}
	}
	if (!off || !off->total)
		return false;
	snprintf(text, sizeof(text),
		 "%s: %" PRIu64 " exits with the bypass, %" PRIu64
		 " without (%+.1f%%)",
		 doc_setting(on->doc, "mmu"), on->total, off->total,
		 100 * ((double)on->total - (double)off->total) /
			 (double)off->total);
	fputs("set label ", out);
	put_string(text, out);
	fputs(" at graph 0.5, graph 1 center offset 0,1.6 "
	      "textcolor rgb \"#555555\"\n",
	      out);
	return true;
}

/* Everything below the axis: labels of bars and groups, then the caption. */
static void print_caption(const struct plot *plot, FILE *out)
{
	size_t lines = 1, below = lines_of_labels(plot);
	char text[PLOT_TEXT_MAX];

	caption(plot, text, sizeof(text));
	for (const char *p = text; *p; p++)
		lines += *p == '\n';
	fputs("set label ", out);
	put_string(text, out);
	fprintf(out,
		" at screen 0.02, screen %.3f left textcolor rgb \"#555555\"\n",
		0.008 + 0.028 * (double)lines);
	fprintf(out, "set bmargin %.1f\n",
		(double)(below + lines) + (plot->nr_groups > 1 ? 3.6 : 2.2));
}

static void print_texts(const struct plot *plot, const struct style *style,
			FILE *out)
{
	bool answered = print_answer(plot, out);

	fputs("set title ", out);
	put_string(question(plot), out);
	fprintf(out, " font \"%s,%d\" offset 0,%.1f\nset tmargin %.1f\n",
		style->strong, style->title_size, answered ? 1.8 : 0.6,
		answered ? 5.4 : 4.0);
	fputs("set key outside right top vertical Left reverse invert samplen "
	      "1 "
	      "spacing 1.3 title \"exits by cause\" left\n",
	      out);
	print_caption(plot, out);
}

static void print_plot(const struct plot *plot, FILE *out)
{
	fputs("\nplot ", out);
	for (size_t c = 0; c < plot->nr_categories; c++) {
		const struct category *cat = &plot->category[c];
		char title[PLOT_TEXT_MAX];

		snprintf(title, sizeof(title), "%s%s",
			 cat->is_cause ? "#PF " : "", category_name(cat));
		fprintf(out,
			"%s$category%zu using 1:2:($1-0.36):($1+0.36):2:3 "
			"with boxxyerror linecolor rgb \"%s\" title ",
			c ? ", \\\n     " : "", c, cat->colour);
		put_string(title, out);
	}
	if (!plot->nr_categories)
		fputs("NaN title \"no exits\"", out);
	fputc('\n', out);
}

int report_print_plot(const struct report *report, enum report_image image,
		      FILE *out)
{
	struct plot plot;
	int err = plot_init(&plot, report);

	if (err)
		return err;
	fputs("# Drawn by notrap plot; run with: gnuplot THIS > IMAGE\n", out);
	print_terminal(&plot, image, out);
	print_axes(&plot, out);
	print_texts(&plot, &styles[image], out);
	print_groups(&plot, &styles[image], out);
	for (size_t i = 0; i < plot.nr_bars; i++) {
		print_figures(&plot, &plot.bar[i], out);
		print_totals(&plot.bar[i], &styles[image], out);
	}
	print_data(&plot, out);
	print_plot(&plot, out);
	plot_finish(&plot);
	return 0;
}
