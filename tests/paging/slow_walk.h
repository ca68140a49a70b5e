/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A slow page walk, written apart from src/paging: it first collects the
 * entries, then asks each rule of the manual in a sentence of its own, with
 * numbers for names.
 */
#ifndef NOTRAP_TESTS_PAGING_SLOW_WALK_H
#define NOTRAP_TESTS_PAGING_SLOW_WALK_H

#include "paging/walk.h"

/* One reference, as a person would put it. */
struct reference {
	bool write, user, fetch;
	bool ac; /* explicit, supervisor, RFLAGS.AC=1 */
};

struct verdict {
	bool fault;
	uint32_t code;
	uint64_t address;
};

struct verdict slow_walk(const struct paging_ctx *ctx, const struct mem *mem,
			 uint64_t va, const struct reference *ref);

/* Every reference there is, but writes that are fetches. */
#define NR_REFERENCES 8
extern const struct reference references[NR_REFERENCES];

/* Both walks; a difference fails the test. */
void compare_walks(const struct paging_ctx *ctx, const struct mem *mem,
		   uint64_t va, const struct reference *ref);

#endif
