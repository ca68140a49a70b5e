/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A page walk with every entry it read, for telling.  What it comes to is
 * paging_walk()'s answer; the entries are read again beside it, so the walk of
 * the hot path knows nothing of this.
 */
#ifndef NOTRAP_EXPLAIN_PATH_H
#define NOTRAP_EXPLAIN_PATH_H

#include "paging/walk.h"

struct path_entry {
	int level;
	bool is_register; /* a PDPTE, held in the processor */
	hpa_t table;      /* of a PDPTE: 0 */
	unsigned int index;
	uint64_t entry;
	uint64_t reserved; /* reserved bits that are set */
	bool is_leaf;
};

struct path {
	struct paging_ctx ctx;
	gva_t gva;
	uint32_t access;
	struct walk walk;
	unsigned int nr;
	struct path_entry entry[PT_LEVEL_MAX + 1];
};

void path_take(struct path *path, const struct paging_ctx *ctx,
	       const struct mem *mem, gva_t gva, uint32_t access);

/* "PDPTE": what an entry of this level is called. */
const char *path_entry_name(int level);

static inline const struct path_entry *path_last(const struct path *path)
{
	return &path->entry[path->nr - 1];
}

#endif
