/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The TLBs against a slow model: entries with a page, a PCID and the time of
 * their last use, which a flush takes out one by one.  No contexts, no fronts.
 */
#include <stdlib.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cpu/tlb.h"

#define D         (TLB_KIND_LOAD | TLB_KIND_STORE)
#define F         TLB_KIND_FETCH
#define ALL_SIZES (TLB_SIZE_4K | TLB_SIZE_2M | TLB_SIZE_1G)

/* Shapes of different processors, and one of none. */
static const struct cpu_geometry geometries[] = {
	{.tlb = {{"i", 1, F, TLB_SIZE_4K, {16, 8, 0}},
		 {"i2", 1, F, TLB_SIZE_2M, {1, 8, 0}},
		 {"d", 1, D, TLB_SIZE_4K, {16, 4, 0}},
		 {"d2", 1, D, TLB_SIZE_2M, {8, 4, 0}},
		 {"d1", 1, D, TLB_SIZE_1G, {1, 4, 0}},
		 {"s", 2, D | F, TLB_SIZE_4K | TLB_SIZE_2M, {32, 12, 0}},
		 {"s1", 2, D | F, TLB_SIZE_1G, {4, 4, 0}}},
	 .nr_tlbs = 7},
	/* All sizes in one, fully associative; no level 2 for fetches. */
	{.tlb = {{"i", 1, F, ALL_SIZES, {1, 16, 0}},
		 {"d", 1, D, ALL_SIZES, {1, 48, 0}},
		 {"l2", 2, D, TLB_SIZE_4K, {32, 4, 0}}},
	 .nr_tlbs = 3},
	/* Loads apart from stores, two alike in the second level. */
	{.tlb = {{"i", 1, F, TLB_SIZE_4K, {16, 8, 0}},
		 {"ld", 1, TLB_KIND_LOAD, TLB_SIZE_4K, {16, 4, 0}},
		 {"st", 1, TLB_KIND_STORE, ALL_SIZES, {1, 16, 0}},
		 {"ld2", 1, TLB_KIND_LOAD, TLB_SIZE_2M, {8, 4, 0}},
		 {"sa", 2, D | F, TLB_SIZE_4K | TLB_SIZE_2M, {16, 8, 0}},
		 {"sb", 2, D | F, TLB_SIZE_4K | TLB_SIZE_1G, {16, 8, 0}}},
	 .nr_tlbs = 6},
	/* Sets that are no power of two; one level. */
	{.tlb = {{"i", 1, F, TLB_SIZE_4K, {7, 3, 0}},
		 {"d", 1, D, TLB_SIZE_4K | TLB_SIZE_2M, {12, 5, 0}}},
	 .nr_tlbs = 2},
};

/* --- The slow model ------------------------------------------------------ */

struct slow_entry {
	bool valid, global;
	uint64_t page; /* number, of its size */
	unsigned int bits;
	unsigned int whole; /* address bits of the guest's page */
	unsigned int pcid;
	uint32_t grants;
	uint64_t used;
};

struct slow {
	const struct cpu_geometry *g;
	struct slow_entry *entry[TLB_ARRAYS_MAX];
	unsigned int pcid;
	uint64_t now;
};

static uint32_t entries(const struct slow *slow, unsigned int i)
{
	return slow->g->tlb[i].array.sets * slow->g->tlb[i].array.ways;
}

static void slow_init(struct slow *slow, const struct cpu_geometry *g)
{
	*slow = (struct slow){.g = g};
	for (unsigned int i = 0; i < g->nr_tlbs; i++) {
		slow->entry[i] =
			calloc(entries(slow, i), sizeof(struct slow_entry));
		assert_non_null(slow->entry[i]);
	}
}

static void slow_finish(struct slow *slow)
{
	for (unsigned int i = 0; i < slow->g->nr_tlbs; i++)
		free(slow->entry[i]);
}

static uint64_t page_of(gva_t gva, unsigned int bits)
{
	return gva << 7 >> 7 >> bits;
}

