/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What two configurations made of one trace, as tables.  Counts of pairs come
 * from the alignment, all else from the two results.
 */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/bug.h"
#include "report/diff_pair.h"

#define TEXT_MAX 512

enum change {
	REMOVED,
	ADDED,
	CHANGED,
	UNCHANGED,
	NR_CHANGES,
};

static const struct {
	const char *name, *what;
} changes[] = {
	[REMOVED] = {"removed", "A exits, B does not"},
	[ADDED] = {"added", "B exits, A does not"},
	[CHANGED] = {"changed", "both exit, for different causes"},
	[UNCHANGED] = {"unchanged", "both exit, for the same cause"},
};

static enum change change_of(unsigned int a, unsigned int b)
{
	if (b == DIFF_NONE)
		return REMOVED;
	if (a == DIFF_NONE)
		return ADDED;
	return a == b ? UNCHANGED : CHANGED;
}

static struct diff_tally sum_of(const struct diff *diff, enum change change)
{
	struct diff_tally sum = {0};

	for (unsigned int a = 0; a < NR_KINDS; a++) {
		for (unsigned int b = 0; b < NR_KINDS; b++) {
			const struct diff_tally *tally = &diff->tally[a][b];

			if (change_of(a, b) != change)
				continue;
			sum.exits += tally->exits;
			sum.cycles[ALIGN_A] += tally->cycles[ALIGN_A];
			sum.cycles[ALIGN_B] += tally->cycles[ALIGN_B];
		}
	}
	return sum;
}

double diff_minus(uint64_t to, uint64_t from)
{
	return to >= from ? (double)(to - from) : -(double)(from - to);
}

/* --- The configurations -------------------------------------------------- */

static void add_configurations(const struct diff_pair *pair,
			       const struct report *report, const char *title)
{
	static const char *const sides[] = {"A", "B"};

	sheet_table(pair->sheet, "configurations", title);
	sheet_column(pair->sheet, "side", "");
	sheet_column(pair->sheet, "settings", "settings");
	sheet_column(pair->sheet, "trace", NULL);
	sheet_column(pair->sheet, "digest", NULL);
	sheet_column(pair->sheet, "status", "trace");
	for (size_t i = 0; i < 2; i++) {
		char label[TEXT_MAX];

		label_heading(report, i, false, label, sizeof(label));
		sheet_text(pair->sheet, "%s", sides[i]);
		sheet_text(pair->sheet, "%s", label);
		sheet_text(pair->sheet, "%s",
			   doc_text(pair->doc[i], "source/path"));
		sheet_text(pair->sheet, "%s",
			   doc_text(pair->doc[i], "source/digest"));
		sheet_text(pair->sheet, "%s",
			   doc_text(pair->doc[i], "guest/status"));
	}
}

/* --- Totals -------------------------------------------------------------- */

void diff_metric_columns(const struct diff_pair *pair, const char *what)
{
	sheet_column(pair->sheet, "what", what);
	sheet_column(pair->sheet, "a", "A");
	sheet_column(pair->sheet, "b", "B");
	sheet_column(pair->sheet, "change", "change");
	sheet_column(pair->sheet, "percent", "%");
}

static void metric_row(const struct diff_pair *pair, const char *what,
		       uint64_t a, uint64_t b)
{
	sheet_text(pair->sheet, "%s", what);
	sheet_u64(pair->sheet, a);
	sheet_u64(pair->sheet, b);
	sheet_change(pair->sheet, diff_minus(b, a), 0);
	sheet_change(pair->sheet, 100 * diff_minus(b, a) / (double)a, 1);
}

void diff_doc_row(const struct diff_pair *pair, const char *what,
		  const char *path)
{
	metric_row(pair, what, doc_u64(pair->doc[ALIGN_A], path),
		   doc_u64(pair->doc[ALIGN_B], path));
}

static double ladder(const json_t *doc)
{
	return doc_ratio(doc_u64(doc, "exits/page_fault_total"),
			 doc_u64(doc, "guest_faults/total"));
}

