/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where two configurations are equal, as one cost or one part varies. */
#include <stdio.h>

#include "report/break_even.h"
#include "report/diff_pair.h"
#include "report/saving.h"

static void even_cells(const struct diff_pair *pair, struct break_even even,
		       int decimals, const char *unit)
{
	char text[64];

	break_even_text(even, decimals, unit, text, sizeof(text));
	sheet_text(pair->sheet, "%s", text);
	if (even.kind == BREAK_EVEN_ABOVE || even.kind == BREAK_EVEN_BELOW)
		sheet_real(pair->sheet, even.at, 3);
	else
		sheet_none(pair->sheet);
}

/* A part made dearer or cheaper as a whole, by a factor. */
static struct break_even part_even(const struct diff_pair *pair,
				   const char *part)
{
	struct break_even_side side[2];

	for (int i = 0; i < 2; i++) {
		const json_t *cycles = doc_at(pair->doc[i], "cycles");

		side[i].units = doc_member(cycles, part);
		side[i].rest = doc_member(cycles, "total") - side[i].units;
	}
	return break_even(side[ALIGN_A], side[ALIGN_B]);
}

void diff_add_parts(const struct diff_pair *pair)
{
	sheet_table(pair->sheet, "parts", "Where the cycles go");
	diff_metric_columns(pair, "");
	sheet_column(pair->sheet, "b_cheaper", "B cheaper at");
	sheet_column(pair->sheet, "break_even", NULL);
	for (unsigned int i = 0; i < NR_PARTS; i++) {
		const char *name = part_name((enum cost_part)i);
		char path[64];

		snprintf(path, sizeof(path), "cycles/%s", name);
		if (!doc_u64(pair->doc[ALIGN_A], path) &&
		    !doc_u64(pair->doc[ALIGN_B], path))
			continue;
		diff_doc_row(pair, name, path);
		even_cells(pair, part_even(pair, name), 2, "times");
	}
}

static uint64_t cost_now(const struct diff_pair *pair, enum align_side side,
			 const char *key)
{
	return doc_cost(pair->doc[side], key).typ;
}

static uint64_t cost_count(const struct diff_pair *pair, enum align_side side,
			   const char *key)
{
	return doc_member(json_object_get(pair->doc[side], "cost_counts"), key);
}

static struct break_even cost_even(const struct diff_pair *pair,
				   const char *key)
{
	return doc_cost_even(pair->doc[ALIGN_A], pair->doc[ALIGN_B], key,
			     COSTS_TYPICAL);
}

static void cost_row(const struct diff_pair *pair, const struct cost_info *cost)
{
	uint64_t a = cost_count(pair, ALIGN_A, cost->key);
	uint64_t b = cost_count(pair, ALIGN_B, cost->key);

	if (a == b && cost_now(pair, ALIGN_A, cost->key) ==
			      cost_now(pair, ALIGN_B, cost->key))
		return;
	sheet_text(pair->sheet, "%s", cost->key);
	sheet_u64(pair->sheet, a);
	sheet_u64(pair->sheet, b);
	sheet_change(pair->sheet, diff_minus(b, a), 0);
	sheet_u64(pair->sheet, cost_now(pair, ALIGN_A, cost->key));
	sheet_u64(pair->sheet, cost_now(pair, ALIGN_B, cost->key));
	even_cells(pair, cost_even(pair, cost->key), 1, "cycles");
}

void diff_add_costs(const struct diff_pair *pair)
{
	sheet_table(pair->sheet, "costs",
		    "Costs that count differently, and when B is cheaper");
	sheet_column(pair->sheet, "cost", "cost");
	sheet_column(pair->sheet, "a", "A");
	sheet_column(pair->sheet, "b", "B");
	sheet_column(pair->sheet, "change", "change");
	sheet_column(pair->sheet, "a_cycles", "A each");
	sheet_column(pair->sheet, "b_cycles", "B each");
	sheet_column(pair->sheet, "b_cheaper", "B cheaper at");
	sheet_column(pair->sheet, "break_even", NULL);
	for (unsigned int i = 0; i < NR_COSTS; i++)
		cost_row(pair, cost_info((enum cost_id)i));
}

void diff_note_exit_cost(const struct diff_pair *pair)
{
	const json_t *a = pair->doc[ALIGN_A], *b = pair->doc[ALIGN_B];
	char text[512];

	exit_even_text(a, b, "B", text, sizeof(text));
	if (text[0])
		sheet_note(pair->sheet, "%s", text);
	saving_range_text(a, b, "B", text, sizeof(text));
	if (text[0])
		sheet_note(pair->sheet, "%s", text);
}
