/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Emulated writes to guest tables: split and misaligned ones, what the spte
 * becomes, the fork detector of each generation, flushes.
 */
#include <string.h>

#include "rig.h"

#define GVA  UINT64_C(0x400000)
#define DATA UINT64_C(0x100000)
#define MIB2 BIT(21)

#define NR_STEPS 4

static void open_mapped(struct rig *rig, const char *gen, bool bypass)
{
	struct rig_config config = {
		.gen = gen,
		.bypass = bypass,
		.mode = PAGING_4LEVEL,
		.audit = SMMU_AUDIT_ALL,
	};

	rig_open(rig, &config);
	rig_map(rig, GVA, 1, DATA, G_RW);
	check_eq("first access", rig_access(rig, GVA, ACC_W).end, RIG_OK);
}

enum kind { TRAP, NOTRAP, MAPPED, ZAPPED };

static enum kind kind_of(const struct rig *rig, gva_t gva)
{
	uint64_t spte;

	if (rig_slot(rig, gva, 1) == NO_SLOT)
		return ZAPPED;
	spte = rig_spte(rig, gva, 1);
	if (spte == rig->smmu->v.trap)
		return TRAP;
	return spte == rig->smmu->v.notrap ? NOTRAP : MAPPED;
}

/* facts A.6.6: an 8-byte entry in two halves, in both orders. */
static void split_writes(void **state)
{
	static const struct {
		const char *name;
		const char *gen;
		struct {
			unsigned int offset, len;
			uint64_t val;
			enum kind want;
		} step[NR_STEPS];
	} cases[] = {
		{"clear, low half first",
		 "seed",
		 {{0, 4, 0, NOTRAP}, {4, 4, 0, TRAP}}},
		{"clear, high half first",
		 "seed",
		 {{4, 4, 0, TRAP}, {0, 4, 0, NOTRAP}}},
		{"set, low half first",
		 "seed",
		 {{0, 4, DATA | G_RW, TRAP}, {4, 4, 0, TRAP}}},
		{"set, high half first",
		 "seed",
		 {{4, 4, 0, TRAP}, {0, 4, DATA | G_RW, TRAP}}},
		{"clear then set as a whole",
		 "seed",
		 {{0, 8, 0, NOTRAP}, {0, 8, DATA | G_RW, MAPPED}}},
		{"the same without notrap",
		 "kvm-2.6.24",
		 {{0, 8, 0, TRAP}, {0, 8, DATA | G_RW, MAPPED}}},
		{"nothing is updated",
		 "kvm-2.6.20",
		 {{0, 8, 0, TRAP}, {0, 8, DATA | G_RW, TRAP}}},
		{"2.6.25 as the seed",
		 "kvm-2.6.25",
		 {{4, 4, 0, TRAP}, {0, 4, 0, NOTRAP}}},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		bool bypass = smmu_generation_find(cases[i].gen)->has_bypass;
		struct rig rig;

		open_mapped(&rig, cases[i].gen, bypass);
		rig.smmu->cur->last_pt_write_count = 0;
		for (int s = 0; s < 2; s++) {
			rig_poke(&rig,
				 rig_entry(&rig, GVA, 1) +
					 cases[i].step[s].offset,
				 cases[i].step[s].val, cases[i].step[s].len);
			check_eq(cases[i].name, kind_of(&rig, GVA),
				 cases[i].step[s].want);
		}
		rig_close(&rig);
	}
}

/* Whatever the pieces, the guest's entry as a whole decides in the end. */
static void split_writes_are_sound(void **state)
{
	static const unsigned int order[][2] = {{0, 4}, {4, 0}};
	static const uint64_t vals[] = {0, DATA | G_RW, DATA | G_RO | PTE_NX};

	(void)state;
	for (size_t o = 0; o < ARRAY_LEN(order); o++) {
		for (size_t v = 0; v < ARRAY_LEN(vals); v++) {
			struct rig rig;
			gpa_t at;

			open_mapped(&rig, "seed", true);
			at = rig_entry(&rig, GVA, 1);
			for (int i = 0; i < 2; i++)
				rig_poke(&rig, at + order[o][i],
					 vals[v] >> (8 * order[o][i]), 4);
			check_eq("entry", mem_read_u64(rig.mem, at), vals[v]);
			check_eq("end", rig_access(&rig, GVA, ACC_U).end,
				 vals[v] ? RIG_OK
				 : order[o][0]
					 ? RIG_DIRECT
					 : RIG_INJECT); /* high half: trap */
			rig_close(&rig);
		}
	}
}

