/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The seed patch, hunk by hunk: paging_tmpl.h.  See test_shadow_mmu_seed.c. */
#include "seed.h"

/* paging_tmpl.h -31 and -45: PT_LEVEL_BITS: 9, a table is 512 entries. */
static void seed_paging_tmpl_h_hunk_pt_level_bits(void **state)
{
	struct rig rig;

	(void)state;
	open_mapped(&rig, &seed_on);
	rig_map(&rig, GVA + BIT(21) - PAGE_SIZE, 1, DATA, G_RW & ~PTE_A);
	check_eq("the last entry is in this table",
		 rig_slot(&rig, GVA + BIT(21) - PAGE_SIZE, 1),
		 rig_slot(&rig, GVA, 1) + 511);
	rig_close(&rig);
}

/*
 * paging_tmpl.h -211 and -236: set_pte_common starts from nothing, not from
 * what the slot held; was_rmapped still looks at the slot.
 */
static void seed_paging_tmpl_h_hunk_set_pte_common_afresh(void **state)
{
	struct rig rig;
	slot_t slot;

	(void)state;
	open_mapped(&rig, &seed_on);
	rig_map(&rig, GVA, 1, DATA, (G_RO | PTE_W) & ~PTE_A);
	check_eq("trap", rig_spte(&rig, GVA, 1), trap(&rig));
	rig_access(&rig, GVA, ACC_U);
	check_eq("nothing of trap is left", rig_spte(&rig, GVA, 1),
		 DATA | PTE_P | PTE_U | PTE_A | PTE_D);

	/* Nor of a mapping: the guest's rights above it may have shrunk. */
	rig_map(&rig, GVA, 1, DATA, G_RW);
	rig_access(&rig, GVA, ACC_U);
	spte_set(rig.smmu, rig_slot(&rig, GVA, 1),
		 rig_spte(&rig, GVA, 1) | PTE_NX);
	smmu_page_fault(rig.smmu, GVA, PFEC_P | PFEC_U);
	check_eq("nothing of the last mapping is left",
		 rig_spte(&rig, GVA, 1) & PTE_NX, 0);

	/* Filled twice, it is in the rmap once. */
	rig_access(&rig, GVA, ACC_W);
	slot = rig_slot(&rig, GVA, 1);
	smmu_page_fault(rig.smmu, GVA, PFEC_P | ACC_W);
	check_eq("first", rig.smmu->rmap[DATA >> PAGE_SHIFT], slot);
	check("and last", rig.smmu->link[slot].next == NO_SLOT);
	rig_close(&rig);
}

/* paging_tmpl.h -248: MMIO is trap with the IO mark. */
static void seed_paging_tmpl_h_hunk_mmio_value(void **state)
{
	const gpa_t device = UINT64_C(0xb8000000);
	const struct rig_config *configs[] = {&seed_on, &seed_off};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(configs); i++) {
		struct rig_outcome out;
		struct rig rig;

		rig_open(&rig, configs[i]);
		rig_map(&rig, GVA, 1, device, G_RW);
		for (int n = 0; n < 3; n++) {
			out = rig_access(&rig, GVA + 8, ACC_W);
			check_eq("always MMIO", out.end, RIG_MMIO);
			check_eq("gpa", out.gpa, device + 8);
			check_eq("cause", out.cause, CAUSE_mmio);
			check_eq("value", rig_spte(&rig, GVA, 1),
				 trap(&rig) | SPTE_IO_MARK);
		}
		/* The guest maps RAM there: the mark goes. */
		rig_map(&rig, GVA, 1, DATA, G_RW);
		check_eq("RAM", rig_access(&rig, GVA, ACC_W).gpa, DATA);
		/* Speculatively marked by a write. */
		rig_map(&rig, GVA, 1, device, G_RW);
		check_eq("value", rig_spte(&rig, GVA, 1),
			 trap(&rig) | SPTE_IO_MARK);
		rig_close(&rig);
	}
	check_eq("with the bypass", SMMU_TRAP_PTE | SPTE_IO_MARK,
		 UINT64_C(0xfffffffffffff201));
}

