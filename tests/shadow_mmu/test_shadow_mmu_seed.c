/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The seed patch ("Allow not-present guest page faults to bypass kvm",
 * c7addb902054), hunk by hunk.  A test is named after the file and what the
 * hunk touches; its comment gives the hunk's position before the patch.
 *
 * Not here, as they are VMX's: vmx.c -26 (include), -33 (module parameter),
 * -1535 (MASK and MATCH), -2582 (values set at module load).  Without effect
 * in any model: kvm.h -536 (declaration), paging_tmpl.h -286 (a debug line)
 * and -508 (#undef).  paging32 (mmu.c -1009): two-level guests come later.
 */
#include <string.h>

#include "seed.h"

/* kvm.h -150: each context brings its own prefetch_page. */
static void seed_kvm_h_hunk_prefetch_page_operation(void **state)
{
	struct rig rig;

	(void)state;
	rig_open(&rig, &seed_on);
	check_eq("paging on: absent is notrap", rig_spte(&rig, GVA, 4),
		 notrap(&rig));
	rig_switch(&rig, PAGING_OFF, 0);
	check_eq("paging off: trap", rig_spte(&rig, GVA, 2), trap(&rig));
	rig_close(&rig);
}

/* kvm_main.c -3501: without the bypass both values are 0, as before. */
static void seed_kvm_main_c_hunk_default_values(void **state)
{
	struct rig seed, old;
	static const uint64_t ptes[] = {
		0, DATA | G_RW, DATA | G_RO, DATA | (G_RW & ~PTE_A), 0xf00, 0,
	};
	struct rig_config before = seed_off;

	(void)state;
	before.gen = "kvm-2.6.24";
	open_mapped(&seed, &seed_off);
	open_mapped(&old, &before);
	for (size_t i = 0; i < ARRAY_LEN(ptes); i++) {
		struct rig_outcome a, b;

		rig_poke(&seed, rig_entry(&seed, GVA, 1), ptes[i], 8);
		rig_poke(&old, rig_entry(&old, GVA, 1), ptes[i], 8);
		a = rig_access(&seed, GVA, i % 2 ? ACC_W : ACC_R);
		b = rig_access(&old, GVA, i % 2 ? ACC_W : ACC_R);
		check_eq("end", a.end, b.end);
		check_eq("exits", a.exits, b.exits);
		check_eq("cause", a.cause, b.cause);
		check_eq("spte", rig_spte(&seed, GVA, 1),
			 rig_spte(&old, GVA, 1));
	}
	check_eq("the same tables", seed.smmu->nr_used, old.smmu->nr_used);
	rig_close(&old);
	rig_close(&seed);
}

/* mmu.c -156: kvm_mmu_set_nonpresent_ptes, the two values. */
static void seed_mmu_c_hunk_set_nonpresent_ptes(void **state)
{
	struct rig rig;

	(void)state;
	rig_open(&rig, &seed_on);
	check_eq("trap", trap(&rig), UINT64_C(0xfffffffffffff001));
	check_eq("notrap", notrap(&rig), 0);
	rig_map(&rig, GVA, 1, DATA, G_RW);
	check_eq("a fault at trap exits: P=1, reserved bits",
		 rig_walk(&rig, GVA, ACC_R).pfec, PFEC_P | PFEC_RSVD);
	check_eq("a fault at notrap is the guest's own",
		 rig_access(&rig, GVA + BIT(39), ACC_R).end, RIG_DIRECT);
	rig_close(&rig);
}

/* mmu.c -176: is_shadow_present_pte, the IO mark stripped. */
static void seed_mmu_c_hunk_is_shadow_present_pte(void **state)
{
	const struct spte_values on = {SMMU_TRAP_PTE, 0}, off = {0, 0};
	const struct {
		const char *name;
		uint64_t spte;
		bool on, off;
	} cases[] = {
		{"0", 0, false, false},
		{"~0xffe", SMMU_TRAP_PTE, false, true},
		{"~0xffe | IO", SMMU_TRAP_PTE | SPTE_IO_MARK, false, true},
		{"IO alone", SPTE_IO_MARK, false, false},
		{"a mapping", DATA | PTE_P, true, true},
		{"a mapping | IO", DATA | PTE_P | SPTE_IO_MARK, true, true},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		check_eq(cases[i].name, is_shadow_present(&on, cases[i].spte),
			 cases[i].on);
		check_eq(cases[i].name, is_shadow_present(&off, cases[i].spte),
			 cases[i].off);
	}
}

/*
 * mmu.c -450: is_empty_shadow_page: trap, marked or not, is empty.  The seed
 * breaks its own rule with each new page, which is zeros: an observation.
 */
static void seed_mmu_c_hunk_is_empty_shadow_page(void **state)
{
	struct rig rig;
	struct sp *sp;

	(void)state;
	open_mapped(&rig, &seed_on);
	check_eq("a fresh page is not empty",
		 rig_seen(&rig, SMMU_SEEN_fresh_table_not_empty), 4);

	sp = sp_of_slot(rig.smmu, rig_slot(&rig, GVA, 1));
	sp_zap(rig.smmu, sp);
	check_eq("zapped pages are empty",
		 smmu_audit_result(rig.smmu)->violations, 0);
	rig_access(&rig, GVA, ACC_R);
	sp = sp_of_slot(rig.smmu, rig_slot(&rig, GVA, 1));
	spte_set(rig.smmu, slot_make(sp->table, 7), trap(&rig) | SPTE_IO_MARK);
	sp_zap(rig.smmu, sp);
	check_eq("trap | IO is empty too",
		 smmu_audit_result(rig.smmu)->violations, 0);
	rig_close(&rig);

	open_mapped(&rig, &seed_off);
	check_eq("both 0: fresh pages are empty",
		 rig_seen(&rig, SMMU_SEEN_fresh_table_not_empty), 0);
	rig_close(&rig);
}

/* mmu.c -632: kvm_mmu_get_page fills a new page, before it protects gfn. */
static void seed_mmu_c_hunk_get_page_prefetches(void **state)
{
	struct rig rig;
	gpa_t table;

	(void)state;
	rig_open(&rig, &seed_on);
	table = rig_entry(&rig, GVA, 1) & PTE_ADDR;
	rig_map(&rig, GVA + PAGE_SIZE, 1, DATA, G_RW);
	check_eq("the level-1 table is new",
		 smmu_is_shadowed(rig.smmu, table >> 12), false);
	rig_access(&rig, GVA + PAGE_SIZE, ACC_R);
	check_eq("absent neighbour", rig_spte(&rig, GVA, 1), notrap(&rig));
	check_eq("prefetched, the root before its one entry",
		 rig_count(&rig, CNT_mmu_prefetch_notrap), 512 + 3 * 511);
	check_eq("protected after", rig.gen->sw.protect_before_prefetch, 0);
	check("protected all the same",
	      smmu_is_shadowed(rig.smmu, table >> 12));
	rig_close(&rig);
}

/* mmu.c -648: unlink_children, leaf table: rmaps dropped, all trap. */
static void seed_mmu_c_hunk_unlink_children_leaf(void **state)
{
	struct rig rig;
	struct sp *leaf;

	(void)state;
	open_mapped(&rig, &seed_on);
	check("mapped", rig.smmu->rmap[DATA >> PAGE_SHIFT] != NO_SLOT);
	leaf = sp_of_slot(rig.smmu, rig_slot(&rig, GVA, 1));
	leaf->root_count++; /* pinned, it can be looked at afterwards */
	sp_zap(rig.smmu, leaf);
	check("rmap dropped", rig.smmu->rmap[DATA >> PAGE_SHIFT] == NO_SLOT);
	for (unsigned int i = 0; i < PT_ENTRIES; i++)
		check_eq("every slot",
			 spte_get(rig.smmu, slot_make(leaf->table, i)),
			 trap(&rig));
	leaf->root_count--;
	rig_close(&rig);
}

/* mmu.c -659: unlink_children, upper table: links dropped, all trap. */
static void seed_mmu_c_hunk_unlink_children_upper(void **state)
{
	struct rig rig;
	struct sp *top, *child;

	(void)state;
	open_mapped(&rig, &seed_on);
	top = sp_of_table(rig.smmu, smmu_root(rig.smmu));
	child = sp_of_table(rig.smmu, rig_spte(&rig, GVA, 4) & PTE_ADDR);
	check("the child knows its parent", child->parents != NO_SLOT);
	sp_zap(rig.smmu, top);
	check("and forgets it", child->parents == NO_SLOT);
	check("but lives", child->in_use);
	for (unsigned int i = 0; i < PT_ENTRIES; i++)
		check_eq("every slot",
			 spte_get(rig.smmu, slot_make(top->table, i)),
			 trap(&rig));
	rig_close(&rig);
}

/* mmu.c -691: zap_page leaves trap in the parents. */
static void seed_mmu_c_hunk_zap_page_parents(void **state)
{
	struct rig rig;
	gva_t alias = GVA + BIT(30);

	(void)state;
	open_mapped(&rig, &seed_on);
	/* The same page table under two directories. */
	rig_map(&rig, alias, 2, rig_entry(&rig, GVA, 1) & PTE_ADDR, G_LINK);
	check_eq("alias", rig_access(&rig, alias, ACC_R).end, RIG_OK);
	check_eq("one table, two parents", rig_slot(&rig, alias, 1),
		 rig_slot(&rig, GVA, 1));
	sp_zap(rig.smmu, sp_of_slot(rig.smmu, rig_slot(&rig, GVA, 1)));
	check_eq("parent 1", rig_spte(&rig, GVA, 2), trap(&rig));
	check_eq("parent 2", rig_spte(&rig, alias, 2), trap(&rig));
	rig_close(&rig);
}

/* mmu.c -798: nonpaging_map asks whether the spte is shadow-present. */
static void seed_mmu_c_hunk_nonpaging_map_present(void **state)
{
	struct rig rig;
	struct rig_outcome out;

	(void)state;
	rig_open(&rig, &seed_on);
	rig_switch(&rig, PAGING_OFF, 0);
	rig_access(&rig, DATA, ACC_R);
	/* Trap has P set: it must not be taken for a mapping. */
	check_eq("neighbour before", rig_spte(&rig, DATA + PAGE_SIZE, 1),
		 trap(&rig));
	out = rig_access(&rig, DATA + PAGE_SIZE, ACC_W);
	check_eq("mapped", out.end, RIG_OK);
	check_eq("neighbour after",
		 rig_spte(&rig, DATA + PAGE_SIZE, 1) & ~(PTE_A | PTE_D),
		 (DATA + PAGE_SIZE) | PTE_P | PTE_W | PTE_U);
	rig_close(&rig);
}

/* mmu.c -808: nonpaging_map: an upper slot that is trap needs a table. */
static void seed_mmu_c_hunk_nonpaging_map_upper(void **state)
{
	struct rig rig;

	(void)state;
	rig_open(&rig, &seed_on);
	rig_switch(&rig, PAGING_OFF, 0);
	check_eq("upper slot", rig_spte(&rig, DATA, 2), trap(&rig));
	check_eq("one exit", rig_access(&rig, DATA, ACC_R).exits, 1);
	check("linked",
	      is_shadow_present(&rig.smmu->v, rig_spte(&rig, DATA, 2)));
	rig_close(&rig);
}

/* mmu.c -829 and -943: nonpaging_prefetch_page, the context's operation. */
static void seed_mmu_c_hunk_nonpaging_prefetch_page(void **state)
{
	struct rig rig;
	struct sp *root;

	(void)state;
	rig_open(&rig, &seed_on);
	rig_switch(&rig, PAGING_OFF, 0);
	root = sp_of_slot(rig.smmu, rig_slot(&rig, DATA, 2));
	for (unsigned int i = 0; i < PT_ENTRIES; i++)
		check_eq("every slot",
			 spte_get(rig.smmu, slot_make(root->table, i)),
			 trap(&rig));
	check_eq("no fault goes past us", rig_access(&rig, DATA, ACC_U).end,
		 RIG_OK);
	rig_close(&rig);
}

/* mmu.c -989: paging64_init_context_common: 4-level and PAE prefetch. */
static void seed_mmu_c_hunk_paging64_context_prefetches(void **state)
{
	static const enum paging_mode modes[] = {PAGING_4LEVEL, PAGING_PAE};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
		struct rig_config config = seed_on;
		struct rig rig;

		config.mode = modes[i];
		rig_open(&rig, &config);
		check_eq("absent at the top", rig_access(&rig, GVA, ACC_U).end,
			 RIG_DIRECT);
		rig_map(&rig, GVA, 1, DATA, G_RW);
		check_eq("present", rig_access(&rig, GVA, ACC_U).end, RIG_OK);
		check_eq("absent at the leaf",
			 rig_access(&rig, GVA + PAGE_SIZE, ACC_U).end,
			 RIG_DIRECT);
		rig_close(&rig);
	}
}

