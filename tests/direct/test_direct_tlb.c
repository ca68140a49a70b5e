/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the software TLB remembers, and when it forgets. */
#include "rig.h"

#define GVA UINT64_C(0x40200000)

static const struct rig_config plain = {.mode = PAGING_4LEVEL};

static const enum paging_mode modes[] = {PAGING_32, PAGING_PAE, PAGING_4LEVEL,
					 PAGING_5LEVEL};

static void a_read_sets_a_a_write_d(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
		struct rig_config config = {.mode = modes[i]};
		struct rig rig;
		gpa_t at, above;

		rig_start(&rig, &config);
		at = rig_map(&rig, GVA, 1, 0x5000 | RIG_RW);
		above = rig_map(&rig, GVA, 2, (at & ~PAGE_MASK) | RIG_LINK);
		rig_fill(&rig, GVA + 8, PFEC_U, 0x5008);
		assert_int_equal(rig_entry(&rig, at), 0x5000 | RIG_RW | PTE_A);
		assert_int_equal(rig_entry(&rig, above),
				 (at & ~PAGE_MASK) | RIG_LINK | PTE_A);
		rig_fill(&rig, GVA, PFEC_W, 0x5000);
		assert_int_equal(rig_entry(&rig, at),
				 0x5000 | RIG_RW | PTE_A | PTE_D);
		assert_true(rig_hits(&rig, GVA, PFEC_U | PFEC_W));
		rig_end(&rig);
	}
}

static void a_fault_leaves_no_trace(void **state)
{
	struct direct_result r;
	struct rig rig;
	gpa_t at, above;

	(void)state;
	rig_start(&rig, &plain);
	at = rig_map(&rig, GVA, 1, 0x5000 | PTE_P | PTE_U);
	above = rig_map(&rig, GVA, 2, (at & ~PAGE_MASK) | RIG_LINK);
	r = rig_miss(&rig, GVA, PFEC_W | PFEC_U);
	assert_int_equal(r.verdict, DIRECT_FAULT);
	assert_int_equal(r.pfec, PFEC_P | PFEC_W | PFEC_U);
	assert_int_equal(rig_refs(&rig, &r.path), 4);
	assert_int_equal(rig_entry(&rig, at), 0x5000 | PTE_P | PTE_U);
	assert_false(rig_entry(&rig, above) & PTE_A);
	assert_false(rig_hits(&rig, GVA, PFEC_U));
	rig_end(&rig);
}

/* What is stale may be used until it is flushed; a fault never is stale. */
static void invlpg_forgets_one_page(void **state)
{
	struct rig rig;
	gpa_t at;

	(void)state;
	rig_start(&rig, &plain);
	at = rig_map(&rig, GVA, 1, 0x5000 | RIG_RW | PTE_G);
	rig_map(&rig, GVA + 0x20000, 1, 0x6000 | RIG_RW);
	rig_fill(&rig, GVA, 0, 0x5000);
	rig_fill(&rig, GVA + 0x20000, 0, 0x6000);
	rig_store(&rig, at, 0x7000 | PTE_P | PTE_U);
	assert_true(rig_hits(&rig, GVA, 0));
	direct_flush_page(rig.direct, GVA + 0x123);
	assert_true(rig_hits(&rig, GVA + 0x20000, 0));
	rig_fill(&rig, GVA, 0, 0x7000);
	rig_store(&rig, at, 0x7000 | RIG_RW | PTE_D);
	rig_fill(&rig, GVA, PFEC_W, 0x7000);
	rig_end(&rig);
}

static void cr3_spares_global_pages(void **state)
{
	(void)state;
	for (int global = 0; global < 2; global++) {
		struct rig rig;

		rig_start(&rig, &plain);
		rig.global_pages = global;
		rig_set_guest(&rig);
		rig_map(&rig, GVA, 1, 0x5000 | RIG_RW);
		rig_map(&rig, GVA + 0x100000, 1, 0x6000 | RIG_RW | PTE_G);
		rig_fill(&rig, GVA, 0, 0x5000);
		rig_fill(&rig, GVA + 0x100000, 0, 0x6000);
		rig_load_cr3(&rig);
		assert_false(rig_hits(&rig, GVA, 0));
		assert_int_equal(rig_hits(&rig, GVA + 0x100000, 0), global);
		direct_flush(rig.direct);
		assert_false(rig_hits(&rig, GVA + 0x100000, 0));
		rig_end(&rig);
	}
}

