/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Registers and tables after a few items, against what the manual says. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "arch/cpu_features.h"
#include "arch/cr.h"
#include "replay/track.h"

#define MEMORY UINT64_C(0x100000)

#define CR0_START (CR0_PE | CR0_ET)
#define CR0_PAGED (CR0_PG | CR0_PE | CR0_ET)

#define MOV(n, val)                                                       \
	{                                                                 \
		.kind = GE_CR_WRITE, .cr = (n), .size = 8, .value = (val) \
	}
#define MOV32(n, val)                                                     \
	{                                                                 \
		.kind = GE_CR_WRITE, .cr = (n), .size = 4, .value = (val) \
	}
#define WRMSR(n, val)                                          \
	{                                                      \
		.kind = GE_WRMSR, .error = (n), .value = (val) \
	}

#define EVENTS_MAX 6

/* PDPTEs for three roots: good ones, others, and one with a reserved bit. */
static const uint64_t good[4] = {0x2001, 0x3001, 0, 0x5001};
static const uint64_t other[4] = {0x6001, 0, 0x7001, 0};
static const uint64_t bad[4] = {0x2001 | PTE_W};
#define GOOD  UINT64_C(0x4020)
#define OTHER UINT64_C(0x4040)
#define BAD   UINT64_C(0x4080)

static const struct {
	const char *name;
	uint64_t cr0, cr3, cr4, efer; /* at first */
	struct guest_event event[EVENTS_MAX];
	uint64_t end0, end3, end4, end_efer;
	const uint64_t *pdpte; /* NULL: none was loaded */
} cases[] = {
	{"nothing", CR0_START, 1, 2, 3, {{0}}, CR0_START, 1, 2, 3, NULL},
	{"events that change nothing",
	 CR0_START,
	 0x1000,
	 0,
	 0,
	 {MOV(2, 5),
	  MOV(8, 1),
	  WRMSR(MSR_STAR, 1),
	  {.kind = GE_CPUID},
	  {.kind = GE_CR_READ, .cr = 3}},
	 CR0_START,
	 0x1000,
	 0,
	 0,
	 NULL},
	{"into long mode",
	 CR0_START,
	 0,
	 0,
	 0,
	 {MOV32(4, CR4_PAE), WRMSR(MSR_EFER, EFER_LME | EFER_NXE),
	  MOV32(3, 0x1000), MOV32(0, CR0_PG | CR0_PE | CR0_WP)},
	 CR0_PAGED | CR0_WP,
	 0x1000,
	 CR4_PAE,
	 EFER_LME | EFER_NXE | EFER_LMA,
	 NULL},
	{"out of it",
	 CR0_PAGED,
	 0x1000,
	 CR4_PAE,
	 EFER_LME | EFER_LMA,
	 {MOV32(0, CR0_PE)},
	 CR0_START,
	 0x1000,
	 CR4_PAE,
	 EFER_LME,
	 NULL},
	{"not out of it from 64-bit code",
	 CR0_PAGED,
	 0x1000,
	 CR4_PAE,
	 EFER_LME | EFER_LMA,
	 {MOV(0, CR0_PE)},
	 CR0_PAGED,
	 0x1000,
	 CR4_PAE,
	 EFER_LME | EFER_LMA,
	 NULL},
	{"a root without memory",
	 CR0_PAGED,
	 0x1000,
	 CR4_PAE,
	 EFER_LME | EFER_LMA,
	 {MOV(3, MEMORY)},
	 CR0_PAGED,
	 0x1000,
	 CR4_PAE,
	 EFER_LME | EFER_LMA,
	 NULL},
	{"another address space",
	 CR0_PAGED,
	 0x1000,
	 CR4_PAE,
	 EFER_LME | EFER_LMA,
	 {MOV(3, 0x2000), MOV(3, 0x3018)},
	 CR0_PAGED,
	 0x3018,
	 CR4_PAE,
	 EFER_LME | EFER_LMA,
	 NULL},
	{"bits there are not",
	 CR0_PAGED,
	 0x1000,
	 CR4_PAE,
	 EFER_LME | EFER_LMA,
	 {MOV(4, CR4_PAE | CR4_UMIP), MOV(0, BIT(32) | CR0_PAGED),
	  WRMSR(MSR_EFER, BIT(1)), MOV(0, CR0_PG)},
	 CR0_PAGED,
	 0x1000,
	 CR4_PAE,
	 EFER_LME | EFER_LMA,
	 NULL},
	{"clts and lmsw",
	 CR0_START | CR0_TS,
	 0,
	 0,
	 0,
	 {{.kind = GE_CLTS},
	  {.kind = GE_LMSW, .value = CR0_MP | CR0_EM | BIT(7)}},
	 CR0_START | CR0_MP | CR0_EM,
	 0,
	 0,
	 0,
	 NULL},
	{"clts alone",
	 CR0_START | CR0_TS,
	 0,
	 0,
	 0,
	 {{.kind = GE_CLTS}},
	 CR0_START,
	 0,
	 0,
	 0,
	 NULL},
	{"lmsw clears",
	 CR0_START | CR0_MP,
	 0,
	 0,
	 0,
	 {{.kind = GE_LMSW, .value = CR0_TS}},
	 CR0_START | CR0_TS,
	 0,
	 0,
	 0,
	 NULL},
	{"into PAE",
	 CR0_START,
	 0,
	 0,
	 0,
	 {MOV32(4, CR4_PAE), MOV32(3, GOOD), MOV32(0, CR0_PG | CR0_PE)},
	 CR0_PAGED,
	 GOOD,
	 CR4_PAE,
	 0,
	 good},
	{"another root in PAE",
	 CR0_START,
	 0,
	 CR4_PAE,
	 0,
	 {MOV32(3, GOOD), MOV32(0, CR0_PG | CR0_PE), MOV32(3, OTHER)},
	 CR0_PAGED,
	 OTHER,
	 CR4_PAE,
	 0,
	 other},
	{"one with a reserved bit",
	 CR0_START,
	 0,
	 CR4_PAE,
	 0,
	 {MOV32(3, GOOD), MOV32(0, CR0_PG | CR0_PE), MOV32(3, BAD)},
	 CR0_PAGED,
	 GOOD,
	 CR4_PAE,
	 0,
	 good},
	{"PDPTEs again by CR4",
	 CR0_PAGED,
	 OTHER,
	 CR4_PAE,
	 0,
	 {MOV32(4, CR4_PAE | CR4_PGE)},
	 CR0_PAGED,
	 OTHER,
	 CR4_PAE | CR4_PGE,
	 0,
	 other},
};

