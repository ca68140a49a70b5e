/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cpu/tlb.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define EPOCH_MAX PAGE_MASK

/* Of a tag: the page number, 57 address bits; the size; the context. */
#define PAGE_BITS  BITS(44, 0)
#define SIZE_SHIFT 45

static unsigned int size_shift(enum tlb_size size)
{
	return PAGE_SHIFT + 9 * (unsigned int)size;
}

static uint64_t page_number(gva_t gva, enum tlb_size size)
{
	return (gva & BITS(56, 0)) >> size_shift(size);
}

static uint64_t tag_of(uint64_t page, enum tlb_size size, unsigned int number)
{
	return (uint64_t)number << ASSOC_CONTEXT_SHIFT |
	       (uint64_t)size << SIZE_SHIFT | page;
}

/* --- Create -------------------------------------------------------------- */

static int init_array(struct tlb_array *a, const struct tlb_array_desc *desc)
{
	const struct cpu_array *shape = &desc->array;
	size_t slots = (size_t)shape->sets * shape->ways;
	int err = assoc_init(&a->assoc, shape);

	if (err)
		return err;
	a->kinds = desc->kinds;
	a->sizes = desc->sizes;
	a->grants = calloc(slots, sizeof(*a->grants));
	a->from = calloc(slots, sizeof(*a->from));
	return a->grants && a->from ? 0 : -ENOMEM;
}

/* Those that share a size have the same kinds or none in common. */
static bool are_alike(const struct tlb_array *a, const struct tlb_array *b,
		      enum tlb_size size)
{
	return a->kinds == b->kinds && (a->sizes & b->sizes & BIT(size));
}

static void count_alike(struct tlb *tlb)
{
	for (unsigned int i = 0; i < tlb->nr; i++) {
		struct tlb_array *a = &tlb->array[i];

		for (unsigned int k = 0; k < tlb->nr; k++) {
			if ((i < tlb->nr_first) != (k < tlb->nr_first))
				continue;
			for (enum tlb_size s = TLB_4K; s < NR_TLB_SIZES; s++) {
				bool alike = are_alike(a, &tlb->array[k], s);

				if (!alike)
					continue;
				a->alike[s]++;
				if (k < i)
					a->which[s]++;
			}
		}
		for (enum tlb_size s = TLB_4K; s < NR_TLB_SIZES; s++)
			if (a->alike[s])
				a->alike_reciprocal[s] =
					divide_reciprocal(a->alike[s]);
	}
}

static void list_asked(struct tlb *tlb)
{
	for (unsigned int i = 0; i < tlb->nr * NR_TLB_SIZES * TLB_KINDS; i++) {
		unsigned int n = i / NR_TLB_SIZES % tlb->nr;
		unsigned int kind = i / NR_TLB_SIZES / tlb->nr;
		unsigned int size = i % NR_TLB_SIZES;
		struct tlb_asked *asked = n < tlb->nr_first
						  ? &tlb->first[kind]
						  : &tlb->second[kind];

		if (!(tlb->array[n].kinds & kind) ||
		    !(tlb->array[n].sizes & BIT(size)))
			continue;
		asked->of[asked->nr].array = &tlb->array[n];
		asked->of[asked->nr++].size = (enum tlb_size)size;
		asked->sizes |= (uint8_t)BIT(size);
	}
}

/* Kinds whose 4 KiB pages are in one array, have one front. */
static unsigned int front_of(const struct tlb *tlb, uint32_t kind)
{
	unsigned int i = 0;

	while (!(tlb->array[i].kinds & kind) ||
	       !(tlb->array[i].sizes & TLB_SIZE_4K))
		i++;
	return (unsigned int)__builtin_ctz(tlb->array[i].kinds);
}

int tlb_init(struct tlb *tlb, const struct cpu_geometry *geometry)
{
	*tlb = (struct tlb){.epoch = 1};
	for (uint8_t level = 1; level <= TLB_LEVELS; level++) {
		for (unsigned int i = 0; i < geometry->nr_tlbs; i++) {
			int err;

			if (geometry->tlb[i].level != level)
				continue;
			err = init_array(&tlb->array[tlb->nr++],
					 &geometry->tlb[i]);
			if (err)
				return err;
		}
		if (level == 1)
			tlb->nr_first = tlb->nr;
	}
	count_alike(tlb);
	list_asked(tlb);
	for (uint32_t kind = 1; kind < TLB_KINDS; kind *= 2)
		tlb->front[kind] = tlb->fronts[front_of(tlb, kind)];
	contexts_init(&tlb->contexts);
	tlb->current = contexts_give(&tlb->contexts, 0);
	return 0;
}

