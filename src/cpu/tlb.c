/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cpu/tlb.h"

#include <string.h>

/* An epoch takes the bits of a page offset; 0 is what free ways have. */
#define EPOCH_MAX PAGE_MASK

void tlb_init(struct tlb *tlb)
{
	*tlb = (struct tlb){.epoch = 1};
}

void tlb_flush(struct tlb *tlb)
{
	uint64_t flushes = tlb->flushes + 1;

	if (tlb->epoch == EPOCH_MAX)
		tlb_init(tlb);
	else
		tlb->epoch++;
	tlb->flushes = flushes;
}

static unsigned int find(const struct tlb_set *set, uint64_t tag)
{
	unsigned int i = 0;

	while (i < TLB_WAYS && set->tag[i] != tag)
		i++;
	return i;
}

/* In the place of the page's own entry, or of the least recent one. */
static void insert(struct tlb_set *set, uint64_t tag, uint16_t grants)
{
	unsigned int i = find(set, tag);

	tlb_to_front(set, i < TLB_WAYS ? i : TLB_WAYS - 1, tag, grants);
}

static struct tlb_set *set_of(struct tlb_set *sets, unsigned int nr, gva_t gva)
{
	return &sets[(gva >> PAGE_SHIFT) % nr];
}

void tlb_fill(struct tlb *tlb, gva_t gva, bool fetch, uint32_t grants)
{
	uint64_t tag = tlb_tag(tlb, gva);

	if (fetch) {
		insert(set_of(tlb->l1i, TLB_L1I_SETS, gva), tag,
		       (uint16_t)grants);
		return;
	}
	insert(set_of(tlb->l1d, TLB_L1D_SETS, gva), tag, (uint16_t)grants);
	insert(set_of(tlb->l2, TLB_L2_SETS, gva), tag, (uint16_t)grants);
}

bool tlb_lookup_l2(struct tlb *tlb, gva_t gva, uint32_t needs)
{
	struct tlb_set *set = set_of(tlb->l2, TLB_L2_SETS, gva);
	uint64_t tag = tlb_tag(tlb, gva);

	if (!tlb_set_lookup(set, tag, needs))
		return false;
	insert(set_of(tlb->l1d, TLB_L1D_SETS, gva), tag, set->grants[0]);
	return true;
}

static void drop(struct tlb_set *set, uint64_t tag)
{
	unsigned int i = find(set, tag);

	if (i == TLB_WAYS)
		return;
	/* The free way is the next to be filled. */
	for (; i + 1 < TLB_WAYS; i++) {
		set->tag[i] = set->tag[i + 1];
		set->grants[i] = set->grants[i + 1];
	}
	set->tag[i] = 0;
}

void tlb_flush_page(struct tlb *tlb, gva_t gva)
{
	uint64_t tag = tlb_tag(tlb, gva);

	drop(set_of(tlb->l1i, TLB_L1I_SETS, gva), tag);
	drop(set_of(tlb->l1d, TLB_L1D_SETS, gva), tag);
	drop(set_of(tlb->l2, TLB_L2_SETS, gva), tag);
}

uint32_t tlb_keyed(unsigned int key, bool write, uint32_t pkru)
{
	unsigned int denied = pkru_bits(pkru, key);
	uint32_t grants = key << TLB_KEY_SHIFT | TLB_KEYED;

	if (write)
		grants |= TLB_MAY_WRITE;
	if (!(denied & PKRU_AD))
		grants |= TLB_READ;
	if (write && !denied)
		grants |= TLB_WRITE;
	return grants;
}

static void set_pkru(struct tlb_set *sets, unsigned int nr, uint32_t pkru)
{
	for (unsigned int i = 0; i < nr * TLB_WAYS; i++) {
		uint16_t *at = &sets[i / TLB_WAYS].grants[i % TLB_WAYS];
		uint32_t grants = *at & ~(uint32_t)(TLB_READ | TLB_WRITE);

		if (grants & TLB_KEYED)
			*at = (uint16_t)(grants |
					 tlb_keyed(grants >> TLB_KEY_SHIFT,
						   grants & TLB_MAY_WRITE,
						   pkru));
	}
}

/* Fetches know no keys. */
void tlb_set_pkru(struct tlb *tlb, uint32_t pkru)
{
	set_pkru(tlb->l1d, TLB_L1D_SETS, pkru);
	set_pkru(tlb->l2, TLB_L2_SETS, pkru);
}
