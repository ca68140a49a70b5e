/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * paging_meet() against rules written down apart: a table of which bits are
 * reserved, as the manual prints it, and what a fault says.  Every width, NXE,
 * mode, level, access and every combination of the bits that matter.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/types.h"
#include "paging/entry.h"

#define TRAP    UINT64_C(0xfffffffffffff001) /* KVM, ~0xffe */
#define TRAP_IO UINT64_C(0xfffffffffffff201)
#define ONES    UINT64_C(0xffffffffffffffff) /* Xen's guest-not-present */

enum end {
	ABSENT,
	RESERVED,
	MAPS,
	LINKS,
};

struct where {
	enum paging_mode mode;
	int level;
	int width;
	bool nxe;
	bool has_1g;
};

static bool bit_of(uint64_t entry, int bit)
{
	return entry >> bit & 1;
}

static bool any_bit(uint64_t entry, int low, int high)
{
	for (int bit = low; bit <= high; bit++)
		if (bit_of(entry, bit))
			return true;
	return false;
}

/* The manual's figures of the formats, a line each. */
static bool has_reserved(const struct where *at, uint64_t entry)
{
	bool pae = at->mode == PAGING_PAE;
	bool large = bit_of(entry, 7);

	if (any_bit(entry, at->width, 51))
		return true;
	if (pae && any_bit(entry, 52, 62))
		return true;
	if (bit_of(entry, 63) && !at->nxe)
		return true;
	switch (at->level) {
	case 5:
	case 4:
		return large;
	case 3:
		return large && (!at->has_1g || any_bit(entry, 13, 29));
	case 2:
		return large && any_bit(entry, 13, 20);
	default:
		return false;
	}
}

static enum end end_of(const struct where *at, uint64_t entry)
{
	if (!bit_of(entry, 0))
		return ABSENT;
	if (has_reserved(at, entry))
		return RESERVED;
	if (at->level == 1 || bit_of(entry, 7))
		return MAPS;
	return LINKS;
}

/* What the access alone puts in an error code. */
static uint32_t asked(const struct where *at, uint32_t access)
{
	return access & (at->nxe ? 0x16u : 0x06u);
}

static struct walk expected(const struct where *at, uint64_t entry,
			    uint32_t access, uint64_t above)
{
	struct where below = *at;
	uint64_t span = UINT64_C(1) << (12 + 9 * (at->level - 1));
	struct walk w = {.level = (uint8_t)at->level, .fault = true};
	bool w_ok = bit_of(entry, 1) && bit_of(above, 1);
	bool u_ok = bit_of(entry, 2) && bit_of(above, 2);
	bool nx = bit_of(entry, 63) || bit_of(above, 63);

	switch (end_of(at, entry)) {
	case ABSENT:
		w.pfec = asked(at, access);
		return w;
	case RESERVED:
		w.pfec = asked(at, access) | 0x9;
		return w;
	case LINKS:
		/* Nothing answers there. */
		below.level--;
		return expected(&below, ONES, access,
				(uint64_t)w_ok << 1 | (uint64_t)u_ok << 2 |
					(uint64_t)nx << 63);
	case MAPS:
		break;
	}
	if (((access & PFEC_W) && !w_ok) || ((access & PFEC_U) && !u_ok) ||
	    ((access & PFEC_ID) && nx && at->nxe)) {
		w.pfec = asked(at, access) | 0x1;
		return w;
	}
	w.fault = false;
	w.pa = entry % (UINT64_C(1) << 52) / span * span;
	return w;
}

static void compare(const struct where *at, uint64_t entry, uint32_t access)
{
	struct paging_ctx ctx = {
		.mode = at->mode,
		.wp = true,
		.nxe = at->nxe,
		.has_1g = at->has_1g,
		.maxphyaddr = (uint8_t)at->width,
	};
	struct walk got = paging_meet(&ctx, entry, at->level, access);
	struct walk want = expected(at, entry, access, 6);

	if (got.fault == want.fault && got.level == want.level &&
	    (got.fault ? got.pfec == want.pfec : got.pa == want.pa))
		return;
	fail_msg("mode %d level %d width %d nxe %d 1G %d entry %llx access %x: "
		 "fault %d level %d code %x pa %llx, want %d %d %x %llx",
		 at->mode, at->level, at->width, at->nxe, at->has_1g,
		 (unsigned long long)entry, access, got.fault, got.level,
		 got.pfec, (unsigned long long)got.pa, want.fault, want.level,
		 want.pfec, (unsigned long long)want.pa);
}

