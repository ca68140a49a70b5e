/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The slow model itself, case by case: each line is a sentence of the SDM with
 * its outcome worked out by hand.  Where all else is compared with the model,
 * this is what the model is compared with.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "oracle.h"

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

enum {
	P = 1,
	W = 2,
	U = 4,
	A = 0x20,
	D = 0x40,
	PS = 0x80,
};

#define PWU (P | W | U)
#define NX  (1ull << 63)
#define KEY (1ull << 59)
#define GO  0xffffu /* "code" of an access that happens */

/* What is on, in a case. */
enum {
	WP = 1,
	NXE = 2,
	SMEP = 4,
	SMAP = 8,
	PKE = 16,
	PSE = 32,
	NO_1G = 64,
	AD = 128, /* PKRU of key 1 */
	WD = 256,
};

enum {
	READ = 0,
	WRITE = 1,
	FETCH = 2,
	USER = 4,
	AC = 8,
	IMPLICIT = 16,
};

/*
 * Tables: level n at n * 0x1000, VA 0 everywhere; entries of the levels above
 * `upper` are P W U.  The leaf's page is at 0x800000 (4K, 2M, 4M) or 0 (1G).
 */
struct rule {
	const char *name;
	enum oracle_mode mode;
	int on;
	int access;
	int level; /* of `leaf`; `upper` is one above */
	uint64_t upper, leaf;
	unsigned int code;
};

#define M4 ORACLE_4LEVEL
#define M5 ORACLE_5LEVEL
#define MP ORACLE_PAE
#define MT ORACLE_32

