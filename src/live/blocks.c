/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An open-addressed index over a growing array, and an arena of lengths. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bug.h"
#include "base/hash.h"
#include "live/blocks.h"

#define INDEX_BITS_MIN 14

/* Of one block; a bound on the work, not on what is right. */
#define VARIANTS_MAX 16

/* Stands in empty places of the cache: no block begins there. */
static const struct block no_block = {.pc = UINT64_MAX};

static void forget_recent(struct blocks *blocks)
{
	for (uint32_t i = 0; i < BLOCKS_RECENT; i++)
		blocks->recent[i] = &no_block;
}

void blocks_watch(struct blocks *blocks, gva_t pc)
{
	blocks->watched = pc;
	blocks->recent[blocks_slot(pc)] = &no_block;
}

void blocks_watch_all(struct blocks *blocks)
{
	blocks->never_recent = true;
	forget_recent(blocks);
}

static void note_recent(struct blocks *blocks, const struct block *block)
{
	bool plain = !block->ambiguous && !blocks->never_recent &&
		     block->pc != blocks->watched;

	blocks->recent[blocks_slot(block->pc)] = plain ? block : &no_block;
}

int blocks_create(struct blocks *ret)
{
	*ret = (struct blocks){.index_bits = INDEX_BITS_MIN,
			       .watched = UINT64_MAX};
	ret->index = calloc(1u << INDEX_BITS_MIN, sizeof(*ret->index));
	if (!ret->index)
		return -ENOMEM;
	forget_recent(ret);
	return 0;
}

void blocks_destroy(struct blocks *blocks)
{
	free(blocks->block);
	free(blocks->index);
	free(blocks->arena);
	*blocks = (struct blocks){0};
}

void blocks_clear(struct blocks *blocks)
{
	memset(blocks->index, 0, sizeof(*blocks->index) << blocks->index_bits);
	forget_recent(blocks);
	blocks->nr = 0;
	blocks->nr_lengths = 0;
}

static uint32_t *find_index(const struct blocks *blocks, gva_t pc,
			    uint32_t size)
{
	uint32_t mask = (1u << blocks->index_bits) - 1;
	uint32_t at = hash_u64(pc ^ (uint64_t)size << 48, blocks->index_bits);

	for (; blocks->index[at]; at = (at + 1) & mask) {
		const struct block *block =
			&blocks->block[blocks->index[at] - 1];

		if (block->pc == pc && block->size == size)
			break;
	}
	return &blocks->index[at];
}

static int grow_index(struct blocks *blocks)
{
	uint32_t *old = blocks->index;
	uint32_t nr_old = 1u << blocks->index_bits;
	uint32_t *index = calloc((size_t)nr_old * 2, sizeof(*index));

	if (!index)
		return -ENOMEM;
	blocks->index = index;
	blocks->index_bits++;
	for (uint32_t i = 0; i < nr_old; i++) {
		const struct block *block;

		if (!old[i])
			continue;
		block = &blocks->block[old[i] - 1];
		*find_index(blocks, block->pc, block->size) = old[i];
	}
	free(old);
	return 0;
}

/* The array with room for `need` elements, perhaps moved; NULL: no memory. */
static void *grown(void *array, uint32_t *max, uint32_t need, size_t size)
{
	uint32_t bigger = *max ? *max * 2 : 4096;
	void *p;

	if (need <= *max)
		return array;
	p = realloc(array, bigger * size);
	if (p)
		*max = bigger;
	return p;
}

static int make_room(struct blocks *blocks)
{
	void *block = grown(blocks->block, &blocks->max, blocks->nr + 1,
			    sizeof(*blocks->block));
	void *arena;

	if (!block)
		return -ENOMEM;
	if (block != blocks->block)
		forget_recent(blocks);
	blocks->block = block;

	arena = grown(blocks->arena, &blocks->max_lengths,
		      blocks->nr_lengths + BLOCK_INSNS_MAX + BLOCKS_SLACK, 1);
	if (!arena)
		return -ENOMEM;
	blocks->arena = arena;

	if (blocks->nr >= (1u << blocks->index_bits) / 2)
		return grow_index(blocks);
	return 0;
}

static bool is_at(const struct block *block, const struct block_key *key)
{
	return block->mode == key->mode &&
	       block->place.first == key->place.first &&
	       block->place.last == key->place.last;
}