/* The n arrays of a level that take a size and kind, and whose turn it is. */
static struct slow_entry *slow_set(struct slow *slow, unsigned int level,
				   uint32_t kind, unsigned int bits, gva_t gva,
				   unsigned int *ways)
{
	unsigned int alike[TLB_ARRAYS_MAX], nr = 0, i;
	uint64_t page = page_of(gva, bits);

	for (i = 0; i < slow->g->nr_tlbs; i++)
		if (slow->g->tlb[i].level == level &&
		    (slow->g->tlb[i].kinds & kind) &&
		    (slow->g->tlb[i].sizes >> (bits - 12) / 9 & 1))
			alike[nr++] = i;
	if (!nr)
		return NULL;
	i = alike[page % nr];
	*ways = slow->g->tlb[i].array.ways;
	return slow->entry[i] + page / nr % slow->g->tlb[i].array.sets * *ways;
}

static struct slow_entry *slow_find(struct slow *slow, unsigned int level,
				    uint32_t kind, unsigned int bits, gva_t gva)
{
	unsigned int ways;
	struct slow_entry *set = slow_set(slow, level, kind, bits, gva, &ways);
	struct slow_entry *found = NULL;

	for (unsigned int i = 0; set && i < ways; i++) {
		struct slow_entry *e = &set[i];

		if (!e->valid || e->bits != bits ||
		    e->page != page_of(gva, bits))
			continue;
		if (!e->global && e->pcid == slow->pcid)
			return e;
		if (e->global)
			found = e;
	}
	return found;
}

static struct slow_entry *slow_lookup(struct slow *slow, unsigned int level,
				      gva_t gva, uint32_t needs)
{
	for (unsigned int bits = 12; bits <= 30; bits += 9) {
		struct slow_entry *e =
			slow_find(slow, level, needs & 7, bits, gva);

		if (!e || (needs & ~e->grants))
			continue;
		e->used = ++slow->now;
		return e;
	}
	return NULL;
}

static void slow_put(struct slow *slow, unsigned int level, uint32_t kind,
		     unsigned int bits, const struct slow_entry *from,
		     gva_t gva)
{
	unsigned int ways;
	struct slow_entry *set = slow_set(slow, level, kind, bits, gva, &ways);
	struct slow_entry *e = set;

	if (!set)
		return;
	for (unsigned int i = 1; i < ways; i++) {
		struct slow_entry *o = &set[i];

		if (e->valid && (!o->valid || o->used < e->used))
			e = o;
	}
	for (unsigned int i = 0; i < ways; i++)
		if (set[i].valid && set[i].bits == bits &&
		    set[i].page == page_of(gva, bits) &&
		    set[i].global == from->global &&
		    (from->global || set[i].pcid == slow->pcid))
			e = &set[i];
	*e = *from;
	e->valid = true;
	e->bits = bits;
	e->page = page_of(gva, bits);
	e->pcid = slow->pcid;
	e->used = ++slow->now;
}

static unsigned int slow_fitting(struct slow *slow, uint32_t kind,
				 unsigned int bits)
{
	unsigned int ways;

	while (bits > 12 && !slow_set(slow, 1, kind, bits, 0, &ways))
		bits -= 9;
	return bits;
}

static void slow_fill(struct slow *slow, uint32_t kind,
		      const struct tlb_page *page)
{
	unsigned int whole = 12 + 9 * (unsigned int)page->size;
	unsigned int bits = slow_fitting(slow, kind, whole);
	struct slow_entry e = {.grants = page->grants,
			       .global = page->global,
			       .whole = page->from ? page->from : whole};
	unsigned int ways;

	slow_put(slow, 1, kind, bits, &e, page->gva);
	if (slow_set(slow, 2, kind, whole, page->gva, &ways))
		bits = whole;
	slow_put(slow, 2, kind, bits, &e, page->gva);
}

/* --- Flushes: what each of them takes ------------------------------------ */

struct flush {
	bool locals, globals, all_pcids, one_page;
	unsigned int pcid;
	gva_t gva;
};

static bool is_taken(const struct slow_entry *e, const struct flush *f)
{
	uint64_t begins = e->page << e->bits;

	if (f->one_page && (begins ^ (f->gva << 7 >> 7)) >>
				   (e->whole > e->bits ? e->whole : e->bits))
		return false;
	if (e->global)
		return f->globals;
	return f->locals && (f->all_pcids || e->pcid == f->pcid);
}

static void slow_flush(struct slow *slow, struct flush f)
{
	for (unsigned int i = 0; i < slow->g->nr_tlbs; i++)
		for (uint32_t k = 0; k < entries(slow, i); k++)
			if (is_taken(&slow->entry[i][k], &f))
				slow->entry[i][k].valid = false;
}

