/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One entry, met by a walk: does it fault, and how?  The question a hypervisor
 * asks of a value that is to fault because its reserved bits are set.
 */
#ifndef NOTRAP_PAGING_ENTRY_H
#define NOTRAP_PAGING_ENTRY_H

#include "paging/walk.h"

/*
 * The walk of a reference that finds this entry in a table of this level
 * (1..paging_levels(mode)), with every right granted above it.  The mode is
 * PAE or one of long mode; root and PDPTEs in ctx are not looked at.  The entry
 * must lead to none of the pool's frames.  Nothing is where it leads, so a
 * table there reads as all ones: a walk that ends at a lower level went through
 * it.
 */
struct walk paging_meet(const struct paging_ctx *ctx, uint64_t entry, int level,
			uint32_t access);

#endif
