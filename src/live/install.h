/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The installed twins: what Unicorn's processor walks, derived from the
 * modelled tables and from W^X.
 *
 * Unicorn notices a store to code only through the mapping the code ran from,
 * so a frame of guest RAM is at any time either a data frame (no twin lets it
 * be executed) or a code frame (no twin lets it be written), and it may have
 * translations only while it is a code frame.  A fault that the modelled
 * tables would have allowed turns the frame round.
 *
 * Invariants:
 *  - a present twin grants no more than its modelled entry (mem/mem.h);
 *  - a leaf twin leads to guest RAM, a non-leaf twin to INSTALLED_BASE;
 *  - each present leaf twin is on its frame's list (absent ones may be, too).
 * The shadow has 4 KiB leaves only: an entry with PS above level 1 is never
 * installed.  This file does not know Unicorn; the caller drops translations
 * and flushes.
 */
#ifndef NOTRAP_LIVE_INSTALL_H
#define NOTRAP_LIVE_INSTALL_H

#include "base/diag.h"
#include "mem/mem.h"

/* A place in the pool: page * PT_ENTRIES + index. */
typedef uint32_t entry_t;

struct install_link {
	uint32_t next; /* entry + 1, 0: none */
	uint32_t prev; /* entry + 1, or LINK_HEAD | gfn, 0: on no list */
};

struct install {
	struct mem *mem;
	uint8_t *is_code;          /* by gfn */
	uint32_t *head;            /* by gfn: entry + 1 */
	struct install_link *link; /* by entry */
	uint64_t nr_installs;
	bool flush;        /* the TLB may hold what a twin no longer grants */
	bool no_exclusion; /* tests: frames are both */
};

/* -ENOMEM with a line. */
int install_create(struct mem *mem, struct install *ret, struct diag *diag);
void install_destroy(struct install *install);

/* Bring the twins up to date with mem's change list; how many it was. */
uint64_t install_drain(struct install *install);

static inline hpa_t installed_hpa(hpa_t table)
{
	return table - POOL_BASE + INSTALLED_BASE;
}

/* The leaf twin for gva under this modelled root; false: no leaf table. */
bool install_find(const struct install *install, hpa_t root, int levels,
		  gva_t gva, entry_t *ret);

/*
 * Where Unicorn finds the byte at gva, if the twins map it at all.  Rights
 * are not looked at.
 */
bool install_translate(const struct install *install, hpa_t root, int levels,
		       gva_t gva, hpa_t *ret);

static inline uint64_t install_twin(const struct install *install,
				    entry_t entry)
{
	return install->mem->pool
		.installed[entry / PT_ENTRIES][entry % PT_ENTRIES];
}

/*
 * The twin would grant more if its frame were turned: returns 0, PFEC_W (it
 * could be written if it were a data frame) or PFEC_ID (executed, code).
 */
uint32_t install_turn_helps(const struct install *install, entry_t entry,
			    uint32_t access);

/*
 * Turn a frame round.  Its translations must have been dropped before it
 * becomes a data frame.
 */
void install_make_code(struct install *install, gfn_t gfn);
void install_make_data(struct install *install, gfn_t gfn);

/*
 * For one instruction that stores into the frame it lies in: this one twin of
 * a code frame may be written.  install_make_code() takes it back.
 */
void install_open(struct install *install, entry_t entry);

#endif