static const struct rule rules[] = {
	/* Presence */
	{"absent leaf, read", M4, 0, READ, 1, PWU, 0, 0},
	{"absent leaf, user write", M4, 0, USER | WRITE, 1, PWU, 0, 6},
	{"absent table, write", M4, WP, WRITE, 1, W | U, PWU, 2},
	{"P=0: the rest of the entry is ignored", M4, 0, READ, 1, PWU,
	 1ull << 51 | NX | PS, 0},
	{"absent before denied: table read-only, leaf absent", M4, WP,
	 USER | WRITE, 1, P | U, 0, 6},
	{"absent in 32-bit tables", MT, 0, USER | READ, 1, PWU, 0, 4},
	{"absent in PAE tables", MP, 0, WRITE, 1, PWU, 0, 2},
	{"5 levels: absent in the fifth", M5, 0, READ, 4, 0, PWU, 0},

	/* U/S */
	{"user page, user read", M4, 0, USER | READ, 1, PWU, PWU, GO},
	{"supervisor leaf, user read", M4, 0, USER | READ, 1, PWU, P | W, 5},
	{"supervisor table, user read", M4, 0, USER | READ, 1, P | W, PWU, 5},
	{"supervisor page, implicit access at CPL 3", M4, 0, USER | IMPLICIT, 1,
	 PWU, P | W, GO},
	{"absent page, implicit access at CPL 3: U/S is 0", M4, 0,
	 USER | IMPLICIT, 1, PWU, 0, 0},

	/* R/W and WP */
	{"read-only, user write, WP=0", M4, 0, USER | WRITE, 1, PWU, P | U, 7},
	{"read-only, supervisor write, WP=0", M4, 0, WRITE, 1, PWU, P | U, GO},
	{"read-only, supervisor write, WP=1", M4, WP, WRITE, 1, PWU, P | U, 3},
	{"read-only table, supervisor write, WP=1", M4, WP, WRITE, 1, P | U,
	 PWU, 3},
	{"read-only, read", M4, WP, USER | READ, 1, P | U, P | U, GO},

	/* NX */
	{"XD, fetch", M4, NXE, FETCH, 1, PWU, P | NX, 0x11},
	{"XD in the table, user fetch", M4, NXE, USER | FETCH, 1, PWU | NX, PWU,
	 0x15},
	{"XD, read", M4, NXE, READ, 1, PWU, P | NX, GO},
	{"XD while NXE=0 is reserved", M4, 0, READ, 1, PWU, P | NX, 9},
	{"the same for a fetch: I/D is 0 with NXE=0", M4, 0, FETCH, 1, PWU,
	 P | NX, 9},
	{"absent, fetch, NXE=1", M4, NXE, FETCH, 1, PWU, 0, 0x10},
	{"absent, fetch, NXE=0", M4, 0, FETCH, 1, PWU, 0, 0},
	{"absent, fetch, NXE=0, SMEP=1: I/D is 1", M4, SMEP, FETCH, 1, PWU, 0,
	 0x10},
	{"PAE: XD", MP, NXE, FETCH, 1, PWU, P | NX, 0x11},
	{"32-bit: fetch, NXE=1 has no effect", MT, NXE, USER | FETCH, 1, PWU, 0,
	 4},
	{"32-bit: fetch of an absent page, SMEP", MT, SMEP, USER | FETCH, 1,
	 PWU, 0, 0x14},

	/* SMEP, SMAP */
	{"SMEP: supervisor fetch of a user page", M4, SMEP, FETCH, 1, PWU, PWU,
	 0x11},
	{"SMEP: user fetch of a user page", M4, SMEP, USER | FETCH, 1, PWU, PWU,
	 GO},
	{"SMEP: a user leaf below a supervisor table is a supervisor page", M4,
	 SMEP, FETCH, 1, P | W, PWU, GO},
	{"32-bit: SMEP", MT, SMEP, FETCH, 1, PWU, PWU, 0x11},
	{"SMAP: supervisor read of a user page", M4, SMAP, READ, 1, PWU, PWU,
	 1},
	{"SMAP: AC=1", M4, SMAP, READ | AC, 1, PWU, PWU, GO},
	{"SMAP: AC=1 does not help an implicit access", M4, SMAP,
	 READ | AC | IMPLICIT, 1, PWU, PWU, 1},
	{"SMAP: write, WP=0", M4, SMAP, WRITE, 1, PWU, PWU, 3},
	{"SMAP: AC=1 does not help a write against WP", M4, SMAP | WP,
	 WRITE | AC, 1, PWU, P | U, 3},
	{"SMAP: not of fetches", M4, SMAP, FETCH, 1, PWU, PWU, GO},
	{"SMAP: not of user accesses", M4, SMAP, USER | READ, 1, PWU, PWU, GO},
	{"PAE: SMAP", MP, SMAP, READ, 1, PWU, PWU, 1},

	/* Protection keys */
	{"PKU: AD, user read", M4, PKE | AD, USER | READ, 1, PWU, PWU | KEY,
	 0x25},
	{"PKU: AD, supervisor read of a user page", M4, PKE | AD, READ, 1, PWU,
	 PWU | KEY, 0x21},
	{"PKU: AD, supervisor page", M4, PKE | AD, READ, 1, PWU, P | W | KEY,
	 GO},
	{"PKU: AD, fetch", M4, PKE | AD, USER | FETCH, 1, PWU, PWU | KEY, GO},
	{"PKU: WD, user write, WP=0", M4, PKE | WD, USER | WRITE, 1, PWU,
	 PWU | KEY, 0x27},
	{"PKU: WD, supervisor write, WP=0", M4, PKE | WD, WRITE, 1, PWU,
	 PWU | KEY, GO},
	{"PKU: WD, supervisor write, WP=1", M4, PKE | WD | WP, WRITE, 1, PWU,
	 PWU | KEY, 0x23},
	{"PKU: WD, read", M4, PKE | WD, USER | READ, 1, PWU, PWU | KEY, GO},
	{"PKU: another key", M4, PKE | AD, USER | READ, 1, PWU, PWU, GO},
	{"PKU: PKE=0", M4, AD, USER | READ, 1, PWU, PWU | KEY, GO},
	{"PKU: PK=1 though R/W denies too", M4, PKE | WD, USER | WRITE, 1, PWU,
	 P | U | KEY, 0x27},
	{"PKU: the table's key does not count", M4, PKE | AD, USER | READ, 1,
	 PWU | KEY, PWU, GO},
	{"PKU: a 2M page's key", M4, PKE | AD, USER | READ, 2, PWU,
	 PWU | PS | KEY, 0x25},
	{"PKU: with 5 levels", M5, PKE | AD, USER | READ, 1, PWU, PWU | KEY,
	 0x25},
	{"PAE: a key's bit is reserved", MP, PKE, READ, 1, PWU, PWU | KEY, 9},

	/* Reserved bits; MAXPHYADDR is 40 */
	{"bit 51", M4, 0, READ, 1, PWU, PWU | 1ull << 51, 9},
	{"bit 40 in a table's entry", M4, WP, USER | WRITE, 1, PWU | 1ull << 40,
	 PWU, 0xf},
	{"bit 39", M4, 0, READ, 1, PWU, PWU | 1ull << 39, GO},
	{"reserved before denied", M4, WP, USER | WRITE, 1, P, PWU | 1ull << 40,
	 0xf},
	{"absent above, reserved below", M4, 0, READ, 1, 0, PWU | 1ull << 40,
	 0},
	{"bits 62:52 are ignored with 4 levels", M4, 0, READ, 1, PWU,
	 PWU | 0x7ffull << 52, GO},
	{"PAE: bit 52", MP, 0, READ, 1, PWU, PWU | 1ull << 52, 9},
	{"2M page: bit 13", M4, 0, READ, 2, PWU, PWU | PS | 1 << 13, 9},
	{"2M page: bit 12 is PAT", M4, 0, READ, 2, PWU, PWU | PS | 1 << 12, GO},
	{"2M page: bit 20", MP, 0, READ, 2, PWU, PWU | PS | 1 << 20, 9},
	{"1G page: bit 29", M4, 0, READ, 3, PWU, PWU | PS | 1 << 29, 9},
	{"1G page", M4, 0, READ, 3, PWU, PWU | PS, GO},
	{"1G page where there are none: PS is reserved", M4, NO_1G, READ, 3,
	 PWU, PWU | PS, 9},
	{"PS in a PML4 entry", M4, 0, READ, 3, PWU | PS, PWU, 9},
	{"PS in a PML5 entry", M5, 0, READ, 4, PWU | PS, PWU, 9},
	{"PTE: bit 7 is PAT", M4, 0, READ, 1, PWU, PWU | PS, GO},
	{"32-bit: 4M page", MT, PSE, READ, 2, 0, PWU | PS, GO},
	{"32-bit: PS without CR4.PSE is ignored", MT, 0, READ, 1, PWU | PS, PWU,
	 GO},
	{"32-bit: 4M page, bit 21", MT, PSE, READ, 2, 0, PWU | PS | 1 << 21, 9},
	{"32-bit: 4M page, bit 20 is bit 39", MT, PSE, READ, 2, 0,
	 PWU | PS | 1 << 20, GO},
};

