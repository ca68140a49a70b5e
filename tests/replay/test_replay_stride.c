/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Loops over a few pages on real machines: what is looked up, what is walked
 * and what it costs, added up by hand from the files of machines/.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "arch/cr.h"
#include "replay/replay.h"

#define TABLES 4
#define LOOPS  3

/* The tables' frames, one after another; those of pages begin above. */
#define PML4       UINT64_C(0x1000)
#define PAGE_FRAME UINT64_C(0x40)
#define PTE_USER   (PTE_P | PTE_W | PTE_U | PTE_A | PTE_D)

/* Page i of the guest, in 2 MiB: one table of the lowest level has them all. */
static gva_t page_at(unsigned int i)
{
	return (gva_t)i << PAGE_SHIFT;
}

static void play_tables(struct replay_lane *lane)
{
	static uint64_t table[TABLES][PT_ENTRIES];

	for (unsigned int i = 0; i + 1 < TABLES; i++)
		table[i][0] = (PML4 + (i + 1) * PAGE_SIZE) | PTE_USER;
	for (unsigned int i = 0; i < PT_ENTRIES; i++)
		table[TABLES - 1][i] =
			(PAGE_FRAME + i) << PAGE_SHIFT | PTE_USER;
	for (unsigned int i = 0; i < TABLES; i++) {
		const struct trace_item item = {.kind = TRACE_ITEM_TABLE,
						.gpa = PML4 + i * PAGE_SIZE,
						.table = table[i]};

		replay_lane_item(lane, &item);
	}
}

static void play_read(struct replay_lane *lane, gva_t gva)
{
	const struct trace_ref ref = {.gva = gva,
				      .count = 1,
				      .kind = TRACE_READ,
				      .size = 8,
				      .user = true};
	const struct trace_item item = {
		.kind = TRACE_ITEM_REFS, .refs = &ref, .nr = 1};

	replay_lane_item(lane, &item);
}

/* No instruction is fetched: the data's own translation alone is counted. */
static struct replay_lane *begin(const char *machine, const char *mmu)
{
	const struct trace_info info = {
		.granularity = TRACE_FULL,
		.memory = 4 << 20,
		.cr0 = CR0_PG | CR0_WP | CR0_PE | CR0_ET,
		.cr3 = PML4,
		.cr4 = CR4_PAE,
		.efer = EFER_LMA | EFER_LME | EFER_NXE,
	};
	struct replay_lane *lane;
	struct config config;
	struct diag diag;

	config_init(&config);
	assert_int_equal(config_set(&config, "mmu", mmu, &diag), 0);
	assert_int_equal(config_set(&config, "machine", machine, &diag), 0);
	if (config_check(&config, &diag))
		fail_msg("%s", diag.msg);
	config = config_effective(&config);
	if (replay_lane_create(&config, &info, &lane, &diag))
		fail_msg("%s", diag.msg);
	play_tables(lane);
	return lane;
}

enum { L2_LOOKUPS, L2_HITS, WALKS, REFS, MEM, CYCLES, NR_COUNTS };

static const char *const names[NR_COUNTS] = {
	"l2_lookups", "l2_hits",       "walks",
	"walk_refs",  "walk_refs_mem", "cycles of translation",
};

struct want {
	uint64_t n[NR_COUNTS];
};

static struct want counts(struct replay_lane *lane)
{
	const struct account *acct = sim_account(replay_lane_sim(lane));

	return (struct want){{acct->tlb[TLB_l2_lookups], acct->tlb[TLB_l2_hits],
			      acct->tlb[TLB_walks], acct->tlb[TLB_walk_refs],
			      acct->tlb[TLB_walk_refs_mem],
			      account_part_cycles(acct, PART_translation).typ}};
}

static void expect(const char *what, struct replay_lane *lane,
		   const struct want *before, const struct want *want)
{
	const struct want now = counts(lane);

	assert_string_equal(replay_lane_line(lane), "");
	for (int i = 0; i < NR_COUNTS; i++)
		if (now.n[i] - before->n[i] != want->n[i])
			fail_msg("%s: %s: %llu, by hand %llu", what, names[i],
				 (unsigned long long)(now.n[i] - before->n[i]),
				 (unsigned long long)want->n[i]);
}

static const struct want nothing;

