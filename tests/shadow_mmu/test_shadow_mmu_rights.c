/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rights: CR0.WP, NX, entries above the leaf, with the flaws of each time;
 * split large pages; writes of kernel and user to guest tables.
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

/* A table frame of the guest is mapped at GVA, to be written through. */
static void map_table(struct rig *rig, gva_t gva, gva_t of, uint64_t flags)
{
	rig_map(rig, gva, 1, rig_entry(rig, of, 1) & ~PAGE_MASK, flags);
}

/* NX is copied though the guest has NXE off: the fetch never gets through. */
static void nx_without_nxe(void **state)
{
	(void)state;
	for (size_t g = 0; g < ARRAY_LEN(all); g++) {
		struct rig_config config = {
			.gen = all[g],
			.mode = PAGING_4LEVEL,
			.nxe_off = true,
			.audit = SMMU_AUDIT_ALL,
		};
		struct rig rig;

		rig_open(&rig, &config);
		rig_map(&rig, GVA, 1, DATA, G_RW | PTE_NX);
		check_eq("read", rig_access(&rig, GVA, ACC_R).end, RIG_OK);
		check_eq(all[g], rig_access(&rig, GVA, ACC_X).end,
			 rig.gen->sw.role_access ? RIG_OK : RIG_LOOP);
		/* NXE comes on: nothing is dropped, the old spte executes. */
		smmu_set_nxe(rig.smmu, true);
		check_eq(all[g], rig_access(&rig, GVA, ACC_X).end,
			 rig.gen->sw.role_access ? RIG_OK : RIG_INJECT);
		rig_close(&rig);
	}
}

/* facts F.12: CR0.WP=0, a supervisor writes a read-only user page. */
static void write_protect_off(void **state)
{
	static const struct {
		const char *gen;
		enum rig_end user_write;
	} cases[] = {
		{"kvm-2.6.20", RIG_INJECT}, /* U goes with the write */
		{"kvm-2.6.24", RIG_OK},     /* the flaw */
		{"seed", RIG_OK},
		{"kvm-2.6.25", RIG_OK},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct rig_config config = {
			.gen = cases[i].gen,
			.mode = PAGING_4LEVEL,
			.wp_off = true,
			.audit = SMMU_AUDIT_ALL,
		};
		struct rig rig;

		rig_open(&rig, &config);
		rig_map(&rig, GVA, 1, DATA, G_RO);
		check_eq("user reads", rig_access(&rig, GVA, ACC_U).end,
			 RIG_OK);
		check_eq("kernel writes", rig_access(&rig, GVA, ACC_W).end,
			 RIG_OK);
		check_eq("D", gpte(&rig, rig_entry(&rig, GVA, 1)) & PTE_D,
			 PTE_D);
		check_eq(cases[i].gen, rig_access(&rig, GVA, ACC_U | ACC_W).end,
			 cases[i].user_write);
		check_eq("user reads", rig_access(&rig, GVA, ACC_U).end,
			 RIG_OK);
		check_eq("kernel writes", rig_access(&rig, GVA, ACC_W).end,
			 RIG_OK);
		rig_close(&rig);
	}
}

/*
 * A page table with two directories over it, one for the kernel only.  Before
 * role_access the table was shared: the last fill told the rights, or, until
 * the seed, all fills together.
 */
