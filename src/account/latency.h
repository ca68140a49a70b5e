/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How long things took, by the three clocks of an account: as the costs are,
 * and with each of them at its least and at its most.
 */
#ifndef NOTRAP_ACCOUNT_LATENCY_H
#define NOTRAP_ACCOUNT_LATENCY_H

#include "account/cost_range.h"
#include "account/histogram.h"

struct latency {
	struct histogram typ, low, high;
};

void latency_add(struct latency *latency, struct cost_range cycles);

/* Adds all of `from`. */
void latency_merge(struct latency *into, const struct latency *from);

/* Empty, or the clocks agree: as many values by each, none of which has lost
 * one, and no clock is ahead of one that is never slower. */
bool latency_is_sound(const struct latency *latency);

#endif
