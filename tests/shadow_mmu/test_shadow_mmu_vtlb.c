/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * No cache of shadow pages (2.6.20-rc3): the shadow is a TLB.  What it does not
 * see, what each flush drops, what it may keep, and what it never does.
 */
#include <string.h>

#include "rig.h"

#define USER  UINT64_C(0x400000)
#define WIN   UINT64_C(0x40000000) /* the kernel's view of USER's table */
#define LARGE UINT64_C(0x80000000)
#define DATA  UINT64_C(0x100000)
#define OTHER UINT64_C(0x110000)

static void open_mode(struct rig *rig, enum paging_mode mode, unsigned vcpus)
{
	const struct rig_config config = {
		.gen = "kvm-2.6.20-rc3",
		.mode = mode,
		.max_pages = SMMU_MIN_PAGES,
		.audit = SMMU_AUDIT_ALL,
		.vcpus = (uint8_t)vcpus,
	};

	rig_open(rig, &config);
	rig_map(rig, USER, 1, DATA, G_RW);
}

static void open_64(struct rig *rig)
{
	open_mode(rig, PAGING_4LEVEL, 1);
	rig_map(rig, WIN, 1, rig_entry(rig, USER, 1) & ~PAGE_MASK, G_KRW);
	rig_access(rig, USER, ACC_U | ACC_W);
}

/* Frame that a read of gva gets to; MAX: none. */
static gpa_t leads_to(struct rig *rig, gva_t gva)
{
	struct rig_outcome o = rig_access(rig, gva, ACC_R);

	return o.end == RIG_OK ? o.gpa : UINT64_MAX;
}

static bool is_cached(const struct rig *rig, gva_t gva)
{
	slot_t slot = rig_slot(rig, gva, 1);

	return slot != NO_SLOT &&
	       is_shadow_present(&rig->smmu->v, spte_get(rig->smmu, slot));
}

static void new_cr3(struct rig *rig)
{
	smmu_new_cr3(rig->smmu, &rig->guest);
}

/* The guest writes its table by a mapping that stays writable. */
static void a_write_is_not_seen(void **state)
{
	uint64_t entry = OTHER | G_RW;
	struct rig_outcome o;
	struct rig rig;

	(void)state;
	open_64(&rig);
	check_eq("the first",
		 rig_store(&rig, WIN + 8 * pt_index(USER, 1), ACC_W, &entry, 8)
			 .exits,
		 1);
	o = rig_store(&rig, WIN + 8 * pt_index(USER, 1), ACC_W, &entry, 8);
	check_eq("the second", o.exits, 0);
	check("no table is known",
	      !smmu_is_shadowed(rig.smmu, rig.guest.cr3 >> 12));
	check("nothing to unprotect", !smmu_unprotect(rig.smmu, WIN));
	check_eq("stale", leads_to(&rig, USER), DATA);
	smmu_invlpg(rig.smmu, USER + PAGE_SIZE);
	check_eq("another page", leads_to(&rig, USER), DATA);
	smmu_invlpg(rig.smmu, USER);
	check_eq("flushed", leads_to(&rig, USER), OTHER);
	entry = DATA | G_RW;
	rig_store(&rig, WIN + 8 * pt_index(USER, 1), ACC_W, &entry, 8);
	new_cr3(&rig);
	check_eq("the same CR3", leads_to(&rig, USER), DATA);
	rig_close(&rig);
}

static void cr3_drops_the_leaves(void **state)
{
	uint64_t zapped, made;
	struct rig rig;

	(void)state;
	open_64(&rig);
	rig_access(&rig, WIN, ACC_R);
	zapped = rig_count(&rig, CNT_mmu_shadow_zapped);
	made = rig_count(&rig, CNT_mmu_cache_miss);
	new_cr3(&rig);
	check_eq("leaf tables", rig_count(&rig, CNT_mmu_shadow_zapped) - zapped,
		 2);
	check("those above stay", rig_slot(&rig, USER, 2) != NO_SLOT);
	check("the leaf", rig_slot(&rig, USER, 1) == NO_SLOT);
	rig_access(&rig, USER, ACC_R);
	check_eq("made again", rig_count(&rig, CNT_mmu_cache_miss) - made, 1);
	rig_reset(&rig);
	check("CR0 and CR4 drop all",
	      rig_slot(&rig, USER, 3) == NO_SLOT ||
		      rig_slot(&rig, USER, 2) == NO_SLOT);
	rig_close(&rig);
}

