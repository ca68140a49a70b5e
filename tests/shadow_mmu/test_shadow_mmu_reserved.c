/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sptes known by reserved bits: MMIO of 3.1 and Xen, Xen's guest-not-present.
 * What they tell without a walk, and when the walk is needed after all.
 */
#include "rig.h"

#define USER  UINT64_C(0x400000)
#define WIN   UINT64_C(0x40000000)
#define DATA  UINT64_C(0x100000)
#define FRAME UINT64_C(0xfee00000)

/* The first access walks; what does the second do? */
static void mmio_rights(void **state)
{
	static const struct {
		const char *name;
		uint64_t flags;
		uint32_t first, second;
		enum rig_end end;
		bool fast;
		uint32_t pfec;
	} cases[] = {
		{"read again", G_RO, ACC_R, ACC_R, RIG_MMIO, true, 0},
		{"read by user code", G_RO, ACC_R, ACC_U, RIG_MMIO, true, 0},
		{"the kernel's, by user code", G_KRW, ACC_R, ACC_U, RIG_INJECT,
		 false, PFEC_P | PFEC_U},
		{"read-only, written", G_RO, ACC_R, ACC_W, RIG_INJECT, false,
		 PFEC_P | PFEC_W},
		{"clean, written: D is set", G_RW & ~PTE_D, ACC_R, ACC_W,
		 RIG_MMIO, false, 0},
		{"written again", G_RW, ACC_W, ACC_W, RIG_MMIO, true, 0},
		{"fetched", G_RW, ACC_R, ACC_X, RIG_MMIO, false, 0},
		{"NX, fetched", G_RW | PTE_NX, ACC_R, ACC_X, RIG_INJECT, false,
		 PFEC_P | PFEC_ID},
	};
	static const char *const gens[] = {"kvm-3.1", "xen"};

	(void)state;
	for (size_t i = 0; i < 2 * ARRAY_LEN(cases); i++) {
		const struct rig_config config = {
			.gen = gens[i % 2],
			.mode = PAGING_4LEVEL,
			.audit = SMMU_AUDIT_ALL,
		};
		size_t c = i / 2;
		struct rig_outcome out;
		struct rig rig;
		uint64_t fast;

		rig_open(&rig, &config);
		rig_map(&rig, USER, 1, FRAME, cases[c].flags);
		out = rig_access(&rig, USER + 0x123, cases[c].first);
		check_eq(cases[c].name, out.end, RIG_MMIO);
		fast = rig_count(&rig, CNT_fault_fast_mmio);
		out = rig_access(&rig, USER + 0x123, cases[c].second);
		check_eq(cases[c].name, out.end, cases[c].end);
		check_eq(cases[c].name,
			 rig_count(&rig, CNT_fault_fast_mmio) - fast,
			 cases[c].fast);
		if (out.end == RIG_MMIO)
			check_eq(cases[c].name, out.gpa, FRAME + 0x123);
		else
			check_eq(cases[c].name, out.pfec, cases[c].pfec);
		if (cases[c].second == ACC_W && out.end == RIG_MMIO)
			check(cases[c].name,
			      mem_read_u64(rig.mem, rig_entry(&rig, USER, 1)) &
				      PTE_D);
		rig_close(&rig);
	}
}

/* The entry goes elsewhere, unseen: until a flush a TLB might not know. */
static void mmio_is_stale_until_flush(void **state)
{
	const struct rig_config config = {
		.gen = "kvm-3.1",
		.mode = PAGING_4LEVEL,
		.audit = SMMU_AUDIT_ALL,
	};
	uint64_t val = DATA | G_RW;
	struct rig rig;

	(void)state;
	rig_open(&rig, &config);
	rig_map(&rig, USER, 1, FRAME, G_RW);
	rig_map(&rig, WIN, 1, rig_entry(&rig, USER, 1) & ~PAGE_MASK, G_KRW);
	rig_access(&rig, USER, ACC_R);
	rig_store(&rig, WIN + 8 * pt_index(USER, 1), ACC_W, &val, 8);
	check_eq("stale", rig_access(&rig, USER, ACC_R).end, RIG_MMIO);
	smmu_sync(rig.smmu);
	check_eq("flushed", rig_access(&rig, USER, ACC_R).end, RIG_OK);
	rig_close(&rig);
}

/* Xen's fast path: the code of the fault less P and RSVD. */
static void guest_not_present(void **state)
{
	static const uint32_t accesses[] = {ACC_R, ACC_W, ACC_U, ACC_U | ACC_W,
					    ACC_U | ACC_X};
	const struct rig_config config = {
		.gen = "xen",
		.mode = PAGING_4LEVEL,
		.audit = SMMU_AUDIT_ALL,
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(accesses); i++) {
		struct rig_outcome out;
		uint64_t walks;
		struct rig rig;

		rig_open(&rig, &config);
		rig_map(&rig, USER, 1, DATA, G_RW);
		rig_access(&rig, USER, ACC_R);
		rig_poke(&rig, rig_entry(&rig, USER, 1), 0, 8);
		check_eq("spte", rig_spte(&rig, USER, 1), SMMU_GNP_PTE);
		walks = rig.acct->cost_count[COST_GUEST_WALK_REF];
		out = rig_access(&rig, USER, accesses[i]);
		check_eq("reflected", out.end, RIG_INJECT);
		check_eq("code", out.pfec, accesses[i]);
		check_eq("exits", out.exits, 1);
		check_eq("walks", rig.acct->cost_count[COST_GUEST_WALK_REF],
			 walks);
		check_eq("counted", rig_count(&rig, CNT_fault_fast_gnp), 1);
		/* Present again: the emulated write says so. */
		rig_poke(&rig, rig_entry(&rig, USER, 1), DATA | G_RW, 8);
		check_eq("through", rig_access(&rig, USER, ACC_R).end, RIG_OK);
		rig_close(&rig);
	}
}

/* With 52 address bits no bit is left that could be reserved. */
static void no_reserved_bits(void **state)
{
	struct smmu_config config = {.maxphyaddr = 52};

	(void)state;
	config.sw = smmu_generation_find("xen")->sw;
	smmu_set_values(&config, false);
	check_eq("trap", config.trap_pte, 0);
	check_eq("notrap", config.notrap_pte, 0);
	config.maxphyaddr = 51;
	smmu_set_values(&config, false);
	check_eq("notrap", config.notrap_pte, SMMU_GNP_PTE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mmio_rights),
		cmocka_unit_test(mmio_is_stale_until_flush),
		cmocka_unit_test(guest_not_present),
		cmocka_unit_test(no_reserved_bits),
	};

	return cmocka_run_group_tests_name("shadow_mmu_reserved", tests, NULL,
					   NULL);
}
