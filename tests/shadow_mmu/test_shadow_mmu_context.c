/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Contexts and roots: MOV CR3, pinning, modes, paging off. */
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

/* MOV CR3 keeps everything: coming back costs no fault. */
static void cr3_keeps_tables(void **state)
{
	struct rig_config config = config_of("seed", PAGING_4LEVEL);
	const gpa_t second = 0x80000;
	struct rig rig;

	(void)state;
	rig_open(&rig, &config);
	rig_map(&rig, GVA, 1, DATA, G_RW);
	rig_access(&rig, GVA, ACC_W);
	rig_switch(&rig, PAGING_4LEVEL, second);
	rig_map(&rig, GVA, 1, 2 * DATA, G_RW);
	check_eq("another space", rig_access(&rig, GVA, ACC_W).gpa, 2 * DATA);
	rig_switch(&rig, PAGING_4LEVEL, PAGE_SIZE);
	check_eq("no exit", rig_access(&rig, GVA, ACC_W).exits, 0);
	check_eq("the first space", rig_access(&rig, GVA, ACC_W).gpa, DATA);
	check_eq("an unchanged CR3 too",
		 (rig_switch(&rig, PAGING_4LEVEL, PAGE_SIZE),
		  rig_access(&rig, GVA, ACC_W).exits),
		 0);
	check_eq("roots looked up", rig_count(&rig, CNT_mmu_root_load), 4);
	rig_close(&rig);
}

/* A TLB flush by MOV CR3: 2.6.25 does not touch the roots (d835dfecd00f). */
static void same_cr3(void **state)
{
	static const struct {
		const char *gen;
		uint64_t loads;
	} cases[] = {{"kvm-2.6.24", 4}, {"seed", 4}, {"kvm-2.6.25", 0}};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct rig_config config = config_of(cases[i].gen, PAGING_PAE);
		uint64_t before;
		struct rig rig;

		rig_open(&rig, &config);
		before = rig_count(&rig, CNT_mmu_root_load);
		smmu_new_cr3(rig.smmu, &rig.guest);
		check_eq(cases[i].gen,
			 rig_count(&rig, CNT_mmu_root_load) - before,
			 cases[i].loads);
		/* The PDPTEs are read again, and one is new. */
		rig.guest.pdpte[3] = 0;
		smmu_new_cr3(rig.smmu, &rig.guest);
		check_eq(cases[i].gen,
			 rig_count(&rig, CNT_mmu_root_load) - before,
			 cases[i].loads + 3);
		rig_close(&rig);
	}
}

static void pinned_root(void **state)
{
	struct rig_config config = config_of("seed", PAGING_4LEVEL);
	struct rig rig;
	hpa_t root;

	(void)state;
	rig_open(&rig, &config);
	rig_map(&rig, GVA, 1, DATA, G_RW);
	rig_access(&rig, GVA, ACC_R);
	root = smmu_root(rig.smmu);
	check_eq("zapped", sp_unprotect(rig.smmu, rig.guest.cr3 >> 12), 1);
	check_eq("kept", smmu_root(rig.smmu), root);
	check("still shadowed", smmu_is_shadowed(rig.smmu, 1));
	check_eq("works", rig_access(&rig, GVA, ACC_R).end, RIG_OK);
	rig_switch(&rig, PAGING_4LEVEL, 0x80000);
	sp_unprotect(rig.smmu, 1);
	check("unpinned, it goes", !smmu_is_shadowed(rig.smmu, 1));
	rig_close(&rig);
}

/* Two PDPTEs over one directory: one root, counted twice. */
static void shared_pae_roots(void **state)
{
	struct rig_config config = config_of("seed", PAGING_PAE);
	struct rig rig;

	(void)state;
	rig_open(&rig, &config);
	rig.guest.pdpte[1] = rig.guest.pdpte[0];
	smmu_new_cr3(rig.smmu, &rig.guest);
	rig_map(&rig, GVA, 1, DATA, G_RW);
	check_eq("fill", rig_access(&rig, GVA, ACC_R).exits, 1);
	check_eq("through the other", rig_access(&rig, GVA + GIB, ACC_R).exits,
		 0);
	check_eq("count",
		 sp_of_slot(rig.smmu, rig_slot(&rig, GVA, 2))->root_count, 2);
	rig_close(&rig);
}

