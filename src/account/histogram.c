/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "account/histogram.h"

/* Values below HIST_SUB have a bucket each; above, 16 buckets an octave. */
static unsigned int bucket_of(uint64_t v)
{
	unsigned int octave;

	if (v < HIST_SUB)
		return (unsigned int)v;
	octave = 63u - (unsigned int)__builtin_clzll(v);
	return (octave - 3) * HIST_SUB +
	       (unsigned int)((v >> (octave - 4)) & (HIST_SUB - 1));
}

static uint64_t bucket_last(unsigned int bucket)
{
	unsigned int octave = bucket / HIST_SUB + 3;
	uint64_t step;

	if (bucket < HIST_SUB)
		return bucket;
	step = BIT(octave - 4);
	return BIT(octave) + (bucket % HIST_SUB + 1) * step - 1;
}

void histogram_add(struct histogram *h, uint64_t cycles)
{
	if (!h->count || cycles < h->min)
		h->min = cycles;
	if (!h->count || cycles > h->max)
		h->max = cycles;
	h->count++;
	h->sum += cycles;
	h->bucket[bucket_of(cycles)]++;
}

void histogram_merge(struct histogram *h, const struct histogram *from)
{
	if (!from->count)
		return;
	if (!h->count || from->min < h->min)
		h->min = from->min;
	if (!h->count || from->max > h->max)
		h->max = from->max;
	h->count += from->count;
	h->sum += from->sum;
	for (unsigned int b = 0; b < HIST_BUCKETS; b++)
		h->bucket[b] += from->bucket[b];
}

bool histogram_is_sound(const struct histogram *h)
{
	uint64_t count = 0;

	for (unsigned int b = 0; b < HIST_BUCKETS; b++)
		count += h->bucket[b];
	return count == h->count && h->sum >= h->count * h->min &&
	       h->sum <= h->count * h->max;
}

uint64_t histogram_quantile(const struct histogram *h, unsigned int permille)
{
	uint64_t want = (h->count * permille + 999) / 1000;
	uint64_t seen = 0;

	if (!h->count)
		return 0;
	for (unsigned int b = 0; b < HIST_BUCKETS; b++) {
		seen += h->bucket[b];
		if (seen && seen >= want)
			return min_u64(max_u64(bucket_last(b), h->min), h->max);
	}
	return h->max;
}