/* mmu.c -1081: mmu_pte_write_zap_pte: only real mappings are unlinked. */
static void seed_mmu_c_hunk_pte_write_zap_pte_present(void **state)
{
	struct rig rig;

	(void)state;
	open_mapped(&rig, &seed_on);
	/* Over trap: P is set in it, but no rmap and no child behind it. */
	rig_map(&rig, GVA + PAGE_SIZE, 1, DATA, G_RW & ~PTE_A);
	check_eq("trap", rig_spte(&rig, GVA + PAGE_SIZE, 1), trap(&rig));
	rig_map(&rig, GVA + PAGE_SIZE, 1, 0, 0);
	sp_zap(rig.smmu, sp_of_slot(rig.smmu, rig_slot(&rig, GVA, 1)));
	check_eq("upper trap", rig_spte(&rig, GVA, 2), trap(&rig));
	rig_poke(&rig, rig_entry(&rig, GVA, 2), 0, 8);
	/* Over a mapping: gone from the rmap. */
	rig_close(&rig);

	open_mapped(&rig, &seed_on);
	rig_map(&rig, GVA, 1, 0, 0);
	check("rmap", rig.smmu->rmap[DATA >> PAGE_SHIFT] == NO_SLOT);
	rig_close(&rig);
}

/* mmu.c -1089: zapped by a write: trap, at every level. */
static void seed_mmu_c_hunk_pte_write_zap_pte_traps(void **state)
{
	(void)state;
	for (int level = 1; level <= 4; level++) {
		struct rig rig;
		gpa_t at;

		open_mapped(&rig, &seed_on);
		at = rig_entry(&rig, GVA, level);
		/* A second half: nothing is known of the entry. */
		rig_poke(&rig, at + 4, 0, 4);
		check_eq("trap", rig_spte(&rig, GVA, level), trap(&rig));
		rig_close(&rig);
	}
	/* An upper entry that becomes absent stays trap, not notrap. */
	for (int level = 2; level <= 4; level++) {
		uint64_t zapped;
		struct rig rig;

		open_mapped(&rig, &seed_on);
		zapped = rig_count(&rig, CNT_mmu_pde_zapped);
		rig_poke(&rig, rig_entry(&rig, GVA, level), 0, 8);
		check_eq("trap", rig_spte(&rig, GVA, level), trap(&rig));
		check_eq("so it exits", rig_access(&rig, GVA, ACC_R).end,
			 RIG_INJECT);
		check_eq("unlinked", rig_count(&rig, CNT_mmu_pde_zapped),
			 zapped + 1);
		rig_close(&rig);
	}
}

