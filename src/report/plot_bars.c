/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report/plot_bars.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BARS_MAX  200
#define GROUP_GAP 0.6

#define LETTER     8.2  /* pixels, of labels */
#define BOLD_DIGIT 10.3 /* likewise, over a bar */
#define WIDTH_MIN  960  /* the title must fit */
#define WIDTH_WIDE 1500 /* of bars: from here on labels are turned */
#define LEGEND     300

/* A bar this many times as high as the middle guest's highest is cut. */
#define OUTLIER 3.0

static int choose(struct report *shown, const struct report *report,
		  bool (*is_wanted)(const struct report *report,
				    const json_t *doc),
		  struct diag *diag)
{
	int err = 0;

	for (size_t i = 0; i < report->nr && !err; i++)
		if (!is_wanted || is_wanted(report, report->doc[i]))
			err = report_add_doc(shown, json_incref(report->doc[i]),
					     diag);
	return err;
}

static bool is_first_of_guest(const struct report *report, size_t i)
{
	for (size_t j = 0; j < i; j++)
		if (doc_has_same_source(report->doc[i], report->doc[j]))
			return false;
	return true;
}

/* Side by side, and then a gap. */
static void place_guest(struct bars *bars, size_t first, double *x)
{
	const struct report *report = bars->report;

	for (size_t i = first; i < report->nr; i++) {
		const json_t *doc = report->doc[i];

		if (!doc_has_same_source(report->doc[first], doc))
			continue;
		bars->bar[bars->nr_bars++] =
			(struct bar){.doc = doc, .index = i, .x = *x};
		*x += 1;
	}
	bars->nr_groups++;
	*x += GROUP_GAP;
}

static int place_bars(struct bars *bars, struct diag *diag)
{
	const struct report *report = bars->report;
	double x = 0;

	if (!report->nr || report->nr > BARS_MAX)
		return diag_set(diag, -EINVAL,
				"%zu bars, want 1 to %d: choose results with "
				"--only",
				report->nr, BARS_MAX);
	bars->bar = calloc(report->nr, sizeof(*bars->bar));
	if (!bars->bar)
		return -ENOMEM;
	for (size_t i = 0; i < report->nr; i++)
		if (is_first_of_guest(report, i))
			place_guest(bars, i, &x);
	return 0;
}

int bars_init(struct bars *bars, const struct report *report,
	      bool (*is_wanted)(const struct report *report, const json_t *doc),
	      struct diag *diag)
{
	int err;

	*bars = (struct bars){.report = report_create()};
	if (!bars->report)
		return -ENOMEM;
	err = choose(bars->report, report, is_wanted, diag);
	if (!err)
		err = place_bars(bars, diag);
	if (err)
		bars_finish(bars);
	return err;
}

void bars_finish(struct bars *bars)
{
	free(bars->bar);
	report_destroy(bars->report);
	bars->bar = NULL;
	bars->report = NULL;
}

/* --- Labels -------------------------------------------------------------- */

/* No two bars of a guest have the same value. */
static bool tells_apart(const struct bars *bars, const char *key)
{
	for (size_t i = 0; i < bars->nr_bars; i++)
		for (size_t j = 0; j < i; j++)
			if (doc_has_same_source(bars->bar[i].doc,
						bars->bar[j].doc) &&
			    !strcmp(doc_setting(bars->bar[i].doc, key),
				    doc_setting(bars->bar[j].doc, key)))
				return false;
	return true;
}

static const char *find_key(const struct bars *bars)
{
	const char *key, *ret = NULL;
	json_t *val;

	if (bars->by_mmu && label_differs(bars->report, "mmu") &&
	    tells_apart(bars, "mmu"))
		return "mmu";
	json_object_foreach(json_object_get(bars->bar[0].doc, "config"), key,
			    val)
	{
		if (!label_tells(bars->report, key))
			continue;
		if (ret)
			return NULL;
		ret = key;
	}
	return ret;
}

void bars_label(const struct bars *bars, const struct bar *bar, char *buf,
		size_t size)
{
	static const char mmu[] = "mmu=";
	const size_t len = sizeof(mmu) - 1;

	if (bars->key) {
		snprintf(buf, size, "%s", doc_setting(bar->doc, bars->key));
		return;
	}
	/* A guest each, and nothing else: its name is enough. */
	if (bars->nr_groups == bars->nr_bars &&
	    !json_object_size(bars->report->differing)) {
		buf[0] = 0;
		return;
	}
	report_label(bars->report, bar->index, buf, size);
	if (!strncmp(buf, mmu, len))
		memmove(buf, buf + len, strlen(buf + len) + 1);
	for (; *buf && !bars->is_turned; buf++)
		if (*buf == ' ')
			*buf = '\n';
}

