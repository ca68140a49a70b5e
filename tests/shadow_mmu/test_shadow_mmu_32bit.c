/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guests of 32-bit paging: tables of 1024 entries of 4 bytes, shadowed in parts
 * by tables of 512 sptes.  facts: A.2 (quadrants), A.4 (PSE-36), A.6.4 (what a
 * write touches), B (which tables are read ahead).
 */
#include <string.h>

#include "rig.h"

/* The first page of the second half of a page table, and of the first. */
#define LOW  UINT64_C(0x00400000)
#define HIGH (LOW + 0x200000)
#define DATA UINT64_C(0x100000)

static struct rig_config config_of(const char *gen, bool bypass)
{
	return (struct rig_config){
		.gen = gen,
		.bypass = bypass,
		.mode = PAGING_32,
		.audit = SMMU_AUDIT_ALL,
	};
}

/* Shadow tables of a guest frame, by level and quadrant. */
static unsigned int parts_of(const struct rig *rig, gpa_t table, int level,
			     unsigned int *quadrants)
{
	unsigned int n = 0;

	*quadrants = 0;
	for (uint32_t i = 0; i < rig->mem->pool.nr_pages; i++) {
		const struct sp *sp = &rig->smmu->sp[i];

		if (!sp->in_use || !sp_shadows(sp, table >> PAGE_SHIFT) ||
		    role_level(sp->role) != level)
			continue;
		*quadrants |= 1u << role_quadrant_of(sp->role);
		n++;
	}
	return n;
}

static void a_directory_has_four_parts(void **state)
{
	struct rig_config config = config_of("kvm-2.6.25", true);
	unsigned int quadrants;
	struct rig rig;

	(void)state;
	rig_open(&rig, &config);
	check_eq("roots", parts_of(&rig, rig.guest.cr3, 2, &quadrants), 4);
	check_eq("of each quarter", quadrants, 0xf);
	check_eq("shadow", smmu_shadow_mode(rig.smmu), PAGING_PAE);
	for (gva_t gib = 0; gib < 4; gib++) {
		gva_t gva = gib << 30 | 0x3f << 22 | 5 << 12 | 0x123;

		rig_map(&rig, gva, 1, DATA + (gib << 12), G_RW);
		check_eq("gpa", rig_access(&rig, gva, ACC_W).gpa,
			 DATA + (gib << 12) + 0x123);
	}
	rig_close(&rig);
}

static void a_page_table_has_two_parts(void **state)
{
	struct rig_config config = config_of("kvm-2.6.25", true);
	unsigned int quadrants;
	struct rig rig;
	gpa_t table;

	(void)state;
	rig_open(&rig, &config);
	rig_map(&rig, LOW, 1, DATA, G_RW);
	rig_map(&rig, HIGH, 1, DATA + PAGE_SIZE, G_RW);
	table = rig_entry(&rig, LOW, 1) & ~PAGE_MASK;
	check_eq("one frame", rig_entry(&rig, HIGH, 1) & ~PAGE_MASK, table);
	check_eq("entries lie 512 apart",
		 rig_entry(&rig, HIGH, 1) - rig_entry(&rig, LOW, 1), 4 * 512);

	check_eq("low", rig_access(&rig, LOW, ACC_W).gpa, DATA);
	check_eq("one part", parts_of(&rig, table, 1, &quadrants), 1);
	check_eq("the first", quadrants, 1);
	check_eq("high", rig_access(&rig, HIGH, ACC_W).gpa, DATA + PAGE_SIZE);
	check_eq("two parts", parts_of(&rig, table, 1, &quadrants), 2);
	check_eq("both", quadrants, 3);
	rig_close(&rig);
}

/* The rows of facts, section B, as one guest fault after another meets them. */
static void which_absent_entries_are_direct(void **state)
{
	static const struct {
		const char *gen;
		enum rig_end leaf; /* absent in a page table, shadowed */
	} rows[] = {
		{"seed", RIG_INJECT},
		{"kvm-2.6.25", RIG_DIRECT},
		{"kvm-2.6.28", RIG_DIRECT},
		{"kvm-2.6.38", RIG_DIRECT},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct rig_config config = config_of(rows[i].gen, true);
		struct rig rig;

		rig_open(&rig, &config);
		rig_map(&rig, LOW, 1, DATA, G_RW);
		rig_map(&rig, HIGH, 1, DATA, G_RW);
		rig_map(&rig, HIGH + PAGE_SIZE, 1, DATA, G_RW);
		rig_access(&rig, LOW, ACC_R);
		rig_access(&rig, HIGH, ACC_R);
		check_eq(rows[i].gen, rig_access(&rig, LOW + PAGE_SIZE, 0).end,
			 rows[i].leaf);
		/* The same index of the other half is there. */
		check_eq(rows[i].gen, rig_access(&rig, HIGH + PAGE_SIZE, 0).end,
			 RIG_OK);
		/* No directory is read ahead. */
		check_eq(rows[i].gen, rig_access(&rig, 0x80000000, 0).end,
			 RIG_INJECT);
		rig_close(&rig);
	}
}

