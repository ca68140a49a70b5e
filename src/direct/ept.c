/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which guest frames the hypervisor has found memory for.  What it maps allows
 * everything, so that a bit says all that an EPT entry would; entries that say
 * "no memory here" are another bit.
 */
#include "direct/internal.h"

#define LARGE_SIZE (UINT64_C(1) << 21)

int direct_ept_leaf(const struct direct *direct)
{
	if (!direct->config.ept)
		return 0;
	return direct->config.large ? 2 : 1;
}

bool direct_is_backed(const struct direct *direct, gpa_t gpa)
{
	return !direct->backed || bit_get(direct->backed, gpa >> PAGE_SHIFT);
}

void direct_back(struct direct *direct, gpa_t gpa)
{
	gpa_t first = gpa & ~(LARGE_SIZE - 1);
	gpa_t size = LARGE_SIZE;

	if (!direct->config.large || !mem_is_ram(direct->mem, first, size)) {
		first = gpa & ~PAGE_MASK;
		size = PAGE_SIZE;
	}
	for (gpa_t at = first; at < first + size; at += PAGE_SIZE)
		bit_set(direct->backed, at >> PAGE_SHIFT);
}

bool ept_is_marked(const struct direct *direct, gpa_t gpa)
{
	return direct->marked && gpa <= UINT32_MAX &&
	       bit_get(direct->marked, gpa >> PAGE_SHIFT);
}

void direct_mark(struct direct *direct, gpa_t gpa)
{
	if (gpa <= UINT32_MAX)
		bit_set(direct->marked, gpa >> PAGE_SHIFT);
}
