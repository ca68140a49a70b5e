/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which of two configurations is cheaper, as one cost varies.
 *
 * Cycles are counts times costs: with x cycles a unit, A takes
 * a.units * x + a.rest, and B likewise.  The two are equal at one x at most.
 */
#ifndef NOTRAP_REPORT_BREAK_EVEN_H
#define NOTRAP_REPORT_BREAK_EVEN_H

#include <stddef.h>
#include <stdint.h>

struct break_even_side {
	uint64_t units; /* how often the cost is charged */
	uint64_t rest;  /* cycles of all other costs */
};

enum break_even_kind {
	BREAK_EVEN_EQUAL,  /* the same at every x */
	BREAK_EVEN_ALWAYS, /* B is cheaper at every x above 0 */
	BREAK_EVEN_NEVER,  /* B is not cheaper at any x from 0 */
	BREAK_EVEN_ABOVE,  /* B is cheaper where x is more than `at` */
	BREAK_EVEN_BELOW,  /* B is cheaper where x is less than `at` */
};

struct break_even {
	enum break_even_kind kind;
	double at; /* of ABOVE and BELOW; above 0 */
};

struct break_even break_even(struct break_even_side a,
			     struct break_even_side b);

/* At which x B is cheaper: "> 812 cycles", "< 0.42 times", "any", "none",
 * "equal". */
void break_even_text(struct break_even even, int decimals, const char *unit,
		     char *buf, size_t size);

#endif
