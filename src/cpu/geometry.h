/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What translation hardware a processor has: the shape of its TLBs, of its
 * paging-structure caches, and of the caches that its page walks read through.
 * Shape only; what a hit or a reference costs is in the account.
 */
#ifndef NOTRAP_CPU_GEOMETRY_H
#define NOTRAP_CPU_GEOMETRY_H

#include "base/types.h"

enum cpu_policy {
	CPU_LRU,
	CPU_PLRU, /* tree; up to CPU_PLRU_WAYS_MAX ways */
	CPU_FIFO,
	CPU_RANDOM, /* a fixed sequence */
};

#define CPU_WAYS_MAX      256
#define CPU_PLRU_WAYS_MAX 64

/* Sets need not be a power of two; 1 is fully associative. */
struct cpu_array {
	uint32_t sets; /* 0: there is none */
	uint16_t ways;
	uint8_t policy; /* enum cpu_policy */
};

/* The kinds of reference that an array is asked for. */
#define TLB_KIND_LOAD  BIT(0)
#define TLB_KIND_STORE BIT(1)
#define TLB_KIND_FETCH BIT(2)

/*
 * The pages that it holds; 4 MiB pages are two of 2 MiB.  A page of a size that
 * no array of the first level holds for its kind is held in pieces of the next
 * smaller size that one does.
 */
#define TLB_SIZE_4K BIT(0)
#define TLB_SIZE_2M BIT(1)
#define TLB_SIZE_1G BIT(2)

#define TLB_LEVELS     2
#define TLB_NAME_MAX   16
#define TLB_ARRAYS_MAX 12

/*
 * Arrays of one level that share a size have the same kinds or none in common;
 * of those alike, the page number picks one.
 */
struct tlb_array_desc {
	char name[TLB_NAME_MAX];
	uint8_t level; /* 1, 2 */
	uint8_t kinds;
	uint8_t sizes;
	struct cpu_array array;
};

/* Upper entries by the level of the table they lead to, less one. */
enum psc_level {
	PSC_PDE,
	PSC_PDPTE,
	PSC_PML4E,
	PSC_PML5E,
	NR_PSC,
};

#define CPU_CACHES 3

#define CPU_LINE_SHIFT 6

struct cpu_geometry {
	struct tlb_array_desc tlb[TLB_ARRAYS_MAX];
	unsigned int nr_tlbs;

	struct cpu_array psc[NR_PSC];
	/* The same of guest-physical addresses, beneath EPT or NPT. */
	struct cpu_array nested_tlb;
	struct cpu_array nested_psc[NR_PSC];

	struct cpu_array cache[CPU_CACHES]; /* L1, L2, L3; lines of 64 bytes */
	uint8_t table_share; /* percent of each that holds page tables */

	uint8_t walkers;
	/* Instructions within which a second walk overlaps the first. */
	uint16_t walk_window;
};

/*
 * The TLBs of a Core 2 (Merom), the machine of the patch, with paging-structure
 * caches as later processors have them.
 */
extern const struct cpu_geometry cpu_geometry_generic;

/* NULL, or what makes it no geometry: one line. */
const char *cpu_geometry_flaw(const struct cpu_geometry *geometry);

#endif
