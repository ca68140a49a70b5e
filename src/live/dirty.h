/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Unicorn's TLB entries of pages that it takes to be clean.
 *
 * A store to such a page makes it look for translated code there, in a tree of
 * pages, and then the page counts as dirty: its next store does no more.  With
 * MEM hooks it stays clean, and each store pays, which took a tenth of
 * the time of a recording.  Here a page is made dirty nevertheless.  Pages with
 * code are not writable in installed tables, so that no such store is missed.
 * Where Unicorn is not made like this nothing is done: it is a matter of speed
 * alone.
 */
#ifndef NOTRAP_LIVE_DIRTY_H
#define NOTRAP_LIVE_DIRTY_H

#include <stdbool.h>
#include <unicorn/unicorn.h>

#include "base/types.h"

struct dirty {
	void *cpu; /* Unicorn's; NULL: it was not found */
};

/* state: where Unicorn keeps its registers.  False: not found. */
bool dirty_find(uc_engine *uc, const void *state, struct dirty *ret);

/*
 * In a MEM hook of a store that lies within this page.  What that store itself
 * has to do is still done.
 */
void dirty_set(const struct dirty *dirty, gva_t gva);

#endif