static uint8_t memory[0x7000];

static uint64_t read_memory(void *context, uint64_t pa, int bytes)
{
	uint64_t value = 0;

	(void)context;
	if (pa + (uint64_t)bytes > sizeof(memory))
		return UINT64_MAX;
	memcpy(&value, memory + pa, (size_t)bytes);
	return value;
}

static void write_entry(enum oracle_mode mode, int level, uint64_t entry)
{
	memset(memory + level * 0x1000, 0, 8);
	memcpy(memory + level * 0x1000, &entry, mode == ORACLE_32 ? 4 : 8);
}

static int top_level(enum oracle_mode mode)
{
	return mode == M5 ? 5 : mode == M4 ? 4 : 2;
}

static struct oracle_cpu cpu_of(const struct rule *r)
{
	return (struct oracle_cpu){
		.mode = r->mode,
		.cr3 = (uint64_t)top_level(r->mode) * 0x1000,
		.pdpte = {0x2001},
		.wp = r->on & WP,
		.nxe = r->on & NXE,
		.smep = r->on & SMEP,
		.smap = r->on & SMAP,
		.pke = r->on & PKE,
		.pse = r->on & PSE,
		.has_1g = !(r->on & NO_1G),
		.pkru = (r->on & AD ? 4u : 0) | (r->on & WD ? 8u : 0),
		.maxphyaddr = 40,
		.read = read_memory,
	};
}

static struct oracle_result result_of(const struct rule *r)
{
	struct oracle_cpu cpu = cpu_of(r);
	struct oracle_access access = {
		.va = 0x123,
		.write = r->access & WRITE,
		.fetch = r->access & FETCH,
		.cpl = r->access & USER ? 3 : 0,
		.ac = r->access & AC,
		.implicit = r->access & IMPLICIT,
	};
	uint64_t page = r->level == 3 ? 0 : 0x800000;

	for (int level = 1; level <= 5; level++)
		write_entry(r->mode, level,
			    PWU | (uint64_t)(level - 1) * 0x1000);
	write_entry(r->mode, r->level + 1,
		    r->upper | (uint64_t)r->level * 0x1000);
	if (r->level > 1 && !(r->leaf & PS))
		page = (uint64_t)(r->level - 1) * 0x1000;
	write_entry(r->mode, r->level, r->leaf | page);
	return oracle_translate(&cpu, &access);
}

