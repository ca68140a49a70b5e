/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "account/latency.h"

void latency_add(struct latency *latency, struct cost_range cycles)
{
	histogram_add(&latency->typ, cycles.typ);
	histogram_add(&latency->low, cycles.min);
	histogram_add(&latency->high, cycles.max);
}

void latency_merge(struct latency *into, const struct latency *from)
{
	histogram_merge(&into->typ, &from->typ);
	histogram_merge(&into->low, &from->low);
	histogram_merge(&into->high, &from->high);
}

static bool is_ordered(const struct histogram *a, const struct histogram *b)
{
	return a->count == b->count && a->sum <= b->sum && a->min <= b->min &&
	       a->max <= b->max;
}

bool latency_is_sound(const struct latency *latency)
{
	return histogram_is_sound(&latency->typ) &&
	       histogram_is_sound(&latency->low) &&
	       histogram_is_sound(&latency->high) &&
	       is_ordered(&latency->low, &latency->typ) &&
	       is_ordered(&latency->typ, &latency->high);
}