static struct track *make(uint64_t cr0, uint64_t cr3, uint64_t cr4,
			  uint64_t efer)
{
	const struct trace_info info = {.memory = MEMORY,
					.cr0 = cr0,
					.cr3 = cr3,
					.cr4 = cr4,
					.efer = efer};
	struct track *track;
	struct diag diag;

	assert_int_equal(track_create(&info, &track, &diag), 0);
	return track;
}

static void tell(struct track *track, gpa_t gpa, const uint64_t *entries)
{
	const struct trace_item item = {
		.kind = TRACE_ITEM_TABLE, .gpa = gpa, .table = entries};

	track_item(track, &item);
}

static void store(struct track *track, gpa_t gpa, uint64_t val, uint8_t size)
{
	struct trace_item item = {
		.kind = TRACE_ITEM_TABLE_WRITE, .gpa = gpa, .size = size};

	memcpy(item.bytes, &val, sizeof(val));
	track_item(track, &item);
}

static void tell_roots(struct track *track)
{
	uint64_t frame[PT_ENTRIES] = {0};

	memcpy(frame + 4, good, sizeof(good));
	memcpy(frame + 8, other, sizeof(other));
	memcpy(frame + 16, bad, sizeof(bad));
	tell(track, 0x4000, frame);
}

static void check(const char *name, const char *what, uint64_t got,
		  uint64_t want)
{
	if (got != want)
		fail_msg("%s: %s is 0x%llx, want 0x%llx", name, what,
			 (unsigned long long)got, (unsigned long long)want);
}

static void follows_registers(void **state)
{
	static const uint64_t none[4];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const char *name = cases[i].name;
		struct track *track = make(cases[i].cr0, cases[i].cr3,
					   cases[i].cr4, cases[i].efer);
		const uint64_t *pdpte = cases[i].pdpte;
		struct trace_info info = {.memory = 7};

		tell_roots(track);
		for (size_t k = 0; k < EVENTS_MAX; k++) {
			const struct trace_item item = {
				.kind = TRACE_ITEM_EVENT,
				.event = cases[i].event[k]};

			if (item.event.kind != GE_ACCESS)
				track_item(track, &item);
		}
		track_registers(track, &info);
		check(name, "CR0", info.cr0, cases[i].end0);
		check(name, "CR3", info.cr3, cases[i].end3);
		check(name, "CR4", info.cr4, cases[i].end4);
		check(name, "EFER", info.efer, cases[i].end_efer);
		for (int k = 0; k < 4; k++)
			check(name, "a PDPTE", info.pdpte[k],
			      (pdpte ? pdpte : none)[k]);
		assert_int_equal(info.memory, 7);
		track_destroy(track);
	}
}

