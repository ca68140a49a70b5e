/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ladder: exits per demand fault in each generation, and what the seed's
 * blind fork detector costs.  A kernel maps page after page on demand, writing
 * its page table through a mapping of it; the formulas are exact.
 */
#include "rig.h"

#define USER  UINT64_C(0x400000)
#define WIN   UINT64_C(0x40000000) /* where the kernel sees the page table */
#define DATA  UINT64_C(0x100000)
#define PAGES 300u

/* What the kernel does about a fault at its page i. */
static unsigned int handle(struct rig *rig, unsigned int i, uint64_t flags)
{
	uint64_t pte = (DATA + i * PAGE_SIZE) | flags;
	struct rig_outcome out =
		rig_store(rig, WIN + 8 * pt_index(USER + i * PAGE_SIZE, 1),
			  ACC_W, &pte, 8);

	check("the table is written",
	      out.end == RIG_OK || out.end == RIG_EMULATE);
	return out.exits;
}

static unsigned int demand_fault(struct rig *rig, unsigned int i,
				 uint64_t flags)
{
	gva_t gva = USER + i * PAGE_SIZE;
	struct rig_outcome out = rig_access(rig, gva, ACC_U | ACC_W);
	unsigned int exits = out.exits;

	check("a guest fault", out.end == RIG_INJECT || out.end == RIG_DIRECT);
	check_eq("its code", out.pfec, PFEC_U | PFEC_W);
	exits += handle(rig, i, flags);
	out = rig_access(rig, gva, ACC_U | ACC_W);
	check_eq("through", out.end, RIG_OK);
	check_eq("where", out.gpa, DATA + i * PAGE_SIZE);
	return exits + out.exits;
}

/* First page apart: tables are built, and the window is mapped. */
static void open_warm(struct rig *rig, const char *gen, bool bypass)
{
	struct rig_config config = {
		.gen = gen,
		.bypass = bypass,
		.mode = PAGING_4LEVEL,
		.audit = SMMU_AUDIT_ENTRY,
	};

	rig_open(rig, &config);
	rig_map(rig, WIN, 1, rig_entry(rig, USER, 1) & ~PAGE_MASK, G_KRW);
	rig_access(rig, WIN, ACC_R);
	demand_fault(rig, 0, G_RW);
	rig->smmu->cur->last_pt_write_count = 0;
}

static uint64_t touch(struct rig *rig, uint64_t flags)
{
	uint64_t exits = 0;

	for (unsigned int i = 1; i <= PAGES; i++)
		exits += demand_fault(rig, i, flags);
	return exits;
}

static void exits_per_demand_fault(void **state)
{
	const uint64_t n = PAGES;
	const struct {
		const char *name, *gen;
		bool bypass;
		uint64_t flags, exits, zaps;
	} cases[] = {
		/* Inject, refault: the write is the guest's own affair. */
		{"2.6.20-rc3", "kvm-2.6.20-rc3", false, G_RW, 2 * n, 0},
		/* Inject, PT write, refault.  Faults do not reset its fork
		 * detector, so from the third write on each one zaps. */
		{"2.6.20", "kvm-2.6.20", false, G_RW, 3 * n, n - 2},
		/* Inject, PT write. */
		{"2.6.24", "kvm-2.6.24", false, G_RW, 2 * n, 0},
		{"seed, off", "seed", false, G_RW, 2 * n, 0},
		{"2.6.25, off", "kvm-2.6.25", false, G_RW, 2 * n, 0},
		/* PT write; each third zaps the table and costs a refault. */
		{"seed", "seed", true, G_RW, n + n / 3, n / 3},
		/* PT write. */
		{"2.6.25", "kvm-2.6.25", true, G_RW, n, 0},
		/* A and D not preset by the kernel: one more, for A. */
		{"2.6.24, A clear", "kvm-2.6.24", false, G_LINK & ~PTE_A, 3 * n,
		 0},
		{"2.6.25, A clear", "kvm-2.6.25", true, G_LINK & ~PTE_A, 2 * n,
		 0},
		/* Only D clear: one more, for D. */
		{"2.6.25, D clear", "kvm-2.6.25", true, G_LINK, 2 * n, 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		uint64_t zaps;
		struct rig rig;

		open_warm(&rig, cases[i].gen, cases[i].bypass);
		zaps = rig_count(&rig, CNT_mmu_flooded);
		check_eq(cases[i].name, touch(&rig, cases[i].flags),
			 cases[i].exits);
		check_eq(cases[i].name, rig_count(&rig, CNT_mmu_flooded) - zaps,
			 cases[i].zaps);
		rig_close(&rig);
	}
}

/* fork: every entry of a table is rewritten read-only, with no faults. */
static void fork_writes(void **state)
{
	static const struct {
		const char *gen;
		bool bypass;
	} cases[] = {
		{"kvm-2.6.20", false},
		{"kvm-2.6.24", false},
		{"seed", true},
		{"kvm-2.6.25", true},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		uint64_t exits = 0;
		struct rig rig;

		open_warm(&rig, cases[i].gen, cases[i].bypass);
		touch(&rig, G_RW);
		rig_access(&rig, USER, ACC_U);
		rig.smmu->cur->last_pt_write_count = 0;
		rig.smmu->cur->last_updated = NO_SLOT;
		for (unsigned int p = 0; p < PAGES; p++)
			exits += handle(&rig, p, G_RO);
		/* Three emulated; the first native one needs the spte. */
		check_eq(cases[i].gen, exits, 4);
		/* COW: present, so it exits in every generation. */
		check_eq(cases[i].gen,
			 rig_access(&rig, USER, ACC_U | ACC_W).end, RIG_INJECT);
		rig_close(&rig);
	}
}

static void every_generation_is_listed(void **state)
{
	static const struct {
		const char *name;
		bool bypass;
	} want[] = {
		{"kvm-2.6.20-rc3", false},
		{"kvm-2.6.20", false},
		{"kvm-2.6.24", false},
		{"seed", true},
		{"kvm-2.6.25", true},
		{"kvm-2.6.28", true},
		{"kvm-2.6.38", true},
		{"kvm-3.1", false},
		{"xen", false},
	};
	unsigned int nr;
	const struct smmu_generation *gens = smmu_generations(&nr);

	(void)state;
	check_eq("number", nr, ARRAY_LEN(want));
	for (size_t i = 0; i < ARRAY_LEN(want); i++) {
		assert_string_equal(gens[i].name, want[i].name);
		check_eq(want[i].name, gens[i].has_bypass, want[i].bypass);
		check(want[i].name,
		      smmu_generation_find(want[i].name) == &gens[i]);
		check(want[i].name, gens[i].what && gens[i].what[0]);
		check_eq("notrap needs the bypass",
			 gens[i].sw.notrap_entries && !gens[i].sw.gnp_sptes,
			 want[i].bypass);
	}
	check("unknown", !smmu_generation_find("kvm-2.6.26"));
	for (unsigned int i = 0; i < NR_SMMU_OBSERVATIONS; i++) {
		enum smmu_observation id = (enum smmu_observation)i;

		check("named", smmu_observation_name(id)[0] &&
				       smmu_observation_what(id)[0]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(exits_per_demand_fault),
		cmocka_unit_test(fork_writes),
		cmocka_unit_test(every_generation_is_listed),
	};

	return cmocka_run_group_tests_name("shadow_mmu_ladder", tests, NULL,
					   NULL);
}
