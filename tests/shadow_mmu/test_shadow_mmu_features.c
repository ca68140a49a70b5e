/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What came after the generations modelled: 5 levels, SMEP, SMAP, protection
 * keys, and how each lives with hardware's CR0.WP=1 while the guest's is 0.
 * What must happen is the manual's: SDM vol. 3A, "Access Rights" and
 * "Protection Keys".
 */
#include "rig.h"

#define GVA  UINT64_C(0x7f0000400000)
#define DATA UINT64_C(0x100000)

#define KEY(k) ((uint64_t)(k) << 59)
#define AD(k)  (UINT32_C(1) << (2 * (k)))
#define WD(k)  (UINT32_C(2) << (2 * (k)))

#define USER_RO  (PTE_P | PTE_U | PTE_A)
#define USER_RW  (USER_RO | PTE_W | PTE_D)
#define SUPER_RW (PTE_P | PTE_W | PTE_A | PTE_D)

static struct rig_config config_of(const char *gen)
{
	return (struct rig_config){
		.gen = gen,
		.mode = PAGING_4LEVEL,
		.audit = SMMU_AUDIT_ALL,
		.features = FEATURE_ALL,
	};
}

static const char *each_generation(unsigned int i)
{
	unsigned int nr;
	const struct smmu_generation *gens = smmu_generations(&nr);

	return i < nr ? gens[i].name : NULL;
}

static void five_levels(void **state)
{
	(void)state;
	for (unsigned int g = 0; each_generation(g); g++) {
		struct rig_config config = config_of(each_generation(g));
		gva_t low = GVA, high = GVA | UINT64_C(5) << 48;
		struct rig rig;

		config.mode = PAGING_5LEVEL;
		rig_open(&rig, &config);
		check_eq("shadow", smmu_shadow_mode(rig.smmu), PAGING_5LEVEL);
		rig_map(&rig, low, 1, DATA, G_RW);
		rig_map(&rig, high, 1, DATA + PAGE_SIZE, G_RW);
		check_eq("low", rig_access(&rig, low, ACC_W).gpa, DATA);
		check_eq("high", rig_access(&rig, high, ACC_W).gpa,
			 DATA + PAGE_SIZE);
		check("tables apart above",
		      rig_slot(&rig, low, 4) != rig_slot(&rig, high, 4));
		rig_close(&rig);
	}
}

/* The same frame is the top of a guest of 4 levels, and of one of 5. */
static void levels_are_in_the_key(void **state)
{
	struct rig_config config = config_of("kvm-2.6.25");
	struct rig rig;
	gpa_t top;

	(void)state;
	rig_open(&rig, &config);
	rig_map(&rig, GVA, 1, DATA, G_RW);
	rig_access(&rig, GVA, ACC_W);
	top = rig.next_table;
	rig.next_table += PAGE_SIZE;
	mem_write_u64(rig.mem, top, rig.guest.cr3 | G_LINK);
	rig_switch(&rig, PAGING_5LEVEL, top);
	check_eq("key of the root",
		 role_glevels(sp_of_table(rig.smmu, smmu_root(rig.smmu))->role),
		 5);
	check_eq("under 5 levels", rig_access(&rig, GVA, ACC_W).gpa, DATA);
	rig_switch(&rig, PAGING_4LEVEL, 1 * PAGE_SIZE);
	check_eq("under 4 again", rig_access(&rig, GVA, ACC_W).gpa, DATA);
	rig_close(&rig);
}

