/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What each operation takes, and what it leaves, one by one: of the TLBs, the
 * paging-structure caches and the nested ones.  SDM vol. 3A, "Operations that
 * Invalidate TLBs and Paging-Structure Caches"; vol. 3C, "Operations that
 * Invalidate Cached Mappings".
 */
#include <stdio.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "arch/cr.h"
#include "cpu/hardware.h"

static struct cpu_hardware hw;

/* The guest runs with PCID 1; it has run with PCID 2 and with 0. */
#define PAGE  UINT64_C(0x400000)
#define NEXT  UINT64_C(0x401000)
#define LARGE UINT64_C(0x40002000) /* 2 MiB, in pieces of 4 KiB */
#define GLOBE UINT64_C(0xffff800000003000)
#define FAR   UINT64_C(0x7f0000000000) /* no page of the TLB */

#define PGE    CR4_PGE
#define PCIDE  CR4_PCIDE
#define LONG64 (CR4_PAE | PCIDE | PGE)

/*
 * Letters of what is held.  P: the page of PCID 1, N: its neighbour, L: the
 * first piece of its large page; p: the same address of PCID 2; z: of PCID 0;
 * G: a global page.  D: directory entry of PCID 1 for the page, F: for another
 * address; d: of PCID 2 for the page, f: for another address; z has none.
 * E: nested TLB.
 */
#define ALL "PNLpzGDFdfE"

static void fill(gva_t gva, enum tlb_size size, uint8_t from, bool global)
{
	const struct tlb_page page = {
		.gva = gva,
		.grants = TLB_READ | TLB_USER | TLB_SUPERVISOR,
		.size = size,
		.from = from,
		.global = global,
	};

	tlb_fill(&hw.tlb, TLB_READ, &page);
}

static void use_pcid(uint16_t pcid)
{
	hardware_mov_cr3(&hw, PCIDE, pcid | CR3_NO_FLUSH);
}

static void set_up(void)
{
	static const struct walker_path one = {
		.mode = PAGING_OFF,
		.ept_levels = 4,
		.ept_leaf = 1,
		.has_page = true,
		.page = 0x1000,
	};
	struct walker_counts ignored;

	assert_int_equal(hardware_init(&hw, &cpu_geometry_generic), 0);
	fill(PAGE, TLB_4K, 0, false);
	use_pcid(2);
	fill(PAGE, TLB_4K, 0, false);
	psc_fill(&hw.walker.psc, PAGING_4LEVEL, PAGE, 2);
	psc_fill(&hw.walker.psc, PAGING_4LEVEL, FAR, 2);
	use_pcid(1);
	fill(PAGE, TLB_4K, 0, false);
	fill(NEXT, TLB_4K, 0, false);
	fill(LARGE, TLB_4K, 21, false);
	fill(GLOBE, TLB_4K, 0, true);
	psc_fill(&hw.walker.psc, PAGING_4LEVEL, PAGE, 2);
	psc_fill(&hw.walker.psc, PAGING_4LEVEL, FAR, 2);
	walker_walk(&hw.walker, &one, 0, 0, &ignored);
}

static bool has(gva_t gva)
{
	return tlb_lookup(&hw.tlb, gva, TLB_READ) ||
	       tlb_lookup_second(&hw.tlb, gva, TLB_READ);
}

static bool knows(gva_t gva)
{
	return psc_lookup(&hw.walker.psc, PAGING_4LEVEL, gva) == 2;
}

static bool is_nested_known(void)
{
	for (uint32_t i = 0; i < hw.walker.nested_tlb.ways; i++)
		if (hw.walker.nested_tlb.tag[i])
			return true;
	return false;
}

static void add(char *held, char letter, bool is_held)
{
	size_t len = strlen(held);

	if (!is_held)
		return;
	held[len] = letter;
	held[len + 1] = 0;
}

/* By the PCID that each belongs to. */
static void look(char held[16])
{
	struct {
		uint16_t pcid;
		char letter;
		bool psc;
		gva_t gva;
	} parts[] = {{1, 'P', false, PAGE},  {1, 'N', false, NEXT},
		     {1, 'L', false, LARGE}, {2, 'p', false, PAGE},
		     {0, 'z', false, PAGE},  {1, 'G', false, GLOBE},
		     {1, 'D', true, PAGE},   {1, 'F', true, FAR},
		     {2, 'd', true, PAGE},   {2, 'f', true, FAR}};

	held[0] = 0;
	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		use_pcid(parts[i].pcid);
		add(held, parts[i].letter,
		    parts[i].psc ? knows(parts[i].gva) : has(parts[i].gva));
	}
	add(held, 'E', is_nested_known());
}