/* One setting other than it was. */
static void change(struct rig *rig, int which)
{
	bool *const settings[] = {&rig->guest.wp,    &rig->guest.nxe,
				  &rig->guest.pse,   &rig->guest.smep,
				  &rig->guest.smap,  &rig->guest.pke,
				  &rig->global_pages};

	*settings[which] = !*settings[which];
}

static void what_entries_depend_on_forgets_all(void **state)
{
	(void)state;
	for (int which = 0; which < 7; which++) {
		struct rig rig;

		rig_start(&rig, &plain);
		rig_map(&rig, GVA, 1, 0x5000 | RIG_RW | PTE_G);
		rig_fill(&rig, GVA, PFEC_U, 0x5000);
		rig_set_guest(&rig);
		assert_true(rig_hits(&rig, GVA, PFEC_U));
		change(&rig, which);
		rig_set_guest(&rig);
		if (rig_hits(&rig, GVA, PFEC_U))
			fail_msg("setting %d forgets nothing", which);
		rig_end(&rig);
	}
}

static const struct {
	const char *name;
	enum paging_mode mode;
	int level;
	uint64_t size;
	gva_t gva; /* where the page begins */
} larges[] = {
	{"4M", PAGING_32, 2, 0x400000, 0x40400000},
	{"2M, PAE", PAGING_PAE, 2, 0x200000, 0x40200000},
	{"2M", PAGING_4LEVEL, 2, 0x200000, 0x40200000},
	{"1G", PAGING_4LEVEL, 3, 0x40000000, 0x40000000},
	{"1G, 5 levels", PAGING_5LEVEL, 3, 0x40000000, 0x40000000},
};

/* Pieces of one page that are far from each other, and one beside it. */
static void invlpg_takes_all_of_a_large_page(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(larges); i++) {
		struct rig_config config = {.mode = larges[i].mode};
		gva_t gva = larges[i].gva, other = gva + larges[i].size;
		/* The 1G page is RAM only where it begins. */
		uint64_t far =
			larges[i].level == 3 ? 0x3000000 : larges[i].size / 2;
		struct rig rig;

		rig_start(&rig, &config);
		rig_map(&rig, gva, larges[i].level, RIG_RW | PTE_PS);
		rig_map(&rig, other, larges[i].level, RIG_RW | PTE_PS);
		rig_fill(&rig, gva, 0, 0);
		rig_fill(&rig, gva + far, 0, far);
		rig_fill(&rig, other, 0, 0);
		direct_flush_page(rig.direct, gva + far / 2);
		if (rig_hits(&rig, gva, 0) || rig_hits(&rig, gva + far, 0))
			fail_msg("%s: a piece is left", larges[i].name);
		assert_true(rig_hits(&rig, other, 0));
		rig_fill(&rig, gva + far, PFEC_W, far);
		direct_flush_page(rig.direct, gva);
		assert_false(rig_hits(&rig, gva + far, 0));
		rig_end(&rig);
	}
}

/* Entries around the one that was asked for. */
static const struct {
	const char *name;
	uint64_t entry;
	uint64_t above; /* rights of the link */
	uint32_t access;
	bool hits;
} neighbours[] = {
	{"used", RIG_RW | PTE_A, RIG_LINK, PFEC_U, true},
	{"not used", RIG_RW, RIG_LINK, PFEC_U, false},
	{"not present", PTE_A | PTE_U, RIG_LINK, PFEC_U, false},
	{"reserved", RIG_RW | PTE_A | BIT(50), RIG_LINK, 0, false},
	{"supervisor's", PTE_P | PTE_A, RIG_LINK, PFEC_U, false},
	{"clean", RIG_RW | PTE_A, RIG_LINK, PFEC_W, false},
	{"dirty", RIG_RW | PTE_A | PTE_D, RIG_LINK, PFEC_W, true},
	{"dirty, read-only", PTE_P | PTE_A | PTE_D, RIG_LINK, PFEC_W, false},
	{"NX", RIG_RW | PTE_A | PTE_NX, RIG_LINK, PFEC_ID, false},
	{"X", RIG_RW | PTE_A, RIG_LINK, PFEC_ID, true},
	{"W barred above", RIG_RW | PTE_A | PTE_D, PTE_P | PTE_U, PFEC_W,
	 false},
	{"U barred above", RIG_RW | PTE_A, PTE_P | PTE_W, PFEC_U, false},
	{"X barred above", RIG_RW | PTE_A, RIG_LINK | PTE_NX, PFEC_ID, false},
	{"no RAM", RIG_RW | PTE_A | 0xf0000000, RIG_LINK, 0, false},
};

