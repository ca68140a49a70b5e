/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Beneath EPT: whose memory is missing, in which order, and walks of both. */
#include "rig.h"

#define GVA UINT64_C(0x40200000)

static void touch(struct rig *rig, gva_t gva, gpa_t gpa, bool is_walk,
		  unsigned int refs)
{
	struct direct_result r = rig_miss(rig, gva, PFEC_W);

	assert_int_equal(r.verdict, DIRECT_UNBACKED);
	assert_int_equal(r.gpa, gpa);
	assert_int_equal(r.is_walk, is_walk);
	assert_int_equal(rig_refs(rig, &r.path), refs);
	direct_back(rig->direct, r.gpa);
}

/* Down the guest's tables, then the page; D is not set before. */
static void the_walk_touches_first(void **state)
{
	const struct rig_config config = {.mode = PAGING_4LEVEL,
					  .direct = {.ept = true}};
	struct rig rig;
	gpa_t at[5];

	(void)state;
	rig_start(&rig, &config);
	at[1] = rig_map(&rig, GVA, 1, 0x5000 | RIG_RW);
	for (int level = 4; level > 1; level--) {
		gpa_t table =
			level == 4 ? rig.guest.root
				   : rig_entry(&rig, at[level + 1]) & PTE_ADDR;

		at[level] = table + 8 * pt_index(GVA, level);
	}
	touch(&rig, GVA, at[4], true, 0);
	touch(&rig, GVA, at[3], true, 5);
	touch(&rig, GVA, at[2], true, 10);
	touch(&rig, GVA, at[1], true, 15);
	assert_int_equal(rig_entry(&rig, at[1]), 0x5000 | RIG_RW);
	touch(&rig, GVA, 0x5000, false, 24);
	rig_fill(&rig, GVA, PFEC_W, 0x5000);
	rig_end(&rig);
}

static void a_fault_needs_its_tables_alone(void **state)
{
	const struct rig_config config = {.mode = PAGING_4LEVEL,
					  .direct = {.ept = true}};
	struct direct_result r;
	struct rig rig;

	(void)state;
	rig_start(&rig, &config);
	touch(&rig, GVA, rig.guest.root, true, 0);
	r = rig_miss(&rig, GVA, PFEC_U);
	assert_int_equal(r.verdict, DIRECT_FAULT);
	assert_int_equal(rig_refs(&rig, &r.path), 5);
	rig_end(&rig);
}

static const struct {
	enum paging_mode mode;
	int level; /* of the guest's page */
	bool ept, large;
	unsigned int refs;
} walks[] = {
	{PAGING_32, 1, false, false, 2},
	{PAGING_32, 2, false, false, 1},
	{PAGING_PAE, 1, false, false, 2},
	{PAGING_4LEVEL, 1, false, false, 4},
	{PAGING_4LEVEL, 2, false, false, 3},
	{PAGING_5LEVEL, 1, false, false, 5},
	/* (g + 1)(h + 1) - 1 */
	{PAGING_32, 1, true, false, 14},
	{PAGING_4LEVEL, 1, true, false, 24},
	{PAGING_4LEVEL, 1, true, true, 19},
	{PAGING_4LEVEL, 2, true, false, 19},
	{PAGING_4LEVEL, 3, true, false, 14},
	{PAGING_5LEVEL, 1, true, false, 29},
};

static struct direct_result fill_anyhow(struct rig *rig, gva_t gva)
{
	struct direct_result r = direct_fault(rig->direct, gva, 0);

	while (r.verdict == DIRECT_UNBACKED) {
		direct_back(rig->direct, r.gpa);
		r = direct_fault(rig->direct, gva, 0);
	}
	return r;
}

static uint64_t pool_leaf(const struct rig *rig, gva_t gva)
{
	const struct paging_ctx ctx = {
		.mode = direct_mode(rig->direct),
		.root = direct_root(rig->direct),
		.nxe = true,
		.pdpte = {0, pool_get(&rig->mem->pool, direct_root(rig->direct),
				      1)},
		.maxphyaddr = 40,
	};

	return paging_walk(&ctx, rig->mem, gva, 0).leaf;
}

static void references_of_a_walk(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(walks); i++) {
		const struct rig_config config = {
			.mode = walks[i].mode,
			.direct = {.ept = walks[i].ept,
				   .large = walks[i].large}};
		uint64_t ps = walks[i].level > 1 ? PTE_PS : 0;
		struct direct_path path;
		struct rig rig;
		unsigned int got;

		rig_start(&rig, &config);
		rig_map(&rig, GVA, walks[i].level, RIG_RW | ps);
		assert_int_equal(fill_anyhow(&rig, GVA).verdict, DIRECT_FILLED);
		direct_walk(rig.direct, GVA, &path);
		assert_true(path.has_page);
		assert_int_equal(direct_leaf(pool_leaf(&rig, GVA)).level,
				 walks[i].level);
		assert_int_equal(direct_ept_leaf(rig.direct),
				 walks[i].ept ? 1 + walks[i].large : 0);
		got = rig_refs(&rig, &path);
		if (got != walks[i].refs)
			fail_msg("walk %zu: %u references, want %u", i, got,
				 walks[i].refs);
		rig_end(&rig);
	}
}

static void huge_pages_of_the_host(void **state)
{
	const struct rig_config config = {
		.mode = PAGING_OFF, .direct = {.ept = true, .large = true}};
	struct rig rig;

	(void)state;
	rig_start(&rig, &config);
	touch(&rig, 0x345678, 0x345678, false, 3);
	assert_true(direct_is_backed(rig.direct, 0x200000));
	assert_true(direct_is_backed(rig.direct, 0x3ff000));
	assert_false(direct_is_backed(rig.direct, 0x1ff000));
	assert_false(direct_is_backed(rig.direct, 0x400000));
	rig_end(&rig);
}

/* Nothing beside a miss is remembered before it was touched. */
static void neighbours_without_memory(void **state)
{
	const struct rig_config config = {.mode = PAGING_OFF,
					  .direct = {.ept = true}};
	struct rig rig;

	(void)state;
	rig_start(&rig, &config);
	touch(&rig, 0x5000, 0x5000, false, 4);
	rig_fill(&rig, 0x5000, PFEC_W, 0x5000);
	assert_false(rig_hits(&rig, 0x6000, 0));
	touch(&rig, 0x6000, 0x6000, false, 4);
	rig_end(&rig);
}

static void marks_of_no_memory(void **state)
{
	const struct rig_config config = {.mode = PAGING_OFF,
					  .direct = {.ept = true}};
	struct direct_result r;
	struct rig rig;

	(void)state;
	rig_start(&rig, &config);
	r = rig_miss(&rig, 0xfee00020, 0);
	assert_int_equal(r.verdict, DIRECT_MMIO);
	assert_int_equal(r.gpa, 0xfee00020);
	assert_false(r.is_marked);
	direct_mark(rig.direct, r.gpa);
	assert_true(rig_miss(&rig, 0xfee00300, PFEC_W).is_marked);
	assert_false(rig_miss(&rig, 0xfee01000, 0).is_marked);
	/* Beyond what an entry is kept for. */
	direct_mark(rig.direct, UINT64_C(0x1fee00000));
	rig_end(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_walk_touches_first),
		cmocka_unit_test(a_fault_needs_its_tables_alone),
		cmocka_unit_test(references_of_a_walk),
		cmocka_unit_test(huge_pages_of_the_host),
		cmocka_unit_test(neighbours_without_memory),
		cmocka_unit_test(marks_of_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
