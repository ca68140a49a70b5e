/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two results and the sheet about them, for the files that fill it.
 *
 *   diff_sheet.c  totals, aligned exits, latency, single exits
 *   diff_costs.c  cycles by part and by cost, and where A and B are equal
 */
#ifndef NOTRAP_REPORT_DIFF_PAIR_H
#define NOTRAP_REPORT_DIFF_PAIR_H

#include "report/diff_tally.h"
#include "report/internal.h"

struct diff_pair {
	const struct diff *diff;
	const json_t *doc[2]; /* by enum align_side */
	struct sheet *sheet;
};

/* diff_sheet.c.  to - from */
double diff_minus(uint64_t to, uint64_t from);
/* what, A, B, change, % */
void diff_metric_columns(const struct diff_pair *pair, const char *what);
void diff_doc_row(const struct diff_pair *pair, const char *what,
		  const char *path);

/* diff_costs.c */
void diff_add_parts(const struct diff_pair *pair);
void diff_add_costs(const struct diff_pair *pair);
void diff_note_exit_cost(const struct diff_pair *pair);

#endif