static void misaligned_writes_zap(void **state)
{
	static const struct {
		const char *name;
		unsigned int offset, len;
		bool zaps, zaps_2_6_20;
	} cases[] = {
		{"a byte", 0, 1, true, false},
		{"two bytes", 6, 2, true, false},
		{"three bytes", 1, 3, true, false},
		{"four within", 2, 4, false, false},
		{"seven within", 1, 7, false, false},
		{"eight across two entries", 4, 8, true, true},
		{"two across two entries", 7, 2, true, true},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct rig rig;

		open_mapped(&rig, "seed", true);
		rig_poke(&rig, rig_entry(&rig, GVA, 1) + cases[i].offset, 0,
			 cases[i].len);
		check_eq(cases[i].name, kind_of(&rig, GVA) == ZAPPED,
			 cases[i].zaps);
		check_eq(cases[i].name, rig_count(&rig, CNT_mmu_flooded),
			 cases[i].zaps);
		rig_close(&rig);

		open_mapped(&rig, "kvm-2.6.20", false);
		rig_poke(&rig, rig_entry(&rig, GVA, 1) + cases[i].offset, 0,
			 cases[i].len);
		check_eq(cases[i].name, kind_of(&rig, GVA) == ZAPPED,
			 cases[i].zaps_2_6_20);
		rig_close(&rig);
	}
}

/* n PT writes to one table with something in between; zapped at which? */
static unsigned int zapped_at(struct rig *rig, void (*between)(struct rig *))
{
	gpa_t at = rig_entry(rig, GVA, 1);

	rig->smmu->cur->last_pt_write_count = 0;
	for (unsigned int i = 1; i <= 6; i++) {
		rig_poke(rig, at + 8 * i, (DATA + i * PAGE_SIZE) | G_RW, 8);
		if (rig_slot(rig, GVA, 1) == NO_SLOT)
			return i;
		if (between)
			between(rig);
	}
	return 0;
}

static void fault_elsewhere(struct rig *rig)
{
	/* A true guest fault that exits: writing a read-only page. */
	rig_access(rig, GVA + 100 * PAGE_SIZE, ACC_W | ACC_U);
}

static void use_last_written(struct rig *rig)
{
	for (unsigned int i = 1; i <= 6; i++)
		if (kind_of(rig, GVA + i * PAGE_SIZE) == MAPPED)
			rig_access(rig, GVA + i * PAGE_SIZE, ACC_U);
}

static void write_elsewhere(struct rig *rig)
{
	rig_poke(rig, DATA, 0, 8);
}

