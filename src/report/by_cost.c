/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The cycles of a result, cost by cost: how often, how much each, and where
 * that number comes from.
 */
#include <inttypes.h>

#include "report/internal.h"
#include "report/saving.h"

void by_cost_columns(struct sheet *sheet)
{
	sheet_group_column(sheet, "configuration", "configuration");
	sheet_column(sheet, "cost", "cost");
	sheet_column(sheet, "part", "part");
	sheet_column(sheet, "count", "count");
	sheet_column(sheet, "each", "each");
	sheet_column(sheet, "each_low", "at least");
	sheet_column(sheet, "each_high", "at most");
	sheet_column(sheet, "cycles", "cycles");
	sheet_column(sheet, "percent", "%");
	sheet_column(sheet, "tag", "tag");
	sheet_column(sheet, "file", "file");
	sheet_column(sheet, "source", "source");
	sheet_column(sheet, "what", NULL);
}

static void add_row(struct sheet *sheet, const json_t *doc, const char *label,
		    const struct cost_info *info, uint64_t count)
{
	struct cost_range each = doc_cost(doc, info->key);
	const json_t *origin =
		json_object_get(doc_at(doc, "cost_sources"), info->key);

	sheet_text(sheet, "%s", label);
	sheet_text(sheet, "%s", info->key);
	sheet_text(sheet, "%s", part_name(info->part));
	sheet_u64(sheet, count);
	sheet_u64(sheet, each.typ);
	sheet_u64(sheet, each.min);
	sheet_u64(sheet, each.max);
	sheet_u64(sheet, count * each.typ);
	sheet_real(sheet,
		   doc_percent(count * each.typ, doc_u64(doc, "cycles/total")),
		   2);
	sheet_text(sheet, "%s", doc_text(origin, "tag"));
	sheet_text(sheet, "%s", doc_text(origin, "file"));
	sheet_text(sheet, "%s", doc_text(origin, "source"));
	sheet_text(sheet, "%s", info->what);
}

void by_cost(struct sheet *sheet, const json_t *doc, const char *label)
{
	for (int i = 0; i < NR_COSTS; i++) {
		const struct cost_info *info = cost_info((enum cost_id)i);
		uint64_t count = doc_member(json_object_get(doc, "cost_counts"),
					    info->key);

		if (count)
			add_row(sheet, doc, label, info, count);
	}
}

void by_cost_notes(struct sheet *sheet)
{
	sheet_note(sheet, "Cycles are count times each, and add up to the "
			  "result's total. Tags: R read in the source, D "
			  "derived from such numbers, M:hi M:med M:lo general "
			  "knowledge, A assumed; -D given with the run.");
}
