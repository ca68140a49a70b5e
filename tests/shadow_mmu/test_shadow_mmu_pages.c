/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Shadow pages: keys, sharing, write protection, reverse maps, recycling under
 * the budget, the installed view.
 */
#include <errno.h>

#include "rig.h"

#define GVA  UINT64_C(0x400000)
#define DATA UINT64_C(0x100000)
#define MIB2 BIT(21)
#define GIB  BIT(30)

static struct rig_config config_of(const char *gen, enum paging_mode mode)
{
	return (struct rig_config){
		.gen = gen,
		.bypass = smmu_generation_find(gen)->has_bypass,
		.mode = mode,
		.audit = SMMU_AUDIT_ALL,
	};
}

static void role_word(void **state)
{
	uint32_t role = role_make(4, GVA, 2, true, ACC_WRITE | ACC_USER);

	(void)state;
	check_eq("glevels", role_glevels(role), 4);
	check_eq("level", (uint64_t)role_level(role), 2);
	check_eq("metaphysical", role_is_metaphysical(role), true);
	check_eq("access", role_access(role), ACC_WRITE | ACC_USER);
	check_eq("the word", role, 0xd0024);
	check_eq("no quadrant", role_quadrant(4, 3 * GIB, 2), 0);
	/* facts A.2: the quarter of 4 GiB, the half of 4 MiB. */
	check_eq("quarter", role_quadrant(0, 3 * GIB, 2), 3);
	check_eq("half", role_quadrant(2, MIB2, 1), 1);
	check_eq("entry size", role_gpte_size(role), 8);
	check_eq("of two levels", role_gpte_size(role_make(2, 0, 1, 0, 0)), 4);
}

static void create_refuses(void **state)
{
	static const struct {
		const char *name;
		uint32_t budget, pool;
		int err;
	} cases[] = {
		{"too small a budget", SMMU_MIN_PAGES - 1, 256, -EINVAL},
		{"no frame left for the PAE root", 128, 128, -EINVAL},
		{"just enough", 128, 129, 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct smmu_config config = {.max_pages = cases[i].budget};
		struct account *acct = account_create();
		struct diag diag = {{0}};
		struct smmu *smmu = NULL;
		struct mem *mem;

		assert_int_equal(
			mem_create(1 << 20, cases[i].pool, false, &mem, &diag),
			0);
		check_eq(
			cases[i].name,
			(uint64_t)smmu_create(&config, mem, acct, &smmu, &diag),
			(uint64_t)cases[i].err);
		check(cases[i].name, !cases[i].err == !diag.msg[0]);
		smmu_destroy(smmu);
		mem_destroy(mem);
		account_destroy(acct);
	}
	smmu_destroy(NULL);
}

/* One frame as a table of two levels has two shadows; both are protected. */
static void one_frame_two_levels(void **state)
{
	struct rig_config config = config_of("seed", PAGING_4LEVEL);
	gva_t gva = GVA + GIB, self;
	struct rig rig;
	gpa_t table;

	(void)state;
	rig_open(&rig, &config);
	rig_map(&rig, GVA, 1, DATA, G_RW);
	/* The page directory of GVA, linked as a page table as well. */
	table = rig_entry(&rig, GVA, 2) & ~PAGE_MASK;
	rig_poke(&rig, rig_entry(&rig, gva, 2), table | G_LINK, 8);
	self = gva + 2 * PAGE_SIZE; /* GVA's entry in it is number 2 */
	check_eq("leads to the page table",
		 rig_access(&rig, self + 8, ACC_R).gpa,
		 (rig_entry(&rig, GVA, 1) & ~PAGE_MASK) + 8);
	rig_access(&rig, GVA, ACC_R);
	check_eq("which is protected", rig_access(&rig, self, ACC_W).end,
		 RIG_EMULATE);
	/* One write, two shadows. */
	rig_poke(&rig, table + 16, 0, 8);
	check_eq("as a directory", rig_spte(&rig, GVA, 2), rig.smmu->v.trap);
	check_eq("as a table", rig_spte(&rig, self, 1), rig.smmu->v.notrap);
	rig_close(&rig);
}

/* CR3 points to a table whose entry points to itself. */
static void recursive_table(void **state)
{
	static const char *const gens[] = {"kvm-2.6.20", "kvm-2.6.24", "seed",
					   "kvm-2.6.25"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(gens); i++) {
		struct rig_config config = config_of(gens[i], PAGING_4LEVEL);
		struct rig_outcome out;
		struct rig rig;

		rig_open(&rig, &config);
		rig_poke(&rig, rig.guest.cr3, rig.guest.cr3 | PTE_P | PTE_W, 8);
		out = rig_access(&rig, 8, ACC_R);
		check_eq(gens[i], out.gpa, rig.guest.cr3 + 8);
		out = rig_access(&rig, 8, ACC_W);
		check_eq(gens[i], out.end, RIG_EMULATE);
		rig_close(&rig);
	}
}

static void fill_spaces(struct rig *rig, unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++) {
		gva_t gva = GVA + i * GIB;

		rig_map(rig, gva, 1, DATA, G_RW);
		check_eq("mapped", rig_access(rig, gva, ACC_W).end, RIG_OK);
	}
}