static uint64_t audits_around(struct rig *rig, bool poke)
{
	uint64_t before = rig_count(rig, CNT_audits);

	if (poke)
		rig_poke(rig, rig_entry(rig, GVA, 1), DATA | G_RW, 8);
	else
		smmu_page_fault(rig->smmu, GVA, PFEC_U);
	return rig_count(rig, CNT_audits) - before;
}

/* mmu.c -1126: the audit "pre pte write" sees the state as it was. */
static void seed_mmu_c_hunk_audit_pre_pte_write(void **state)
{
	struct rig rig;
	slot_t slot;

	(void)state;
	open_mapped(&rig, &seed_on);
	check_eq("audits around a write", audits_around(&rig, true), 2);
	/* Break the slot: the write repairs it, the audit before it saw. */
	slot = rig_slot(&rig, GVA, 1);
	pool_set(&rig.mem->pool, slot_table(slot), slot_index(slot),
		 spte_get(rig.smmu, slot) ^ PAGE_SIZE * 2);
	rmap_remove(rig.smmu, slot, DATA | PTE_P | PTE_W);
	rmap_add(rig.smmu, slot, spte_get(rig.smmu, slot));
	rig_poke(&rig, rig_entry(&rig, GVA, 1), DATA | G_RW, 8);
	check("seen", smmu_audit_result(rig.smmu)->violations > 0);
	check("named", strstr(smmu_audit_result(rig.smmu)->first,
			      "pre pte write: a leaf maps the frame") != NULL);
	rig.dirty_audit = true;
	rig_close(&rig);
}