static void flush_both(struct tlb *tlb, struct slow *slow, uint64_t r,
		       gva_t gva)
{
	unsigned int pcid = r >> 8 & 3, keep = r >> 12 & 1;
	struct flush f = {.locals = true, .pcid = slow->pcid};

	switch (r % 8) {
	case 0:
		tlb_flush(tlb);
		f.globals = f.all_pcids = true;
		break;
	case 1:
		tlb_flush_contexts(tlb);
		f.all_pcids = true;
		break;
	case 2:
		tlb_flush_pcid(tlb, (uint16_t)pcid);
		f.pcid = pcid;
		break;
	case 3:
		tlb_flush_current(tlb);
		f.globals = true;
		break;
	case 4:
		tlb_mov_cr3(tlb, (uint16_t)pcid, keep);
		slow->pcid = f.pcid = pcid;
		f.locals = !keep;
		break;
	case 5:
		tlb_invlpg(tlb, gva);
		f.globals = f.one_page = true;
		break;
	case 6:
		tlb_invpcid_page(tlb, (uint16_t)pcid, gva);
		f.pcid = pcid;
		f.one_page = true;
		break;
	default:
		tlb_invvpid_page(tlb, gva);
		f.globals = f.all_pcids = f.one_page = true;
		break;
	}
	f.gva = gva;
	slow_flush(slow, f);
}

/* --- Both, side by side -------------------------------------------------- */

static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/* A page has one size, one kind of mapping, wherever it is touched. */
static struct tlb_page page_at(gva_t gva, uint32_t grants)
{
	uint64_t big = gva >> 30;
	struct tlb_page page = {.gva = gva, .grants = grants};

	page.global = big % 3 == 1;
	page.size = (enum tlb_size)(big % 8 < 5 ? 0 : big % 8 < 7 ? 1 : 2);
	if (big % 8 == 4)
		page.from = 21; /* beneath an EPT entry of 4 KiB */
	if (big % 8 == 6)
		page.from = 22; /* half of 4 MiB */
	return page;
}

static void reference(struct tlb *tlb, struct slow *slow, gva_t gva,
		      uint32_t needs, uint32_t grants)
{
	struct tlb_page page = page_at(gva, grants);
	struct slow_entry *e = slow_lookup(slow, 1, gva, needs);

	assert_int_equal(tlb_lookup(tlb, gva, needs), e != NULL);
	if (e)
		return;
	e = slow_lookup(slow, 2, gva, needs);
	assert_int_equal(tlb_lookup_second(tlb, gva, needs), e != NULL);
	if (e) {
		struct slow_entry copy = *e;

		slow_put(slow, 1, needs & 7,
			 slow_fitting(slow, needs & 7, e->bits), &copy, gva);
		return;
	}
	tlb_fill(tlb, needs & 7, &page);
	slow_fill(slow, needs & 7, &page);
}

/* pages: how many there are of each kind, from all hits to hardly any. */
static void run(const struct cpu_geometry *g, uint64_t seed, uint64_t pages,
		uint64_t flush_every)
{
	static const uint32_t kinds[] = {TLB_FETCH, TLB_READ, TLB_WRITE};
	static struct tlb tlb;
	struct slow slow;

	assert_int_equal(tlb_init(&tlb, g), 0);
	slow_init(&slow, g);
	for (int i = 0; i < 60000; i++) {
		uint64_t r = next_random(&seed), s = next_random(&seed);
		gva_t gva = s % 24 << 30 | (s >> 8) % pages * 0x201000 |
			    (r >> 40 & PAGE_MASK);
		uint32_t needs = kinds[(r >> 32) % 3];

		if (s & BIT(50))
			gva = s % 24 << 30 | (s >> 8) % pages << 12;
		if (r & BIT(61))
			gva |= BITS(63, 47);
		needs |= r & BIT(60) ? TLB_USER : TLB_SUPERVISOR;
		if (r & BIT(59)) /* RFLAGS.AC */
			needs &= ~(uint32_t)TLB_SUPERVISOR;
		if ((r >> 20) % flush_every == 0)
			flush_both(&tlb, &slow, s >> 30, gva);
		reference(&tlb, &slow, gva, needs,
			  needs | (uint32_t)(r >> 50 & 31));
	}
	slow_finish(&slow);
	tlb_finish(&tlb);
}

