/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Page-fault filters: bit 14 of the exception bitmap with an error-code mask
 * and match, by what they do to given error codes.
 *
 * A shadow MMU needs every fault with P=1: it may be a hidden one, of a page
 * that the guest's tables allow.  A filter that lets none of these through is
 * safe: the hypervisor can use it, and say by a shadow entry with P=0 which
 * of the guest's not-present faults it does not want to see.
 */
#ifndef NOTRAP_VMX_MODEL_PF_FILTER_H
#define NOTRAP_VMX_MODEL_PF_FILTER_H

#include "base/types.h"

/* Error codes 0..63, a bit each. */
#define PF_CODES 64

struct pf_filter {
	bool bit14;
	uint32_t mask, match;
	uint64_t direct; /* which of the given codes pass without an exit */
	bool is_safe;
};

/* Two for each mask and match over six bits. */
#define PF_FILTERS_MAX (2 * 729)

/*
 * One filter for each effect on `codes` but none, made of the bits that occur
 * in them and P: the safe ones first, then those with bit 14 set, in order of
 * mask and match.  Of filters with the same effect it is the safe one, then
 * one with bit 14 set, then the one with the shortest mask.  Filters with bit
 * 14 clear are there only if they are safe.  Returns how many.
 */
size_t pf_filters(uint64_t codes, struct pf_filter ret[PF_FILTERS_MAX]);

/* What passes: "not present", "not present, write", "all but user, write". */
void pf_filter_text(const struct pf_filter *filter, char *buf, size_t size);

#endif