static void rights_above_the_leaf(void **state)
{
	static const struct {
		const char *gen;
		bool shared;
		enum rig_end user_after_kernel, user_after_user;
	} cases[] = {
		{"kvm-2.6.20", true, RIG_INJECT, RIG_OK},
		{"kvm-2.6.24", true, RIG_OK, RIG_OK},
		{"seed", true, RIG_INJECT, RIG_OK},
		{"kvm-2.6.25", false, RIG_INJECT, RIG_INJECT},
	};
	gva_t closed = GVA + GIB;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct rig rig;

		open_gen(&rig, cases[i].gen);
		rig_map(&rig, GVA, 1, DATA, G_RW);
		rig_map(&rig, closed, 2, rig_entry(&rig, GVA, 1) & ~PAGE_MASK,
			G_LINK & ~PTE_U);
		rig_access(&rig, GVA, ACC_U | ACC_W);
		rig_access(&rig, closed, ACC_W);
		check_eq(cases[i].gen,
			 rig_slot(&rig, closed, 1) == rig_slot(&rig, GVA, 1),
			 cases[i].shared);
		check_eq(cases[i].gen, rig_access(&rig, closed, ACC_U).end,
			 cases[i].user_after_kernel);
		rig_access(&rig, GVA, ACC_U);
		check_eq(cases[i].gen, rig_access(&rig, closed, ACC_U).end,
			 cases[i].user_after_user);
		rig_close(&rig);
	}
}

/* NX in an upper entry: not in the shadow before role_access. */
static void nx_above_the_leaf(void **state)
{
	(void)state;
	for (size_t g = 0; g < ARRAY_LEN(all); g++) {
		struct rig rig;
		gpa_t pde;

		open_gen(&rig, all[g]);
		rig_map(&rig, GVA, 1, DATA, G_RW);
		pde = rig_entry(&rig, GVA, 2);
		rig_poke(&rig, pde, mem_read_u64(rig.mem, pde) | PTE_NX, 8);
		rig_access(&rig, GVA, ACC_R);
		check_eq(all[g], rig_access(&rig, GVA, ACC_X).end,
			 rig.gen->sw.role_access ? RIG_INJECT : RIG_OK);
		rig_close(&rig);
	}
}

/* The intermediate tables' role is the leaf's: b1bd5cba3306 of 2021. */
static void rights_by_shared_upper_tables(void **state)
{
	gva_t a = GVA, b = GVA + BIT(39), probe = GVA + MIB2;
	struct rig rig;
	gpa_t pdpt;

	(void)state;
	open_gen(&rig, "kvm-2.6.25");
	rig_map(&rig, a, 1, DATA, G_RW);
	rig_map(&rig, probe, 1, DATA, G_RW);
	/* Way a: the directory entry of GVA is for the kernel only. */
	rig_poke(&rig, rig_entry(&rig, a, 2),
		 gpte(&rig, rig_entry(&rig, a, 2)) & ~PTE_U, 8);
	/* Way b: the same PDPT, for the kernel only at the top. */
	pdpt = rig_entry(&rig, a, 3) & ~PAGE_MASK;
	rig_poke(&rig, rig_entry(&rig, b, 4), pdpt | (G_LINK & ~PTE_U), 8);
	check_eq("a", rig_access(&rig, a, ACC_R).end, RIG_OK);
	check_eq("a, probe", rig_access(&rig, probe, ACC_U).end, RIG_OK);
	check_eq("b", rig_access(&rig, b, ACC_R).end, RIG_OK);
	check_eq("user code through b", rig_access(&rig, b + MIB2, ACC_U).end,
		 RIG_OK);
	rig_close(&rig);
}

static void check_split(struct rig *rig, gva_t gva, int level, gpa_t gpa)
{
	const struct sp *sp = sp_of_slot(rig->smmu, rig_slot(rig, gva, level));

	check("metaphysical", role_is_metaphysical(sp->role));
	check_eq("level", (uint64_t)role_level(sp->role), (uint64_t)level);
	check_eq("key", sp->gfn, gpa >> PAGE_SHIFT);
}