static void measure_labels(struct bars *bars)
{
	bars->label_lines = 1;
	bars->label_longest = 0;
	for (size_t i = 0; i < bars->nr_bars; i++) {
		char label[PLOT_TEXT_MAX];
		size_t longest, lines;

		bars_label(bars, &bars->bar[i], label, sizeof(label));
		lines = plot_lines(label, &longest);
		if (lines > bars->label_lines)
			bars->label_lines = lines;
		if (longest > bars->label_longest)
			bars->label_longest = longest;
	}
}

/* --- Sizes --------------------------------------------------------------- */

static double highest_of(const struct bars *bars, const json_t *guest)
{
	double highest = 0;

	for (size_t i = 0; i < bars->nr_bars; i++) {
		const struct bar *bar = &bars->bar[i];

		if ((!guest || doc_has_same_source(bar->doc, guest)) &&
		    bar->total > highest)
			highest = bar->total;
	}
	return highest;
}

/* Guests whose highest bar is no higher. */
static size_t nr_up_to(const struct bars *bars, double height)
{
	size_t nr = 0;

	for (size_t i = 0; i < bars->nr_bars; i++)
		if ((!i || !doc_has_same_source(bars->bar[i - 1].doc,
						bars->bar[i].doc)) &&
		    highest_of(bars, bars->bar[i].doc) <= height)
			nr++;
	return nr;
}

/* The guest in the middle, the lower one of two. */
static double median_height(const struct bars *bars)
{
	double median = bars->highest;

	for (size_t i = 0; i < bars->nr_bars; i++) {
		double height = highest_of(bars, bars->bar[i].doc);

		if (2 * nr_up_to(bars, height) >= bars->nr_groups &&
		    height < median)
			median = height;
	}
	return median;
}

/* The highest bar of the guests that do not stick out, and some room. */
static double find_limit(const struct bars *bars)
{
	double most = OUTLIER * median_height(bars), rest = 0;

	if (bars->nr_groups < 3 || bars->highest <= most)
		return bars->highest;
	for (size_t i = 0; i < bars->nr_bars; i++) {
		double total = bars->bar[i].total;

		if (total <= most && total > rest)
			rest = total;
	}
	return 1.2 * rest;
}

static size_t longest_over(const struct bars *bars)
{
	size_t longest = 0;

	for (size_t i = 0; i < bars->nr_bars; i++) {
		size_t over = strlen(bars->bar[i].over);
		size_t note = strlen(bars->bar[i].note);

		longest = over > longest ? over : longest;
		longest = note > longest ? note : longest;
	}
	return longest;
}

static void measure_figures(struct bars *bars)
{
	for (size_t i = 0; i < bars->nr_bars; i++) {
		for (size_t part = 0; part < bars->nr_parts; part++) {
			size_t len = strlen(bars->bar[i].figure[part]);

			if (len > bars->figure_longest)
				bars->figure_longest = len;
		}
	}
}

static void measure_width(struct bars *bars)
{
	double figure = (double)bars->figure_longest * BARS_DIGIT / BAR_WIDTH;
	double over = (double)longest_over(bars) * BOLD_DIGIT + 8;
	double label = (double)bars->label_longest * LETTER + 14;

	if (label > over && label * (double)bars->nr_bars > WIDTH_WIDE) {
		bars->is_turned = true;
		measure_labels(bars);
		label = 30;
	}
	bars->pitch = label > over ? label : over;
	if (bars->pitch < figure)
		bars->pitch = figure;
	if (bars->nr_bars <= 8 && bars->pitch < 112)
		bars->pitch = 112;
	bars->width = LEGEND + (int)(bars->pitch * bars_span(bars));
	if (bars->width < WIDTH_MIN)
		bars->width = WIDTH_MIN;
	/* Few bars grow into the room that the title needs. */
	bars->pitch = (bars->width - LEGEND) / bars_span(bars);
	bars->height = 640;
	if (bars->is_turned)
		bars->height += (int)((double)bars->label_longest * LETTER);
}

void bars_measure(struct bars *bars)
{
	for (size_t i = 0; i < bars->nr_bars; i++) {
		struct bar *bar = &bars->bar[i];

		bar->total = 0;
		for (size_t part = 0; part < bars->nr_parts; part++)
			bar->total += bar->value[part];
	}
	bars->highest = highest_of(bars, NULL);
	bars->limit = bars->may_cut ? find_limit(bars) : bars->highest;
	bars->key = find_key(bars);
	measure_labels(bars);
	measure_figures(bars);
	measure_width(bars);
}
