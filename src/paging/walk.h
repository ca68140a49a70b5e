/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The processor's page walk, as a pure function of table bytes.
 *
 * Used by src/cpu on the modelled shadow tables, and wherever the guest's own
 * tables must be read as hardware would read them.  It sets no A or D bit and
 * counts nothing; it says how many references it made.
 *
 * Order of checks, per entry from the top: not present, then reserved bits;
 * protection last, from the combined rights and the protection key.  SDM
 * vol. 3A, "Access Rights", "Protection Keys" and "Page-Fault Exceptions".
 *
 * Left out: PKS, shadow stacks, AMD's reserved bit 8 of a PML4 entry.
 */
#ifndef NOTRAP_PAGING_WALK_H
#define NOTRAP_PAGING_WALK_H

#include "mem/mem.h"

/* What a walk depends on besides the address. */
struct paging_ctx {
	enum paging_mode mode;
	hpa_t root;        /* CR3's address: top table; in PAE not used */
	uint64_t pdpte[4]; /* PAE: as loaded by MOV CR3 (not re-read) */
	bool wp;           /* CR0.WP */
	bool nxe;          /* EFER.NXE */
	bool pse;          /* CR4.PSE, 32-bit paging */
	bool smep;         /* CR4.SMEP */
	bool smap;         /* CR4.SMAP; see ACCESS_AC */
	bool pke;          /* CR4.PKE, 4 and 5 levels */
	uint32_t pkru;
	bool has_1g; /* CPUID: 1 GiB pages; without, PS is reserved there */
	uint8_t maxphyaddr;
};

struct walk {
	bool fault;
	uint32_t pfec; /* valid if fault: complete error code */
	hpa_t pa;      /* valid if !fault: physical address of the byte */
	uint64_t leaf; /* last entry read (0: none) */
	hpa_t table;   /* table that holds it */
	uint16_t index;
	uint8_t level;   /* level of the last entry read */
	uint8_t refs;    /* table references made */
	uint64_t rights; /* PTE_W, PTE_U, PTE_NX combined over the levels */
	hpa_t at[PT_LEVEL_MAX]; /* of each reference, from the top */
};

/*
 * access: PFEC_W, PFEC_U, PFEC_ID, ACCESS_AC of the reference.  Outside of long
 * mode gva's upper half is not looked at.  A table outside memory reads as all
 * ones (as an absent bus address does).
 */
void paging_walk_to(const struct paging_ctx *ctx, const struct mem *mem,
		    gva_t gva, uint32_t access, struct walk *ret);

static inline struct walk paging_walk(const struct paging_ctx *ctx,
				      const struct mem *mem, gva_t gva,
				      uint32_t access)
{
	struct walk w;

	paging_walk_to(ctx, mem, gva, access, &w);
	return w;
}

/* The entry of a table; all ones where there is no memory. */
uint64_t paging_read_entry(const struct paging_ctx *ctx, const struct mem *mem,
			   hpa_t table, unsigned int index);

/* Reserved bits of a present entry of this level in this mode. */
uint64_t paging_reserved(const struct paging_ctx *ctx, uint64_t entry,
			 int level);

/* The entry maps a page.  PS where there are no 1 GiB pages is reserved. */
bool paging_is_leaf(const struct paging_ctx *ctx, uint64_t entry, int level);

/*
 * Would the protection key of this leaf deny the access?  rights: as in struct
 * walk, as keys count for user pages alone.
 */
bool paging_key_denies(const struct paging_ctx *ctx, uint64_t leaf,
		       uint64_t rights, uint32_t access);

#endif