/* --- Operations ---------------------------------------------------------- */

static enum hardware_flush exit_entry(void)
{
	return hardware_exit_entry(&hw);
}

static enum hardware_flush cr3_same(void)
{
	return hardware_mov_cr3(&hw, PCIDE, 0x1000 | 1);
}

static enum hardware_flush cr3_other(void)
{
	return hardware_mov_cr3(&hw, PCIDE, 0x1000 | 2);
}

static enum hardware_flush cr3_keep(void)
{
	return hardware_mov_cr3(&hw, PCIDE, CR3_NO_FLUSH | 0x1000 | 2);
}

/* Without CR4.PCIDE there is but PCID 0, and bit 63 is no request. */
static enum hardware_flush cr3_plain(void)
{
	return hardware_mov_cr3(&hw, 0, CR3_NO_FLUSH | 0x1000 | 2);
}

static enum hardware_flush cr0_pg_off(void)
{
	return hardware_mov_cr0(&hw, CR0_PG | CR0_PE, CR0_PE);
}

static enum hardware_flush cr0_wp(void)
{
	return hardware_mov_cr0(&hw, CR0_PG, CR0_PG | CR0_WP);
}

static enum hardware_flush cr4_pge_off(void)
{
	return hardware_mov_cr4(&hw, LONG64, LONG64 & ~PGE);
}

static enum hardware_flush cr4_pge_on(void)
{
	return hardware_mov_cr4(&hw, LONG64 & ~PGE, LONG64);
}

static enum hardware_flush cr4_pcide_off(void)
{
	return hardware_mov_cr4(&hw, LONG64, LONG64 & ~PCIDE);
}

static enum hardware_flush cr4_pcide_on(void)
{
	return hardware_mov_cr4(&hw, LONG64 & ~PCIDE, LONG64);
}

static enum hardware_flush cr4_pae(void)
{
	return hardware_mov_cr4(&hw, PGE, PGE | CR4_PAE);
}

static enum hardware_flush cr4_smep_on(void)
{
	return hardware_mov_cr4(&hw, LONG64, LONG64 | CR4_SMEP);
}

static enum hardware_flush cr4_smep_off(void)
{
	return hardware_mov_cr4(&hw, LONG64 | CR4_SMEP, LONG64);
}

static enum hardware_flush cr4_smap_on(void)
{
	return hardware_mov_cr4(&hw, LONG64, LONG64 | CR4_SMAP);
}

static enum hardware_flush invlpg(void)
{
	return hardware_invlpg(&hw, PAGE | 0x123);
}

static enum hardware_flush invlpg_global(void)
{
	return hardware_invlpg(&hw, GLOBE);
}

/* Any address of the guest's page takes every piece of it. */
static enum hardware_flush invlpg_large(void)
{
	return hardware_invlpg(&hw, LARGE + 0x1fd000);
}

static enum hardware_flush invlpg_beside(void)
{
	return hardware_invlpg(&hw, LARGE + 0x200000);
}

static enum hardware_flush invpcid(uint64_t type, uint16_t pcid, gva_t gva)
{
	return hardware_invpcid(&hw, PAGING_4LEVEL, type, pcid, gva);
}

static enum hardware_flush invpcid_address(void)
{
	return invpcid(INVPCID_ADDRESS, 2, PAGE);
}

static enum hardware_flush invpcid_address_own(void)
{
	return invpcid(INVPCID_ADDRESS, 1, PAGE);
}

static enum hardware_flush invpcid_address_global(void)
{
	return invpcid(INVPCID_ADDRESS, 1, GLOBE);
}

static enum hardware_flush invpcid_context(void)
{
	return invpcid(INVPCID_CONTEXT, 2, 0);
}

static enum hardware_flush invpcid_context_own(void)
{
	return invpcid(INVPCID_CONTEXT, 1, 0);
}

static enum hardware_flush invpcid_all_global(void)
{
	return invpcid(INVPCID_ALL_GLOBAL, 0, 0);
}

static enum hardware_flush invpcid_all(void)
{
	return invpcid(INVPCID_ALL, 0, 0);
}

static enum hardware_flush invvpid(void)
{
	return hardware_invvpid(&hw);
}

static enum hardware_flush invept(void)
{
	return hardware_invept(&hw);
}

