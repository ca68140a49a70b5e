/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Paging-structure caches: upper table entries by the address bits that lead to
 * them, so that a walk begins at the lowest table it can.
 *
 * They say how long a walk takes.  What it finds is always read from the tables
 * as they are: an entry here that hardware could have used to its harm is not
 * used for that.  SDM vol. 3A, "Caches for Paging Structures".
 */
#ifndef NOTRAP_CPU_PSC_H
#define NOTRAP_CPU_PSC_H

#include "arch/paging.h"
#include "cpu/assoc.h"

struct psc {
	struct assoc array[NR_PSC];
	struct contexts contexts; /* no global ones: PCIDs */
	uint16_t pcid;
	unsigned int current;
};

/* -ENOMEM: psc_finish() is fine. */
int psc_init(struct psc *psc, const struct cpu_array shape[NR_PSC]);
void psc_finish(struct psc *psc);

/* Level (2..5) of the lowest entry known for this address; 0: none. */
int psc_lookup(struct psc *psc, enum paging_mode mode, uint64_t address);

/* A walk has gone through the entry of this level. */
void psc_fill(struct psc *psc, enum paging_mode mode, uint64_t address,
	      int level);

void psc_flush(struct psc *psc);
void psc_flush_pcid(struct psc *psc, uint16_t pcid);
/* As tlb_mov_cr3(). */
void psc_mov_cr3(struct psc *psc, uint16_t pcid, bool keep);
/* Every entry of the current PCID, whatever the address. */
void psc_invlpg(struct psc *psc);
/* Those that lead to this address, of one PCID. */
void psc_invpcid_page(struct psc *psc, enum paging_mode mode, uint16_t pcid,
		      uint64_t address);

#endif