static void a_leaf_write_touches_its_half(void **state)
{
	struct rig_config config = config_of("kvm-2.6.25", true);
	struct rig rig;
	gpa_t entry;

	(void)state;
	rig_open(&rig, &config);
	rig_map(&rig, LOW, 1, DATA, G_RW);
	rig_map(&rig, HIGH, 1, DATA + PAGE_SIZE, G_RW);
	rig_access(&rig, LOW, ACC_R);
	rig_access(&rig, HIGH, ACC_R);

	entry = rig_entry(&rig, HIGH, 1);
	rig_poke(&rig, entry, (DATA + 2 * PAGE_SIZE) | G_RW, 4);
	check_eq("mapped at once", spte_gfn(rig_spte(&rig, HIGH, 1)),
		 (DATA >> PAGE_SHIFT) + 2);
	check_eq("the other half stays", spte_gfn(rig_spte(&rig, LOW, 1)),
		 DATA >> PAGE_SHIFT);
	check_eq("one spte", rig_count(&rig, CNT_mmu_pte_updated), 1);
	rig_poke(&rig, entry, 0, 4);
	check_eq("notrap", rig_spte(&rig, HIGH, 1), rig.smmu->v.notrap);
	check_eq("direct", rig_access(&rig, HIGH, ACC_R).end, RIG_DIRECT);
	rig_close(&rig);
}

static void a_directory_write_unlinks_two(void **state)
{
	struct rig_config config = config_of("kvm-2.6.25", true);
	struct rig rig;
	gva_t far = LOW + (UINT64_C(2) << 30);
	gpa_t entry;

	(void)state;
	rig_open(&rig, &config);
	rig_map(&rig, LOW, 1, DATA, G_RW);
	rig_map(&rig, HIGH, 1, DATA, G_RW);
	rig_map(&rig, far, 1, DATA, G_RW);
	rig_map(&rig, LOW + 0x400000, 1, DATA, G_RW);
	rig_access(&rig, LOW, ACC_R);
	rig_access(&rig, HIGH, ACC_R);
	rig_access(&rig, far, ACC_R);
	rig_access(&rig, LOW + 0x400000, ACC_R);
	rig_access(&rig, 0, ACC_R); /* resets the fork detector */

	entry = rig_entry(&rig, LOW, 2);
	rig.acct->counter[CNT_mmu_pde_zapped] = 0;
	rig_poke(&rig, entry, rig_peek(&rig, entry), 4);
	check_eq("unlinked", rig_count(&rig, CNT_mmu_pde_zapped), 2);
	check_eq("first half", rig_slot(&rig, LOW, 1), NO_SLOT);
	check_eq("second half", rig_slot(&rig, HIGH, 1), NO_SLOT);
	check("another quarter stays", rig_slot(&rig, far, 1) != NO_SLOT);
	check("the next entry stays",
	      rig_slot(&rig, LOW + 0x400000, 1) != NO_SLOT);
	rig_close(&rig);
}

/* Two entries at once are no entry: the table goes. */
static void what_is_misaligned_zaps(void **state)
{
	static const struct {
		unsigned int offset, len;
		bool zaps;
	} rows[] = {{0, 4, false}, {0, 8, true}, {4, 4, false},
		    {2, 4, true},  {0, 2, true}, {3, 1, true}};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct rig_config config = config_of("kvm-2.6.25", true);
		uint64_t same;
		struct rig rig;
		gpa_t entry;

		rig_open(&rig, &config);
		rig_map(&rig, LOW, 1, DATA, G_RW);
		rig_access(&rig, LOW, ACC_R);
		entry = rig_entry(&rig, LOW, 1) + rows[i].offset;
		memcpy(&same, rig.mem->ram + entry, 8);
		rig_poke(&rig, entry, same, rows[i].len);
		check_eq("zapped", rig_slot(&rig, LOW, 1) == NO_SLOT,
			 rows[i].zaps);
		rig_close(&rig);
	}
}

/* A and D go into 4 bytes, and into no others. */
static void accessed_and_dirty_are_in_four_bytes(void **state)
{
	struct rig_config config = config_of("kvm-2.6.25", true);
	struct rig rig;
	gpa_t entry;

	(void)state;
	rig_open(&rig, &config);
	rig_map(&rig, LOW, 1, DATA, PTE_P | PTE_W | PTE_U);
	entry = rig_entry(&rig, LOW, 1);
	mem_write_u32(rig.mem, entry + 4, 0x80000000);
	rig_access(&rig, LOW, ACC_R);
	check_eq("A", rig_peek(&rig, entry), DATA | 0x27);
	rig_access(&rig, LOW, ACC_W);
	check_eq("D", rig_peek(&rig, entry), DATA | 0x67);
	check_eq("the neighbour", rig_peek(&rig, entry + 4), 0x80000000);
	rig_close(&rig);
}

