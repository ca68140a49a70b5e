/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The control registers of Unicorn's processor.  Paging is always on, with PAE
 * entries, write protection and NX, whatever the guest has; LMA, PE and the
 * bits that instructions depend on follow the guest.
 *
 * So do SMEP, SMAP and PKE while the guest pages: Unicorn's walk then denies
 * what the modelled one denies.  It knows SMAP and its instructions only where
 * its processor is one that has SMAP (engine.c); SMEP, protection keys and
 * LA57 need nothing but their bits in CR4.  PKRU is written by the guest's own
 * WRPKRU.  Unicorn has no PCIDs: CR4.PCIDE and the low bits of the guest's CR3
 * never reach it.
 */
#ifndef NOTRAP_LIVE_HW_H
#define NOTRAP_LIVE_HW_H

#include <unicorn/unicorn.h>

#include "arch/cr.h"
#include "arch/paging.h"

struct hw {
	uc_engine *uc;
	enum paging_mode mode; /* of the shadow: PAE, 4 or 5 levels */
	hpa_t root;
	uint64_t cr0, cr4; /* as Unicorn has them; CR4: see hw_open() */
};

/* Whatever the state was: this mode now, with this root; the TLB is empty. */
void hw_init(struct hw *hw, uc_engine *uc, enum paging_mode mode, hpa_t root);

/*
 * The guest's CR0 and CR4, and the mode its tables are shadowed in.  The TLB is
 * empty after a change of mode.
 */
void hw_set_mode(struct hw *hw, enum paging_mode mode, uint64_t guest_cr0,
		 uint64_t guest_cr4);

/* Set CR3; this also flushes the TLB. */
void hw_set_root(struct hw *hw, hpa_t root);

/*
 * The same for scratch tables, whose pages are user pages that any CPL fetches
 * from: without SMEP until hw_set_root().
 */
void hw_open(struct hw *hw, hpa_t root);

#endif