/* Every access to every kind of page: the code, or -1 if it goes through. */
static void rights_of_pages(void **state)
{
	static const struct {
		const char *name;
		uint64_t flags;
		bool smep, smap;
		uint32_t pkru; /* PKE is on if not 0 */
		uint32_t access;
		int code;
	} rows[] = {
		{"user code", USER_RW, 1, 1, 0, ACC_U | ACC_X, -1},
		{"SMEP", USER_RW, 1, 0, 0, ACC_X, 0x11},
		{"SMEP, supervisor page", SUPER_RW, 1, 0, 0, ACC_X, -1},
		{"SMEP, data", USER_RW, 1, 0, 0, ACC_W, -1},
		{"SMAP, read", USER_RW, 0, 1, 0, ACC_R, 1},
		{"SMAP, write", USER_RW, 0, 1, 0, ACC_W, 3},
		{"SMAP, read, AC", USER_RW, 0, 1, 0, ACC_R | AC, -1},
		{"SMAP, write, AC", USER_RW, 0, 1, 0, ACC_W | AC, -1},
		{"SMAP, read-only, AC", USER_RO, 0, 1, 0, ACC_W | AC, 3},
		{"SMAP, supervisor page", SUPER_RW, 0, 1, 0, ACC_W, -1},
		{"SMAP, fetch", USER_RW, 0, 1, 0, ACC_X, -1},
		{"AD, user read", USER_RW | KEY(3), 0, 0, AD(3), ACC_U, 0x25},
		{"AD, user write", USER_RW | KEY(3), 0, 0, AD(3), ACC_U | ACC_W,
		 0x27},
		{"AD, supervisor read", USER_RW | KEY(3), 0, 0, AD(3), ACC_R,
		 0x21},
		{"AD, fetch", USER_RW | KEY(3), 0, 0, AD(3), ACC_U | ACC_X, -1},
		{"AD, supervisor page", SUPER_RW | KEY(3), 0, 0, AD(3), ACC_R,
		 -1},
		{"AD of another key", USER_RW | KEY(3), 0, 0, AD(4), ACC_U, -1},
		{"WD, read", USER_RW | KEY(15), 0, 0, WD(15), ACC_U, -1},
		{"WD, write", USER_RW | KEY(15), 0, 0, WD(15), ACC_U | ACC_W,
		 0x27},
		{"WD, supervisor write", USER_RW | KEY(15), 0, 0, WD(15), ACC_W,
		 0x23},
		{"WD and read-only", USER_RO | KEY(15), 0, 0, WD(15),
		 ACC_U | ACC_W, 0x27},
		{"SMAP and AD", USER_RW | KEY(1), 0, 1, AD(1), ACC_R, 0x21},
	};

	(void)state;
	for (unsigned int i = 0; each_generation(i / 2 / ARRAY_LEN(rows));
	     i++) {
		size_t r = i / 2 % ARRAY_LEN(rows);
		struct rig_config config =
			config_of(each_generation(i / 2 / ARRAY_LEN(rows)));
		struct rig_outcome out;
		struct rig rig;

		config.mode = i & 1 ? PAGING_5LEVEL : PAGING_4LEVEL;
		rig_open(&rig, &config);
		rig.guest.smep = rows[r].smep;
		rig.guest.smap = rows[r].smap;
		rig.guest.pke = rows[r].pkru;
		rig.guest.pkru = rows[r].pkru;
		rig_reset(&rig);
		rig_map(&rig, GVA, 1, DATA, rows[r].flags);
		/* Once with nothing in the shadow, once with an spte. */
		for (int again = 0; again < 2; again++) {
			out = rig_access(&rig, GVA, rows[r].access);
			check_eq(rows[r].name, out.end,
				 rows[r].code < 0 ? RIG_OK : RIG_INJECT);
			if (rows[r].code >= 0)
				check_eq(rows[r].name, out.pfec,
					 (uint32_t)rows[r].code);
			rig_access(&rig, GVA, ACC_U | ACC_X);
		}
		rig_close(&rig);
	}
}

/* WRPKRU does not exit: what it denies, hardware must by itself. */
static void keys_change_without_an_exit(void **state)
{
	struct rig_config config = config_of("kvm-2.6.25");
	struct rig rig;

	(void)state;
	rig_open(&rig, &config);
	rig.guest.pke = true;
	rig_reset(&rig);
	rig_map(&rig, GVA, 1, DATA, USER_RW | KEY(2));
	rig_map(&rig, GVA + 0x200000, 2, 0, USER_RW | PTE_PS | KEY(2));
	check_eq("allowed", rig_access(&rig, GVA, ACC_U | ACC_W).end, RIG_OK);
	rig_access(&rig, GVA + 0x200000, ACC_U | ACC_W);
	check_eq("key", pte_pkey(rig_spte(&rig, GVA, 1)), 2);
	check_eq("key of a piece", pte_pkey(rig_spte(&rig, GVA + 0x200000, 1)),
		 2);

	rig.guest.pkru = AD(2);
	check_eq("hardware", rig_walk(&rig, GVA, ACC_U).pfec, 0x25);
	check_eq("a piece", rig_walk(&rig, GVA + 0x200000, ACC_U).pfec, 0x25);
	smmu_set_pkru(rig.smmu, rig.guest.pkru);
	check_eq("the guest's", rig_access(&rig, GVA, ACC_U).end, RIG_INJECT);
	rig_close(&rig);
}

