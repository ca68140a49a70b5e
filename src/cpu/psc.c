/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cpu/psc.h"

#include <string.h>

int psc_init(struct psc *psc, const struct cpu_array shape[NR_PSC])
{
	memset(psc, 0, sizeof(*psc));
	contexts_init(&psc->contexts);
	psc->current = contexts_give(&psc->contexts, 0);
	for (int i = 0; i < NR_PSC; i++) {
		int err = assoc_init(&psc->array[i], &shape[i]);

		if (err)
			return err;
	}
	return 0;
}

void psc_finish(struct psc *psc)
{
	for (int i = 0; i < NR_PSC; i++)
		assoc_finish(&psc->array[i]);
}

static struct assoc *array_of(struct psc *psc, int level)
{
	return &psc->array[level - 2 + PSC_PDE];
}

/* The address bits that select the entry, and those above. */
static uint64_t prefix(enum paging_mode mode, uint64_t address, int level)
{
	return (address & BITS(56, 0)) >> paging_shift(mode, level);
}

/* Of those that select an entry above level 2. */
#define ENTRY_BITS 9

static uint64_t tag_of(uint64_t number, unsigned int context)
{
	return (uint64_t)context << ASSOC_CONTEXT_SHIFT | number;
}

int psc_lookup(struct psc *psc, enum paging_mode mode, uint64_t address)
{
	uint64_t number = prefix(mode, address, 2);
	const int levels = paging_levels(mode);

	for (int level = 2; level <= levels; level++, number >>= ENTRY_BITS) {
		struct assoc *a = array_of(psc, level);
		uint32_t set, slot;

		if (!a->sets)
			continue;
		set = assoc_set(a, number);
		slot = assoc_find(a, set, tag_of(number, psc->current));
		if (slot == ASSOC_NONE)
			continue;
		assoc_touch(a, set, slot);
		return level;
	}
	return 0;
}

void psc_fill(struct psc *psc, enum paging_mode mode, uint64_t address,
	      int level)
{
	uint64_t number = prefix(mode, address, level);
	uint64_t tag = tag_of(number, psc->current);
	struct assoc *a = array_of(psc, level);

	if (a->sets && assoc_find(a, assoc_set(a, number), tag) == ASSOC_NONE)
		assoc_insert(a, assoc_set(a, number), tag, &psc->contexts);
}

static void renumber(struct psc *psc)
{
	uint16_t map[CONTEXT_NUMBERS];

	contexts_renumber(&psc->contexts, map);
	for (int i = 0; i < NR_PSC; i++)
		assoc_renumber(&psc->array[i], map);
}

static void take_number(struct psc *psc)
{
	psc->current = contexts_number(&psc->contexts, psc->pcid);
	if (psc->current)
		return;
	psc->current = contexts_give(&psc->contexts, psc->pcid);
	if (psc->current)
		return;
	renumber(psc);
	psc->current = contexts_give(&psc->contexts, psc->pcid);
}

void psc_flush(struct psc *psc)
{
	contexts_flush_all(&psc->contexts);
	take_number(psc);
}

void psc_flush_pcid(struct psc *psc, uint16_t pcid)
{
	contexts_flush(&psc->contexts, pcid);
	take_number(psc);
}

void psc_mov_cr3(struct psc *psc, uint16_t pcid, bool keep)
{
	psc->pcid = pcid;
	if (!keep)
		contexts_flush(&psc->contexts, pcid);
	take_number(psc);
}

void psc_invlpg(struct psc *psc)
{
	psc_flush_pcid(psc, psc->pcid);
}

void psc_invpcid_page(struct psc *psc, enum paging_mode mode, uint16_t pcid,
		      uint64_t address)
{
	unsigned int context = contexts_number(&psc->contexts, pcid);

	for (int level = 2; context && level <= paging_levels(mode); level++) {
		uint64_t number = prefix(mode, address, level);
		struct assoc *a = array_of(psc, level);
		uint32_t slot;

		if (!a->sets)
			continue;
		slot = assoc_find(a, assoc_set(a, number),
				  tag_of(number, context));
		if (slot != ASSOC_NONE)
			assoc_drop(a, slot);
	}
}