/* mmu.c -1181: offset_in_pte is passed on; the audit "post pte write". */
static void seed_mmu_c_hunk_offset_in_pte_and_audit_post(void **state)
{
	struct rig rig;
	gpa_t at;

	(void)state;
	open_mapped(&rig, &seed_on);
	at = rig_entry(&rig, GVA, 1);
	rig_poke(&rig, at, 0, 4);
	check_eq("offset 0", rig_spte(&rig, GVA, 1), notrap(&rig));
	rig_poke(&rig, at + 4, 0, 4);
	check_eq("offset 4", rig_spte(&rig, GVA, 1), trap(&rig));

	/* The audit after the write takes the bytes that are yet to land. */
	rig_poke(&rig, at, 0, 8);
	check_eq("no false alarm", smmu_audit_result(rig.smmu)->violations, 0);
	rig.smmu->cur->last_pt_write_count = 0;
	smmu_pte_write(rig.smmu, at, &(uint64_t){DATA | G_RW}, 8);
	check_eq("mapped ahead of the bytes",
		 smmu_audit_result(rig.smmu)->violations, 0);
	mem_write_u64(rig.mem, at, DATA | G_RW);
	rig_close(&rig);
}

/* mmu.c -1359: audit_mappings_page: notrap over a valid guest mapping. */
static void seed_mmu_c_hunk_audit_notrap_valid_guest(void **state)
{
	struct rig rig;
	slot_t slot;

	(void)state;
	open_mapped(&rig, &seed_on);
	slot = rig_slot(&rig, GVA + PAGE_SIZE, 1);
	check_eq("notrap", spte_get(rig.smmu, slot), notrap(&rig));
	/* A writer nobody sees (facts B, invariant 3). */
	mem_write_u64(rig.mem, rig_entry(&rig, GVA + PAGE_SIZE, 1),
		      DATA | G_RW);
	check_eq("a spurious guest fault",
		 rig_access(&rig, GVA + PAGE_SIZE, ACC_R).end, RIG_DIRECT);
	rig_access(&rig, GVA + 2 * PAGE_SIZE, ACC_R);
	smmu_page_fault(rig.smmu, GVA, ACC_R);
	check("named", strstr(smmu_audit_result(rig.smmu)->first,
			      "notrap stands for an absent guest") != NULL);
	rig.dirty_audit = true;
	rig_close(&rig);
}

