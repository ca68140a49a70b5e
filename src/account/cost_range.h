/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A number of cycles that is known to within a range: what is taken for it,
 * and the least and the most that its sources allow.  Of a cost, or of a sum of
 * costs; min <= typ <= max.
 */
#ifndef NOTRAP_ACCOUNT_COST_RANGE_H
#define NOTRAP_ACCOUNT_COST_RANGE_H

#include <stddef.h>

#include "base/types.h"

struct cost_range {
	uint64_t typ, min, max;
};

/* Known exactly, or nothing said of how well. */
static inline struct cost_range cost_exact(uint64_t cycles)
{
	return (struct cost_range){cycles, cycles, cycles};
}

static inline bool cost_is_exact(struct cost_range range)
{
	return range.min == range.max;
}

static inline struct cost_range cost_plus(struct cost_range a,
					  struct cost_range b)
{
	return (struct cost_range){a.typ + b.typ, a.min + b.min, a.max + b.max};
}

/* Of two times by the same clocks, a is not before b. */
static inline struct cost_range cost_since(struct cost_range a,
					   struct cost_range b)
{
	return (struct cost_range){a.typ - b.typ, a.min - b.min, a.max - b.max};
}

/*
 * "1579" or "1579:1400..1800"; a number is decimal, or 0x and hexadecimal.
 * -EINVAL: neither, a number beyond 64 bits, or not min <= typ <= max; *ret is
 * untouched.
 */
int cost_range_parse(const char *text, struct cost_range *ret);

/* The shorter form where it says all. */
#define COST_RANGE_TEXT_MAX 64

void cost_range_text(struct cost_range range, char buf[COST_RANGE_TEXT_MAX]);

#endif
