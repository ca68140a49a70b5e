/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Guest faults by what happened between their access and its retry. */
#include <inttypes.h>

#include "report/internal.h"

void by_chain_columns(struct sheet *sheet)
{
	sheet_group_column(sheet, "configuration", "configuration");
	sheet_column(sheet, "faults", "faults");
	sheet_column(sheet, "percent", "%");
	sheet_column(sheet, "exits", "exits each");
	for (size_t i = 0; i < NR_LATENCY_POINTS; i++)
		sheet_column(sheet, latency_points[i], latency_points[i]);
	sheet_column(sheet, "chain", "chain");
}

void by_chain(struct sheet *sheet, const json_t *doc, const char *label)
{
	const json_t *list = doc_at(doc, "guest_faults/chains"), *row;
	uint64_t all = doc_u64(doc, "guest_faults/retried");
	size_t i;

	json_array_foreach(list, i, row)
	{
		uint64_t faults = doc_member(row, "faults");

		sheet_text(sheet, "%s", label);
		sheet_u64(sheet, faults);
		sheet_real(sheet, doc_percent(faults, all), 2);
		sheet_real(sheet, doc_ratio(doc_member(row, "exits"), faults),
			   2);
		for (size_t k = 0; k < NR_LATENCY_POINTS; k++)
			sheet_u64(sheet, doc_member(row, latency_points[k]));
		sheet_text(sheet, "%s", doc_text(row, "chain"));
	}
}

void by_chain_notes(struct sheet *sheet)
{
	sheet_note(
		sheet,
		"min to max: cycles from the access to its retry. A chain "
		"begins with \"direct\" (to the guest without an exit) or "
		"\"injected\" (an exit, then to the guest); what follows are "
		"exits.");
}