void tlb_finish(struct tlb *tlb)
{
	for (unsigned int i = 0; i < tlb->nr; i++) {
		assoc_finish(&tlb->array[i].assoc);
		free(tlb->array[i].grants);
		free(tlb->array[i].from);
	}
	tlb->nr = 0;
}

/* --- Fronts and contexts ------------------------------------------------- */

/* Nothing that is in front is known any more. */
static void forget_fronts(struct tlb *tlb)
{
	if (tlb->epoch < EPOCH_MAX) {
		tlb->epoch++;
		return;
	}
	tlb->epoch = 1;
	memset(tlb->fronts, 0, sizeof(tlb->fronts));
}

/* An entry, and the page size it is of. */
struct place {
	struct tlb_array *array;
	enum tlb_size size;
	uint32_t set, slot;
};

static void set_front(struct tlb *tlb, const struct place *at, gva_t gva,
		      uint32_t kind)
{
	struct tlb_array *a = at->array;

	tlb->front[kind][(gva >> PAGE_SHIFT) % TLB_FRONTS] = (struct tlb_front){
		.tag = (gva & ~PAGE_MASK) | tlb->epoch,
		.what = a->assoc.tag[at->slot],
		.where = &a->assoc.tag[at->slot],
		.assoc = &a->assoc,
		.set = assoc_at(&a->assoc, at->set),
		.way = at->slot - at->set * a->assoc.ways,
		.grants = &a->grants[at->slot],
	};
}

static void renumber(struct tlb *tlb)
{
	uint16_t map[CONTEXT_NUMBERS];

	contexts_renumber(&tlb->contexts, map);
	for (unsigned int i = 0; i < tlb->nr; i++)
		assoc_renumber(&tlb->array[i].assoc, map);
	tlb->current = contexts_number(&tlb->contexts, tlb->pcid);
	tlb->global = contexts_number(&tlb->contexts, CONTEXT_GLOBAL);
}

static unsigned int number_of(struct tlb *tlb, unsigned int context)
{
	unsigned int n = contexts_number(&tlb->contexts, context);

	if (!n)
		n = contexts_give(&tlb->contexts, context);
	if (!n) {
		renumber(tlb);
		n = contexts_give(&tlb->contexts, context);
	}
	return n;
}

/* Contexts have been flushed, or the PCID is another one. */
static void take_numbers(struct tlb *tlb)
{
	tlb->global = contexts_number(&tlb->contexts, CONTEXT_GLOBAL);
	tlb->current = number_of(tlb, tlb->pcid);
	forget_fronts(tlb);
}

/* --- Lookups ------------------------------------------------------------- */

/* The page's set.  False: of arrays alike, another one is this page's. */
static inline bool find_set(const struct tlb_array *a, enum tlb_size size,
			    uint64_t page, uint32_t *ret)
{
	if (a->alike[size] > 1) {
		uint32_t which;

		page = divide(page, a->alike[size], a->alike_reciprocal[size],
			      &which);
		if (which != a->which[size])
			return false;
	}
	*ret = assoc_set(&a->assoc, page);
	return true;
}

/* The entry of the current context, or the global one. */
static uint32_t find(const struct tlb *tlb, const struct tlb_array *a,
		     uint32_t set, enum tlb_size size, uint64_t page)
{
	uint32_t slot =
		assoc_find(&a->assoc, set, tag_of(page, size, tlb->current));

	if (slot == ASSOC_NONE && unlikely(tlb->global))
		slot = assoc_find(&a->assoc, set,
				  tag_of(page, size, tlb->global));
	return slot;
}

/* With the rights. */
static bool search(struct tlb *tlb, const struct tlb_asked *asked, gva_t gva,
		   uint32_t needs, struct place *ret)
{
	for (unsigned int i = 0; i < asked->nr; i++) {
		enum tlb_size size = asked->of[i].size;
		struct tlb_array *a = asked->of[i].array;
		uint64_t page = page_number(gva, size);
		uint32_t set, slot;

		if (!(tlb->held & BIT(size)) || !find_set(a, size, page, &set))
			continue;
		slot = find(tlb, a, set, size, page);
		if (slot == ASSOC_NONE || (needs & ~a->grants[slot]))
			continue;
		assoc_touch(&a->assoc, set, slot);
		*ret = (struct place){a, size, set, slot};
		return true;
	}
	return false;
}

bool tlb_lookup_first(struct tlb *tlb, gva_t gva, uint32_t needs)
{
	uint32_t kind = needs & (TLB_READ | TLB_WRITE | TLB_FETCH);
	struct place place;

	if (!search(tlb, &tlb->first[kind], gva, needs, &place))
		return false;
	set_front(tlb, &place, gva, kind);
	return true;
}

/* --- Fills --------------------------------------------------------------- */