static void agrees_with_a_slow_model(void **state)
{
	static const uint64_t pages[] = {1, 3, 12, 40, 200};

	(void)state;
	for (size_t k = 0; k < ARRAY_LEN(geometries); k++) {
		for (size_t i = 0; i < ARRAY_LEN(pages); i++) {
			run(&geometries[k], i + 1, pages[i], 1000);
			run(&geometries[k], i + 100, pages[i], 40);
		}
		/* Numbers come round. */
		run(&geometries[k], 1000, 5, 2);
	}
}

/* What an entry of an old number says must not come back with it. */
static void numbers_come_round(void **state)
{
	static struct tlb tlb;
	struct tlb_page page = {.gva = 0x5000, .grants = TLB_WRITE};
	struct tlb_page other = {.gva = 0x6000, .grants = TLB_WRITE};

	(void)state;
	assert_int_equal(tlb_init(&tlb, &cpu_geometry_generic), 0);
	tlb_mov_cr3(&tlb, 9, false);
	tlb_fill(&tlb, TLB_WRITE, &other);
	tlb_mov_cr3(&tlb, 0, false);
	tlb_fill(&tlb, TLB_WRITE, &page);
	for (unsigned int i = 0; i < 3 * CONTEXT_NUMBERS; i++) {
		tlb_mov_cr3(&tlb, 0, false);
		assert_false(tlb_lookup(&tlb, 0x5000, TLB_WRITE));
		assert_false(tlb_lookup_second(&tlb, 0x5000, TLB_WRITE));
	}
	/* The other context has come through all of it. */
	tlb_mov_cr3(&tlb, 9, true);
	assert_true(tlb_lookup(&tlb, 0x6000, TLB_WRITE));
	tlb_finish(&tlb);
}

/* What a key leaves of an entry, by the rule and by a WRPKRU afterwards. */
static void keys_follow_pkru(void **state)
{
	static struct tlb tlb;

	(void)state;
	for (unsigned int i = 0; i < 16 * 4 * 2; i++) {
		unsigned int key = i & 15, denied = i >> 4 & 3;
		bool write = i >> 6;
		uint32_t pkru = denied << 2 * key;
		uint32_t others = ~(UINT32_C(3) << 2 * key);
		uint32_t rest = TLB_USER | TLB_SUPERVISOR;
		bool reads = !(denied & 1), writes = write && !denied;
		/* Made while the key allowed all, or nothing. */
		const struct tlb_page keyed = {
			.gva = 0x5000,
			.grants =
				rest | tlb_keyed(key, write, i & 1 ? 0 : ~0u)};
		const struct tlb_page plain = {
			.gva = 0x6000, .grants = rest | TLB_READ | TLB_WRITE};
		const struct tlb_page code = {.gva = 0x5000,
					      .grants = rest | TLB_FETCH};

		assert_int_equal(tlb_init(&tlb, &cpu_geometry_generic), 0);
		tlb_fill(&tlb, TLB_READ, &keyed);
		tlb_fill(&tlb, TLB_READ, &plain);
		tlb_fill(&tlb, TLB_FETCH, &code);
		for (int with = 0; with < 2; with++) {
			tlb_set_pkru(&tlb, pkru | (with ? others : 0));
			assert_int_equal(tlb_lookup(&tlb, 0x5000, TLB_READ),
					 reads);
			assert_int_equal(tlb_lookup(&tlb, 0x5000, TLB_WRITE),
					 writes);
			assert_int_equal(
				tlb_lookup_second(&tlb, 0x5000,
						  TLB_WRITE | TLB_USER),
				writes);
			assert_true(tlb_lookup(&tlb, 0x6000, TLB_WRITE));
			assert_true(tlb_lookup(&tlb, 0x5000, TLB_FETCH));
		}
		assert_int_equal(
			tlb_keyed(key, write, pkru) & (TLB_READ | TLB_WRITE),
			(reads ? TLB_READ : 0) | (writes ? TLB_WRITE : 0));
		tlb_finish(&tlb);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(agrees_with_a_slow_model),
		cmocka_unit_test(numbers_come_round),
		cmocka_unit_test(keys_follow_pkru),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
