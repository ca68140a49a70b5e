/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Leaf tables out of sync (4731d4c7a077): who may go, what it costs, what stays
 * of them, and where they come back.
 */
#include <string.h>

#include "rig.h"

#define USER UINT64_C(0x400000)
#define WIN  UINT64_C(0x40000000) /* the kernel's view of USER's tables */
#define DATA UINT64_C(0x100000)

static gva_t page(unsigned int i)
{
	return USER + i * PAGE_SIZE;
}

static gva_t window(unsigned int i)
{
	return WIN + 8 * pt_index(page(i), 1);
}

/* A table with pages 0 and 1 mapped, seen through the window; 2.. absent. */
static void open_gen(struct rig *rig, const char *gen, bool bypass)
{
	const struct rig_config config = {
		.gen = gen,
		.bypass = bypass,
		.mode = PAGING_4LEVEL,
		.audit = SMMU_AUDIT_ALL,
	};

	rig_open(rig, &config);
	rig_map(rig, page(0), 1, DATA, G_RW);
	rig_map(rig, page(1), 1, DATA + PAGE_SIZE, G_RW);
	rig_map(rig, WIN, 1, rig_entry(rig, USER, 1) & ~PAGE_MASK, G_KRW);
	rig_map(rig, WIN + PAGE_SIZE, 1, rig_entry(rig, USER, 2) & ~PAGE_MASK,
		G_KRW);
	rig_access(rig, WIN, ACC_R);
	rig_access(rig, WIN + PAGE_SIZE, ACC_R);
	rig_access(rig, page(0), ACC_W);
	rig_access(rig, page(1), ACC_W);
}

static void open_28(struct rig *rig)
{
	open_gen(rig, "kvm-2.6.28", true);
}

static struct rig_outcome write_entry(struct rig *rig, unsigned int i,
				      uint64_t val)
{
	return rig_store(rig, window(i), ACC_W, &val, 8);
}

static const struct sp *user_table(const struct rig *rig)
{
	return sp_of_slot(rig->smmu, rig_slot(rig, USER, 1));
}

static bool is_flagged_up_to_root(const struct rig *rig)
{
	for (int level = 2; level <= 4; level++) {
		slot_t slot = rig_slot(rig, USER, level);
		unsigned int index = slot_index(slot);

		if (!(sp_of_slot(rig->smmu, slot)->unsync_child[index / 64] &
		      BIT(index % 64)))
			return false;
	}
	return true;
}

static void first_write_exits(void **state)
{
	struct rig rig;

	(void)state;
	open_28(&rig);
	check_eq("absent is notrap", rig_spte(&rig, page(2), 1), 0);
	check("in sync", !user_table(&rig)->unsync);

	check_eq("first write", write_entry(&rig, 2, DATA | G_RW).exits, 1);
	check_eq("unsync", rig_count(&rig, CNT_mmu_unsync), 1);
	check("out of sync", user_table(&rig)->unsync);
	check("ancestors know", is_flagged_up_to_root(&rig));
	check_eq("no notrap is left", rig_spte(&rig, page(3), 1),
		 SMMU_TRAP_PTE);
	check_eq("second write", write_entry(&rig, 3, DATA | G_RW).exits, 0);
	/* The new entries are found by faults. */
	check_eq("refault", rig_access(&rig, page(2), ACC_U).exits, 1);
	check_eq("an absent one exits", rig_access(&rig, page(9), ACC_U).exits,
		 1);
	rig_close(&rig);
}

/* Without the switch, and in generations before, each write is emulated. */
static void switched_off(void **state)
{
	struct rig rig;

	(void)state;
	open_28(&rig);
	rig.smmu->sw.unsync = false;
	check_eq("first", write_entry(&rig, 2, DATA | G_RW).end, RIG_EMULATE);
	check_eq("second", write_entry(&rig, 3, DATA | G_RW).end, RIG_EMULATE);
	check_eq("unsync", rig_count(&rig, CNT_mmu_unsync), 0);
	rig_close(&rig);
}