/* PKRU, and CR4 by the features of the processor that was recorded. */
static void follows_features(void **state)
{
	static const uint64_t bits = CR4_SMEP | CR4_SMAP | CR4_PKE;

	(void)state;
	for (int with = 0; with < 2; with++) {
		const struct trace_info from = {
			.memory = MEMORY,
			.cr0 = CR0_START,
			.pkru = 0x30,
			.features =
				with ? FEATURE_SMEP | FEATURE_SMAP | FEATURE_PKU
				     : 0};
		struct trace_info info = {0};
		struct trace_item item = {.kind = TRACE_ITEM_EVENT,
					  .event = MOV32(4, bits)};
		struct track *track;
		struct diag diag;

		assert_int_equal(track_create(&from, &track, &diag), 0);
		track_registers(track, &info);
		check("at first", "PKRU", info.pkru, 0x30);
		track_item(track, &item);
		item.event = (struct guest_event){.kind = GE_WRPKRU,
						  .value = 0xfffffffc};
		track_item(track, &item);
		track_registers(track, &info);
		check("then", "PKRU", info.pkru, 0xfffffffc);
		check("then", "CR4", info.cr4, with ? bits : 0);
		track_destroy(track);
	}
}

/* What CR3 loads is what the table holds by then. */
static void loads_what_was_written(void **state)
{
	const struct trace_item load = {.kind = TRACE_ITEM_EVENT,
					.event = MOV32(3, GOOD)};
	struct track *track = make(CR0_PAGED, OTHER, CR4_PAE, 0);
	struct trace_info info;

	(void)state;
	tell_roots(track);
	track_item(track, &load);
	store(track, GOOD + 8, 0x9001, 8);
	track_registers(track, &info);
	assert_int_equal(info.pdpte[1], good[1]);
	track_item(track, &load);
	track_registers(track, &info);
	assert_int_equal(info.pdpte[0], good[0]);
	assert_int_equal(info.pdpte[1], 0x9001);
	track_destroy(track);
}

static void check_table(const struct track *track, gpa_t from, gpa_t want,
			unsigned int index, uint64_t entry)
{
	const uint64_t *table;
	gpa_t gpa = from;

	assert_true(track_table(track, &gpa, &table));
	assert_int_equal(gpa, want);
	for (unsigned int i = 0; i < PT_ENTRIES; i++)
		assert_int_equal(table[i], i == index ? entry : 0);
}

static void follows_tables(void **state)
{
	uint64_t entries[PT_ENTRIES] = {[400] = 0x1122334455667788};
	struct trace_item end = {.kind = TRACE_ITEM_TABLE_END, .gpa = 0x2000};
	const struct trace_item mark = {.kind = TRACE_ITEM_MARK};
	struct track *track = make(CR0_START, 0, 0, 0);
	const uint64_t *table;
	gpa_t gpa = 0;

	(void)state;
	assert_false(track_table(track, &gpa, &table));
	tell(track, 0x5000, entries);
	tell(track, 0x2000, entries);
	tell(track, MEMORY, entries); /* nowhere */
	track_item(track, &mark);
	check_table(track, 0, 0x2000, 400, 0x1122334455667788);
	check_table(track, 0x2000, 0x2000, 400, 0x1122334455667788);
	check_table(track, 0x3000, 0x5000, 400, 0x1122334455667788);
	gpa = 0x6000;
	assert_false(track_table(track, &gpa, &table));

	store(track, 0x5c82, 0xabcd, 2);
	check_table(track, 0x3000, 0x5000, 400, 0x11223344abcd7788);
	track_item(track, &end);
	check_table(track, 0, 0x5000, 400, 0x11223344abcd7788);
	entries[400] = 1;
	tell(track, 0x2000, entries);
	check_table(track, 0, 0x2000, 400, 1);
	/* The last page there is. */
	store(track, MEMORY - 8, 5, 8);
	store(track, MEMORY - 4, 5, 8);
	check_table(track, 0x6000, MEMORY - PAGE_SIZE, 511, 5);
	track_destroy(track);
}

static void refuses_memory(void **state)
{
	const struct trace_info info = {.memory = UINT64_C(1) << 40};
	struct track *track;
	struct diag diag;

	(void)state;
	assert_int_equal(track_create(&info, &track, &diag), -EINVAL);
	track_destroy(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(follows_registers),
		cmocka_unit_test(follows_features),
		cmocka_unit_test(loads_what_was_written),
		cmocka_unit_test(follows_tables),
		cmocka_unit_test(refuses_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