static void large_pages_are_split(void **state)
{
	(void)state;
	for (size_t g = 0; g < ARRAY_LEN(all); g++) {
		gva_t huge = GVA + 8 * GIB;
		struct rig_outcome out;
		struct rig rig;

		open_gen(&rig, all[g]);
		rig_map(&rig, GVA, 2, MIB2, G_RW | PTE_PS);
		out = rig_access(&rig, GVA + 0x3456, ACC_U | ACC_W);
		check_eq("2M", out.gpa, MIB2 + 0x3456);
		check_split(&rig, GVA, 1, MIB2);
		check_eq("next piece",
			 rig_access(&rig, GVA + 0x1ff000, ACC_U).exits, 1);

		rig_map(&rig, huge, 3, 0, G_RW | PTE_PS);
		out = rig_access(&rig, huge + MIB2 + 0x3456, ACC_U);
		check_eq("1G", out.gpa, MIB2 + 0x3456);
		check_split(&rig, huge, 2, 0);
		check_split(&rig, huge + MIB2, 1, MIB2);
		check_eq("past the end of RAM",
			 rig_access(&rig, huge + GIB / 2, ACC_U).end, RIG_MMIO);
		rig_close(&rig);
	}
}

/* Two large entries of one frame with different rights. */
static void large_page_roles(void **state)
{
	static const struct {
		const char *gen;
		bool shared;
	} cases[] = {
		{"kvm-2.6.20", true}, /* d28c6cfbbc5e came later */
		{"kvm-2.6.24", false},
		{"seed", false},
		{"kvm-2.6.25", true}, /* the rights above count: 5fd5387c89ec */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		gva_t b = GVA + MIB2;
		struct rig rig;

		open_gen(&rig, cases[i].gen);
		rig_map(&rig, GVA, 2, 0, G_RW | PTE_PS);
		rig_map(&rig, b, 2, 0, (G_RW & ~PTE_W) | PTE_PS);
		rig_access(&rig, GVA + DATA, ACC_W);
		rig_access(&rig, b, ACC_R);
		check_eq(cases[i].gen,
			 rig_slot(&rig, GVA, 1) == rig_slot(&rig, b, 1),
			 cases[i].shared);
		check_eq("a write past the guest's rights",
			 rig_access(&rig, b + DATA, ACC_U | ACC_W).end,
			 cases[i].shared ? RIG_OK : RIG_INJECT);
		rig_close(&rig);
	}
}

/* 2.6.25: a clean large page has tables of its own, so D is exact. */
static void large_page_dirty(void **state)
{
	struct rig rig;
	slot_t clean;
	gpa_t at;

	(void)state;
	open_gen(&rig, "kvm-2.6.25");
	rig_map(&rig, GVA, 2, 0, G_LINK | PTE_PS);
	at = rig_entry(&rig, GVA, 2);
	rig_access(&rig, GVA, ACC_R);
	clean = rig_slot(&rig, GVA, 1);
	rig_access(&rig, GVA, ACC_W);
	check_eq("D", gpte(&rig, at) & PTE_D, PTE_D);
	check("another table", rig_slot(&rig, GVA, 1) != clean);
	rig_poke(&rig, at, gpte(&rig, at) & ~PTE_D, 8);
	check_eq("cleaned: the write exits again",
		 rig_access(&rig, GVA, ACC_W).exits, 1);
	check_eq("D", gpte(&rig, at) & PTE_D, PTE_D);
	rig_close(&rig);
}

/* A kernel write to a shadowed frame is emulated; a user's unshadows it. */
static void writes_to_tables(void **state)
{
	(void)state;
	for (size_t g = 0; g < ARRAY_LEN(all); g++) {
		gva_t other = GVA + 2 * GIB;
		struct rig_outcome out;
		struct rig rig;

		open_gen(&rig, all[g]);
		rig_map(&rig, other, 1, DATA, G_RW);
		rig_access(&rig, other, ACC_R);
		map_table(&rig, GVA, other, G_RW);

		out = rig_access(&rig, GVA + 8, ACC_W);
		check_eq("kernel", out.end, RIG_EMULATE);
		check_eq("cause", out.cause, CAUSE_pt_write);
		check_eq("reads need no exit then",
			 rig_access(&rig, GVA, ACC_U).exits, 0);
		out = rig_access(&rig, GVA + 8, ACC_W | ACC_U);
		check_eq("user", out.end, RIG_OK);
		check_eq("unshadowed", rig_count(&rig, CNT_mmu_unshadowed), 1);
		check("no table", !smmu_is_shadowed(rig.smmu, out.gpa >> 12));
		check_eq("rebuilt", rig_access(&rig, other, ACC_R).exits, 1);
		check_eq("and protected", rig_access(&rig, GVA, ACC_W).end,
			 RIG_EMULATE);
		rig_close(&rig);
	}
}