static void upper_table_stays(void **state)
{
	uint64_t val = 0;
	struct rig_outcome out;
	struct rig rig;

	(void)state;
	open_28(&rig);
	out = rig_store(&rig, WIN + PAGE_SIZE + 8 * 5, ACC_W, &val, 8);
	check_eq("emulated", out.end, RIG_EMULATE);
	check_eq("unsync", rig_count(&rig, CNT_mmu_unsync), 0);
	rig_close(&rig);
}

/* The same table below a directory entry of other rights: two roles. */
static void two_roles_stay(void **state)
{
	const gva_t twin = USER + (UINT64_C(4) << 21);
	struct rig rig;

	(void)state;
	open_28(&rig);
	rig_poke(&rig, rig_entry(&rig, twin, 2),
		 (rig_entry(&rig, USER, 1) & ~PAGE_MASK) | (G_LINK & ~PTE_W),
		 8);
	rig_access(&rig, twin, ACC_U);
	check_eq("emulated", write_entry(&rig, 2, DATA | G_RW).end,
		 RIG_EMULATE);
	check_eq("unsync", rig_count(&rig, CNT_mmu_unsync), 0);
	rig_close(&rig);
}

/* What a TLB could keep, the shadow keeps; no more. */
static void stale_until_flush(void **state)
{
	static const struct {
		const char *name;
		bool invlpg, same_cr3;
	} cases[] = {
		{"INVLPG", true, false},
		{"MOV CR3", false, false},
		{"MOV CR3, the same", false, true},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct rig_outcome out;
		struct rig rig;

		open_28(&rig);
		rig_map(&rig, page(7), 1, DATA, G_RW); /* is left of it */
		rig_access(&rig, page(7), ACC_R);
		write_entry(&rig, 0, (DATA + 5 * PAGE_SIZE) | G_RO);
		write_entry(&rig, 1, 0);
		out = rig_access(&rig, page(0), ACC_W);
		check_eq(cases[i].name, out.end, RIG_OK);
		check_eq(cases[i].name, out.gpa, DATA);
		check_eq(cases[i].name, rig_access(&rig, page(1), ACC_R).end,
			 RIG_OK);

		if (cases[i].invlpg) {
			smmu_invlpg(rig.smmu, page(0));
			check_eq("the other entry stays",
				 rig_access(&rig, page(1), ACC_R).end, RIG_OK);
			smmu_invlpg(rig.smmu, page(1));
			check("still out of sync", user_table(&rig)->unsync);
		} else {
			rig.smmu->sw.same_cr3_keeps_roots = cases[i].same_cr3;
			smmu_new_cr3(rig.smmu, &rig.guest);
			check("in sync", !user_table(&rig)->unsync);
		}
		out = rig_access(&rig, page(0), ACC_R);
		check_eq(cases[i].name, out.gpa, DATA + 5 * PAGE_SIZE);
		check_eq(cases[i].name, rig_access(&rig, page(0), ACC_W).end,
			 RIG_INJECT);
		out = rig_access(&rig, page(1), ACC_R);
		check_eq(cases[i].name, out.end,
			 cases[i].invlpg ? RIG_INJECT : RIG_DIRECT);
		rig_close(&rig);
	}
}

