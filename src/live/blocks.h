/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is known of each translated block: how many instructions it has and
 * where they begin, so that the instruction clock is exact even when a block
 * is left midway.
 *
 * A block is found by address and size.  Two address spaces may hold different
 * code of the same size at the same address; where their instructions differ
 * in length the entry is ambiguous, and the caller must look at the bytes.
 * Code that was written over is not such a case: what lies in the same frames
 * has taken the place of what was there.
 * This file does not know Unicorn.
 */
#ifndef NOTRAP_LIVE_BLOCKS_H
#define NOTRAP_LIVE_BLOCKS_H

#include "base/types.h"
#include "live/vcpu.h"

#define BLOCK_INSNS_MAX 512
#define BLOCK_BYTES_MAX 4352

#define BLOCKS_RECENT (1u << 16)

#define NO_REP  UINT64_MAX
#define NO_SITE UINT16_MAX

/* Where a block lies: the frames of its first and last byte. */
struct block_place {
	gfn_t first, last;
};

/* What a hit looks at comes first: one cache line. */
struct block {
	gva_t pc;     /* linear */
	gva_t rep_at; /* the repeated string instruction, or NO_REP */
	uint32_t size;
	/*
	 * Instructions the clock is charged with when the block begins: all
	 * but a repeated string instruction at the end, which goes round by
	 * executing the block, or one of that instruction alone, many times.
	 */
	uint16_t charge;
	uint16_t nr;         /* all instructions */
	uint32_t hash;       /* of the bytes */
	uint32_t code_bytes; /* estimate of what its translation takes */
	uint32_t lengths;    /* where in the arena */
	uint32_t next;       /* variant + 1: same pc and size */
	uint8_t mode;        /* enum code_mode */
	bool ambiguous;
	bool shared; /* code of other places or modes has the same entry */
	/* Offsets of sensitive instructions, of the code of this hash. */
	uint16_t first_site, last_site;
	struct block_place place; /* of the code of this hash */
};

_Static_assert(sizeof(struct block) == 64, "more than a cache line");

struct blocks {
	struct block *block;
	uint32_t nr, max;
	uint32_t *index; /* hash table: block + 1 */
	uint32_t index_bits;
	uint8_t *arena; /* instruction lengths */
	uint32_t nr_lengths, max_lengths;
	gva_t watched; /* never in recent */
	bool never_recent;
	/* By low bits of pc; only what blocks_recent() may answer. */
	const struct block *recent[BLOCKS_RECENT];
};

/* -ENOMEM. */
int blocks_create(struct blocks *ret);
void blocks_destroy(struct blocks *blocks);
void blocks_clear(struct blocks *blocks);

/* The code of one translation. */
struct block_key {
	gva_t pc;
	uint16_t size;
	enum code_mode mode;
	uint32_t hash;
	struct block_place place;
};

/* What blocks_add() is told. */
struct block_shape {
	struct block_key key;
	uint32_t code_bytes;
	uint16_t nr;
	bool rep; /* the last instruction is a repeated string instruction */
	uint16_t first_site, last_site; /* NO_SITE: none */
	const uint8_t *lengths;         /* nr of them */
};

/* Known already?  NULL: no. */
const struct block *blocks_known(const struct blocks *blocks,
				 const struct block_key *key);

/*
 * Blocks that differ in nothing the clock cares about share an entry, which
 * has the mode, hash, sites and place of the last one.  The frames' earlier
 * code has no translations any more.  Pointers handed out before are void
 * afterwards.  NULL: out of memory.
 */
const struct block *blocks_add(struct blocks *blocks,
			       const struct block_shape *shape);

/* Any variant, perhaps an ambiguous one; NULL: has never been added. */
const struct block *blocks_find(struct blocks *blocks, gva_t pc, uint16_t size);

/* One instruction; a better spread would not pay for a second one. */
static inline uint32_t blocks_slot(gva_t pc)
{
	return (uint16_t)pc;
}

/*
 * The hit: a block that was found before, is not ambiguous and needs no second
 * look.  NULL: ask blocks_find().
 */
static inline const struct block *blocks_recent(const struct blocks *blocks,
						gva_t pc, uint32_t size)
{
	const struct block *block = blocks->recent[blocks_slot(pc)];

	if (likely(block->pc == pc && block->size == size))
		return block;
	return NULL;
}

/* Blocks at this address need a second look; UINT64_MAX: none does. */
void blocks_watch(struct blocks *blocks, gva_t pc);

/* All blocks do. */
void blocks_watch_all(struct blocks *blocks);

/*
 * How many instructions lie before this offset; false: none begins or ends
 * there.
 */
bool block_insns_before(const struct blocks *blocks, const struct block *block,
			uint64_t offset, uint16_t *ret);

/*
 * Of all its instructions; valid as long as the pointer to the block.  The
 * arena goes on: BLOCKS_SLACK bytes can be read, however few are lengths.
 */
#define BLOCKS_SLACK 16
static inline const uint8_t *blocks_lengths(const struct blocks *blocks,
					    const struct block *block)
{
	return blocks->arena + block->lengths;
}

/* Length of instruction number i. */
uint8_t block_length(const struct blocks *blocks, const struct block *block,
		     uint16_t i);

#endif