/* Below 5 free pages, 25 are made free; the oldest go first. */
static void recycling(void **state)
{
	struct rig_config config = config_of("kvm-2.6.24", PAGING_4LEVEL);
	struct rig rig;

	(void)state;
	config.max_pages = SMMU_MIN_PAGES;
	rig_open(&rig, &config);
	/* Two tables, the root and what each further GiB needs: PD and PT. */
	fill_spaces(&rig, 29);
	check_eq("used", rig.smmu->nr_used, 60);
	check_eq("not yet", rig_count(&rig, CNT_mmu_recycled), 0);
	fill_spaces(&rig, 30);
	check_eq("25 made free, 3 taken", rig.smmu->nr_used,
		 SMMU_MIN_PAGES - 25 + 3);
	/* The root is the oldest: emptied, pinned, young again. */
	check_eq("zapped", rig_count(&rig, CNT_mmu_recycled), 22);
	check_eq("root stays", rig.smmu->cur->root,
		 sp_of_table(rig.smmu, rig.smmu->cur->root)->table);
	check_eq("and works", rig_access(&rig, GVA, ACC_R).end, RIG_OK);
	rig_close(&rig);
}

/* Far more address space than budget: slow, never wrong. */
static void thrashing(void **state)
{
	static const enum paging_mode modes[] = {PAGING_4LEVEL, PAGING_PAE,
						 PAGING_OFF};

	(void)state;
	for (size_t m = 0; m < ARRAY_LEN(modes); m++) {
		struct rig_config config = config_of("seed", modes[m]);
		struct rig rig;

		config.max_pages = SMMU_MIN_PAGES;
		config.ram = 512 << 20;
		config.audit = SMMU_AUDIT_OFF;
		rig_open(&rig, &config);
		for (unsigned int round = 0; round < 2; round++) {
			for (uint64_t i = 1; i < 250; i++) {
				if (modes[m] != PAGING_OFF && !round)
					rig_map(&rig, i * MIB2, 1, i * MIB2,
						G_RW);
				check_eq("there",
					 rig_access(&rig, i * MIB2, ACC_W).gpa,
					 i * MIB2);
			}
		}
		check("recycled", rig_count(&rig, CNT_mmu_recycled) > 100);
		check("in budget", rig.smmu->nr_used <= SMMU_MIN_PAGES);
		rig_close(&rig);
	}
}

/* Order of prefetch and protection: the same result without other CPUs. */
static void protect_before_prefetch(void **state)
{
	struct rig_config config = config_of("seed", PAGING_4LEVEL);
	uint64_t spte[2];

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct rig rig;

		rig_open(&rig, &config);
		rig.smmu->sw.protect_before_prefetch = i;
		/* A page table that maps itself and is written through it. */
		rig_map(&rig, GVA, 1, rig_entry(&rig, GVA, 1) & ~PAGE_MASK,
			G_RW);
		check_eq("emulated", rig_access(&rig, GVA, ACC_W).end,
			 RIG_EMULATE);
		spte[i] = rig_spte(&rig, GVA, 1);
		rig_close(&rig);
	}
	check_eq("the same", spte[0], spte[1]);
}