static const uint32_t accesses[] = {0,      PFEC_W,          PFEC_ID,
				    PFEC_U, PFEC_U | PFEC_W, PFEC_U | PFEC_ID};

static void all_accesses(const struct where *at, uint64_t entry)
{
	for (size_t i = 0; i < ARRAY_LEN(accesses); i++)
		compare(at, entry, accesses[i]);
}

/* Calls `check` for every mode, level, width, NXE, with and without 1G. */
static void everywhere(void (*check)(const struct where *at))
{
	static const struct {
		enum paging_mode mode;
		int levels;
	} modes[] = {{PAGING_PAE, 2}, {PAGING_4LEVEL, 4}, {PAGING_5LEVEL, 5}};
	struct where at;

	for (size_t m = 0; m < ARRAY_LEN(modes); m++) {
		at.mode = modes[m].mode;
		for (at.level = 1; at.level <= modes[m].levels; at.level++)
			for (at.width = 36; at.width <= 52; at.width++)
				for (int n = 0; n < 4; n++) {
					at.nxe = n & 1;
					at.has_1g = n & 2;
					check(&at);
				}
	}
}

static void known_values(const struct where *at)
{
	static const uint64_t values[] = {0, TRAP, TRAP_IO, ONES};

	for (size_t i = 0; i < ARRAY_LEN(values); i++)
		all_accesses(at, values[i]);
}

static void bit_combinations(const struct where *at)
{
	const int bits[] = {0, 1, 2, 7, 13, at->width - 1, 51, 62, 63};

	for (unsigned int n = 0; n < 1u << ARRAY_LEN(bits); n++) {
		uint64_t entry = 0;

		for (size_t i = 0; i < ARRAY_LEN(bits); i++)
			if (n >> i & 1)
				entry |= UINT64_C(1) << bits[i];
		all_accesses(at, entry);
	}
}

/* Each bit by itself on top of P: no reserved bit is overlooked. */
static void single_bits(const struct where *at)
{
	for (int bit = 1; bit < 64; bit++) {
		uint64_t entry = 1 | UINT64_C(1) << bit;

		if (bit == 30 || bit == 31) /* leads into the pool */
			continue;
		all_accesses(at, entry);
		all_accesses(at, entry | 1 << 7);
	}
}

static void test_known_values(void **state)
{
	(void)state;
	everywhere(known_values);
}

static void test_bit_combinations(void **state)
{
	(void)state;
	everywhere(bit_combinations);
}

static void test_single_bits(void **state)
{
	(void)state;
	everywhere(single_bits);
}

/*
 * facts, C.3: with 52 bits and NXE the trap value maps, for kernel reads.  The
 * numbers stand here as they do in that paragraph.
 */
static void test_52_bits(void **state)
{
	static const struct {
		uint32_t access, code;
		bool fault;
	} want[] = {
		{0, 0, false},
		{PFEC_W, 0x3, true},
		{PFEC_ID, 0x11, true},
		{PFEC_U, 0x5, true},
		{PFEC_U | PFEC_W, 0x7, true},
		{PFEC_U | PFEC_ID, 0x15, true},
	};
	struct paging_ctx ctx = {.wp = true, .nxe = true, .maxphyaddr = 52};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(want); i++) {
		struct walk w;

		ctx.mode = PAGING_PAE;
		w = paging_meet(&ctx, TRAP, 1, want[i].access);
		assert_true(w.fault);
		assert_int_equal(w.pfec, want[i].access | 0x9);

		ctx.mode = PAGING_4LEVEL;
		w = paging_meet(&ctx, TRAP, 1, want[i].access);
		assert_int_equal(w.fault, want[i].fault);
		if (want[i].fault)
			assert_int_equal(w.pfec, want[i].code);
		else
			assert_int_equal(w.pa, UINT64_C(0xffffffffff000));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known_values),
		cmocka_unit_test(test_bit_combinations),
		cmocka_unit_test(test_single_bits),
		cmocka_unit_test(test_52_bits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