/* Two large entries of one frame, with keys of their own. */
static void pieces_are_kept_apart_by_key(void **state)
{
	struct rig_config config = config_of("kvm-2.6.25");
	gva_t other = GVA + 0x200000;
	struct rig rig;

	(void)state;
	rig_open(&rig, &config);
	rig_map(&rig, GVA, 2, 0, USER_RW | PTE_PS | KEY(1));
	rig_map(&rig, other, 2, 0, USER_RW | PTE_PS | KEY(7));
	rig_access(&rig, GVA, ACC_U);
	rig_access(&rig, other, ACC_U);
	check_eq("one", pte_pkey(rig_spte(&rig, GVA, 1)), 1);
	check_eq("other", pte_pkey(rig_spte(&rig, other, 1)), 7);
	rig_close(&rig);
}

/* In a PAE table 62:59 are reserved, and what CPUID hides is no key. */
static void no_keys_elsewhere(void **state)
{
	static const struct {
		enum paging_mode mode;
		uint32_t features;
	} rows[] = {{PAGING_PAE, FEATURE_ALL}, {PAGING_4LEVEL, 0}};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct rig_config config = config_of("kvm-2.6.25");
		struct rig rig;

		config.mode = rows[i].mode;
		config.features = rows[i].features;
		rig_open(&rig, &config);
		rig_map(&rig, GVA & UINT32_MAX, 1, DATA, USER_RW | KEY(5));
		check_eq("through",
			 rig_access(&rig, GVA & UINT32_MAX, ACC_U).end, RIG_OK);
		check_eq("no key",
			 pte_pkey(rig_spte(&rig, GVA & UINT32_MAX, 1)), 0);
		rig_close(&rig);
	}
}

/* CR0.WP=0: a supervisor's write to a read-only page of the user's. */
static struct rig_outcome wp0_write(struct rig *rig, const char *gen, bool smep,
				    bool smap, uint32_t pkru, uint64_t flags)
{
	struct rig_config config = config_of(gen);

	config.wp_off = true;
	rig_open(rig, &config);
	rig->guest.smep = smep;
	rig->guest.smap = smap;
	rig->guest.pke = pkru;
	rig->guest.pkru = pkru;
	rig_reset(rig);
	rig_map(rig, GVA, 1, DATA, flags);
	return rig_access(rig, GVA, ACC_W | AC);
}

/* These make it the supervisor's page for a while. */
static void wp0_and_smep(void **state)
{
	static const char *const gens[] = {"kvm-2.6.20", "kvm-3.1", "xen"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(gens); i++) {
		struct rig rig;
		uint64_t spte;

		check_eq(gens[i],
			 wp0_write(&rig, gens[i], true, false, 0,
				   USER_RO | PTE_D)
				 .end,
			 RIG_OK);
		spte = rig_spte(&rig, GVA, 1);
		check_eq("form", spte & (PTE_W | PTE_U | PTE_NX),
			 PTE_W | PTE_NX);
		check_eq("fetch", rig_access(&rig, GVA, ACC_X).pfec, 0x11);
		check_eq("user write",
			 rig_access(&rig, GVA, ACC_U | ACC_W).pfec, 7);
		check_eq("user fetch", rig_access(&rig, GVA, ACC_U | ACC_X).end,
			 RIG_OK);
		rig_close(&rig);

		wp0_write(&rig, gens[i], false, false, 0, USER_RO | PTE_D);
		check_eq("without SMEP", rig_spte(&rig, GVA, 1) & PTE_NX, 0);
		rig_close(&rig);
	}
}

