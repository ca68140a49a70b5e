/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The oracle for self-modifying code, off by default: which bytes each block
 * was translated from, to be compared with those it has when it is executed.
 * Blocks are told apart by where they lie in RAM as well as by address.
 */
#ifndef NOTRAP_LIVE_STALE_H
#define NOTRAP_LIVE_STALE_H

#include "base/types.h"

struct stale_block {
	gva_t pc;
	hpa_t hpa; /* of the first byte, + 1; 0: slot is free */
	uint32_t size;
	uint32_t hash;
};

struct stale {
	struct stale_block *block; /* open addressing */
	uint32_t bits;
	uint32_t nr;
};

/* -ENOMEM. */
int stale_create(struct stale *ret);
void stale_destroy(struct stale *stale);
void stale_clear(struct stale *stale);

/* A block has been translated from bytes with this hash.  -ENOMEM. */
int stale_note(struct stale *stale, gva_t pc, hpa_t hpa, uint32_t size,
	       uint32_t hash);

enum stale_verdict {
	STALE_UNKNOWN, /* never noted */
	STALE_FRESH,
	STALE_STALE,
};

enum stale_verdict stale_check(const struct stale *stale, gva_t pc, hpa_t hpa,
			       uint32_t size, uint32_t hash);

#endif