static struct place put(struct tlb *tlb, struct tlb_array *a, uint32_t set,
			const struct tlb_page *page, uint64_t number)
{
	unsigned int context = page->global ? tlb->global : tlb->current;
	uint64_t tag = tag_of(number, page->size, context);
	uint32_t slot = assoc_find(&a->assoc, set, tag);

	if (slot == ASSOC_NONE)
		slot = assoc_insert(&a->assoc, set, tag, &tlb->contexts);
	else
		assoc_touch(&a->assoc, set, slot);
	a->grants[slot] = (uint16_t)page->grants;
	a->from[slot] = page->from;
	return (struct place){a, page->size, set, slot};
}

/* Into one array, as those of a kind and a size are alike. */
static void put_level(struct tlb *tlb, const struct tlb_asked *level,
		      uint32_t kind, const struct tlb_page *page)
{
	const struct tlb_asked *asked = &level[kind];
	uint64_t number = page_number(page->gva, page->size);

	tlb->held |= (uint8_t)BIT(page->size);
	for (unsigned int i = 0; i < asked->nr; i++) {
		struct tlb_array *a = asked->of[i].array;
		struct place place;
		uint32_t set;

		if (asked->of[i].size != page->size ||
		    !find_set(a, page->size, number, &set))
			continue;
		place = put(tlb, a, set, page, number);
		if (level == tlb->first)
			set_front(tlb, &place, page->gva, kind);
		return;
	}
}

/* It always takes 4 KiB. */
static bool is_taken(const struct tlb *tlb, uint32_t kind, enum tlb_size size)
{
	return tlb->first[kind].sizes & BIT(size);
}

/* As much of the page as the first level takes, if that is not all of it. */
static const struct tlb_page *piece_of(const struct tlb *tlb, uint32_t kind,
				       const struct tlb_page *page,
				       struct tlb_page *piece)
{
	if (likely(is_taken(tlb, kind, page->size)))
		return page;
	*piece = *page;
	while (!is_taken(tlb, kind, piece->size))
		piece->size--;
	if (!piece->from)
		piece->from = (uint8_t)size_shift(page->size);
	return piece;
}

void tlb_fill(struct tlb *tlb, uint32_t kind, const struct tlb_page *page)
{
	struct tlb_page room;
	const struct tlb_page *piece = piece_of(tlb, kind, page, &room);

	tlb->has_pieces |= piece->from != 0;
	tlb->has_keys |= (piece->grants & TLB_KEYED) != 0;
	if (piece->global && !tlb->global)
		tlb->global = number_of(tlb, CONTEXT_GLOBAL);
	put_level(tlb, tlb->first, kind, piece);
	put_level(tlb, tlb->second, kind,
		  tlb->second[kind].sizes & BIT(page->size) ? page : piece);
}

bool tlb_lookup_second(struct tlb *tlb, gva_t gva, uint32_t needs)
{
	uint32_t kind = needs & (TLB_READ | TLB_WRITE | TLB_FETCH);
	struct tlb_page page = {.gva = gva}, room;
	const struct tlb_page *piece;
	const struct tlb_array *a;
	struct place found;

	if (!search(tlb, &tlb->second[kind], gva, needs, &found))
		return false;
	a = found.array;
	page.grants = a->grants[found.slot];
	page.from = a->from[found.slot];
	page.global =
		tlb->global &&
		a->assoc.tag[found.slot] >> ASSOC_CONTEXT_SHIFT == tlb->global;
	page.size = found.size;
	piece = piece_of(tlb, kind, &page, &room);
	tlb->has_pieces |= piece->from != 0;
	put_level(tlb, tlb->first, kind, piece);
	return true;
}

/* --- Protection keys ----------------------------------------------------- */

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

static uint32_t rekeyed(uint32_t grants, uint32_t pkru)
{
	if (!(grants & TLB_KEYED))
		return grants;
	grants &= ~(uint32_t)(TLB_READ | TLB_WRITE);
	return grants |
	       tlb_keyed(grants >> TLB_KEY_SHIFT, grants & TLB_MAY_WRITE, pkru);
}

/* A fetch asks for none of what a key takes. */
void tlb_set_pkru(struct tlb *tlb, uint32_t pkru)
{
	if (!tlb->has_keys)
		return;
	for (unsigned int i = 0; i < tlb->nr; i++) {
		struct tlb_array *a = &tlb->array[i];
		uint32_t nr = a->assoc.sets * a->assoc.ways;

		for (uint32_t k = 0; k < nr; k++)
			a->grants[k] = (uint16_t)rekeyed(a->grants[k], pkru);
	}
}

/* --- Flushes ------------------------------------------------------------- */

