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
 * It makes one access, or none if it faults before.  Of a read-modify-write
 * operand that is the write.
 */
#define KNOWN_READ  1u
#define KNOWN_WRITE 2u

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
	uint16_t next; /* slot of the one that made the access after its own */
	uint8_t length;
	uint8_t width; /* of so many bytes; 0: of whatever it pushes or pops */
	uint8_t base, index; /* registers; 0 with a factor of 0: none */
	uint8_t scale;
	unsigned int has_base : 1, has_seg : 1, seg : 3; /* FS or GS */
	unsigned int alone : 2; /* KNOWN_READ, KNOWN_WRITE: of such a one */
	bool rep : 1, emulated : 1, wide : 1; /* see struct insn_begin */
	bool direct : 1, rmw : 1;
	bool compares : 1; /* CMPXCHG (8B, 16B): the value there with rAX, */
	bool pair : 1;     /* or with rDX:rAX */
	/* Looks at a segment base, or a descriptor table. */
	bool far_reaching : 1;
};
_Static_assert(sizeof(struct known) == 32, "two in a line of a cache");

/* What it was decoded from, looked at once an epoch. */
struct known_code {
	uint8_t bytes[INSN_BYTES_MAX];
	uint8_t mode; /* enum code_mode */
};
_Static_assert(sizeof(struct known_code) == 16, "four in a line");

/* The rest of it. */
struct known_detail {
	struct insn insn;
	struct nature nature;
};

struct known_table {
	_Alignas(64) struct known known[1 << KNOWN_BITS];
	/* Of each of these: */
	struct known_code code[1 << KNOWN_BITS];
	struct known_detail detail[1 << KNOWN_BITS];
};

struct known_key {
	gva_t pc;
	uint32_t epoch; /* not 0; the mode is the same all through one */
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

	return known->pc == key->pc && known->epoch == key->epoch ? known
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
				enum code_mode mode, const uint8_t *bytes);

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