/* paging_tmpl.h -304: update_pte: absence first, length second. */
static void seed_paging_tmpl_h_hunk_update_pte_order(void **state)
{
	enum { TRAP, NOTRAP, MAPPED };
	static const struct {
		const char *name;
		uint64_t val;
		unsigned int offset, len;
		int want;
	} cases[] = {
		{"8 bytes, absent", 0, 0, 8, NOTRAP},
		{"8 bytes, absent, junk above", UINT64_C(0x7ff0000000000f00), 0,
		 8, NOTRAP},
		{"8 bytes, P and A", DATA | G_RW, 0, 8, MAPPED},
		{"8 bytes, P without A", DATA | (G_RW & ~PTE_A), 0, 8, TRAP},
		{"8 bytes, A without P", DATA | (G_RW & ~PTE_P), 0, 8, NOTRAP},
		{"low half, absent", 0, 0, 4, NOTRAP},
		{"low half, P and A", DATA | G_RW, 0, 4, TRAP},
		{"low half, P without A", DATA | PTE_P, 0, 4, TRAP},
		{"high half, bit 0 clear", 0, 4, 4, TRAP},
		{"high half, bits 0 and 5 set", 0x21, 4, 4, TRAP},
		{"within, absent", 0, 2, 4, TRAP},
		{"five bytes, absent", 0, 0, 5, NOTRAP},
		{"five bytes, P and A", DATA | G_RW, 0, 5, TRAP},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct rig rig;
		uint64_t spte;
		int got = MAPPED;

		open_mapped(&rig, &seed_on);
		rig_poke(&rig, rig_entry(&rig, GVA, 1) + cases[i].offset,
			 cases[i].val, cases[i].len);
		spte = rig_spte(&rig, GVA, 1);
		if (spte == trap(&rig))
			got = TRAP;
		else if (spte == notrap(&rig))
			got = NOTRAP;
		check_eq(cases[i].name, (uint64_t)got, (uint64_t)cases[i].want);
		rig_close(&rig);
	}
}

/* paging_tmpl.h -368: fetch asks whether the spte is shadow-present. */
static void seed_paging_tmpl_h_hunk_fetch_present(void **state)
{
	struct rig rig;

	(void)state;
	rig_open(&rig, &seed_on);
	rig_map(&rig, GVA, 1, DATA, G_RW);
	/* Upper slots hold trap, which has P set: fetch must build tables. */
	sp_zap(rig.smmu, sp_of_table(rig.smmu, smmu_root(rig.smmu)));
	check_eq("trap", rig_spte(&rig, GVA, 4), trap(&rig));
	check_eq("built", rig_access(&rig, GVA, ACC_R).gpa, DATA);
	rig_close(&rig);
}

/* paging_tmpl.h -500: prefetch_page reads the guest's table. */
static void seed_paging_tmpl_h_hunk_prefetch_page(void **state)
{
	struct rig rig;
	struct sp *sp;
	gpa_t table;

	(void)state;
	rig_open(&rig, &seed_on);
	table = rig_entry(&rig, GVA, 1) & PTE_ADDR;
	for (unsigned int i = 0; i < PT_ENTRIES; i++)
		mem_write_u64(rig.mem, table + 8 * i,
			      i % 3 ? DATA | G_RW : ~PTE_P);
	rig_access(&rig, GVA + PAGE_SIZE, ACC_R);
	sp = sp_of_slot(rig.smmu, rig_slot(&rig, GVA, 1));
	for (unsigned int i = 0; i < PT_ENTRIES; i++)
		if (i != 1)
			check_eq("by P alone",
				 spte_get(rig.smmu, slot_make(sp->table, i)),
				 i % 3 ? trap(&rig) : notrap(&rig));

	/* A split large page has no guest table: all trap. */
	rig_map(&rig, GVA + BIT(21), 2, 0, G_RW | PTE_PS);
	rig_access(&rig, GVA + BIT(21), ACC_R);
	sp = sp_of_slot(rig.smmu, rig_slot(&rig, GVA + BIT(21), 1));
	check("metaphysical", role_is_metaphysical(sp->role));
	for (unsigned int i = 1; i < PT_ENTRIES; i++)
		check_eq("all trap",
			 spte_get(rig.smmu, slot_make(sp->table, i)),
			 trap(&rig));
	rig_close(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(seed_paging_tmpl_h_hunk_pt_level_bits),
		cmocka_unit_test(seed_paging_tmpl_h_hunk_set_pte_common_afresh),
		cmocka_unit_test(seed_paging_tmpl_h_hunk_mmio_value),
		cmocka_unit_test(seed_paging_tmpl_h_hunk_update_pte_order),
		cmocka_unit_test(seed_paging_tmpl_h_hunk_fetch_present),
		cmocka_unit_test(seed_paging_tmpl_h_hunk_prefetch_page),
	};

	return cmocka_run_group_tests_name("shadow_mmu_seed_tmpl", tests, NULL,
					   NULL);
}