static void sync_drops_and_keeps(void **state)
{
	static const struct {
		const char *name;
		uint64_t gpte;
		uint64_t spte, mask; /* after the sync */
	} cases[] = {
		{"unchanged", DATA | G_RW, DATA | PTE_P | PTE_W | PTE_U,
		 PTE_ADDR | SPTE_PERM},
		{"read-only now", DATA | G_RO, DATA | PTE_P | PTE_U,
		 PTE_ADDR | SPTE_PERM},
		{"clean now", DATA | (G_RW & ~PTE_D), DATA | PTE_P | PTE_U,
		 PTE_ADDR | SPTE_PERM},
		{"the kernel's now", DATA | G_KRW, DATA | PTE_P | PTE_W,
		 PTE_ADDR | SPTE_PERM},
		{"NX now", DATA | G_RW | PTE_NX,
		 DATA | PTE_P | PTE_W | PTE_U | PTE_NX, PTE_ADDR | SPTE_PERM},
		{"not accessed", DATA | (G_RW & ~PTE_A), SMMU_TRAP_PTE,
		 UINT64_MAX},
		{"another frame", (DATA + PAGE_SIZE) | G_RW, SMMU_TRAP_PTE,
		 UINT64_MAX},
		{"absent", DATA | (G_RW & ~PTE_P), 0, UINT64_MAX},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct rig rig;

		open_28(&rig);
		write_entry(&rig, 0, cases[i].gpte);
		smmu_sync(rig.smmu);
		check_eq(cases[i].name,
			 rig_spte(&rig, page(0), 1) & cases[i].mask,
			 cases[i].spte);
		check("in sync", !user_table(&rig)->unsync);
		/* It was made trap when the table went, and stays that. */
		check_eq("an absent one", rig_spte(&rig, page(3), 1),
			 SMMU_TRAP_PTE);
		/* Protected again. */
		check_eq("a write exits", write_entry(&rig, 4, 0).exits, 1);
		check_eq("unsync", rig_count(&rig, CNT_mmu_unsync), 2);
		rig_close(&rig);
	}
}

static void empty_table_is_zapped(void **state)
{
	struct rig rig;

	(void)state;
	open_28(&rig);
	write_entry(&rig, 0, 0);
	write_entry(&rig, 1, 0);
	smmu_sync(rig.smmu);
	check_eq("no table", rig_slot(&rig, USER, 1), NO_SLOT);
	check_eq("zapped", rig_count(&rig, CNT_mmu_shadow_zapped), 1);
	rig_close(&rig);
}

/* Found out of sync by another way: synced before it is used. */
static void table_is_synced_when_found(void **state)
{
	const gva_t twin = USER + (UINT64_C(4) << 21);
	struct rig_outcome out;
	struct rig rig;

	(void)state;
	open_28(&rig);
	rig_poke(&rig, rig_entry(&rig, twin, 2),
		 (rig_entry(&rig, USER, 1) & ~PAGE_MASK) | G_LINK, 8);
	write_entry(&rig, 0, (DATA + 5 * PAGE_SIZE) | G_RW);
	out = rig_access(&rig, twin + PAGE_SIZE, ACC_R);
	check_eq("through", out.end, RIG_OK);
	check("in sync", !user_table(&rig)->unsync);
	out = rig_access(&rig, twin, ACC_R);
	check_eq("the new frame", out.gpa, DATA + 5 * PAGE_SIZE);
	rig_close(&rig);
}

/* A directory with a table out of sync below it is linked a second time. */
static void directory_is_synced_when_linked(void **state)
{
	const gva_t twin = USER + (UINT64_C(3) << 30);
	struct rig_outcome out;
	struct rig rig;

	(void)state;
	open_28(&rig);
	rig_poke(&rig, rig_entry(&rig, twin, 3),
		 (rig_entry(&rig, USER, 2) & ~PAGE_MASK) | G_LINK, 8);
	write_entry(&rig, 0, (DATA + 5 * PAGE_SIZE) | G_RW);
	check("out of sync", user_table(&rig)->unsync);
	/* Not by the entry that was changed: that would be filled anew. */
	out = rig_access(&rig, twin + PAGE_SIZE, ACC_R);
	check_eq("through", out.end, RIG_OK);
	check("in sync", !user_table(&rig)->unsync);
	out = rig_access(&rig, twin, ACC_R);
	check_eq("the new frame", out.gpa, DATA + 5 * PAGE_SIZE);
	rig_close(&rig);
}

/* Zapping a directory takes what is out of sync below it along. */
static void zap_takes_children(void **state)
{
	struct rig rig;
	gfn_t dir, table;

	(void)state;
	open_28(&rig);
	dir = rig_entry(&rig, USER, 2) >> PAGE_SHIFT;
	table = rig_entry(&rig, USER, 1) >> PAGE_SHIFT;
	write_entry(&rig, 2, DATA | G_RW);
	check_eq("zapped", sp_unprotect(rig.smmu, dir), 1);
	check("the directory", !smmu_is_shadowed(rig.smmu, dir));
	check("the table", !smmu_is_shadowed(rig.smmu, table));
	rig_close(&rig);
}

