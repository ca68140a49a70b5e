/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Every result in a row, as a sweep ends with: what it cost, in a few figures.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "report/against.h"
#include "report/saving.h"
#include "report/sheet.h"

#define TEXT_MAX 512

/* A recording is told by its file, a live guest by what it was told to do. */
static void source_cell(struct sheet *sheet, const json_t *doc)
{
	char text[TEXT_MAX];

	if (!strcmp(doc_text(doc, "source/kind"), "trace"))
		snprintf(text, sizeof(text), "%s",
			 doc_text(doc, "source/path"));
	else
		label_source(doc, text, sizeof(text));
	sheet_text(sheet, "%s", text);
}

static void percent_cell(struct sheet *sheet, uint64_t part, uint64_t whole)
{
	sheet_real(sheet, 100 * doc_ratio(part, whole), 2);
}

/* By how much it is more than in the first result of the same guest. */
static void change_cell(struct sheet *sheet, const char *path,
			const json_t *first, const json_t *doc)
{
	double from = (double)doc_u64(first, path);
	double to = (double)doc_u64(doc, path);

	if (doc == first || from <= 0)
		sheet_none(sheet);
	else
		sheet_change(sheet, 100 * (to - from) / from, 1);
}

static void even_cell(struct sheet *sheet, const json_t *off, const json_t *doc,
		      enum cost_choice choice)
{
	const char *key = cost_info(COST_EXIT)->key;
	char text[64];

	break_even_text(doc_cost_even(off, doc, key, choice), 0, "cycles", text,
			sizeof(text));
	sheet_text(sheet, "%s", text);
}

/* What it changes, and how dear an exit has to be for it to pay. */
static void bypass_cells(struct sheet *sheet, const struct report *report,
			 const json_t *doc)
{
	const json_t *off = against_off(report, doc);

	if (!off) {
		sheet_none(sheet);
		sheet_none(sheet);
		return;
	}
	change_cell(sheet, "cycles/total", off, doc);
	even_cell(sheet, off, doc, COSTS_TYPICAL);
}

/* The same at both ends of the ranges of costs. */
static void range_row(struct sheet *sheet, const struct report *report,
		      const json_t *doc)
{
	const json_t *off = against_off(report, doc);
	struct saving_range range;

	sheet_u64(sheet, doc_low(doc, "cycles/total"));
	sheet_u64(sheet, doc_high(doc, "cycles/total"));
	if (!off || !saving_range(off, doc, &range)) {
		for (int k = 0; k < 4; k++)
			sheet_none(sheet);
		return;
	}
	sheet_change(sheet, range.percent_low, 1);
	sheet_change(sheet, range.percent_high, 1);
	even_cell(sheet, off, doc, COSTS_FOR_B);
	even_cell(sheet, off, doc, COSTS_AGAINST_B);
}

static void add_row(struct sheet *sheet, const struct report *report, size_t i,
		    const json_t *first)
{
	const json_t *doc = report->doc[i];
	uint64_t exits = doc_u64(doc, "exits/page_fault_total");
	uint64_t faults = doc_u64(doc, "guest_faults/total");
	char label[TEXT_MAX];

	report_label(report, i, label, sizeof(label));
	source_cell(sheet, doc);
	sheet_text(sheet, "%s", label);
	sheet_u64(sheet, doc_u64(doc, "exits/total"));
	change_cell(sheet, "exits/total", first, doc);
	sheet_u64(sheet, exits);
	sheet_u64(sheet, faults);
	sheet_real(sheet, doc_ratio(exits, faults), 3);
	percent_cell(sheet, doc_u64(doc, "bypass/direct"),
		     doc_u64(doc, "bypass/possible"));
	sheet_u64(sheet, doc_u64(doc, "cycles/total"));
	change_cell(sheet, "cycles/total", first, doc);
	sheet_u64(sheet, doc_u64(doc, "latency/guest_fault/p50"));
	sheet_u64(sheet, doc_u64(doc, "latency/guest_fault/p99"));
	sheet_real(sheet, against_native_times(report, doc), 3);
	bypass_cells(sheet, report, doc);
	if (report->tells_ranges)
		range_row(sheet, report, doc);
}

/* Else the column would be empty. */
static bool has_native(const struct report *report)
{
	for (size_t i = 0; i < report->nr; i++)
		if (!strcmp(doc_setting(report->doc[i], "mmu"), "native"))
			return true;
	return false;
}

static void add_columns(struct sheet *sheet, const struct report *report)
{
	sheet_group_column(sheet, "source", "guest");
	sheet_column(sheet, "settings", "settings");
	sheet_column(sheet, "exits", "exits");
	sheet_column(sheet, "exits_change_percent", "vs 1st %");
	sheet_column(sheet, "page_fault_exits", "#PF exits");
	sheet_column(sheet, "guest_faults", "guest #PFs");
	sheet_column(sheet, "per_guest_fault", "per #PF"); /* #PF exits */
	sheet_column(sheet, "coverage_percent", "cover %");
	sheet_column(sheet, "cycles", "cycles");
	sheet_column(sheet, "cycles_change_percent", "vs 1st %");
	sheet_column(sheet, "fault_p50", "#PF p50");
	sheet_column(sheet, "fault_p99", "p99");
	sheet_column(sheet, "native_times",
		     has_native(report) ? "x native" : NULL);
	sheet_column(sheet, "bypass_change_percent", "bypass %");
	sheet_column(sheet, "bypass_pays", "pays if exit");
	if (!report->tells_ranges)
		return;
	sheet_column(sheet, "cycles_low", "at least");
	sheet_column(sheet, "cycles_high", "at most");
	sheet_column(sheet, "bypass_change_percent_low", "bypass %");
	sheet_column(sheet, "bypass_change_percent_high", "to %");
	sheet_column(sheet, "bypass_pays_best", "pays if exit");
	sheet_column(sheet, "bypass_pays_worst", "at worst");
}

/* Results of one guest stand together as a rule: so look there first. */
static const json_t *first_of(const struct report *report, size_t i,
			      const json_t *last_first)
{
	if (last_first && doc_has_same_source(last_first, report->doc[i]))
		return last_first;
	for (size_t j = 0; j < i; j++)
		if (doc_has_same_source(report->doc[j], report->doc[i]))
			return report->doc[j];
	return report->doc[i];
}

void by_point(struct sheet *sheet, const struct report *report)
{
	const json_t *first = NULL;

	add_columns(sheet, report);
	for (size_t i = 0; i < report->nr; i++) {
		first = first_of(report, i, first);
		add_row(sheet, report, i, first);
	}
}