static void ladder_row(const struct diff_pair *pair)
{
	double a = ladder(pair->doc[ALIGN_A]), b = ladder(pair->doc[ALIGN_B]);

	sheet_text(pair->sheet, "#PF exits per guest fault");
	sheet_real(pair->sheet, a, 3);
	sheet_real(pair->sheet, b, 3);
	sheet_change(pair->sheet, b - a, 3);
	sheet_change(pair->sheet, 100 * (b - a) / a, 1);
}

static void add_totals(const struct diff_pair *pair)
{
	sheet_table(pair->sheet, "totals", "Totals");
	diff_metric_columns(pair, "");
	diff_doc_row(pair, "exits", "exits/total");
	diff_doc_row(pair, "#PF exits", "exits/page_fault_total");
	diff_doc_row(pair, "guest faults", "guest_faults/total");
	diff_doc_row(pair, "  direct", "guest_faults/direct");
	diff_doc_row(pair, "  injected", "guest_faults/injected");
	ladder_row(pair);
	diff_doc_row(pair, "cycles", "cycles/total");
}

static void add_latency(const struct diff_pair *pair)
{
	static const char *const points[] = {"min", "p50", "p90",
					     "p99", "max", "mean"};

	sheet_table(pair->sheet, "latency", "Guest fault to retry, cycles");
	diff_metric_columns(pair, "");
	for (size_t i = 0; i < ARRAY_LEN(points); i++) {
		char path[64];

		snprintf(path, sizeof(path), "latency/guest_fault/%s",
			 points[i]);
		diff_doc_row(pair, points[i], path);
	}
}

/* --- Aligned exits ------------------------------------------------------- */

static void add_changes(const struct diff_pair *pair)
{
	sheet_table(pair->sheet, "changes", "Exits, aligned");
	sheet_column(pair->sheet, "change", "");
	sheet_column(pair->sheet, "exits", "exits");
	sheet_column(pair->sheet, "a_cycles", "A cycles");
	sheet_column(pair->sheet, "b_cycles", "B cycles");
	sheet_column(pair->sheet, "change_cycles", "change");
	sheet_column(pair->sheet, "meaning", "what");
	for (unsigned int i = 0; i < NR_CHANGES; i++) {
		struct diff_tally sum = sum_of(pair->diff, (enum change)i);

		sheet_text(pair->sheet, "%s", changes[i].name);
		sheet_u64(pair->sheet, sum.exits);
		sheet_u64(pair->sheet, sum.cycles[ALIGN_A]);
		sheet_u64(pair->sheet, sum.cycles[ALIGN_B]);
		sheet_change(
			pair->sheet,
			diff_minus(sum.cycles[ALIGN_B], sum.cycles[ALIGN_A]),
			0);
		sheet_text(pair->sheet, "%s", changes[i].what);
	}
}

static void kind_row(const struct diff_pair *pair, enum change change,
		     unsigned int a, unsigned int b)
{
	const struct diff_tally *tally = &pair->diff->tally[a][b];

	if (!tally->exits || change_of(a, b) != change)
		return;
	sheet_text(pair->sheet, "%s", changes[change].name);
	sheet_text(pair->sheet, "%s", diff_kind_name(a));
	sheet_text(pair->sheet, "%s", diff_kind_name(b));
	sheet_u64(pair->sheet, tally->exits);
	sheet_u64(pair->sheet, tally->cycles[ALIGN_A]);
	sheet_u64(pair->sheet, tally->cycles[ALIGN_B]);
	sheet_change(pair->sheet,
		     diff_minus(tally->cycles[ALIGN_B], tally->cycles[ALIGN_A]),
		     0);
}

static void add_kinds(const struct diff_pair *pair)
{
	sheet_table(pair->sheet, "kinds", "By cause or reason");
	sheet_column(pair->sheet, "change", "");
	sheet_column(pair->sheet, "a", "A");
	sheet_column(pair->sheet, "b", "B");
	sheet_column(pair->sheet, "exits", "exits");
	sheet_column(pair->sheet, "a_cycles", "A cycles");
	sheet_column(pair->sheet, "b_cycles", "B cycles");
	sheet_column(pair->sheet, "change_cycles", "change");
	for (unsigned int i = 0; i < NR_CHANGES; i++)
		for (unsigned int a = 0; a < NR_KINDS; a++)
			for (unsigned int b = 0; b < NR_KINDS; b++)
				kind_row(pair, (enum change)i, a, b);
}