static const struct {
	const char *name;
	enum hardware_flush (*op)(void);
	const char *left;
	enum hardware_flush took;
} rules[] = {
	{"VM exit and entry without VPID", exit_entry, "E", FLUSH_ALL},
	{"MOV to CR3, same PCID", cr3_same, "pzGdfE", FLUSH_CONTEXT},
	{"MOV to CR3, other PCID", cr3_other, "PNLzGDFE", FLUSH_CONTEXT},
	{"MOV to CR3, bit 63", cr3_keep, ALL, FLUSH_NONE},
	{"MOV to CR3 without PCIDE", cr3_plain, "PNLpGDFdfE", FLUSH_CONTEXT},
	{"CR0.PG off", cr0_pg_off, "E", FLUSH_ALL},
	{"CR0.WP", cr0_wp, ALL, FLUSH_NONE},
	{"CR4.PGE off", cr4_pge_off, "E", FLUSH_ALL},
	{"CR4.PGE on", cr4_pge_on, "E", FLUSH_ALL},
	{"CR4.PCIDE off", cr4_pcide_off, "E", FLUSH_ALL},
	{"CR4.PCIDE on", cr4_pcide_on, ALL, FLUSH_NONE},
	{"CR4.PAE", cr4_pae, "pzdfE", FLUSH_CONTEXT},
	{"CR4.SMEP on", cr4_smep_on, "pzdfE", FLUSH_CONTEXT},
	{"CR4.SMEP off", cr4_smep_off, ALL, FLUSH_NONE},
	{"CR4.SMAP on", cr4_smap_on, ALL, FLUSH_NONE},
	{"INVLPG", invlpg, "NLpzGdfE", FLUSH_PAGE},
	{"INVLPG of a global page", invlpg_global, "PNLpzdfE", FLUSH_PAGE},
	{"INVLPG of a large page", invlpg_large, "PNpzGdfE", FLUSH_PAGE},
	{"INVLPG beside a large page", invlpg_beside, "PNLpzGdfE", FLUSH_PAGE},
	{"INVPCID 0", invpcid_address, "PNLzGDFfE", FLUSH_PAGE},
	{"INVPCID 0, own", invpcid_address_own, "NLpzGFdfE", FLUSH_PAGE},
	{"INVPCID 0, global page", invpcid_address_global, ALL, FLUSH_PAGE},
	{"INVPCID 1", invpcid_context, "PNLzGDFE", FLUSH_CONTEXT},
	{"INVPCID 1, own", invpcid_context_own, "pzGdfE", FLUSH_CONTEXT},
	{"INVPCID 2", invpcid_all_global, "E", FLUSH_ALL},
	{"INVPCID 3", invpcid_all, "GE", FLUSH_ALL},
	{"INVVPID", invvpid, "E", FLUSH_ALL},
	{"INVEPT", invept, "", FLUSH_ALL},
};

static void each_takes_its_own(void **state)
{
	char held[16];

	(void)state;
	set_up();
	look(held);
	assert_string_equal(held, ALL);
	hardware_finish(&hw);
	for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
		enum hardware_flush took;

		set_up();
		took = rules[i].op();
		look(held);
		if (strcmp(held, rules[i].left) || took != rules[i].took)
			fail_msg("%s: left \"%s\", wanted \"%s\"; took %d, "
				 "wanted %d",
				 rules[i].name, held, rules[i].left, (int)took,
				 (int)rules[i].took);
		hardware_finish(&hw);
	}
}

/* One that came back from the second level is still a piece of its page. */
static void pieces_come_back(void **state)
{
	(void)state;
	assert_int_equal(hardware_init(&hw, &cpu_geometry_generic), 0);
	fill(LARGE, TLB_4K, 21, false);
	for (gva_t i = 0; i < 4; i++)
		fill(PAGE + 0x2000 + i * 0x4000, TLB_4K, 0, false);
	assert_false(tlb_lookup(&hw.tlb, LARGE, TLB_READ));
	assert_true(tlb_lookup_second(&hw.tlb, LARGE, TLB_READ));
	hardware_invlpg(&hw, LARGE + 0x1fd000);
	assert_false(has(LARGE));
	hardware_finish(&hw);
}

/* Also where no large page was ever cut up. */
static void global_page_goes(void **state)
{
	(void)state;
	assert_int_equal(hardware_init(&hw, &cpu_geometry_generic), 0);
	fill(GLOBE, TLB_4K, 0, true);
	assert_true(has(GLOBE));
	hardware_invlpg(&hw, GLOBE);
	assert_false(has(GLOBE));
	hardware_finish(&hw);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_takes_its_own),
		cmocka_unit_test(pieces_come_back),
		cmocka_unit_test(global_page_goes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