/* After 2.6.20 a user *read* of a writable page unshadows as well. */
static void user_reads_of_tables(void **state)
{
	(void)state;
	for (size_t g = 0; g < ARRAY_LEN(all); g++) {
		gva_t other = GVA + 2 * GIB;
		struct rig rig;

		open_gen(&rig, all[g]);
		rig_map(&rig, other, 1, DATA, G_RW);
		rig_access(&rig, other, ACC_R);
		map_table(&rig, GVA, other, G_RW);
		rig_poke(&rig, rig_entry(&rig, GVA, 1) + 4, 0, 4); /* trap */
		rig_access(&rig, GVA, ACC_U);
		check_eq(all[g], rig_count(&rig, CNT_mmu_unshadowed),
			 rig.gen->sw.unshadow_any_user_fault);
		rig_close(&rig);
	}
}

/*
 * User code writes the table it is translated by, or the root: KVM zapped the
 * table under its feet, or span for ever.  Here the write is emulated.
 */
static void user_writes_to_its_own_tables(void **state)
{
	(void)state;
	for (size_t g = 0; g < ARRAY_LEN(all); g++) {
		struct rig_outcome out;
		struct rig rig;

		open_gen(&rig, all[g]);
		map_table(&rig, GVA, GVA, G_RW);
		rig_map(&rig, GVA + PAGE_SIZE, 1, rig.guest.cr3, G_RW);
		out = rig_access(&rig, GVA, ACC_U | ACC_W);
		check_eq("own leaf table", out.end, RIG_EMULATE);
		out = rig_access(&rig, GVA + PAGE_SIZE, ACC_U | ACC_W);
		check_eq("the root", out.end, RIG_EMULATE);
		check_eq("kept", rig_count(&rig, CNT_mmu_unshadowed), 0);
		rig_close(&rig);
	}
}

/* A pinned PAE root that is not on the way: emptied, kept, emulated. */
static void user_writes_to_a_pinned_root(void **state)
{
	struct rig_config config = {
		.gen = "seed",
		.bypass = true,
		.mode = PAGING_PAE,
		.audit = SMMU_AUDIT_ALL,
	};
	struct rig_outcome out;
	struct rig rig;
	gva_t gva = 0x1000;

	(void)state;
	rig_open(&rig, &config);
	rig_map(&rig, 3 * GIB, 1, DATA, G_RW);
	rig_access(&rig, 3 * GIB, ACC_R);
	rig_map(&rig, gva, 1, rig.guest.pdpte[3] & ~PTE_P, G_RW);
	out = rig_access(&rig, gva, ACC_U | ACC_W);
	check_eq("emulated", out.end, RIG_EMULATE);
	check_eq("emptied", rig_spte(&rig, 3 * GIB, 2), rig.smmu->v.trap);
	check_eq("still the root", rig_access(&rig, 3 * GIB, ACC_R).end,
		 RIG_OK);
	rig_close(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nx_without_nxe),
		cmocka_unit_test(write_protect_off),
		cmocka_unit_test(rights_above_the_leaf),
		cmocka_unit_test(nx_above_the_leaf),
		cmocka_unit_test(rights_by_shared_upper_tables),
		cmocka_unit_test(large_pages_are_split),
		cmocka_unit_test(large_page_roles),
		cmocka_unit_test(large_page_dirty),
		cmocka_unit_test(writes_to_tables),
		cmocka_unit_test(user_reads_of_tables),
		cmocka_unit_test(user_writes_to_its_own_tables),
		cmocka_unit_test(user_writes_to_a_pinned_root),
	};

	return cmocka_run_group_tests_name("shadow_mmu_rights", tests, NULL,
					   NULL);
}
