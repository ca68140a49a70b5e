/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Exits as stacked bars.  Page-fault exits are split by cause; of the other
 * reasons the most frequent are shown, the rest are one part.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "report/plot_bars.h"
#include "report/plot_causes.h"

#define REASONS_SHOWN 3   /* besides page faults; the rest is "other" */
#define THIN          200 /* a two-hundredth of the highest bar */

/* More bars than this have the bare number above them. */
#define NOTES_LONG 10

/* Guests that differ by more than this are shown as parts of a hundred. */
#define SPREAD 25

static const struct {
	const char *colour;
	bool dark;
} greys[REASONS_SHOWN + 1] = {
	{"#595959", true},
	{"#8c8c8c", false},
	{"#b8b8b8", false},
	{"#dedede", false},
};

static double sum_of_reasons(const json_t *doc)
{
	json_t *map = (json_t *)doc_at(doc, "exits/by_reason");
	const char *key;
	double sum = 0;
	json_t *val;

	json_object_foreach(map, key, val)
	{
		sum += (double)json_integer_value(val);
	}
	return sum;
}

/* Exits of a reason that are not page faults. */
static double exits_of_reason(const json_t *doc, const char *name)
{
	uint64_t n = doc_member(doc_at(doc, "exits/by_reason"), name);
	uint64_t page_faults = doc_u64(doc, "exits/page_fault_total");

	if (strcmp(name, "EXCEPTION_NMI") == 0)
		n -= page_faults < n ? page_faults : n;
	return (double)n;
}

static double highest_sum(const struct bars *bars)
{
	double highest = 0;

	for (size_t i = 0; i < bars->nr_bars; i++) {
		double sum = sum_of_reasons(bars->bar[i].doc);

		highest = sum > highest ? sum : highest;
	}
	return highest;
}

static bool is_listed(const struct bars *bars, const char *reason)
{
	for (size_t i = 0; i < bars->nr_parts; i++)
		if (!*bars->part[i].prefix &&
		    !strcmp(bars->part[i].name, reason))
			return true;
	return false;
}

static double exits_of_reason_in_all(const struct bars *bars, const char *name)
{
	double sum = 0;

	for (size_t i = 0; i < bars->nr_bars; i++)
		sum += exits_of_reason(bars->bar[i].doc, name);
	return sum;
}

/* The reason with most exits over all bars that is not listed yet. */
static const char *next_reason(const struct bars *bars)
{
	const char *best = NULL;
	double most = 0;

	for (size_t i = 0; i < bars->nr_bars; i++) {
		json_t *map =
			(json_t *)doc_at(bars->bar[i].doc, "exits/by_reason");
		const char *key;
		json_t *val;

		json_object_foreach(map, key, val)
		{
			double sum =
				is_listed(bars, key)
					? 0
					: exits_of_reason_in_all(bars, key);

			if (sum > most) {
				most = sum;
				best = key;
			}
		}
	}
	return best;
}

/* Too thin to be seen in any bar: not worth a line in the legend. */
static bool is_thin(const struct bars *bars, const char *reason)
{
	double highest = highest_sum(bars);

	for (size_t i = 0; i < bars->nr_bars; i++)
		if (exits_of_reason(bars->bar[i].doc, reason) * THIN >= highest)
			return false;
	return true;
}

static void add_reasons(struct bars *bars)
{
	for (size_t i = 0; i < REASONS_SHOWN; i++) {
		const char *name = next_reason(bars);

		if (!name || is_thin(bars, name))
			return;
		for (size_t n = 0; n < bars->nr_bars; n++)
			bars->bar[n].value[bars->nr_parts] =
				exits_of_reason(bars->bar[n].doc, name);
		bars->part[bars->nr_parts++] = (struct bar_part){
			name, "", greys[i].colour, greys[i].dark};
	}
}

/* What is left of all exits. */
static void add_rest(struct bars *bars)
{
	double all = 0;

	for (size_t i = 0; i < bars->nr_bars; i++) {
		struct bar *bar = &bars->bar[i];
		double rest = sum_of_reasons(bar->doc);

		for (size_t part = 0; part < bars->nr_parts; part++)
			rest -= bar->value[part];
		bar->value[bars->nr_parts] = rest > 0 ? rest : 0;
		all += bar->value[bars->nr_parts];
	}
	if (all > 0)
		bars->part[bars->nr_parts++] = (struct bar_part){
			"other", "", greys[REASONS_SHOWN].colour,
			greys[REASONS_SHOWN].dark};
}

