/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The TLBs against a slow model: a list of (page, grants, when last used) a
 * set, without epochs and without an order kept.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cpu/tlb.h"

#define ENTRIES_MAX 256

struct slow_entry {
	bool valid;
	gva_t page;
	uint32_t grants;
	uint64_t used;
};

struct slow_array {
	unsigned int sets;
	struct slow_entry entry[ENTRIES_MAX];
};

struct slow {
	struct slow_array l1i, l1d, l2;
	uint64_t now;
};

static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static struct slow_entry *slow_find(struct slow_array *a, gva_t page)
{
	struct slow_entry *set = &a->entry[page % a->sets * TLB_WAYS];

	for (unsigned int i = 0; i < TLB_WAYS; i++)
		if (set[i].valid && set[i].page == page)
			return &set[i];
	return NULL;
}

static bool slow_lookup(struct slow *slow, struct slow_array *a, gva_t page,
			uint32_t needs)
{
	struct slow_entry *e = slow_find(a, page);

	if (!e || (e->grants & needs) != needs)
		return false;
	e->used = ++slow->now;
	return true;
}

static void slow_fill(struct slow *slow, struct slow_array *a, gva_t page,
		      uint32_t grants)
{
	struct slow_entry *set = &a->entry[page % a->sets * TLB_WAYS];
	struct slow_entry *e = slow_find(a, page);

	for (unsigned int i = 0; i < TLB_WAYS && !e; i++)
		if (!set[i].valid)
			e = &set[i];
	if (!e) {
		e = &set[0];
		for (unsigned int i = 1; i < TLB_WAYS; i++)
			if (set[i].used < e->used)
				e = &set[i];
	}
	*e = (struct slow_entry){true, page, grants, ++slow->now};
}

static void slow_flush(struct slow_array *a)
{
	for (unsigned int i = 0; i < ENTRIES_MAX; i++)
		a->entry[i].valid = false;
}

static void slow_drop(struct slow_array *a, gva_t page)
{
	struct slow_entry *e = slow_find(a, page);

	if (e)
		e->valid = false;
}

static void reference(struct tlb *tlb, struct slow *slow, gva_t gva,
		      uint32_t needs, uint32_t grants)
{
	gva_t page = gva >> PAGE_SHIFT;
	bool fetch = needs & TLB_FETCH;
	struct slow_array *l1 = fetch ? &slow->l1i : &slow->l1d;
	bool want = slow_lookup(slow, l1, page, needs);

	assert_int_equal(tlb_lookup(tlb, gva, needs), want);
	if (want)
		return;
	if (!fetch) {
		want = slow_lookup(slow, &slow->l2, page, needs);
		assert_int_equal(tlb_lookup_l2(tlb, gva, needs), want);
		if (want) {
			slow_fill(slow, l1, page,
				  slow_find(&slow->l2, page)->grants);
			return;
		}
	}
	tlb_fill(tlb, gva, fetch, grants);
	slow_fill(slow, l1, page, grants);
	if (!fetch)
		slow_fill(slow, &slow->l2, page, grants);
}

/* pages: how many there are, from all hits to hardly any. */
static void run(uint64_t seed, uint64_t pages, uint64_t flush_every)
{
	static const uint32_t kinds[] = {TLB_FETCH, TLB_READ, TLB_WRITE};
	struct slow slow = {.l1i.sets = TLB_L1I_SETS,
			    .l1d.sets = TLB_L1D_SETS,
			    .l2.sets = TLB_L2_SETS};
	struct tlb tlb;

	tlb_init(&tlb);
	for (int i = 0; i < 200000; i++) {
		uint64_t r = next_random(&seed);
		gva_t gva = (r % pages << PAGE_SHIFT | (r >> 40 & PAGE_MASK)) +
			    (r & BIT(39) ? 0 : UINT64_C(0xffff800000000000));
		uint32_t needs = kinds[(r >> 32) % 3];

		needs |= r & BIT(60) ? TLB_USER : TLB_SUPERVISOR;
		if (r & BIT(59)) /* RFLAGS.AC */
			needs &= ~(uint32_t)TLB_SUPERVISOR;
		if ((r >> 20) % flush_every == 0) {
			tlb_flush(&tlb);
			slow_flush(&slow.l1i);
			slow_flush(&slow.l1d);
			slow_flush(&slow.l2);
		}
		if ((r >> 24) % 50 == 0) {
			tlb_flush_page(&tlb, gva);
			slow_drop(&slow.l1i, gva >> PAGE_SHIFT);
			slow_drop(&slow.l1d, gva >> PAGE_SHIFT);
			slow_drop(&slow.l2, gva >> PAGE_SHIFT);
		}
		reference(&tlb, &slow, gva, needs,
			  needs | (uint32_t)(r >> 50 & 31));
	}
}

static void agrees_with_a_slow_model(void **state)
{
	static const uint64_t pages[] = {3, 12, 40, 200, 1000, 100000};

	(void)state;
	for (unsigned int i = 0; i < ARRAY_LEN(pages); i++) {
		run(i + 1, pages[i], 1000);
		run(i + 100, pages[i], 7); /* epochs come round */
	}
}

/* What an entry of an old epoch says must not come back with that number. */
static void epochs_come_round(void **state)
{
	struct tlb tlb;

	(void)state;
	tlb_init(&tlb);
	tlb_fill(&tlb, 0x5000, false, TLB_WRITE);
	for (int i = 0; i < 3 * 4096; i++) {
		tlb_flush(&tlb);
		assert_false(tlb_lookup(&tlb, 0x5000, 0));
		assert_false(tlb_lookup_l2(&tlb, 0x5000, 0));
	}
	assert_int_equal(tlb.flushes, 3 * 4096);
}

/* What a key leaves of an entry, by the rule and by a WRPKRU afterwards. */
static void keys_follow_pkru(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 16 * 4 * 2; i++) {
		unsigned int key = i & 15, denied = i >> 4 & 3;
		bool write = i >> 6;
		uint32_t pkru = denied << 2 * key;
		uint32_t others = ~(UINT32_C(3) << 2 * key);
		uint32_t rest = TLB_USER | TLB_SUPERVISOR;
		bool reads = !(denied & 1), writes = write && !denied;
		struct tlb tlb;

		tlb_init(&tlb);
		/* Made while the key allowed all, or nothing. */
		tlb_fill(&tlb, 0x5000, false,
			 rest | tlb_keyed(key, write, i & 1 ? 0 : ~0u));
		tlb_fill(&tlb, 0x6000, false, rest | TLB_READ | TLB_WRITE);
		tlb_fill(&tlb, 0x5000, true, rest | TLB_FETCH);
		for (int with = 0; with < 2; with++) {
			tlb_set_pkru(&tlb, pkru | (with ? others : 0));
			assert_int_equal(tlb_lookup(&tlb, 0x5000, TLB_READ),
					 reads);
			assert_int_equal(tlb_lookup(&tlb, 0x5000, TLB_WRITE),
					 writes);
			assert_int_equal(tlb_lookup_l2(&tlb, 0x5000,
						       TLB_WRITE | TLB_USER),
					 writes);
			assert_true(tlb_lookup(&tlb, 0x6000, TLB_WRITE));
			assert_true(tlb_lookup(&tlb, 0x5000, TLB_FETCH));
		}
		assert_int_equal(
			tlb_keyed(key, write, pkru) & (TLB_READ | TLB_WRITE),
			(reads ? TLB_READ : 0) | (writes ? TLB_WRITE : 0));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(agrees_with_a_slow_model),
		cmocka_unit_test(epochs_come_round),
		cmocka_unit_test(keys_follow_pkru),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