static void fork_detector(void **state)
{
	static const struct {
		const char *name, *gen;
		void (*between)(struct rig *);
		unsigned int at;
	} cases[] = {
		{"2.6.20, writes alone", "kvm-2.6.20", NULL, 3},
		{"2.6.20, faults do not reset", "kvm-2.6.20", fault_elsewhere,
		 3},
		{"2.6.24, writes alone", "kvm-2.6.24", NULL, 3},
		{"2.6.24, faults reset", "kvm-2.6.24", fault_elsewhere, 0},
		{"2.6.24, use is not seen", "kvm-2.6.24", use_last_written, 3},
		{"seed, writes alone", "seed", NULL, 3},
		{"seed, use is not seen: the flaw", "seed", use_last_written,
		 3},
		{"2.6.25, writes alone", "kvm-2.6.25", NULL, 3},
		{"2.6.25, use is seen", "kvm-2.6.25", use_last_written, 0},
		{"2.6.25, faults reset", "kvm-2.6.25", fault_elsewhere, 0},
		{"another table in between", "seed", write_elsewhere, 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		bool bypass = smmu_generation_find(cases[i].gen)->has_bypass;
		struct rig rig;

		open_mapped(&rig, cases[i].gen, bypass);
		rig_map(&rig, GVA + 100 * PAGE_SIZE, 1, DATA, G_RO);
		rig_access(&rig, GVA, ACC_R);
		check_eq(cases[i].name, zapped_at(&rig, cases[i].between),
			 cases[i].at);
		rig_close(&rig);
	}
}

/* Once flooded, each further write to the frame zaps what shadows it. */
static void flood_goes_on(void **state)
{
	struct rig rig;

	(void)state;
	open_mapped(&rig, "kvm-2.6.20", false);
	check_eq("zapped", zapped_at(&rig, NULL), 3);
	rig_access(&rig, GVA, ACC_R);
	check("shadowed again", rig_slot(&rig, GVA, 1) != NO_SLOT);
	rig_poke(&rig, rig_entry(&rig, GVA, 1), DATA | G_RW, 8);
	check("2.6.20: the fault has reset nothing",
	      rig_slot(&rig, GVA, 1) == NO_SLOT);
	rig_close(&rig);
}

/* In a live run the processor sets A in the twin of the spte. */
static void fork_detector_reads_the_twin(void **state)
{
	struct rig_config config = {
		.gen = "kvm-2.6.25",
		.bypass = true,
		.mode = PAGING_4LEVEL,
		.audit = SMMU_AUDIT_ALL,
		.installed = true,
	};
	struct rig rig;

	(void)state;
	rig_open(&rig, &config);
	rig_map(&rig, GVA, 1, DATA, G_RW);
	rig_access(&rig, GVA, ACC_W);
	check_eq("used", zapped_at(&rig, use_last_written), 0);
	rig_close(&rig);

	rig_open(&rig, &config);
	rig_map(&rig, GVA, 1, DATA, G_RW);
	rig_access(&rig, GVA, ACC_W);
	check_eq("not used", zapped_at(&rig, NULL), 3);
	rig_close(&rig);
}

/* A zapped table takes the remembered spte with it: its slot is reused. */
static void zap_forgets_the_last_spte(void **state)
{
	struct rig rig;

	(void)state;
	open_mapped(&rig, "kvm-2.6.25", true);
	check_eq("remembered", rig.smmu->cur->last_updated,
		 rig_slot(&rig, GVA, 1));
	sp_zap(rig.smmu, sp_of_slot(rig.smmu, rig_slot(&rig, GVA, 1)));
	check_eq("forgotten", rig.smmu->cur->last_updated, NO_SLOT);
	rig_close(&rig);
}

/* Write protection must not lose the A bit the detector waits for. */
static void write_protection_keeps_accessed(void **state)
{
	struct rig_config config = {
		.gen = "kvm-2.6.25",
		.bypass = true,
		.mode = PAGING_4LEVEL,
		.installed = true,
	};
	struct rig rig;
	slot_t slot;

	(void)state;
	rig_open(&rig, &config);
	rig_map(&rig, GVA, 1, DATA, G_RW);
	rig_map(&rig, GVA + PAGE_SIZE, 1, 2 * DATA, PTE_P);
	rig_access(&rig, GVA, ACC_W);
	slot = rig_slot(&rig, GVA, 1);
	/* Another fill, or the detector itself would look at this spte. */
	rig_access(&rig, GVA + PAGE_SIZE, ACC_R);
	check("another", rig.smmu->cur->last_updated != slot);
	check_eq("the model has not seen A", spte_get(rig.smmu, slot) & PTE_A,
		 0);
	/* The page becomes a page table. */
	rig_poke(&rig, rig_entry(&rig, GVA + MIB2, 2), DATA | G_LINK, 8);
	mem_write_u64(rig.mem, DATA, DATA | G_RO);
	rig_access(&rig, GVA + MIB2, ACC_U);
	check_eq("A kept, W gone", spte_get(rig.smmu, slot) & (PTE_A | PTE_W),
		 PTE_A);
	rig_close(&rig);
}

/* The kept flaw: before role_access, rights above were taken for granted. */
static void speculative_rights(void **state)
{
	static const char *const gens[] = {"kvm-2.6.24", "seed", "kvm-2.6.25"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(gens); i++) {
		struct rig rig;
		gpa_t pde;

		open_mapped(&rig, gens[i], false);
		pde = rig_entry(&rig, GVA, 2);
		rig_poke(&rig, pde, mem_read_u64(rig.mem, pde) & ~PTE_U, 8);
		rig_access(&rig, GVA, ACC_R);
		rig_map(&rig, GVA + PAGE_SIZE, 1, DATA, G_RW);
		check_eq(gens[i], rig_spte(&rig, GVA + PAGE_SIZE, 1) & PTE_U,
			 rig.gen->sw.role_access ? 0 : PTE_U);
		rig_close(&rig);
	}
}

/* An upper entry that changes unlinks the table; it is found again. */
static void upper_writes_unlink(void **state)
{
	struct rig rig;
	slot_t leaf;
	gpa_t pde;

	(void)state;
	open_mapped(&rig, "seed", true);
	leaf = rig_slot(&rig, GVA, 1);
	pde = rig_entry(&rig, GVA, 2);
	rig_poke(&rig, pde, mem_read_u64(rig.mem, pde), 8);
	check_eq("unlinked", rig_spte(&rig, GVA, 2), rig.smmu->v.trap);
	check_eq("one exit to link it", rig_access(&rig, GVA, ACC_R).exits, 1);
	check_eq("the same table", rig_slot(&rig, GVA, 1), leaf);
	check_eq("and no other", rig_count(&rig, CNT_mmu_shadow_zapped), 0);
	rig_close(&rig);
}

/* A page and its table in one frame: the speculative spte is read-only. */
static void speculative_write_protection(void **state)
{
	struct rig rig;
	gpa_t table;

	(void)state;
	open_mapped(&rig, "seed", true);
	table = rig_entry(&rig, GVA, 1) & ~PAGE_MASK;
	rig_map(&rig, GVA + PAGE_SIZE, 1, table, G_RW);
	check_eq("W", rig_spte(&rig, GVA + PAGE_SIZE, 1) & PTE_W, 0);
	check_eq("the write exits",
		 rig_access(&rig, GVA + PAGE_SIZE, ACC_W).end, RIG_EMULATE);
	rig_close(&rig);
}

/* facts A.6.7: remote flush if rights shrink; before that, always. */
static void flushes(void **state)
{
	static const struct {
		const char *name, *gen;
		uint64_t pte;
		unsigned int remote, local;
	} cases[] = {
		{"seed, the same", "seed", DATA | G_RW, 1, 0},
		{"2.6.25, the same", "kvm-2.6.25", DATA | G_RW, 0, 1},
		{"2.6.25, read-only", "kvm-2.6.25", DATA | G_RO, 1, 0},
		{"2.6.25, another frame", "kvm-2.6.25", (DATA * 2) | G_RW, 1,
		 0},
		{"2.6.25, NX", "kvm-2.6.25", DATA | G_RW | PTE_NX, 1, 0},
		{"2.6.25, absent", "kvm-2.6.25", 0, 1, 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		uint64_t remote, local;
		struct rig rig;

		open_mapped(&rig, cases[i].gen, true);
		remote = rig_count(&rig, CNT_remote_tlb_flush);
		local = rig_count(&rig, CNT_tlb_flush);
		rig_map(&rig, GVA, 1, 0, cases[i].pte);
		check_eq(cases[i].name,
			 rig_count(&rig, CNT_remote_tlb_flush) - remote,
			 cases[i].remote);
		check_eq(cases[i].name, rig_count(&rig, CNT_tlb_flush) - local,
			 cases[i].local);
		rig_close(&rig);
	}
}

static void counters(void **state)
{
	uint64_t updated;
	struct rig rig;

	(void)state;
	open_mapped(&rig, "seed", true);
	updated = rig_count(&rig, CNT_mmu_pte_updated);
	rig_map(&rig, GVA, 1, 0, 0);
	check_eq("updated", rig_count(&rig, CNT_mmu_pte_updated), updated + 1);
	check_eq("notrap", rig_count(&rig, CNT_mmu_update_notrap), 1);
	rig_close(&rig);

	open_mapped(&rig, "seed", false);
	rig_map(&rig, GVA, 1, 0, 0);
	check_eq("notrap is told apart only with the bypass",
		 rig_count(&rig, CNT_mmu_update_notrap) +
			 rig_count(&rig, CNT_mmu_prefetch_notrap),
		 0);
	rig_close(&rig);
}

static void unshadowed_frames(void **state)
{
	struct rig rig;

	(void)state;
	open_mapped(&rig, "seed", true);
	for (unsigned int i = 0; i < 8; i++)
		rig_poke(&rig, DATA + i, 0xff, 1);
	smmu_pte_write(rig.smmu, BIT(40), "x", 1);
	check_eq("harmless", kind_of(&rig, GVA), MAPPED);
	check_eq("nothing zapped", rig_count(&rig, CNT_mmu_shadow_zapped), 0);
	rig_close(&rig);
}

/* kvm_mmu_unprotect_page_virt */
static void unprotect(void **state)
{
	gva_t alias = GVA + PAGE_SIZE;
	struct rig rig;
	gpa_t table;

	(void)state;
	open_mapped(&rig, "seed", true);
	table = rig_entry(&rig, GVA, 1) & ~PAGE_MASK;
	rig_map(&rig, alias, 1, table, G_RW);
	check("was shadowed", smmu_unprotect(rig.smmu, alias));
	check("is not", !smmu_is_shadowed(rig.smmu, table >> PAGE_SHIFT));
	check("nothing left to do", !smmu_unprotect(rig.smmu, alias));
	check("absent", !smmu_unprotect(rig.smmu, GVA + MIB2));
	rig_close(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(split_writes),
		cmocka_unit_test(split_writes_are_sound),
		cmocka_unit_test(misaligned_writes_zap),
		cmocka_unit_test(fork_detector),
		cmocka_unit_test(flood_goes_on),
		cmocka_unit_test(fork_detector_reads_the_twin),
		cmocka_unit_test(zap_forgets_the_last_spte),
		cmocka_unit_test(write_protection_keeps_accessed),
		cmocka_unit_test(speculative_rights),
		cmocka_unit_test(upper_writes_unlink),
		cmocka_unit_test(speculative_write_protection),
		cmocka_unit_test(flushes),
		cmocka_unit_test(counters),
		cmocka_unit_test(unshadowed_frames),
		cmocka_unit_test(unprotect),
	};

	return cmocka_run_group_tests_name("shadow_mmu_pte_write", tests, NULL,
					   NULL);
}
