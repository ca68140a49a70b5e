/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two configurations over one trace: what became of every exit, what it cost,
 * and at which cost of an exit the two are equal.
 *
 * It is fed as the two run, in step, and shown with their results.  Memory
 * does not grow with the trace but with the rows that a window asks for.
 */
#ifndef NOTRAP_REPORT_DIFF_H
#define NOTRAP_REPORT_DIFF_H

#include "report/align.h"
#include "report/report.h"

struct diff_window {
	bool list;      /* single exits, at most `limit` of those that */
	bool all;       /* differ, or all, */
	uint64_t from;  /* at positions from here, */
	uint64_t count; /* so many positions; 0: to the end */
	uint64_t limit;
};

struct diff;

struct diff *diff_create(const struct diff_window *window); /* NULL: -ENOMEM */
void diff_destroy(struct diff *diff);                       /* NULL is fine */

/* As align_add() and its kin; no memory is kept quiet until diff_print(). */
void diff_add(struct diff *diff, enum align_side side,
	      const struct align_exit *exit);
void diff_settle(struct diff *diff, uint64_t position);

/* Nothing of a side counts that was added so far (a region begins). */
void diff_forget(struct diff *diff, enum align_side side);

/*
 * The report has the two results, A first, and no others; every exit of them
 * has been added and is settled.  0 or -ENOMEM.
 */
int diff_print(const struct diff *diff, const struct report *report,
	       enum sheet_format format, FILE *out);

#endif
