/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vmx_model/pf_filter.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arch/paging.h"
#include "vmx_model/decide.h"

#define PFEC_BITS 6

static const struct {
	uint64_t bit;
	const char *set, *clear;
} bits[PFEC_BITS] = {
	{PFEC_P, "present", "not present"},
	{PFEC_W, "write", "no write"},
	{PFEC_U, "user", "kernel"},
	{PFEC_RSVD, "reserved bit", "no reserved bit"},
	{PFEC_ID, "fetch", "no fetch"},
	{PFEC_PK, "protection key", "no protection key"},
};

/* Which of all codes. */
static uint64_t passes_of(const struct pf_filter *filter)
{
	const struct vmx_controls controls = {
		.exception_bitmap = filter->bit14 ? (uint32_t)BIT(EXC_PF) : 0,
		.pfec_mask = filter->mask,
		.pfec_match = filter->match,
	};
	uint64_t passes = 0;

	for (uint32_t code = 0; code < PF_CODES; code++)
		if (!vmx_pf_exits(&controls, code))
			passes |= BIT(code);
	return passes;
}

static uint64_t present_codes(void)
{
	uint64_t codes = 0;

	for (uint32_t code = 0; code < PF_CODES; code++)
		if (code & PFEC_P)
			codes |= BIT(code);
	return codes;
}

static uint32_t bits_of(uint64_t codes)
{
	uint32_t all = (uint32_t)PFEC_P;

	for (uint32_t code = 0; code < PF_CODES; code++)
		if (codes & BIT(code))
			all |= code;
	return all;
}

static int length(uint32_t mask)
{
	int n = 0;

	for (; mask; mask &= mask - 1)
		n++;
	return n;
}

static int order(const void *x, const void *y)
{
	const struct pf_filter *a = x, *b = y;
	int len_a = length(a->mask), len_b = length(b->mask);

	if (a->is_safe != b->is_safe)
		return a->is_safe ? -1 : 1;
	if (a->bit14 != b->bit14)
		return a->bit14 ? -1 : 1;
	if (len_a != len_b)
		return len_a - len_b;
	if (a->mask != b->mask)
		return a->mask < b->mask ? -1 : 1;
	return a->match < b->match ? -1 : a->match > b->match;
}

/* All of them, in order. */
static size_t enumerate(uint64_t codes, struct pf_filter *ret)
{
	uint32_t all = bits_of(codes);
	size_t nr = 0;

	for (uint32_t n = 0; n < 2 * PF_CODES * PF_CODES; n++) {
		struct pf_filter f = {
			.bit14 = n & 1,
			.mask = n / 2 % PF_CODES,
			.match = n / 2 / PF_CODES,
		};
		uint64_t passes;

		if ((f.mask & ~all) || (f.match & ~f.mask))
			continue;
		passes = passes_of(&f);
		f.direct = passes & codes;
		f.is_safe = !(passes & present_codes());
		if (f.direct && (f.bit14 || f.is_safe))
			ret[nr++] = f;
	}
	qsort(ret, nr, sizeof(*ret), order);
	return nr;
}

size_t pf_filters(uint64_t codes, struct pf_filter ret[PF_FILTERS_MAX])
{
	size_t all = enumerate(codes, ret), nr = 0;

	for (size_t i = 0; i < all; i++) {
		size_t k = 0;

		while (k < nr && ret[k].direct != ret[i].direct)
			k++;
		if (k == nr)
			ret[nr++] = ret[i];
	}
	return nr;
}

/* Faults that match pass with bit 14 clear, the others with it set. */
void pf_filter_text(const struct pf_filter *filter, char *buf, size_t size)
{
	bool is_one = length(filter->mask) == 1;
	bool turned = filter->bit14 && is_one;
	size_t len = 0;

	snprintf(buf, size, filter->bit14 ? "none" : "all");
	for (size_t i = 0; i < PFEC_BITS; i++) {
		const char *join = len                        ? ", "
				   : filter->bit14 && !is_one ? "all but "
							      : "";

		if (!(filter->mask & bits[i].bit) || len >= size)
			continue;
		len += (size_t)snprintf(buf + len, size - len, "%s%s", join,
					!(filter->match & bits[i].bit) == turned
						? bits[i].set
						: bits[i].clear);
	}
}