/*
 * Pages 0, 1 and 2, three times.  They fit everywhere, so that the first time
 * is all: the first page's walk reads four entries, each of a line of its own,
 * from memory; the next two begin behind the directory's entry and read one
 * from the line that is in L1 by then.
 *
 * merom: each waits for DTLB1 (2), a walk is 4, memory 233, L1 3:
 *	3 * 2 + 3 * 4 + 4 * 233 + 2 * 3 = 956
 * nehalem: STLB 7, walk 5, memory 184, L1 4:
 *	3 * 7 + 3 * 5 + 4 * 184 + 2 * 4 = 780
 * prescott has no second level, and no walk reads L1 but at the cost of L2:
 *	3 * 9 + 4 * 305 + 2 * 28 = 1303
 * skylake has two walkers, and nothing is between these reads: the second walk
 * is behind the first one, its own part too; the third is a group of its own.
 *	3 * 9 + 2 * 5 + 4 * 159 + 1 * 4 = 677
 */
static const struct {
	const char *machine;
	struct want want;
} small[] = {
	{"merom", {{3, 0, 3, 6, 4, 956}}},
	{"nehalem", {{3, 0, 3, 6, 4, 780}}},
	{"prescott", {{0, 0, 3, 6, 4, 1303}}},
	{"skylake", {{3, 0, 3, 6, 4, 677}}},
};

static void three_pages(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(small); i++) {
		struct replay_lane *lane = begin(small[i].machine, "native");

		for (unsigned int n = 0; n < LOOPS; n++)
			for (unsigned int k = 0; k < 3; k++)
				play_read(lane, page_at(k));
		replay_lane_finish(lane);
		expect(small[i].machine, lane, &nothing, &small[i].want);
		assert_null(sim_check(replay_lane_sim(lane)));
		replay_lane_destroy(lane);
	}
}

/*
 * Five pages, 16 KiB from one another, three times.  They are of one set of
 * Merom's DTLB0, of four sets and four ways, which forgets each before it is
 * used again; DTLB1 has 64 sets and holds them.  The first time reads five
 * entries of three lines (two in each): after the first walk's four from
 * memory, two more of memory and two of L1.
 *	15 * 2 + 5 * 4 + 6 * 233 + 2 * 3 = 1454
 * Zen 2's DTLB is fully associative: nothing after the first time.  The same
 * reads, by two walkers: of each two walks the second is hidden, the fifth
 * is alone.  The first read four entries (one is hidden then); the third and
 * fifth begin a line, and the fourth ends one.
 *	5 * 7 + 3 * 6 + 6 * 256 = 1589
 */
static const struct {
	const char *machine;
	struct want want;
} apart[] = {
	{"merom", {{15, 10, 5, 8, 6, 1454}}},
	{"zen2", {{5, 0, 5, 8, 6, 1589}}},
};

static void five_pages_of_one_set(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(apart); i++) {
		struct replay_lane *lane = begin(apart[i].machine, "native");

		for (unsigned int n = 0; n < LOOPS; n++)
			for (unsigned int k = 0; k < 5; k++)
				play_read(lane, page_at(4 * k));
		replay_lane_finish(lane);
		expect(apart[i].machine, lane, &nothing, &apart[i].want);
		replay_lane_destroy(lane);
	}
}

static void play_mov_cr3(struct replay_lane *lane)
{
	const struct trace_item item = {
		.kind = TRACE_ITEM_EVENT,
		.event = {.kind = GE_CR_WRITE, .cr = 3, .value = PML4}};

	replay_lane_item(lane, &item);
}

/*
 * 24 pages of a Haswell, read twice so that all is backed, then MOV to CR3 and
 * once more.  What was translated is gone, what was read is in L1.
 *
 * native: each waits for the STLB (8); the first walk (4) reads four entries
 * (4 each), the others the last of them.
 *	24 * 8 + 24 * 4 + 27 * 4 = 396
 * ept: guest-physical mappings outlive MOV to CR3, but 16 frames are all that
 * the nested TLB has, and the last 16 of the 24 pages are in it with the
 * lowest table's, which every walk asks for.  So each page's own is walked,
 * and those of the three upper tables: behind EPT's directory entry, one read.
 *	24 * 8 + 24 * 4 + (27 + 24 + 3) * 4 = 504
 */
static const struct {
	const char *mmu;
	struct want want;
} again[] = {
	{"native", {{24, 0, 24, 27, 0, 396}}},
	{"ept", {{24, 0, 24, 54, 0, 504}}},
};

static void read_24_pages(struct replay_lane *lane)
{
	for (unsigned int k = 0; k < 24; k++)
		play_read(lane, page_at(k));
}

static void after_mov_cr3(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(again); i++) {
		struct replay_lane *lane = begin("haswell", again[i].mmu);
		struct want before;

		read_24_pages(lane);
		read_24_pages(lane);
		play_mov_cr3(lane);
		before = counts(lane);
		read_24_pages(lane);
		expect(again[i].mmu, lane, &before, &again[i].want);
		replay_lane_destroy(lane);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(three_pages),
		cmocka_unit_test(after_mov_cr3),
		cmocka_unit_test(five_pages_of_one_set),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
