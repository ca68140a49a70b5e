/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The shadow entries that have to fault on use: their reserved bits are all
 * that makes them non-present.  Whether a processor has such bits depends on
 * its MAXPHYADDR, on NXE and on the mode it walks the shadow in.
 */
#ifndef NOTRAP_SHADOW_MMU_TRAP_H
#define NOTRAP_SHADOW_MMU_TRAP_H

#include "paging/walk.h"
#include "shadow_mmu/smmu.h"

/* What was found, from good to bad. */
enum trap_verdict {
	TRAP_FAULTS, /* every use does, with P=1 and RSVD=1 */
	TRAP_LEADS,  /* at an upper level: the walk goes on to a table there */
	TRAP_MAPS,   /* some use is translated */
};

/* A kind of entry (traps.def). */
struct trap_value {
	const char *name; /* "trap" */
	const char *what; /* one line */
	uint64_t pte;
	bool fills;    /* all address bits from MAXPHYADDR up are set as well */
	int max_level; /* of the tables it may stand in */
	int max_width; /* of MAXPHYADDR; its users do without beyond */
};

/* As it stands in a table; 0: not used on such a processor. */
static inline uint64_t trap_pte(const struct trap_value *value, int maxphyaddr)
{
	if (maxphyaddr > value->max_width)
		return 0;
	return value->pte | (value->fills ? BITS(51, maxphyaddr) : 0);
}

const struct trap_value *trap_values(unsigned int *nr);

/* Does this configuration of the shadow MMU install it? */
bool trap_is_used(const struct smmu_config *config,
		  const struct trap_value *value);

/*
 * The worst of all uses (kernel and user; read, write, fetch) of an entry in a
 * shadow table of this level.  ctx: mode, nxe and maxphyaddr of the processor;
 * CR0.WP is on, as hypervisors keep it.
 */
enum trap_verdict trap_judge(const struct paging_ctx *ctx, uint64_t pte,
			     int level);

/* The references that trap_judge() tries. */
#define TRAP_USES 6
extern const uint32_t trap_uses[TRAP_USES];

#endif
