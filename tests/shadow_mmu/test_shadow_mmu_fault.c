/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Page faults with paging on: verdict and cause, the era's guest walk, A and
 * D, tables and roots where no RAM is.
 */
#include "rig.h"

#define GVA    UINT64_C(0x40000000)
#define DATA   UINT64_C(0x100000)
#define DEVICE UINT64_C(0xb8000000)
#define GIB    BIT(30)
#define MIB2   BIT(21)

static const char *const all[] = {"kvm-2.6.20", "kvm-2.6.24", "seed",
				  "kvm-2.6.25"};

static void open_gen(struct rig *rig, const char *gen)
{
	struct rig_config config = {
		.gen = gen,
		.bypass = smmu_generation_find(gen)->has_bypass,
		.mode = PAGING_4LEVEL,
		.audit = SMMU_AUDIT_ALL,
	};

	rig_open(rig, &config);
}

static uint64_t gpte(const struct rig *rig, gpa_t at)
{
	return mem_read_u64(rig->mem, at);
}

/* One exit on an entry, by what the entry is and what was there before. */
static void causes(void **state)
{
	static const struct {
		const char *name;
		uint64_t pte;
		uint32_t first, access; /* first: an access before */
		enum rig_end end;
		enum pf_cause cause;
		unsigned int exits;
	} cases[] = {
		{"fill, read", DATA | G_RW, 0, ACC_U, RIG_OK, CAUSE_hidden_fill,
		 1},
		{"fill, write with D clear", DATA | G_LINK, 0, ACC_W, RIG_OK,
		 CAUSE_hidden_fill, 1},
		{"D on a present spte", DATA | G_LINK, ACC_U, ACC_W, RIG_OK,
		 CAUSE_accessed_dirty, 1},
		{"nothing to do the second time", DATA | G_RW, ACC_U, ACC_U,
		 RIG_OK, CAUSE_hidden_fill, 0},
		{"write to a read-only page", DATA | G_RO, ACC_U, ACC_W,
		 RIG_INJECT, CAUSE_injected, 1},
		{"user to a kernel page", DATA | G_KRW, ACC_R, ACC_U,
		 RIG_INJECT, CAUSE_injected, 1},
		{"fetch from an NX page", DATA | G_RW | PTE_NX, ACC_R, ACC_X,
		 RIG_INJECT, CAUSE_injected, 1},
		{"denied, and a reserved bit", DATA | G_RO | BIT(36), 0, ACC_W,
		 RIG_INJECT, CAUSE_reserved, 1},
		{"MMIO", DEVICE | G_RW, 0, ACC_R, RIG_MMIO, CAUSE_mmio, 1},
	};

	(void)state;
	for (size_t g = 0; g < ARRAY_LEN(all); g++) {
		for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
			struct rig_outcome out;
			struct rig rig;

			open_gen(&rig, all[g]);
			rig_map(&rig, GVA, 1, 0, cases[i].pte);
			if (cases[i].first)
				rig_access(&rig, GVA, cases[i].first);
			out = rig_access(&rig, GVA, cases[i].access);
			check_eq(cases[i].name, out.end, cases[i].end);
			check_eq(cases[i].name, out.exits, cases[i].exits);
			if (out.exits)
				check_eq(cases[i].name, out.cause,
					 cases[i].cause);
			rig_close(&rig);
		}
	}
}

/* An entry written with A clear is trap until used: the exit is for A. */
static void cause_of_a_clear_entry(void **state)
{
	static const struct {
		const char *gen;
		enum pf_cause cause;
	} cases[] = {
		/* it would have exited in any case */
		{"kvm-2.6.20", CAUSE_hidden_fill},
		{"kvm-2.6.24", CAUSE_accessed_dirty},
		{"seed", CAUSE_accessed_dirty},
		{"kvm-2.6.25", CAUSE_accessed_dirty},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct rig_outcome out;
		struct rig rig;

		open_gen(&rig, cases[i].gen);
		rig_map(&rig, GVA, 1, DATA, G_RW);
		rig_access(&rig, GVA, ACC_R);
		rig_map(&rig, GVA, 1, DATA, G_RW & ~PTE_A);
		out = rig_access(&rig, GVA, ACC_R);
		check_eq(cases[i].gen, out.cause, cases[i].cause);
		check(cases[i].gen,
		      gpte(&rig, rig_entry(&rig, GVA, 1)) & PTE_A);
		/* Half a write: it is not A that was missing. */
		rig_poke(&rig, rig_entry(&rig, GVA, 1), (uint32_t)DATA | 7, 4);
		out = rig_access(&rig, GVA, ACC_R);
		check_eq(cases[i].gen, out.cause, CAUSE_hidden_fill);
		rig_close(&rig);
	}
}