static void a_4m_page_is_split(void **state)
{
	struct rig_config config = config_of("kvm-2.6.25", true);
	const struct sp *sp;
	struct rig rig;

	(void)state;
	config.ram = 16 << 20;
	rig_open(&rig, &config);
	rig.guest.pse = true;
	rig_reset(&rig);
	rig_map(&rig, LOW, 2, 8 << 20, G_RW | PTE_PS);
	check_eq("first half", rig_access(&rig, LOW + 0x1234, ACC_W).gpa,
		 0x801234);
	check_eq("second half", rig_access(&rig, HIGH + 0x1234, ACC_W).gpa,
		 0xa01234);
	sp = sp_of_slot(rig.smmu, rig_slot(&rig, HIGH, 1));
	check("no guest table behind it", role_is_metaphysical(sp->role));
	check_eq("its frame", sp->gfn, 0xa00);
	rig_close(&rig);
}

/* PS means nothing while PSE is off, and no shadow of the other kind is kept.
 */
static void pse_is_in_the_key(void **state)
{
	struct rig_config config = config_of("kvm-2.6.25", true);
	struct rig rig;

	(void)state;
	config.ram = 16 << 20;
	rig_open(&rig, &config);
	mem_write_u32(rig.mem, 0x800000 + 4 * 3, DATA | G_RW);
	rig_map(&rig, LOW, 2, 8 << 20, G_RW | PTE_PS);
	for (int i = 0; i < 4; i++) {
		rig.guest.pse = i & 1;
		rig_reset(&rig);
		check_eq(i & 1 ? "a page" : "a table",
			 rig_access(&rig, LOW + 0x3004, ACC_R).gpa,
			 i & 1 ? 0x803004 : DATA + 4);
	}
	rig_close(&rig);
}

/* Each of bits 20:13 of a 4 MiB entry, with an address of 40 bits. */
static void pse36_leads_beyond_4g(void **state)
{
	(void)state;
	for (unsigned int bit = 13; bit <= 16; bit++) {
		struct rig_config config = config_of("kvm-2.6.25", true);
		struct rig_outcome out;
		struct rig rig;

		rig_open(&rig, &config);
		rig.guest.pse = true;
		rig_reset(&rig);
		rig_map(&rig, LOW, 2, 0, G_RW | PTE_PS | BIT(bit));
		out = rig_access(&rig, LOW + 5, ACC_R);
		check_eq("no RAM", out.end, RIG_MMIO);
		check_eq("address", out.gpa, BIT(bit + 19) + 5);
		rig_close(&rig);
	}
}

/* The upper half of an address is not looked at. */
static void addresses_have_32_bits(void **state)
{
	struct rig_config config = config_of("kvm-2.6.25", true);
	struct rig rig;

	(void)state;
	rig_open(&rig, &config);
	rig_map(&rig, LOW, 1, DATA, G_RW);
	check_eq("gpa", rig_access(&rig, LOW | BITS(63, 32), ACC_W).gpa, DATA);
	rig_close(&rig);
}

/* Tables are found again after a turn in another mode, and are not mixed up. */
static void modes_share_frames_not_tables(void **state)
{
	struct rig_config config = config_of("kvm-2.6.25", true);
	uint64_t misses;
	struct rig rig;

	(void)state;
	rig_open(&rig, &config);
	rig_map(&rig, LOW, 1, DATA, G_RW);
	rig_access(&rig, LOW, ACC_W);
	for (unsigned int i = 0; i < 4; i++)
		rig.guest.pdpte[i] = rig.guest.cr3 | PTE_P;
	rig_switch(&rig, PAGING_PAE, rig.guest.cr3);
	rig_access(&rig, 0, ACC_R);
	misses = rig_count(&rig, CNT_mmu_cache_miss);
	rig_switch(&rig, PAGING_32, rig.guest.cr3);
	check_eq("gpa", rig_access(&rig, LOW, ACC_W).gpa, DATA);
	check_eq("nothing new", rig_count(&rig, CNT_mmu_cache_miss), misses);
	rig_close(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_directory_has_four_parts),
		cmocka_unit_test(a_page_table_has_two_parts),
		cmocka_unit_test(which_absent_entries_are_direct),
		cmocka_unit_test(a_leaf_write_touches_its_half),
		cmocka_unit_test(a_directory_write_unlinks_two),
		cmocka_unit_test(what_is_misaligned_zaps),
		cmocka_unit_test(accessed_and_dirty_are_in_four_bytes),
		cmocka_unit_test(a_4m_page_is_split),
		cmocka_unit_test(pse_is_in_the_key),
		cmocka_unit_test(pse36_leads_beyond_4g),
		cmocka_unit_test(addresses_have_32_bits),
		cmocka_unit_test(modes_share_frames_not_tables),
	};

	return cmocka_run_group_tests_name("shadow_mmu_32bit", tests, NULL,
					   NULL);
}
