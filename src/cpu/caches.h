/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The caches that page walks read through: lines of page tables in the part of
 * each level that they are taken to have (geometry's table_share).
 *
 * Left out: data and code, which compete for the rest; stores to tables, by the
 * guest and the hypervisor; other processors.
 */
#ifndef NOTRAP_CPU_CACHES_H
#define NOTRAP_CPU_CACHES_H

#include "cpu/assoc.h"

/* Where a reference ends. */
enum cache_level { CACHE_L1, CACHE_L2, CACHE_L3, CACHE_MEM, NR_CACHE_LEVELS };

struct caches {
	struct assoc level[CPU_CACHES];
};

/* -ENOMEM: caches_finish() is fine. */
int caches_init(struct caches *caches, const struct cpu_geometry *geometry);
void caches_finish(struct caches *caches);

/* A reference to it is to come: what the host has to fetch for it. */
void caches_expect(const struct caches *caches, hpa_t at);

/* The line is in every level after this. */
static inline enum cache_level caches_reference(struct caches *caches, hpa_t at)
{
	uint64_t line = at >> CPU_LINE_SHIFT;
	int found = CACHE_L1;

	for (; found < CPU_CACHES; found++) {
		struct assoc *a = &caches->level[found];

		if (a->sets && assoc_use(a, assoc_set(a, line), line + 1, NULL))
			break;
	}
	return (enum cache_level)found;
}

#endif