static void cause_spurious(void **state)
{
	struct smmu_result r;
	struct rig rig;

	(void)state;
	open_gen(&rig, "seed");
	rig_map(&rig, GVA, 1, DATA, G_RW);
	rig_access(&rig, GVA, ACC_W | ACC_U);
	r = smmu_page_fault(rig.smmu, GVA + 5, PFEC_P | ACC_W);
	check_eq("verdict", r.verdict, SMMU_FIXED);
	check_eq("cause", r.cause, CAUSE_spurious);
	check_eq("gpa", r.gpa, DATA + 5);
	rig_close(&rig);
}

/* facts A.4: A on the way down, also when a lower level is absent. */
static void walk_sets_accessed_on_the_way(void **state)
{
	(void)state;
	for (size_t g = 0; g < ARRAY_LEN(all); g++) {
		struct rig_outcome out;
		struct rig rig;
		gpa_t top, leaf;

		open_gen(&rig, all[g]);
		top = rig_entry(&rig, GVA, 4);
		leaf = rig_entry(&rig, GVA, 1);
		rig_poke(&rig, top, gpte(&rig, top) & ~PTE_A, 8);
		out = rig_access(&rig, GVA, ACC_R);
		check_eq(all[g], gpte(&rig, top) & PTE_A, PTE_A);
		check_eq(all[g], gpte(&rig, leaf), 0);
		/* Trap above, so even with the bypass the first one exits. */
		check_eq(all[g], out.end, RIG_INJECT);
		check_eq(all[g], out.pfec, 0);
		rig_close(&rig);
	}
}

/* facts A.4: a right missing above hides that the entry below is absent. */
static void walk_checks_level_by_level(void **state)
{
	struct rig_outcome out;
	struct rig rig;
	gpa_t at;

	(void)state;
	open_gen(&rig, "kvm-2.6.24");
	rig_entry(&rig, GVA, 1);
	at = rig_entry(&rig, GVA, 3);
	rig_poke(&rig, at, gpte(&rig, at) & ~PTE_U, 8);
	out = rig_access(&rig, GVA, ACC_U);
	check_eq("code", out.pfec, PFEC_P | PFEC_U);
	check_eq("the processor's", rig_access(&rig, GVA, ACC_R).pfec, 0);
	rig_close(&rig);
}

/* facts A.4, A.7: I/D is repeated whatever the guest's NXE is. */
static void error_code_repeats_the_fetch_bit(void **state)
{
	struct rig_config config = {
		.gen = "kvm-2.6.24",
		.mode = PAGING_4LEVEL,
		.nxe_off = true,
		.audit = SMMU_AUDIT_ALL,
	};
	struct rig rig;

	(void)state;
	rig_open(&rig, &config);
	check_eq("absent", rig_access(&rig, GVA, ACC_X | ACC_U).pfec,
		 PFEC_ID | PFEC_U);
	rig_close(&rig);
}

/* Once D is set by a write, and not before, the spte is writable. */
static void dirty_is_emulated(void **state)
{
	(void)state;
	for (size_t g = 0; g < ARRAY_LEN(all); g++) {
		struct rig rig;
		gpa_t at;

		open_gen(&rig, all[g]);
		rig_map(&rig, GVA, 1, DATA, G_LINK); /* D clear */
		at = rig_entry(&rig, GVA, 1);
		check_eq("read", rig_access(&rig, GVA, ACC_U).exits, 1);
		check_eq("read-only", rig_spte(&rig, GVA, 1) & PTE_W, 0);
		check_eq("D still clear", gpte(&rig, at) & PTE_D, 0);
		check_eq("write", rig_access(&rig, GVA, ACC_U | ACC_W).exits,
			 1);
		check_eq("D", gpte(&rig, at) & PTE_D, PTE_D);
		check_eq("writable", rig_spte(&rig, GVA, 1) & PTE_W, PTE_W);
		check_eq("again", rig_access(&rig, GVA, ACC_W).exits, 0);
		rig_close(&rig);
	}
}

/* 2.6.25: D set in the walk reaches the other tables that shadow the frame. */
static void dirty_reaches_other_shadows(void **state)
{
	static const struct {
		const char *gen;
		unsigned int exits;
	} cases[] = {{"kvm-2.6.25", 0}};
	gva_t alias = GVA + GIB;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct rig rig;

		open_gen(&rig, cases[i].gen);
		rig_map(&rig, GVA, 1, DATA, G_LINK); /* D clear */
		/* The same page table, for the kernel only: another role. */
		rig_map(&rig, alias, 2, rig_entry(&rig, GVA, 1) & ~PAGE_MASK,
			G_LINK & ~PTE_U);
		rig_access(&rig, GVA, ACC_R);
		rig_access(&rig, alias, ACC_R);
		check("two tables",
		      rig_slot(&rig, GVA, 1) != rig_slot(&rig, alias, 1));
		check_eq("by the one", rig_access(&rig, GVA, ACC_W).exits, 1);
		check_eq("the other follows",
			 rig_access(&rig, alias, ACC_W).exits, cases[i].exits);
		check_eq("with its own rights",
			 rig_spte(&rig, alias, 1) & (PTE_W | PTE_U), PTE_W);
		rig_close(&rig);
	}
}