/* --- Single exits -------------------------------------------------------- */

static void exit_row(const struct diff_pair *pair, const struct diff_row *row)
{
	const struct align_exit *one = row->has_a ? &row->a : &row->b;
	bool is_fault = one->cause != ALIGN_NO_CAUSE;

	sheet_u64(pair->sheet, one->position);
	sheet_u64(pair->sheet, one->insns);
	sheet_text(pair->sheet, "0x%" PRIx64, one->rip);
	if (is_fault) {
		sheet_text(pair->sheet, "0x%" PRIx64, one->gva);
		sheet_text(pair->sheet, "0x%" PRIx32, one->pfec);
	} else {
		sheet_none(pair->sheet);
		sheet_none(pair->sheet);
	}
	sheet_text(pair->sheet, "%s",
		   diff_kind_name(diff_kind_of(row->has_a ? &row->a : NULL)));
	sheet_text(pair->sheet, "%s",
		   diff_kind_name(diff_kind_of(row->has_b ? &row->b : NULL)));
	sheet_u64(pair->sheet, row->a.cycles);
	sheet_u64(pair->sheet, row->b.cycles);
}

static void add_list(const struct diff_pair *pair)
{
	const struct diff *diff = pair->diff;

	if (!diff->window.list)
		return;
	sheet_table(pair->sheet, "list",
		    diff->window.all ? "Single exits"
				     : "Single exits that differ");
	sheet_column(pair->sheet, "position", "position");
	sheet_column(pair->sheet, "instruction", "instruction");
	sheet_column(pair->sheet, "rip", "rip");
	sheet_column(pair->sheet, "gva", "address");
	sheet_column(pair->sheet, "error_code", "code");
	sheet_column(pair->sheet, "a", "A");
	sheet_column(pair->sheet, "b", "B");
	sheet_column(pair->sheet, "a_cycles", NULL);
	sheet_column(pair->sheet, "b_cycles", NULL);
	for (size_t i = 0; i < diff->nr_rows; i++)
		exit_row(pair, &diff->row[i]);
	if (!diff->nr_rows)
		sheet_note(pair->sheet, "No exit to list.");
	if (diff->left_out)
		sheet_note(pair->sheet,
			   "%" PRIu64 " more are not listed: --limit, "
			   "--from.",
			   diff->left_out);
	if (diff->nr_rows)
		sheet_note(pair->sheet, "notrap explain TRACE POSITION tells "
					"one of them step by step.");
}

static void check_sums(const struct diff_pair *pair)
{
	uint64_t pairs = sum_of(pair->diff, CHANGED).exits +
			 sum_of(pair->diff, UNCHANGED).exits;

	BUG_ON(pairs + sum_of(pair->diff, REMOVED).exits !=
	       doc_u64(pair->doc[ALIGN_A], "exits/total"));
	BUG_ON(pairs + sum_of(pair->diff, ADDED).exits !=
	       doc_u64(pair->doc[ALIGN_B], "exits/total"));
}

int diff_print(const struct diff *diff, const struct report *report,
	       enum sheet_format format, FILE *out)
{
	struct diff_pair pair = {.diff = diff,
				 .doc = {report->doc[0], report->doc[1]}};
	char title[TEXT_MAX], saving[TEXT_MAX];
	int err;

	BUG_ON(report->nr != 2);
	if (diff->failed)
		return -ENOMEM;
	check_sums(&pair);
	snprintf(title, sizeof(title), "notrap diff: %s",
		 doc_text(pair.doc[0], "source/path"));
	pair.sheet = sheet_create("notrap-diff/1", title);
	if (!pair.sheet)
		return -ENOMEM;
	add_configurations(&pair, report, title);
	add_totals(&pair);
	add_changes(&pair);
	add_kinds(&pair);
	diff_add_parts(&pair);
	diff_add_costs(&pair);
	add_latency(&pair);
	add_list(&pair);
	saving_text(pair.doc[ALIGN_A], pair.doc[ALIGN_B], saving,
		    sizeof(saving));
	sheet_note(pair.sheet, "B %s.", saving);
	diff_note_exit_cost(&pair);
	err = sheet_print(pair.sheet, format, out);
	sheet_destroy(pair.sheet);
	return err;
}
