/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "live/stale.h"

#define STALE_BITS_MIN 14

int stale_create(struct stale *ret)
{
	struct stale stale = {.bits = STALE_BITS_MIN};

	stale.block = calloc(1u << STALE_BITS_MIN, sizeof(*stale.block));
	if (!stale.block)
		return -ENOMEM;
	*ret = stale;
	return 0;
}

void stale_destroy(struct stale *stale)
{
	free(stale->block);
	*stale = (struct stale){0};
}

void stale_clear(struct stale *stale)
{
	if (stale->block)
		memset(stale->block, 0, sizeof(*stale->block) << stale->bits);
	stale->nr = 0;
}

static struct stale_block *find_slot(const struct stale *stale, gva_t pc,
				     hpa_t hpa, uint32_t size)
{
	uint32_t mask = (1u << stale->bits) - 1;
	uint32_t at =
		hash_u64(pc ^ hpa << 20 ^ (uint64_t)size << 50, stale->bits);

	for (;; at = (at + 1) & mask) {
		struct stale_block *block = &stale->block[at];

		if (!block->hpa || (block->pc == pc && block->hpa == hpa + 1 &&
				    block->size == size))
			return block;
	}
}

static int grow(struct stale *stale)
{
	struct stale_block *old = stale->block;
	uint32_t nr_old = 1u << stale->bits;
	struct stale_block *bigger =
		calloc((size_t)nr_old * 2, sizeof(*bigger));

	if (!bigger)
		return -ENOMEM;
	stale->block = bigger;
	stale->bits++;
	for (uint32_t i = 0; i < nr_old; i++)
		if (old[i].hpa)
			*find_slot(stale, old[i].pc, old[i].hpa - 1,
				   old[i].size) = old[i];
	free(old);
	return 0;
}

int stale_note(struct stale *stale, gva_t pc, hpa_t hpa, uint32_t size,
	       uint32_t hash)
{
	struct stale_block *block;

	if (stale->nr >= (1u << stale->bits) / 2 && grow(stale))
		return -ENOMEM;
	block = find_slot(stale, pc, hpa, size);
	if (!block->hpa)
		stale->nr++;
	*block = (struct stale_block){
		.pc = pc, .hpa = hpa + 1, .size = size, .hash = hash};
	return 0;
}

enum stale_verdict stale_check(const struct stale *stale, gva_t pc, hpa_t hpa,
			       uint32_t size, uint32_t hash)
{
	const struct stale_block *block = find_slot(stale, pc, hpa, size);

	if (!block->hpa)
		return STALE_UNKNOWN;
	return block->hash == hash ? STALE_FRESH : STALE_STALE;
}