/*
 * mmu.c -1359: "nontrapping pte in nonleaf level" is what prefetch_page does
 * at every level: the seed against itself, an observation and no violation.
 */
static void seed_mmu_c_hunk_audit_nonleaf_notrap(void **state)
{
	struct rig rig;

	(void)state;
	open_mapped(&rig, &seed_on);
	check("seen", rig_seen(&rig, SMMU_SEEN_nonleaf_notrap) > 0);
	check_eq("not held against us", smmu_audit_result(rig.smmu)->violations,
		 0);
	rig_close(&rig);

	open_mapped(&rig, &seed_off);
	check_eq("not without the bypass",
		 rig_seen(&rig, SMMU_SEEN_nonleaf_notrap), 0);
	rig_close(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(seed_kvm_h_hunk_prefetch_page_operation),
		cmocka_unit_test(seed_kvm_main_c_hunk_default_values),
		cmocka_unit_test(seed_mmu_c_hunk_set_nonpresent_ptes),
		cmocka_unit_test(seed_mmu_c_hunk_is_shadow_present_pte),
		cmocka_unit_test(seed_mmu_c_hunk_is_empty_shadow_page),
		cmocka_unit_test(seed_mmu_c_hunk_get_page_prefetches),
		cmocka_unit_test(seed_mmu_c_hunk_unlink_children_leaf),
		cmocka_unit_test(seed_mmu_c_hunk_unlink_children_upper),
		cmocka_unit_test(seed_mmu_c_hunk_zap_page_parents),
		cmocka_unit_test(seed_mmu_c_hunk_nonpaging_map_present),
		cmocka_unit_test(seed_mmu_c_hunk_nonpaging_map_upper),
		cmocka_unit_test(seed_mmu_c_hunk_nonpaging_prefetch_page),
		cmocka_unit_test(seed_mmu_c_hunk_paging64_context_prefetches),
		cmocka_unit_test(seed_mmu_c_hunk_pte_write_zap_pte_present),
		cmocka_unit_test(seed_mmu_c_hunk_pte_write_zap_pte_traps),
		cmocka_unit_test(seed_mmu_c_hunk_audit_pre_pte_write),
		cmocka_unit_test(seed_mmu_c_hunk_offset_in_pte_and_audit_post),
		cmocka_unit_test(seed_mmu_c_hunk_audit_notrap_valid_guest),
		cmocka_unit_test(seed_mmu_c_hunk_audit_nonleaf_notrap),
	};

	return cmocka_run_group_tests_name("shadow_mmu_seed", tests, NULL,
					   NULL);
}