/* Entries that name tables and pages where no RAM is. */
static void tables_outside_ram(void **state)
{
	(void)state;
	for (size_t g = 0; g < ARRAY_LEN(all); g++) {
		for (int level = 2; level <= 4; level++) {
			struct rig_outcome out;
			struct rig rig;

			open_gen(&rig, all[g]);
			rig_poke(&rig, rig_entry(&rig, GVA, level),
				 DEVICE | G_LINK, 8);
			out = rig_access(&rig, GVA, ACC_W);
			check_eq("absent", out.end, RIG_INJECT);
			check_eq("code", out.pfec, PFEC_W);
			rig_close(&rig);
		}
	}
}

/* d196e343361c, which no generation here has: the shadow never hears of it. */
static void mmio_without_the_mark(void **state)
{
	struct rig_outcome out;
	struct rig rig;
	uint32_t used;

	(void)state;
	open_gen(&rig, "kvm-2.6.25");
	rig.smmu->sw.mmio_mark = false;
	used = rig.smmu->nr_used;
	rig_map(&rig, GVA, 1, DEVICE, G_RW);
	for (int i = 0; i < 2; i++) {
		out = rig_access(&rig, GVA + 8, ACC_W);
		check_eq("always MMIO", out.end, RIG_MMIO);
		check_eq("gpa", out.gpa, DEVICE + 8);
	}
	check_eq("no table was built", rig.smmu->nr_used, used);
	/* With the table there, neither a fault nor a write leaves a mark. */
	rig_map(&rig, GVA + PAGE_SIZE, 1, DATA, G_RW);
	rig_access(&rig, GVA + PAGE_SIZE, ACC_R);
	check_eq("MMIO", rig_access(&rig, GVA, ACC_W).end, RIG_MMIO);
	check_eq("faulted", rig_spte(&rig, GVA, 1), rig.smmu->v.trap);
	rig_map(&rig, GVA, 1, DEVICE, G_RW);
	check_eq("written", rig_spte(&rig, GVA, 1), rig.smmu->v.trap);
	rig_close(&rig);
}

/* A root where no RAM is, as a PDPTE may say: a fault, whatever is asked. */
static void roots_outside_ram(void **state)
{
	static const struct {
		const char *gen;
		enum rig_end end;
	} cases[] = {
		{"kvm-2.6.24", RIG_INJECT},
		{"seed", RIG_DIRECT},       /* reads as zeros: notrap */
		{"kvm-2.6.25", RIG_INJECT}, /* cannot be read: trap */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct rig_config config = {
			.gen = cases[i].gen,
			.bypass =
				smmu_generation_find(cases[i].gen)->has_bypass,
			.mode = PAGING_PAE,
			.audit = SMMU_AUDIT_ALL,
		};
		struct rig_outcome out;
		struct rig rig;

		rig_open(&rig, &config);
		rig.guest.pdpte[2] = DEVICE | PTE_P;
		smmu_new_cr3(rig.smmu, &rig.guest);
		out = rig_access(&rig, 2 * GIB, ACC_U);
		check_eq(cases[i].gen, out.end, cases[i].end);
		check_eq(cases[i].gen, out.pfec, PFEC_U);
		rig_close(&rig);
	}
}

/* facts F.15: an absent PDPTE is 0 in the root, until CR3 is loaded again. */
static void pae_pdptes_are_cached(void **state)
{
	struct rig_config config = {
		.gen = "seed",
		.bypass = true,
		.mode = PAGING_PAE,
		.audit = SMMU_AUDIT_ALL,
	};
	struct rig rig;

	(void)state;
	rig_open(&rig, &config);
	rig_map(&rig, GIB, 1, DATA, G_RW);
	rig.guest.pdpte[1] &= ~PTE_P;
	check_eq("not reloaded", rig_access(&rig, GIB, ACC_U).end, RIG_OK);
	smmu_new_cr3(rig.smmu, &rig.guest);
	check_eq("slot", pool_get(&rig.mem->pool, smmu_root(rig.smmu), 1), 0);
	check_eq("direct", rig_access(&rig, GIB, ACC_U).end, RIG_DIRECT);
	check_eq("others: address and P",
		 pool_get(&rig.mem->pool, smmu_root(rig.smmu), 0) & ~PTE_ADDR,
		 PTE_P);
	check_eq("mode", smmu_shadow_mode(rig.smmu), PAGING_PAE);
	rig_close(&rig);
}