/* A guest that boots: paging off, PAE, 4-level, and back. */
static void mode_switches(void **state)
{
	struct rig_config config = config_of("kvm-2.6.25", PAGING_OFF);
	struct rig rig;

	(void)state;
	rig_open(&rig, &config);
	check_eq("off", smmu_shadow_mode(rig.smmu), PAGING_PAE);
	check_eq("identity", rig_access(&rig, DATA, ACC_W).gpa, DATA);

	for (unsigned int i = 0; i < 4; i++)
		rig.guest.pdpte[i] = ((0x40 + i) << 12) | PTE_P;
	rig.next_table = 0x50000;
	rig_switch(&rig, PAGING_PAE, 0x30000);
	rig_map(&rig, GVA, 1, DATA, G_RW);
	check_eq("PAE", rig_access(&rig, GVA, ACC_W).gpa, DATA);

	rig_switch(&rig, PAGING_4LEVEL, 0x60000);
	rig.next_table = 0x61000;
	rig_map(&rig, GVA, 1, 2 * DATA, G_RW);
	check_eq("4-level", smmu_shadow_mode(rig.smmu), PAGING_4LEVEL);
	check_eq("4-level", rig_access(&rig, GVA, ACC_W).gpa, 2 * DATA);

	rig_switch(&rig, PAGING_PAE, 0x30000);
	check_eq("kept", rig_access(&rig, GVA, ACC_W).exits, 0);
	rig_switch(&rig, PAGING_OFF, 0);
	check_eq("kept", rig_access(&rig, DATA, ACC_W).exits, 0);
	rig_close(&rig);
}

static void paging_off(void **state)
{
	static const char *const gens[] = {"kvm-2.6.20", "kvm-2.6.24", "seed",
					   "kvm-2.6.25"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(gens); i++) {
		struct rig_config config = config_of(gens[i], PAGING_OFF);
		struct rig_outcome out;
		struct rig rig;

		rig_open(&rig, &config);
		for (unsigned int q = 0; q < 4; q++) {
			const struct sp *sp = sp_of_slot(
				rig.smmu, rig_slot(&rig, q * GIB, 2));

			check_eq("root gfn", sp->gfn, 0);
			check_eq("quadrant", (sp->role >> 8) & 3, q);
			check("metaphysical", role_is_metaphysical(sp->role));
		}
		out = rig_access(&rig, DATA + 7, ACC_W | ACC_U);
		check_eq("identity", out.gpa, DATA + 7);
		check_eq("cause", out.cause, CAUSE_hidden_fill);
		out = rig_access(&rig, 3 * GIB + 5, ACC_R);
		check_eq("MMIO", out.end, RIG_MMIO);
		check_eq("gpa", out.gpa, 3 * GIB + 5);
		check_eq("MOV CR3 does nothing then",
			 (smmu_new_cr3(rig.smmu, &rig.guest),
			  rig_count(&rig, CNT_mmu_root_load)),
			 4);
		rig_close(&rig);
	}
}

/* The kept flaw of nonpaging_map, and its cure. */
static void paging_off_writes_to_tables(void **state)
{
	static const struct {
		const char *gen;
		enum rig_end end;
	} cases[] = {
		{"kvm-2.6.24", RIG_OK},
		{"seed", RIG_OK},
		{"kvm-2.6.25", RIG_EMULATE},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct rig_config config =
			config_of(cases[i].gen, PAGING_4LEVEL);
		struct rig rig;
		gpa_t table;

		rig_open(&rig, &config);
		rig_map(&rig, GVA, 1, DATA, G_RW);
		rig_access(&rig, GVA, ACC_R);
		table = rig_entry(&rig, GVA, 1) & ~PAGE_MASK;
		rig_switch(&rig, PAGING_OFF, 0);
		check_eq(cases[i].gen, rig_access(&rig, table, ACC_W).end,
			 cases[i].end);
		check_eq("observed", rig_seen(&rig, SMMU_SEEN_nonpaging_write),
			 cases[i].end == RIG_OK);
		rig_close(&rig);
	}
}

/* A zap by one processor, and what another one has filled last is gone. */
static void zap_forgets_for_all(void **state)
{
	struct rig rig;

	(void)state;
	rig_open(&rig, &(struct rig_config){.gen = "kvm-2.6.25",
					    .bypass = true,
					    .mode = PAGING_4LEVEL,
					    .vcpus = 2});
	rig_map(&rig, GVA, 1, 0x100000, G_RW);
	smmu_select(rig.smmu, 1);
	check_eq("through", rig_access(&rig, GVA, ACC_U).end, RIG_OK);
	check_eq("remembered", rig.smmu->vcpu[1].last_updated,
		 rig_slot(&rig, GVA, 1));
	check_eq("by itself alone", rig.smmu->vcpu[0].last_updated, NO_SLOT);
	smmu_select(rig.smmu, 0);
	sp_unprotect(rig.smmu, rig_entry(&rig, GVA, 1) >> PAGE_SHIFT);
	check_eq("forgotten", rig.smmu->vcpu[1].last_updated, NO_SLOT);
	rig_close(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(zap_forgets_for_all),
		cmocka_unit_test(cr3_keeps_tables),
		cmocka_unit_test(same_cr3),
		cmocka_unit_test(pinned_root),
		cmocka_unit_test(shared_pae_roots),
		cmocka_unit_test(mode_switches),
		cmocka_unit_test(paging_off),
		cmocka_unit_test(paging_off_writes_to_tables),
	};

	return cmocka_run_group_tests_name("shadow_mmu_context", tests, NULL,
					   NULL);
}
