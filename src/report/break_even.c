/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report/break_even.h"

#include <stdio.h>

static double minus(uint64_t x, uint64_t y)
{
	return x >= y ? (double)(x - y) : -(double)(y - x);
}

/* B - A is units * x + rest. */
struct break_even break_even(struct break_even_side a, struct break_even_side b)
{
	double units = minus(b.units, a.units);
	double rest = minus(b.rest, a.rest);
	struct break_even ret = {.kind = BREAK_EVEN_EQUAL};

	if (b.units == a.units) {
		if (b.rest != a.rest)
			ret.kind = b.rest < a.rest ? BREAK_EVEN_ALWAYS
						   : BREAK_EVEN_NEVER;
	} else if (b.units < a.units) {
		ret.kind =
			b.rest <= a.rest ? BREAK_EVEN_ALWAYS : BREAK_EVEN_ABOVE;
	} else {
		ret.kind =
			b.rest >= a.rest ? BREAK_EVEN_NEVER : BREAK_EVEN_BELOW;
	}
	if (ret.kind == BREAK_EVEN_ABOVE || ret.kind == BREAK_EVEN_BELOW)
		ret.at = -rest / units;
	return ret;
}

void break_even_text(struct break_even even, int decimals, const char *unit,
		     char *buf, size_t size)
{
	const char *word = "equal";

	switch (even.kind) {
	case BREAK_EVEN_EQUAL:
		break;
	case BREAK_EVEN_ALWAYS:
		word = "any";
		break;
	case BREAK_EVEN_NEVER:
		word = "none";
		break;
	case BREAK_EVEN_ABOVE:
	case BREAK_EVEN_BELOW:
		snprintf(buf, size, "%c %.*f %s",
			 even.kind == BREAK_EVEN_ABOVE ? '>' : '<', decimals,
			 even.at, unit);
		return;
	}
	snprintf(buf, size, "%s", word);
}