static void each_sentence(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
		struct oracle_result got = result_of(&rules[i]);
		unsigned int code = got.what == ORACLE_OK ? GO : got.code;

		if (got.what == ORACLE_GP || code != rules[i].code)
			fail_msg("%s: got 0x%x, want 0x%x", rules[i].name, code,
				 rules[i].code);
		if (got.what == ORACLE_PF && got.cr2 != 0x123)
			fail_msg("%s: CR2", rules[i].name);
	}
}

static struct oracle_result simple(enum oracle_mode mode, uint64_t leaf,
				   int access)
{
	const struct rule r = {"",  mode, PSE, access, mode == MT ? 2 : 1,
			       PWU, leaf, 0};

	return result_of(&r);
}

static void where_it_leads(void **state)
{
	struct oracle_result r = simple(M4, PWU, 0);

	(void)state;
	assert_true(r.pa == 0x800123);
	assert_true(r.page_size == 0x1000);
	/* PSE-36: bit 13 is bit 32 of the address, bit 20 is bit 39. */
	r = simple(MT, PWU | PS | 1 << 13 | 1 << 20, 0);
	assert_true(r.pa == 0x8100800123);
	assert_true(r.page_size == 0x400000);
}

static void beyond_canonical(void **state)
{
	const struct oracle_cpu four = {.mode = M4, .maxphyaddr = 40};
	struct oracle_access a = {.va = 0x800000000000};

	(void)state;
	assert_true(oracle_translate(&four, &a).what == ORACLE_GP);
	a.va = 0xffff7fffffffffff;
	assert_true(oracle_translate(&four, &a).what == ORACLE_GP);
}

static void pdpte_bits(void **state)
{
	const struct oracle_cpu cpu = {.mode = MP, .maxphyaddr = 40};

	(void)state;
	assert_true(oracle_pdpte_loads(&cpu, 0x1001));
	assert_true(oracle_pdpte_loads(&cpu, 0x1e18 | 1));
	for (int n = 1; n < 64; n++) {
		bool want = n != 1 && n != 2 && !(n >= 5 && n <= 8) && n < 40;

		assert_int_equal(oracle_pdpte_loads(&cpu, 1 | 1ull << n), want);
		assert_true(oracle_pdpte_loads(&cpu, 1ull << n));
	}
}

static void accessed_and_dirty(void **state)
{
	struct oracle_result r = simple(M4, PWU, READ);

	(void)state;
	assert_int_equal(r.nr_entries, 4);
	for (int i = 0; i < 4; i++) {
		assert_true(
			oracle_entry_may_be(&r.entry[i], r.entry[i].was | A));
		assert_false(oracle_entry_may_be(&r.entry[i], r.entry[i].was));
		assert_false(oracle_entry_may_be(&r.entry[i],
						 r.entry[i].was | A | D));
	}
	r = simple(M4, PWU, WRITE);
	assert_true(oracle_entry_may_be(&r.entry[3], r.entry[3].was | A | D));
	assert_false(oracle_entry_may_be(&r.entry[3], r.entry[3].was | A));
	assert_false(oracle_entry_may_be(&r.entry[2], r.entry[2].was | A | D));

	/* A fault: above the last entry either way, there nothing. */
	r = simple(M4, P, USER);
	assert_true(oracle_entry_may_be(&r.entry[2], r.entry[2].was | A));
	assert_true(oracle_entry_may_be(&r.entry[2], r.entry[2].was));
	assert_false(oracle_entry_may_be(&r.entry[2], r.entry[2].was | D));
	assert_false(oracle_entry_may_be(&r.entry[3], r.entry[3].was | A));
	/* Never cleared. */
	r = simple(M4, P | A | D, USER);
	assert_true(oracle_entry_may_be(&r.entry[3], r.entry[3].was));
	assert_false(oracle_entry_may_be(&r.entry[3], r.entry[3].was - A));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_sentence),
		cmocka_unit_test(where_it_leads),
		cmocka_unit_test(beyond_canonical),
		cmocka_unit_test(pdpte_bits),
		cmocka_unit_test(accessed_and_dirty),
	};

	return cmocka_run_group_tests_name("oracle_rules", tests, NULL, NULL);
}