/* An emulated write that reaches a table out of sync leaves trap. */
static void emulated_write_leaves_trap(void **state)
{
	(void)state;
	for (int on = 0; on <= 1; on++) {
		struct rig rig;

		open_28(&rig);
		rig.smmu->sw.unsync_update_traps = on;
		write_entry(&rig, 2, DATA | G_RW);
		rig_poke(&rig, rig_entry(&rig, page(2), 1), 0, 8);
		check_eq("spte", rig_spte(&rig, page(2), 1),
			 on ? SMMU_TRAP_PTE : 0);
		check_eq("seen", rig_seen(&rig, SMMU_SEEN_unsync_notrap) > 0,
			 !on);
		/* Present again, and nobody is told: a bogus guest fault. */
		write_entry(&rig, 2, DATA | G_RW);
		check_eq("access", rig_access(&rig, page(2), ACC_U).end,
			 on ? RIG_OK : RIG_DIRECT);
		rig.dirty_audit = !on;
		rig_close(&rig);
	}
}

/* A root that is zapped in use: emptied before, loaded anew since. */
static void zapped_root(void **state)
{
	static const struct {
		const char *gen;
		bool fresh;
	} cases[] = {{"kvm-2.6.25", false}, {"kvm-2.6.28", true}};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct rig rig;
		uint64_t loads;

		open_gen(&rig, cases[i].gen, true);
		loads = rig_count(&rig, CNT_mmu_root_load);
		check_eq("zapped",
			 sp_unprotect(rig.smmu, rig.guest.cr3 >> PAGE_SHIFT),
			 1);
		smmu_enter(rig.smmu);
		check_eq(cases[i].gen, rig_count(&rig, CNT_mmu_root_load),
			 loads + cases[i].fresh);
		/* An absent PML4 entry: emptied it traps, read anew it need
		 * not. */
		check_eq(cases[i].gen,
			 rig_access(&rig, UINT64_C(1) << 40, ACC_R).end,
			 cases[i].fresh ? RIG_DIRECT : RIG_INJECT);
		check_eq("goes on", rig_access(&rig, page(0), ACC_W).end,
			 RIG_OK);
		rig_close(&rig);
	}
}

/* Paging off and on again: what was written meanwhile is seen. */
static void paging_off_and_on(void **state)
{
	struct rig_outcome out;
	struct rig rig;
	uint64_t val = (DATA + 5 * PAGE_SIZE) | G_RW;
	uint64_t cr3;
	gpa_t table;

	(void)state;
	open_28(&rig);
	cr3 = rig.guest.cr3;
	table = rig_entry(&rig, USER, 1);
	rig_switch(&rig, PAGING_OFF, 0);
	out = rig_store(&rig, table, ACC_W, &val, 8);
	check_eq("not emulated", out.end, RIG_OK);
	rig_switch(&rig, PAGING_4LEVEL, cr3);
	out = rig_access(&rig, page(0), ACC_W);
	check_eq("the new frame", out.gpa, DATA + 5 * PAGE_SIZE);
	rig_close(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(first_write_exits),
		cmocka_unit_test(switched_off),
		cmocka_unit_test(upper_table_stays),
		cmocka_unit_test(two_roles_stay),
		cmocka_unit_test(stale_until_flush),
		cmocka_unit_test(sync_drops_and_keeps),
		cmocka_unit_test(empty_table_is_zapped),
		cmocka_unit_test(table_is_synced_when_found),
		cmocka_unit_test(directory_is_synced_when_linked),
		cmocka_unit_test(zap_takes_children),
		cmocka_unit_test(emulated_write_leaves_trap),
		cmocka_unit_test(zapped_root),
		cmocka_unit_test(paging_off_and_on),
	};

	return cmocka_run_group_tests_name("shadow_mmu_sync", tests, NULL,
					   NULL);
}