/* A page made the supervisor's would be open to it without AC, too. */
static void wp0_and_smap(void **state)
{
	struct rig rig;

	(void)state;
	check_eq("2.6.20",
		 wp0_write(&rig, "kvm-2.6.20", false, true, 0, USER_RO | PTE_D)
			 .end,
		 RIG_EMULATE);
	check_eq("read without AC", rig_access(&rig, GVA, ACC_R).pfec, 1);
	rig_close(&rig);
	/* Those that keep U give hardware what it needs. */
	check_eq("2.6.25",
		 wp0_write(&rig, "kvm-2.6.25", false, true, 0, USER_RO | PTE_D)
			 .end,
		 RIG_OK);
	check_eq("read without AC", rig_access(&rig, GVA, ACC_R).pfec, 1);
	rig_close(&rig);
}

static void wp0_and_keys(void **state)
{
	(void)state;
	for (unsigned int g = 0; each_generation(g); g++) {
		const char *gen = each_generation(g);
		struct rig rig;

		check_eq(gen,
			 wp0_write(&rig, gen, false, false, WD(6),
				   USER_RW | KEY(6))
				 .end,
			 RIG_EMULATE);
		check_eq(gen, rig_access(&rig, GVA, ACC_U | ACC_W).pfec, 0x27);
		rig_close(&rig);

		check_eq(gen,
			 wp0_write(&rig, gen, false, false, AD(6),
				   USER_RW | KEY(6))
				 .pfec,
			 0x23);
		rig_close(&rig);
	}
}

/* 2.6.24 added to what an spte granted; U is nothing to keep for a supervisor.
 */
static void what_accumulates_locks_nobody_out(void **state)
{
	(void)state;
	for (unsigned int which = 0; which < 3; which++) {
		struct rig_config config = config_of("kvm-2.6.24");
		struct rig rig;

		rig_open(&rig, &config);
		rig_map(&rig, GVA, 1, DATA, USER_RW);
		rig_access(&rig, GVA, ACC_U | ACC_W);
		/* The user's page no more, by an entry above. */
		mem_write_u64(rig.mem, rig_entry(&rig, GVA, 2),
			      mem_read_u64(rig.mem, rig_entry(&rig, GVA, 2)) &
				      ~PTE_U);
		rig.guest.smep = which == 0;
		rig.guest.smap = which == 1;
		rig.guest.pke = which == 2;
		rig.guest.pkru = AD(0);
		rig_reset(&rig);
		check_eq("a supervisor's page",
			 rig_access(&rig, GVA, which ? ACC_R : ACC_X).end,
			 RIG_OK);
		rig.dirty_audit = true; /* the write above went unseen */
		rig_close(&rig);
	}
}

/* Without 1G in CPUID a PS bit at level 3 is overlooked, as it was then. */
static void no_1g_pages(void **state)
{
	(void)state;
	for (int has = 0; has < 2; has++) {
		struct rig_config config = config_of("kvm-2.6.25");
		struct rig rig;
		gpa_t entry;

		rig_open(&rig, &config);
		rig.smmu->features = has ? FEATURE_1G : 0;
		rig_map(&rig, GVA, 1, DATA, G_RW);
		entry = rig_entry(&rig, GVA, 3);
		rig_poke(&rig, entry,
			 (has ? 0 : mem_read_u64(rig.mem, entry)) | G_LINK |
				 PTE_PS,
			 8);
		check_eq("gpa", rig_access(&rig, GVA, ACC_R).gpa,
			 has ? GVA & BITS(29, 0) : DATA);
		rig_close(&rig);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(five_levels),
		cmocka_unit_test(levels_are_in_the_key),
		cmocka_unit_test(rights_of_pages),
		cmocka_unit_test(keys_change_without_an_exit),
		cmocka_unit_test(pieces_are_kept_apart_by_key),
		cmocka_unit_test(no_keys_elsewhere),
		cmocka_unit_test(wp0_and_smep),
		cmocka_unit_test(wp0_and_smap),
		cmocka_unit_test(wp0_and_keys),
		cmocka_unit_test(what_accumulates_locks_nobody_out),
		cmocka_unit_test(no_1g_pages),
	};

	return cmocka_run_group_tests_name("shadow_mmu_features", tests, NULL,
					   NULL);
}