/* Existing mappings of a frame lose W when it becomes a table. */
static void new_table_is_protected(void **state)
{
	static const char *const gens[] = {"kvm-2.6.20", "seed", "kvm-2.6.25"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(gens); i++) {
		struct rig_config config = config_of(gens[i], PAGING_4LEVEL);
		gva_t maps[] = {GVA, GVA + PAGE_SIZE, GVA + GIB};
		struct rig rig;

		rig_open(&rig, &config);
		for (size_t m = 0; m < ARRAY_LEN(maps); m++) {
			rig_map(&rig, maps[m], 1, DATA, G_RW);
			rig_access(&rig, maps[m], ACC_W);
			check("writable", rig_spte(&rig, maps[m], 1) & PTE_W);
		}
		rig_poke(&rig, rig_entry(&rig, GVA + 2 * GIB, 2), DATA | G_LINK,
			 8);
		rig_access(&rig, GVA + 2 * GIB, ACC_R);
		if (rig.bypass) /* nothing in it: direct, so not shadowed */
			smmu_page_fault(rig.smmu, GVA + 2 * GIB, 0);
		mem_write_u64(rig.mem, DATA, DATA | G_RO);
		sp_unprotect(rig.smmu, DATA >> 12);
		rig_access(&rig, GVA + 2 * GIB, ACC_R);
		check("shadowed", smmu_is_shadowed(rig.smmu, DATA >> 12));
		for (size_t m = 0; m < ARRAY_LEN(maps); m++)
			check_eq("protected",
				 rig_spte(&rig, maps[m], 1) & PTE_W, 0);
		rig_close(&rig);
	}
}

/* facts A.2: read-only sptes are in the rmap since 2.6.25. */
static void rmap_population(void **state)
{
	static const struct {
		const char *gen;
		bool read_only_too;
	} cases[] = {
		{"kvm-2.6.20", false},
		{"kvm-2.6.24", false},
		{"seed", false},
		{"kvm-2.6.25", true},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct rig_config config =
			config_of(cases[i].gen, PAGING_4LEVEL);
		struct rig rig;

		rig_open(&rig, &config);
		rig_map(&rig, GVA, 1, DATA, G_RO);
		rig_access(&rig, GVA, ACC_R);
		check_eq(cases[i].gen,
			 rig.smmu->rmap[DATA >> PAGE_SHIFT] != NO_SLOT,
			 cases[i].read_only_too);
		rig_close(&rig);
	}
}

/* The twin of a zapped table grants nothing, and live hears of it. */
static void installed_view_follows(void **state)
{
	struct rig_config config = config_of("seed", PAGING_4LEVEL);
	struct pool *pool;
	struct rig rig;
	slot_t slot;

	(void)state;
	config.installed = true;
	rig_open(&rig, &config);
	pool = &rig.mem->pool;
	rig_map(&rig, GVA, 1, DATA, G_RW);
	rig_access(&rig, GVA, ACC_W);
	slot = rig_slot(&rig, GVA, 1);
	check("installed", pool->installed[slot / 512][slot % 512] & PTE_P);
	pool_changes_clear(pool);
	sp_zap(rig.smmu, sp_of_slot(rig.smmu, slot));
	check_eq("revoked", pool->installed[slot / 512][slot % 512], 0);
	check("flush asked for", pool->changes.flush);
	check("listed", pool_has_changes(pool));
	rig_close(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(role_word),
		cmocka_unit_test(create_refuses),
		cmocka_unit_test(one_frame_two_levels),
		cmocka_unit_test(recursive_table),
		cmocka_unit_test(recycling),
		cmocka_unit_test(thrashing),
		cmocka_unit_test(protect_before_prefetch),
		cmocka_unit_test(new_table_is_protected),
		cmocka_unit_test(rmap_population),
		cmocka_unit_test(installed_view_follows),
	};

	return cmocka_run_group_tests_name("shadow_mmu_pages", tests, NULL,
					   NULL);
}
