/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A latency histogram: exact count, sum, min and max; quantiles from buckets
 * of 1/16 of a power of two (error below 6.25 %).  Values are cycles.
 */
#ifndef NOTRAP_ACCOUNT_HISTOGRAM_H
#define NOTRAP_ACCOUNT_HISTOGRAM_H

#include "base/types.h"

#define HIST_SUB     16
#define HIST_BUCKETS (64 * HIST_SUB)

struct histogram {
	uint64_t count;
	uint64_t sum;
	uint64_t min; /* 0 while count is */
	uint64_t max;
	uint32_t bucket[HIST_BUCKETS];
};

void histogram_add(struct histogram *h, uint64_t cycles);

/* Adds all of `from`. */
void histogram_merge(struct histogram *h, const struct histogram *from);

/* Buckets sum to the count; the sum lies between count times min and max. */
bool histogram_is_sound(const struct histogram *h);

/*
 * The smallest bucket's upper bound with at least permille/1000 of the values
 * at or below it, never above max nor below min; 0 if empty.
 */
uint64_t histogram_quantile(const struct histogram *h, unsigned int permille);

#endif
