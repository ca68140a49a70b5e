/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What result B saves against result A of the same guest, at which cost of an
 * exit it begins to, and how far the ranges of costs leave both open.
 *
 * Cycles are counts times costs, so all of it follows from `cost_counts` and
 * the costs in `config`.  A cost that has the same range in A and in B is one
 * number that is not known exactly; if the ranges differ, they are two.
 */
#ifndef NOTRAP_REPORT_SAVING_H
#define NOTRAP_REPORT_SAVING_H

#include <jansson.h>

#include "account/cost_range.h"
#include "report/break_even.h"

/* What one unit costs there; 0: the result does not say. */
struct cost_range doc_cost(const json_t *doc, const char *key);

/* Which cost to take of each range. */
enum cost_choice {
	COSTS_TYPICAL,
	COSTS_FOR_B,     /* that which favours B most */
	COSTS_AGAINST_B, /* least */
};

/* Where A and B take the same time, as cost `key` varies. */
struct break_even doc_cost_even(const json_t *a, const json_t *b,
				const char *key, enum cost_choice choice);

/* "B is cheaper when an exit costs more than 812.0 cycles (now 1579)."  "": a
 * result does not say what one costs. */
void exit_even_text(const json_t *a, const json_t *b, const char *name,
		    char *buf, size_t size);

/* B - A in cycles, and in percent of A; both ends of each. */
struct saving_range {
	double low, high;
	double percent_low, percent_high;
};

/* False: no cost of either has a range, or one ran for no time. */
bool saving_range(const json_t *a, const json_t *b, struct saving_range *ret);

/*
 * "Over the ranges of costs, B changes cycles by -900 to -480 (-9.0% to
 * -5.0%); it is cheaper at any cost of an exit."  "": as saving_range().
 */
void saving_range_text(const json_t *a, const json_t *b, const char *name,
		       char *buf, size_t size);

#endif