static void global_pages(void **state)
{
	static const struct {
		const char *name;
		bool pge, mixed, stays;
	} cases[] = {
		{"G and CR4.PGE", true, false, true},
		{"without CR4.PGE G says nothing", false, false, false},
		{"a page beside it is not global", true, true, false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct rig rig;

		open_64(&rig);
		rig.guest.pge = cases[i].pge;
		rig_reset(&rig);
		rig_map(&rig, LARGE, 1, DATA, G_KRW | PTE_G);
		rig_map(&rig, LARGE + PAGE_SIZE, 1, DATA, G_KRW);
		rig_access(&rig, LARGE, ACC_R);
		if (cases[i].mixed)
			rig_access(&rig, LARGE + PAGE_SIZE, ACC_R);
		rig_access(&rig, USER, ACC_R);
		new_cr3(&rig);
		check_eq(cases[i].name, is_cached(&rig, LARGE), cases[i].stays);
		check("the user's", !is_cached(&rig, USER));
		rig_access(&rig, LARGE, ACC_R);
		smmu_sync(rig.smmu);
		check("a flush of all", !is_cached(&rig, LARGE));
		rig_close(&rig);
	}
}

/* INVLPG of a large page takes all its pieces. */
static void large_pages(void **state)
{
	static const struct {
		const char *name;
		enum paging_mode mode;
		int level;
		gva_t near, far; /* pieces in use, and where INVLPG points */
		gva_t at;
	} cases[] = {
		{"2M", PAGING_4LEVEL, 2, 0, 0x5000, 0x7000},
		{"PAE", PAGING_PAE, 2, 0, 0x5000, 0x7000},
		{"4M, the same half", PAGING_32, 2, 0, 0x200000, 0x1000},
		{"4M, the other half", PAGING_32, 2, 0x200000, 0x201000,
		 0x1000},
		{"1G", PAGING_4LEVEL, 3, 0, 0x201000, 0x801000},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct rig rig;

		open_mode(&rig, cases[i].mode, 1);
		rig.guest.pse = true;
		rig_reset(&rig);
		rig_access(&rig, USER, ACC_R);
		rig_map(&rig, LARGE, cases[i].level, 0, G_RW | PTE_PS);
		rig_access(&rig, LARGE + cases[i].near, ACC_R);
		rig_access(&rig, LARGE + cases[i].far, ACC_R);
		check(cases[i].name, is_cached(&rig, LARGE + cases[i].far));
		smmu_invlpg(rig.smmu, LARGE + cases[i].at);
		check(cases[i].name, !is_cached(&rig, LARGE + cases[i].near));
		check(cases[i].name, !is_cached(&rig, LARGE + cases[i].far));
		check("a small page elsewhere", is_cached(&rig, USER));
		rig_close(&rig);
	}
}

/* One table, reached by entries of other rights, and the large pages. */
static void rights_are_of_the_way(void **state)
{
	gva_t twin = LARGE;
	struct rig rig;

	(void)state;
	open_64(&rig);
	rig_poke(&rig, rig_entry(&rig, twin, 2),
		 (rig_entry(&rig, USER, 1) & ~PAGE_MASK) | (G_LINK & ~PTE_W),
		 8);
	check_eq("by the read-only way",
		 rig_access(&rig, twin, ACC_U | ACC_W).end, RIG_INJECT);
	check_eq("by the other", rig_access(&rig, USER, ACC_U | ACC_W).end,
		 RIG_OK);
	check_eq("still", rig_access(&rig, twin, ACC_U | ACC_W).end,
		 RIG_INJECT);
	rig_close(&rig);
}

static void dirty_is_set_by_a_write(void **state)
{
	gpa_t entry;
	struct rig rig;

	(void)state;
	open_64(&rig);
	entry = rig_entry(&rig, LARGE, 1);
	rig_map(&rig, LARGE, 1, DATA, G_KRW & ~(PTE_A | PTE_D));
	rig_access(&rig, LARGE, ACC_R);
	check_eq("A", rig_peek(&rig, entry) & (PTE_A | PTE_D), PTE_A);
	check_eq("exits for D", rig_access(&rig, LARGE, ACC_W).exits, 1);
	check("D", rig_peek(&rig, entry) & PTE_D);
	rig_close(&rig);
}

/* More than fits: all is dropped, as by a flush. */
static void out_of_pages(void **state)
{
	struct rig rig;

	(void)state;
	open_64(&rig);
	for (unsigned int i = 0; i < 2 * SMMU_MIN_PAGES; i++) {
		gva_t gva = LARGE + ((gva_t)i << 21);

		rig_map(&rig, gva, 1, DATA, G_RW);
		check_eq("through", leads_to(&rig, gva), DATA);
	}
	check("recycled", rig_count(&rig, CNT_mmu_recycled) > 0);
	check("with what was old", !is_cached(&rig, USER));
	check_eq("and again", leads_to(&rig, USER), DATA);
	rig_close(&rig);
}

static void pdptes_come_and_go(void **state)
{
	struct rig rig;

	(void)state;
	open_mode(&rig, PAGING_PAE, 1);
	rig_map(&rig, LARGE, 1, OTHER, G_RW);
	check_eq("there", leads_to(&rig, LARGE), OTHER);
	rig.guest.pdpte[2] = 0;
	new_cr3(&rig);
	check_eq("gone", rig_access(&rig, LARGE, ACC_R).end, RIG_INJECT);
	check_eq("another", leads_to(&rig, USER), DATA);
	rig.guest.pdpte[2] = rig.guest.pdpte[0];
	new_cr3(&rig);
	check_eq("back", leads_to(&rig, LARGE + USER), DATA);
	rig_close(&rig);
}

/* Each processor has its own; nobody is interrupted. */
static void processors_are_alone(void **state)
{
	gpa_t entry;
	struct rig rig;

	(void)state;
	open_mode(&rig, PAGING_4LEVEL, 2);
	entry = rig_entry(&rig, USER, 1);
	for (unsigned int i = 0; i < 2; i++) {
		smmu_select(rig.smmu, i);
		check_eq("before", leads_to(&rig, USER), DATA);
	}
	smmu_take_remote_flush(rig.smmu);
	mem_write_u64(rig.mem, entry, OTHER | G_RW);
	smmu_invlpg(rig.smmu, USER);
	check_eq("flushed here", leads_to(&rig, USER), OTHER);
	smmu_select(rig.smmu, 0);
	check_eq("not there", leads_to(&rig, USER), DATA);
	new_cr3(&rig);
	check_eq("now there", leads_to(&rig, USER), OTHER);
	check("no request", !smmu_take_remote_flush(rig.smmu));
	rig_close(&rig);
}

/* Table after table of a walk, and the walk's rights, to and from paging. */
static void paging_off_and_on(void **state)
{
	struct rig rig;

	(void)state;
	open_64(&rig);
	rig_switch(&rig, PAGING_OFF, 0);
	check_eq("off", leads_to(&rig, DATA), DATA);
	new_cr3(&rig);
	check("MOV CR3 does nothing then", is_cached(&rig, DATA));
	rig_switch(&rig, PAGING_4LEVEL, PAGE_SIZE);
	check_eq("on", leads_to(&rig, USER), DATA);
	rig_close(&rig);
}

/* The audit knows a table that is in two places, or in none. */
static void audited(void **state)
{
	const char *name = "a vTLB's table is a root or has one parent";
	struct smmu_audit_report report;
	struct rig rig;
	struct sp *sp;

	(void)state;
	open_64(&rig);
	sp = sp_of_slot(rig.smmu, rig_slot(&rig, USER, 1));
	sp->root_count++;
	smmu_run_audit(rig.smmu, SMMU_AUDIT_TABLE, &report);
	sp->root_count--;
	check("seen", report.violations > 0);
	sp = sp_get(rig.smmu, 0, sp->role, NO_SLOT);
	smmu_run_audit(rig.smmu, SMMU_AUDIT_TABLE, &report);
	check("an orphan", strstr(report.first, name) != NULL);
	sp_zap(rig.smmu, sp);
	/* A right that the way to the page has not got. */
	rig_map(&rig, LARGE, 1, DATA, G_RO);
	rig_access(&rig, LARGE, ACC_R);
	spte_set(rig.smmu, rig_slot(&rig, LARGE, 1),
		 rig_spte(&rig, LARGE, 1) | PTE_W);
	smmu_run_audit(rig.smmu, SMMU_AUDIT_ENTRY, &report);
	check("rights", strstr(report.first, "grants no right") != NULL);
	spte_set(rig.smmu, rig_slot(&rig, LARGE, 1),
		 rig_spte(&rig, LARGE, 1) & ~PTE_W);
	rig.dirty_audit = true;
	rig_close(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_write_is_not_seen),
		cmocka_unit_test(cr3_drops_the_leaves),
		cmocka_unit_test(global_pages),
		cmocka_unit_test(large_pages),
		cmocka_unit_test(rights_are_of_the_way),
		cmocka_unit_test(dirty_is_set_by_a_write),
		cmocka_unit_test(out_of_pages),
		cmocka_unit_test(pdptes_come_and_go),
		cmocka_unit_test(processors_are_alone),
		cmocka_unit_test(paging_off_and_on),
		cmocka_unit_test(audited),
	};

	return cmocka_run_group_tests_name("shadow_mmu_vtlb", tests, NULL,
					   NULL);
}