static void write_figures(struct bars *bars)
{
	for (size_t i = 0; i < bars->nr_bars; i++) {
		struct bar *bar = &bars->bar[i];
		uint64_t faults = doc_u64(bar->doc, "guest_faults/total");
		uint64_t exits = doc_u64(bar->doc, "exits/page_fault_total");

		for (size_t part = 0; part < bars->nr_parts; part++)
			snprintf(bar->figure[part], sizeof(bar->figure[part]),
				 "%.0f", bar->value[part]);
		snprintf(bar->over, sizeof(bar->over), "%" PRIu64,
			 doc_u64(bar->doc, "exits/total"));
		if (faults)
			snprintf(bar->note, sizeof(bar->note), "%.2f%s",
				 doc_ratio(exits, faults),
				 bars->nr_bars <= NOTES_LONG ? " per #PF" : "");
	}
}

/* --- Parts of a hundred -------------------------------------------------- */

static const struct bar *first_of(const struct bars *bars,
				  const struct bar *bar)
{
	for (size_t i = 0; i < bars->nr_bars; i++)
		if (doc_has_same_source(bars->bar[i].doc, bar->doc))
			return &bars->bar[i];
	return bar;
}

static bool is_spread(const struct bars *bars)
{
	double least = 0, most = highest_sum(bars);

	for (size_t i = 0; i < bars->nr_bars; i++) {
		double sum = sum_of_reasons(bars->bar[i].doc);

		if (first_of(bars, &bars->bar[i]) == &bars->bar[i] && sum > 0 &&
		    (least <= 0 || sum < least))
			least = sum;
	}
	return most > SPREAD * least;
}

static void make_relative(struct bars *bars)
{
	/* From the last on, as each is measured by the first of its guest. */
	for (size_t i = bars->nr_bars; i-- > 0;) {
		struct bar *bar = &bars->bar[i];
		double whole = sum_of_reasons(first_of(bars, bar)->doc);

		for (size_t part = 0; part < bars->nr_parts; part++)
			if (whole > 0)
				bar->value[part] *= 100 / whole;
	}
	bars->ylabel = "VM exits (% of the guest's first bar)";
	bars->format = "%.0f%%";
}

static int scale(struct bars *bars, const char *y, struct diag *diag)
{
	bars->ylabel = "VM exits (count)";
	bars->format = "%.0f";
	if (y && strcmp(y, "exits") != 0 && strcmp(y, "percent") != 0)
		return diag_set(diag, -EINVAL,
				"--y %.60s: bars show exits or percent", y);
	if (y ? !strcmp(y, "percent") : is_spread(bars))
		make_relative(bars);
	return 0;
}

/* --- Title --------------------------------------------------------------- */

static bool has_bypass(const struct bars *bars, const char *setting)
{
	for (size_t i = 0; i < bars->nr_bars; i++)
		if (!strcmp(doc_setting(bars->bar[i].doc, "bypass"), setting))
			return true;
	return false;
}

/* The answer in a line, where there is just one. */
static void answer(struct bars *bars)
{
	const json_t *off = NULL, *on = NULL;
	double from, to;

	for (size_t i = 0; i < bars->nr_bars; i++) {
		for (size_t j = 0; j < bars->nr_bars; j++) {
			const json_t *a = bars->bar[i].doc;
			const json_t *b = bars->bar[j].doc;

			if (!doc_is_bypass_pair(a, b) ||
			    !doc_has_same_source(a, b))
				continue;
			if (off)
				return;
			off = a;
			on = b;
		}
	}
	from = (double)doc_u64(off, "exits/total");
	to = (double)doc_u64(on, "exits/total");
	if (from > 0)
		snprintf(bars->answer, sizeof(bars->answer),
			 "%s: %.0f exits with the bypass, %.0f without "
			 "(%+.1f%%)",
			 doc_setting(on, "mmu"), to, from,
			 100 * (to - from) / from);
}

int plot_print_exits(const struct report *report,
		     const struct report_plot *request, FILE *out,
		     struct diag *diag)
{
	struct bars bars;
	int err = bars_init(&bars, report, NULL, diag);

	if (err)
		return err;
	bars.title = "What do the VM exits come from?";
	if (has_bypass(&bars, "on") && has_bypass(&bars, "off"))
		bars.title = "How many VM exits does the guest page-fault "
			     "bypass save?";
	bars.legend = "exits by cause";
	bars.caption =
		bars.nr_bars <= NOTES_LONG
			? "(per #PF: #PF exits for each guest page fault)"
			: "(grey: #PF exits for each guest page fault)";
	causes_add_parts(&bars);
	add_reasons(&bars);
	add_rest(&bars);
	write_figures(&bars);
	answer(&bars);
	err = scale(&bars, request->y, diag);
	if (!err) {
		bars_measure(&bars);
		bars_print(&bars, request->image, out);
	}
	bars_finish(&bars);
	return err;
}
