/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Division by what stays the same, without a division: by a product with its
 * reciprocal, 2^64 / divisor, which is too small by less than 1; so the
 * quotient that it gives is right or one too small.
 */
#ifndef NOTRAP_BASE_DIVIDE_H
#define NOTRAP_BASE_DIVIDE_H

#include "base/types.h"

/* divisor: not 0. */
static inline uint64_t divide_reciprocal(uint32_t divisor)
{
	return UINT64_MAX / divisor;
}

static inline uint64_t divide(uint64_t number, uint32_t divisor,
			      uint64_t reciprocal, uint32_t *rest)
{
	uint64_t quotient = mul_high(number, reciprocal);
	uint64_t left = number - quotient * divisor;

	if (left >= divisor) {
		left -= divisor;
		quotient++;
	}
	*rest = (uint32_t)left;
	return quotient;
}

#endif