void tlb_flush(struct tlb *tlb)
{
	contexts_flush_all(&tlb->contexts);
	tlb->has_pieces = tlb->has_keys = false;
	tlb->held = 0;
	take_numbers(tlb);
}

void tlb_flush_contexts(struct tlb *tlb)
{
	for (unsigned int i = 0; i < CONTEXT_GLOBAL; i++)
		if (contexts_number(&tlb->contexts, i))
			contexts_flush(&tlb->contexts, i);
	take_numbers(tlb);
}

void tlb_flush_pcid(struct tlb *tlb, uint16_t pcid)
{
	contexts_flush(&tlb->contexts, pcid);
	take_numbers(tlb);
}

void tlb_flush_current(struct tlb *tlb)
{
	contexts_flush(&tlb->contexts, CONTEXT_GLOBAL);
	tlb_flush_pcid(tlb, tlb->pcid);
}

void tlb_mov_cr3(struct tlb *tlb, uint16_t pcid, bool keep)
{
	tlb->pcid = pcid;
	if (!keep)
		contexts_flush(&tlb->contexts, pcid);
	take_numbers(tlb);
}

/* Which entries of a page are meant. */
enum scope {
	SCOPE_CURRENT, /* one number, and the global one */
	SCOPE_NUMBER,  /* one number */
	SCOPE_ANY,
};

static bool is_in_scope(const struct tlb *tlb, uint64_t tag, enum scope scope,
			unsigned int number)
{
	unsigned int n = (unsigned int)(tag >> ASSOC_CONTEXT_SHIFT);

	return scope == SCOPE_ANY || n == number ||
	       (scope == SCOPE_CURRENT && tlb->global && n == tlb->global);
}

static enum tlb_size size_of(uint64_t tag)
{
	return (enum tlb_size)(tag >> SIZE_SHIFT & 3);
}

/* Does the entry, or the guest's page that it is a piece of, hold gva? */
static bool holds(const struct tlb_array *a, uint32_t slot, gva_t gva)
{
	uint64_t tag = a->assoc.tag[slot];
	unsigned int shift = size_shift(size_of(tag));
	uint64_t begins = (tag & PAGE_BITS) << shift;

	if (a->from[slot] > shift)
		shift = a->from[slot];
	return (begins ^ (gva & BITS(56, 0))) >> shift == 0;
}

static void drop_by_search(struct tlb *tlb, struct tlb_array *a, gva_t gva,
			   enum scope scope, unsigned int number)
{
	uint32_t nr = a->assoc.sets * a->assoc.ways;

	for (uint32_t i = 0; i < nr; i++) {
		uint64_t tag = a->assoc.tag[i];

		if (tag && is_in_scope(tlb, tag, scope, number) &&
		    holds(a, i, gva))
			assoc_drop(&a->assoc, i);
	}
}

static void drop_tag(struct tlb_array *a, gva_t gva, enum tlb_size size,
		     unsigned int number)
{
	uint64_t page = page_number(gva, size);
	uint32_t set, slot;

	if (!find_set(a, size, page, &set))
		return;
	slot = assoc_find(&a->assoc, set, tag_of(page, size, number));
	if (slot != ASSOC_NONE)
		assoc_drop(&a->assoc, slot);
}

static void drop_by_place(struct tlb *tlb, struct tlb_array *a, gva_t gva,
			  enum scope scope, unsigned int number)
{
	for (enum tlb_size s = TLB_4K; s < NR_TLB_SIZES; s++) {
		if (!(a->sizes & BIT(s)))
			continue;
		drop_tag(a, gva, s, number);
		if (scope == SCOPE_CURRENT && tlb->global)
			drop_tag(a, gva, s, tlb->global);
	}
}

static void drop_page(struct tlb *tlb, gva_t gva, enum scope scope,
		      unsigned int number)
{
	for (unsigned int i = 0; i < tlb->nr; i++) {
		if (tlb->has_pieces || scope == SCOPE_ANY)
			drop_by_search(tlb, &tlb->array[i], gva, scope, number);
		else
			drop_by_place(tlb, &tlb->array[i], gva, scope, number);
	}
	forget_fronts(tlb);
}

void tlb_invlpg(struct tlb *tlb, gva_t gva)
{
	drop_page(tlb, gva, SCOPE_CURRENT, tlb->current);
}

void tlb_invpcid_page(struct tlb *tlb, uint16_t pcid, gva_t gva)
{
	unsigned int number = contexts_number(&tlb->contexts, pcid);

	if (number)
		drop_page(tlb, gva, SCOPE_NUMBER, number);
}

void tlb_invvpid_page(struct tlb *tlb, gva_t gva)
{
	drop_page(tlb, gva, SCOPE_ANY, 0);
}