/* The contract: no side effect, no rights asked. */
static void gva_to_gpa(void **state)
{
	uint64_t before;
	struct rig rig;
	gpa_t gpa;

	(void)state;
	open_gen(&rig, "seed");
	rig_map(&rig, GVA, 1, DATA, PTE_P);
	before = mem_ram_digest(rig.mem);
	check("there", smmu_gva_to_gpa(rig.smmu, GVA + 0x123, &gpa));
	check_eq("gpa", gpa, DATA + 0x123);
	check("absent", !smmu_gva_to_gpa(rig.smmu, GVA + PAGE_SIZE, &gpa));
	check_eq("untouched", mem_ram_digest(rig.mem), before);
	check_eq("uncounted", rig.acct->cost_count[COST_GUEST_WALK_REF], 0);
	rig_switch(&rig, PAGING_OFF, 0);
	check("paging off", smmu_gva_to_gpa(rig.smmu, 0x1234, &gpa));
	check_eq("gpa", gpa, 0x1234);
	rig_close(&rig);
}

/* What a fault costs, by unit. */
static void charges(void **state)
{
	static const enum cost_id ids[] = {COST_GUEST_WALK_REF, COST_SPTE_FILL,
					   COST_SP_ALLOC, COST_PREFETCH_PAGE};
	static const uint64_t want[] = {4, 1, 3, 3};
	uint64_t before[ARRAY_LEN(ids)];
	struct rig rig;

	(void)state;
	open_gen(&rig, "seed");
	rig_map(&rig, GVA, 1, DATA, G_RW);
	for (size_t i = 0; i < ARRAY_LEN(ids); i++)
		before[i] = rig.acct->cost_count[ids[i]];
	rig_access(&rig, GVA, ACC_R);
	for (size_t i = 0; i < ARRAY_LEN(ids); i++)
		check_eq(cost_info(ids[i])->key,
			 rig.acct->cost_count[ids[i]] - before[i], want[i]);
	check_eq("fixed", rig_count(&rig, CNT_pf_fixed), 1);
	rig_close(&rig);
}

/*
 * A walk that goes on past a missing right sets A up to there, and not in what
 * the access did not get to use.
 */
static void denied_walk_sets_no_a_below(void **state)
{
	static const char *const gens[] = {"kvm-2.6.28", "kvm-2.6.38",
					   "kvm-3.1", "xen"};
	const gva_t gva = UINT64_C(0x400000);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(gens); i++) {
		const struct rig_config config = {.gen = gens[i],
						  .mode = PAGING_4LEVEL};
		gpa_t above, denies, below;
		struct rig rig;

		rig_open(&rig, &config);
		rig_map(&rig, gva, 1, 0x100000, G_RW & ~PTE_A);
		above = rig_entry(&rig, gva, 3);
		denies = rig_entry(&rig, gva, 2);
		below = rig_entry(&rig, gva, 1);
		rig_poke(&rig, above,
			 mem_read_u64(rig.mem, above) & ~(uint64_t)PTE_A, 8);
		rig_poke(&rig, denies,
			 mem_read_u64(rig.mem, denies) & ~(PTE_A | PTE_W), 8);
		check_eq(gens[i], rig_access(&rig, gva, ACC_W).end, RIG_INJECT);
		check("above", mem_read_u64(rig.mem, above) & PTE_A);
		check("there", !(mem_read_u64(rig.mem, denies) & PTE_A));
		check("below", !(mem_read_u64(rig.mem, below) & PTE_A));
		rig_close(&rig);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(causes),
		cmocka_unit_test(cause_of_a_clear_entry),
		cmocka_unit_test(cause_spurious),
		cmocka_unit_test(walk_sets_accessed_on_the_way),
		cmocka_unit_test(walk_checks_level_by_level),
		cmocka_unit_test(error_code_repeats_the_fetch_bit),
		cmocka_unit_test(dirty_is_emulated),
		cmocka_unit_test(dirty_reaches_other_shadows),
		cmocka_unit_test(tables_outside_ram),
		cmocka_unit_test(mmio_without_the_mark),
		cmocka_unit_test(roots_outside_ram),
		cmocka_unit_test(pae_pdptes_are_cached),
		cmocka_unit_test(gva_to_gpa),
		cmocka_unit_test(charges),
		cmocka_unit_test(denied_walk_sets_no_a_below),
	};

	return cmocka_run_group_tests_name("shadow_mmu_fault", tests, NULL,
					   NULL);
}