static void neighbours_have_their_own_rights(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(neighbours); i++) {
		struct rig rig;
		gpa_t at;

		rig_start(&rig, &plain);
		at = rig_map(&rig, GVA, 1, 0x5000 | RIG_RW);
		rig_map(&rig, GVA + 0x3000, 1, 0x6000 | neighbours[i].entry);
		rig_map(&rig, GVA, 2, (at & ~PAGE_MASK) | neighbours[i].above);
		rig_fill(&rig, GVA, 0, 0x5000);
		if (rig_hits(&rig, GVA + 0x3000, neighbours[i].access) !=
		    neighbours[i].hits)
			fail_msg("neighbour, %s", neighbours[i].name);
		rig_end(&rig);
	}
}

/* The page is the supervisor's alone as long as nobody else asks. */
static void a_write_without_wp(void **state)
{
	struct rig rig;
	gpa_t at;

	(void)state;
	rig_start(&rig, &plain);
	rig.guest.wp = false;
	rig_set_guest(&rig);
	at = rig_map(&rig, GVA, 1, 0x5000 | PTE_P | PTE_U);
	rig_fill(&rig, GVA, PFEC_W, 0x5000);
	assert_int_equal(rig_entry(&rig, at),
			 0x5000 | PTE_P | PTE_U | PTE_A | PTE_D);
	assert_false(rig_hits(&rig, GVA, PFEC_U));
	rig_fill(&rig, GVA, PFEC_U, 0x5000);
	assert_int_equal(rig_miss(&rig, GVA, PFEC_U | PFEC_W).verdict,
			 DIRECT_FAULT);
	rig_fill(&rig, GVA, PFEC_W, 0x5000);
	rig.guest.wp = true;
	rig_set_guest(&rig);
	assert_int_equal(rig_miss(&rig, GVA, PFEC_W).verdict, DIRECT_FAULT);
	rig_end(&rig);
}

static const struct {
	const char *name;
	bool user, smep, smap, pke;
	enum direct_verdict verdict;
} without_wp[] = {
	{"user page", true, false, false, false, DIRECT_FILLED},
	{"user page, SMEP", true, true, false, false, DIRECT_EMULATE},
	{"user page, SMAP", true, false, true, false, DIRECT_EMULATE},
	{"user page, keys", true, false, false, true, DIRECT_EMULATE},
	{"supervisor page, all", false, true, true, true, DIRECT_FILLED},
};

static void a_write_without_wp_that_must_be_emulated(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(without_wp); i++) {
		uint64_t user = without_wp[i].user ? PTE_U : 0;
		struct direct_result r;
		struct rig rig;

		rig_start(&rig, &plain);
		rig.guest.wp = false;
		rig.guest.smep = without_wp[i].smep;
		rig.guest.smap = without_wp[i].smap;
		rig.guest.pke = without_wp[i].pke;
		rig_set_guest(&rig);
		rig_map(&rig, GVA, 1, 0x5000 | PTE_P | user);
		r = rig_miss(&rig, GVA, PFEC_W | ACCESS_AC);
		if (r.verdict != without_wp[i].verdict)
			fail_msg("%s: verdict %d", without_wp[i].name,
				 (int)r.verdict);
		assert_int_equal(rig_hits(&rig, GVA, PFEC_W | ACCESS_AC),
				 r.verdict == DIRECT_FILLED);
		rig_end(&rig);
	}
}

/* PKRU counts at once, for what is remembered and for what is not. */
static void keys(void **state)
{
	const uint64_t key = UINT64_C(3) << 59;
	struct rig rig;

	(void)state;
	rig_start(&rig, &plain);
	rig.guest.pke = true;
	rig_set_guest(&rig);
	rig_map(&rig, GVA, 1, 0x5000 | RIG_RW | key);
	rig_fill(&rig, GVA, PFEC_U, 0x5000);
	rig.guest.pkru = PKRU_AD << 6;
	direct_set_pkru(rig.direct, rig.guest.pkru);
	assert_int_equal(rig_miss(&rig, GVA, PFEC_U).pfec,
			 PFEC_P | PFEC_U | PFEC_PK);
	rig.guest.pkru = 0;
	direct_set_pkru(rig.direct, 0);
	assert_true(rig_hits(&rig, GVA, PFEC_U));
	rig_fill(&rig, GVA, PFEC_U | PFEC_W, 0x5000);
	rig_end(&rig);
}

