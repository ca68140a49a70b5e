/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The engine's own few pages in Unicorn's physical space, and page tables that
 * map them: code to calibrate with, and a window through which the
 * translations of any frame of guest RAM can be dropped.  The guest's tables
 * never lead here.
 */
#ifndef NOTRAP_LIVE_SCRATCH_H
#define NOTRAP_LIVE_SCRATCH_H

#include <unicorn/unicorn.h>

#include "base/diag.h"
#include "mem/mem.h"

/* The last page below 4 GiB, which the pool leaves free, and those behind. */
#define SCRATCH_BASE UINT64_C(0xfffff000)
_Static_assert(INSTALLED_BASE + (POOL_PAGES_MAX << PAGE_SHIFT) <= SCRATCH_BASE,
	       "the root must lie below 4 GiB and beyond the installed tables");

/* Where the scratch tables map things. */
#define SCRATCH_WINDOW   UINT64_C(0x0000) /* a frame of guest RAM */
#define SCRATCH_CODE     UINT64_C(0x1000) /* executable, read-only, user */
#define SCRATCH_READONLY UINT64_C(0x2000) /* the same frame, supervisor */

struct scratch {
	uc_engine *uc;
	uint8_t *pages;
};

/* -ENOMEM with a line. */
int scratch_create(uc_engine *uc, struct scratch *ret, struct diag *diag);
void scratch_destroy(struct scratch *scratch); /* after uc_close() */

/* What CR3 must be for the scratch tables to be walked. */
hpa_t scratch_root(enum paging_mode mode);

/* The bytes of the code page. */
uint8_t *scratch_code(const struct scratch *scratch);

/*
 * Drop every translation of code in this frame.  The hardware must be open to
 * scratch_root() of the present mode (hw_open()); the TLB has to be flushed
 * afterwards.
 */
void scratch_drop_frame(const struct scratch *scratch, gfn_t gfn);

#endif
