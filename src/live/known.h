/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Decoded instructions, by address: what an observer asks of each that makes an
 * access.  One is good as long as its bytes are the same, which is looked at
 * once an epoch.
 */
#ifndef NOTRAP_LIVE_KNOWN_H
#define NOTRAP_LIVE_KNOWN_H

#include "live/decode.h"
#include "live/nature.h"

struct live;

#define KNOWN_BITS 16

/* XSAVE is not offered, so FXSAVE has the largest operand without a size. */
#define UNSIZED_REACH 512

/*
 * What is asked for at each access, few bytes as caches hold few: all there is
 * to know where `direct`, which is code that accesses one operand or its stack,
 * as long as ES, SS and DS have no base.
 */
struct known {
	_Alignas(32) gva_t pc;
	uint64_t disp; /* of a RIP-relative operand the address */
	uint32_t epoch;
	uint16_t size;
	uint8_t mode; /* enum code_mode */
	uint8_t length;
	uint8_t base, index; /* registers; 0 with a factor of 0: none */
	uint8_t has_base, scale;
	uint8_t seg, has_seg;                 /* FS or GS */
	bool rep : 1, emulated : 1, wide : 1; /* see struct insn_begin */
	bool direct : 1, rmw : 1;
	bool on_stack : 1; /* anywhere in half a page to either side of RSP */
	bool single : 1; /* it makes one access, or none if it faults before */
	/* Looks at a segment base, or a descriptor table. */
	bool far_reaching : 1;
};
_Static_assert(sizeof(struct known) == 32, "two in a line of a cache");

/* The rest of it. */
struct known_detail {
	struct insn insn;
	struct nature nature;
	uint8_t bytes[INSN_BYTES_MAX];
};

struct known_table {
	_Alignas(64) struct known known[1 << KNOWN_BITS];
	struct known_detail detail[1 << KNOWN_BITS]; /* of each of these */
};

struct known_key {
	gva_t pc;
	uint32_t epoch;
	uint8_t mode; /* enum code_mode */
};

static inline unsigned int known_slot(gva_t pc)
{
	return (unsigned int)((pc ^ pc >> KNOWN_BITS) & (BIT(KNOWN_BITS) - 1));
}

/* NULL: not in this epoch. */
static inline const struct known *known_find(const struct known_table *table,
					     const struct known_key *key)
{
	const struct known *known = &table->known[known_slot(key->pc)];

	return known->pc == key->pc && known->epoch == key->epoch &&
			       known->mode == key->mode && known->length
		       ? known
		       : NULL;
}

/*
 * One that was not found.  bytes: INSN_BYTES_MAX at pc, or NULL, which has them
 * fetched.  NULL: no instruction, as far as the decoder can tell.  It takes the
 * place of another.
 */
const struct known *known_learn(struct known_table *table,
				const struct live *live,
				const struct known_key *key,
				const uint8_t *bytes);

static inline const struct known_detail *
known_detail(const struct known_table *table, const struct known *known)
{
	return &table->detail[known - table->known];
}

/* Bytes from an operand's address that an access to it may begin at. */
static inline uint16_t operand_reach(const struct operand *op)
{
	return op->size ? op->size : UNSIZED_REACH;
}

#endif