static void paging_off(void **state)
{
	const struct rig_config config = {.mode = PAGING_OFF};
	struct rig rig;

	(void)state;
	rig_start(&rig, &config);
	rig_fill(&rig, 0x12345, PFEC_W, 0x12345);
	assert_true(rig_hits(&rig, 0x1f000, PFEC_ID));
	assert_int_equal(rig_miss(&rig, RIG_RAM, 0).verdict, DIRECT_MMIO);
	rig.guest.mode = PAGING_4LEVEL;
	rig_set_guest(&rig);
	assert_int_equal(rig_miss(&rig, 0x12345, 0).pfec, 0);
	rig_end(&rig);
}

/* Far more address space than tables, and more pages than the log takes. */
static void a_full_pool_forgets(void **state)
{
	const struct rig_config config = {.mode = PAGING_4LEVEL,
					  .pool_pages = DIRECT_MIN_PAGES};
	struct rig rig;
	gpa_t table;

	(void)state;
	rig_start(&rig, &config);
	table = rig_map(&rig, GVA, 1, 0x5000 | RIG_RW) & ~PAGE_MASK;
	for (gva_t i = 0; i < 300; i++) {
		gva_t gva = GVA + (i << 21);

		rig_map(&rig, gva, 2, table | RIG_LINK);
		if (!rig_hits(&rig, gva, 0))
			rig_fill(&rig, gva, 0, 0x5000);
	}
	assert_false(rig_hits(&rig, GVA, 0));
	assert_true(rig_hits(&rig, GVA + (UINT64_C(299) << 21), 0));
	rig_end(&rig);
}

static void more_than_the_log_takes(void **state)
{
	const struct rig_config config = {.mode = PAGING_PAE};
	const uint64_t large = UINT64_C(0x200000);
	struct rig rig;

	(void)state;
	rig_start(&rig, &config);
	for (gva_t gva = 0; gva < 40 * large; gva += 0x10000) {
		rig_map(&rig, gva, 2,
			(gva % RIG_RAM & ~(large - 1)) | RIG_RW | PTE_PS);
		rig_fill(&rig, gva, 0, gva % RIG_RAM);
	}
	rig_load_cr3(&rig);
	for (gva_t gva = 0; gva < 40 * large; gva += PAGE_SIZE)
		assert_false(rig_hits(&rig, gva, 0));
	rig_end(&rig);
}

static void each_processor_has_its_own(void **state)
{
	const struct rig_config config = {.mode = PAGING_PAE,
					  .direct = {.nr_vcpus = 3}};
	struct rig rig;

	(void)state;
	rig_start(&rig, &config);
	rig_map(&rig, GVA, 1, 0x5000 | RIG_RW);
	for (unsigned int i = 0; i < 3; i++) {
		direct_select(rig.direct, i);
		rig_fill(&rig, GVA, 0, 0x5000);
	}
	direct_flush(rig.direct);
	assert_false(rig_hits(&rig, GVA, 0));
	direct_select(rig.direct, 1);
	assert_true(rig_hits(&rig, GVA, 0));
	rig_end(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_read_sets_a_a_write_d),
		cmocka_unit_test(a_fault_leaves_no_trace),
		cmocka_unit_test(invlpg_forgets_one_page),
		cmocka_unit_test(cr3_spares_global_pages),
		cmocka_unit_test(what_entries_depend_on_forgets_all),
		cmocka_unit_test(invlpg_takes_all_of_a_large_page),
		cmocka_unit_test(neighbours_have_their_own_rights),
		cmocka_unit_test(a_write_without_wp),
		cmocka_unit_test(a_write_without_wp_that_must_be_emulated),
		cmocka_unit_test(keys),
		cmocka_unit_test(paging_off),
		cmocka_unit_test(a_full_pool_forgets),
		cmocka_unit_test(more_than_the_log_takes),
		cmocka_unit_test(each_processor_has_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
