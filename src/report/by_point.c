/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Every result in a row, as a sweep ends with: what it cost, in a few figures.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "report/internal.h"
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
}

static void add_columns(struct sheet *sheet)
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

	add_columns(sheet);
	for (size_t i = 0; i < report->nr; i++) {
		first = first_of(report, i, first);
		add_row(sheet, report, i, first);
	}
}