const struct block *blocks_known(const struct blocks *blocks,
				 const struct block_key *key)
{
	uint32_t at = *find_index(blocks, key->pc, key->size);

	while (at) {
		const struct block *block = &blocks->block[at - 1];

		if (block->hash == key->hash && is_at(block, key))
			return block;
		at = block->next;
	}
	return NULL;
}

static bool has_lengths(const struct blocks *blocks, const struct block *block,
			const struct block_shape *shape)
{
	return block->nr == shape->nr &&
	       (block->rep_at != NO_REP) == shape->rep &&
	       !memcmp(blocks->arena + block->lengths, shape->lengths,
		       shape->nr);
}

/* All there is is the code that the new one was written over. */
static bool takes_place(const struct block *block,
			const struct block_shape *shape)
{
	return !block->next && !block->ambiguous && !block->shared &&
	       is_at(block, &shape->key);
}

/*
 * A block that has just these lengths, or whose place is taken, or, when code
 * that keeps changing has left too many, any; NULL: none.
 */
static struct block *find_variant(const struct blocks *blocks, uint32_t at,
				  const struct block_shape *shape)
{
	struct block *block = NULL;
	unsigned int nr;

	for (nr = 0; at; nr++) {
		block = &blocks->block[at - 1];
		if (has_lengths(blocks, block, shape) ||
		    takes_place(block, shape))
			return block;
		at = block->next;
	}
	return nr < VARIANTS_MAX ? NULL : block;
}

static void set_shape(struct blocks *blocks, struct block *block,
		      const struct block_shape *shape)
{
	gva_t at = shape->key.pc;

	block->nr = shape->nr;
	block->charge = (uint16_t)(shape->nr - shape->rep);
	block->lengths = blocks->nr_lengths;
	memcpy(blocks->arena + block->lengths, shape->lengths, shape->nr);
	blocks->nr_lengths += shape->nr;

	for (uint16_t i = 0; i < block->charge; i++)
		at += shape->lengths[i];
	block->rep_at = shape->rep ? at : NO_REP;
}

static void mark_ambiguous(struct blocks *blocks, uint32_t at)
{
	for (; at; at = blocks->block[at - 1].next)
		blocks->block[at - 1].ambiguous = true;
}

const struct block *blocks_add(struct blocks *blocks,
			       const struct block_shape *shape)
{
	struct block *block;
	uint32_t *index;

	BUG_ON(shape->nr > BLOCK_INSNS_MAX);
	if (make_room(blocks))
		return NULL;

	index = find_index(blocks, shape->key.pc, shape->key.size);
	block = find_variant(blocks, *index, shape);
	if (!block) {
		block = &blocks->block[blocks->nr];
		*block = (struct block){.pc = shape->key.pc,
					.size = shape->key.size,
					.next = *index};
		set_shape(blocks, block, shape);
		*index = ++blocks->nr;
		if (block->next)
			mark_ambiguous(blocks, *index);
	} else {
		block->shared |= !is_at(block, &shape->key);
		if (!has_lengths(blocks, block, shape))
			set_shape(blocks, block, shape);
	}
	block->mode = (uint8_t)shape->key.mode;
	block->place = shape->key.place;
	block->code_bytes = shape->code_bytes;
	block->hash = shape->key.hash;
	block->first_site = shape->first_site;
	block->last_site = shape->last_site;
	note_recent(blocks, block);
	return block;
}

const struct block *blocks_find(struct blocks *blocks, gva_t pc, uint16_t size)
{
	uint32_t at = *find_index(blocks, pc, size);

	if (!at)
		return NULL;
	note_recent(blocks, &blocks->block[at - 1]);
	return &blocks->block[at - 1];
}

bool block_insns_before(const struct blocks *blocks, const struct block *block,
			uint64_t offset, uint16_t *ret)
{
	const uint8_t *length = blocks->arena + block->lengths;
	uint64_t at = 0;
	uint16_t i = 0;

	while (i < block->nr && at < offset)
		at += length[i++];
	*ret = i;
	return at == offset;
}

uint8_t block_length(const struct blocks *blocks, const struct block *block,
		     uint16_t i)
{
	return blocks->arena[block->lengths + i];
}
