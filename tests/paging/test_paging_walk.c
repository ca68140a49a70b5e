/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * paging_walk() against a slow model written apart: it first collects the
 * entries, then asks each rule of the manual in a sentence of its own.
 *
 * Part one enumerates: two table levels' bits, access, WP, NXE.  Part two
 * draws random tables in both modes and every MAXPHYADDR.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/types.h"
#include "paging/walk.h"

#define RAM_PAGES 64

struct verdict {
	bool fault;
	uint32_t code;
	uint64_t address;
};

struct fixture {
	struct mem *mem;
};

static int set_up(void **state)
{
	static struct fixture f;
	struct diag diag;

	if (mem_create(RAM_PAGES * PAGE_SIZE, 4, false, &f.mem, &diag))
		return -1;
	*state = &f;
	return 0;
}

static int tear_down(void **state)
{
	mem_destroy(((struct fixture *)*state)->mem);
	return 0;
}

/* The slow model ------------------------------------------------------- */

struct chain {
	uint64_t entry[4];
	int level[4];
	int n;
	bool ended_by_leaf;
};

static uint64_t table_word(const struct mem *mem, uint64_t address)
{
	if (address + 8 <= mem->ram_size)
		return *(const uint64_t *)(const void *)(mem->ram + address);
	return 0xffffffffffffffffull;
}

/* Follow the chain until something ends it, without judging rights. */
static struct chain collect(const struct paging_ctx *ctx, const struct mem *mem,
			    uint64_t va)
{
	struct chain c = {.n = 0};
	uint64_t base = ctx->root & 0x000ffffffffff000ull;
	int level = 4;

	if (ctx->mode == PAGING_PAE) {
		base = ctx->pdpte[(va >> 30) & 3] & 0x000ffffffffff000ull;
		level = 2;
	}
	while (level >= 1) {
		uint64_t slot = (va >> (12 + 9 * (level - 1))) % 512;
		uint64_t e = table_word(mem, base + slot * 8);

		c.entry[c.n] = e;
		c.level[c.n++] = level;
		if (e % 2 == 0)
			break;
		if (level == 1 || (level < 4 && (e >> 7) % 2)) {
			c.ended_by_leaf = true;
			break;
		}
		base = e & 0x000ffffffffff000ull;
		level--;
	}
	return c;
}

static bool bit_is_reserved(const struct paging_ctx *ctx, int bit, int level,
			    bool large)
{
	if (bit == 63)
		return !ctx->nxe;
	if (bit >= 52)
		return ctx->mode == PAGING_PAE;
	if (bit >= ctx->maxphyaddr)
		return true;
	if (bit == 7)
		return level == 4;
	if (large && level == 2)
		return bit >= 13 && bit <= 20;
	if (large && level == 3)
		return bit >= 13 && bit <= 29;
	return false;
}

static bool has_reserved(const struct paging_ctx *ctx, uint64_t e, int level)
{
	bool large = level > 1 && (e >> 7) % 2;

	for (int bit = 0; bit < 64; bit++)
		if ((e >> bit) % 2 && bit_is_reserved(ctx, bit, level, large))
			return true;
	return false;
}

static struct verdict slow_walk(const struct paging_ctx *ctx,
				const struct mem *mem, uint64_t va, bool write,
				bool user, bool fetch)
{
	struct verdict v = {0};
	bool all_writable = true, all_user = true, any_nx = false;
	struct chain c;
	int last;

	if (ctx->mode == PAGING_OFF) {
		v.address = va;
		return v;
	}

	v.code = (write ? 2u : 0) + (user ? 4u : 0);
	if (fetch && ctx->nxe)
		v.code += 16;

	if (ctx->mode == PAGING_PAE) {
		va %= 0x100000000ull;
		if (ctx->pdpte[va >> 30] % 2 == 0) {
			v.fault = true;
			return v;
		}
	}
	c = collect(ctx, mem, va);
	for (int i = 0; i < c.n; i++) {
		if (c.entry[i] % 2 == 0) {
			v.fault = true;
			return v;
		}
		if (has_reserved(ctx, c.entry[i], c.level[i])) {
			v.fault = true;
			v.code += 9;
			return v;
		}
		all_writable = all_writable && (c.entry[i] >> 1) % 2;
		all_user = all_user && (c.entry[i] >> 2) % 2;
		any_nx = any_nx || c.entry[i] >> 63;
	}
	last = c.n - 1;

	if (user && !all_user)
		v.fault = true;
	if (write && !all_writable && user)
		v.fault = true;
	if (write && !all_writable && ctx->wp)
		v.fault = true;
	if (fetch && any_nx && ctx->nxe)
		v.fault = true;
	if (v.fault) {
		v.code += 1;
		return v;
	}
	if (c.level[last] == 1)
		v.address =
			(c.entry[last] & 0x000ffffffffff000ull) + va % 0x1000;
	else if (c.level[last] == 2)
		v.address =
			(c.entry[last] & 0x000fffffffe00000ull) + va % 0x200000;
	else
		v.address = (c.entry[last] & 0x000fffffc0000000ull) +
			    va % 0x40000000;
	return v;
}

static void compare(const struct paging_ctx *ctx, const struct mem *mem,
		    uint64_t va, unsigned int access)
{
	uint32_t bits = (access & 1 ? PFEC_W : 0) | (access & 2 ? PFEC_U : 0) |
			(access & 4 ? PFEC_ID : 0);
	struct walk got = paging_walk(ctx, mem, va, bits);
	struct verdict want =
		slow_walk(ctx, mem, va, access & 1, access & 2, access & 4);
	bool same =
		got.fault == want.fault &&
		(got.fault ? got.pfec == want.code : got.pa == want.address);

	if (!same)
		fail_msg("mode %d wp %d nxe %d M %d va %llx access %x leaf "
			 "%llx level %d: got fault %d code %x pa %llx, want "
			 "fault %d code %x pa %llx",
			 (int)ctx->mode, ctx->wp, ctx->nxe, ctx->maxphyaddr,
			 (unsigned long long)va, bits,
			 (unsigned long long)got.leaf, got.level, got.fault,
			 got.pfec, (unsigned long long)got.pa, want.fault,
			 want.code, (unsigned long long)want.address);
}

/* Part one -------------------------------------------------------------- */

/* The bits of an entry that are worth enumerating. */
static const uint64_t choice[] = {PTE_P,   PTE_W,   PTE_U,   PTE_PS, PTE_NX,
				  BIT(51), BIT(40), BIT(52), BIT(13)};

static uint64_t spread(unsigned int n)
{
	uint64_t e = 0;

	for (unsigned int i = 0; i < ARRAY_LEN(choice); i++)
		if (n >> i & 1)
			e |= choice[i];
	return e;
}

static void enumerate(struct mem *mem, struct paging_ctx *ctx)
{
	const uint64_t va = 0x40201123;

	for (unsigned int pde = 0; pde < 1u << ARRAY_LEN(choice); pde++) {
		uint64_t at = 0x4000 + 8 * pt_index(va, 2);

		mem_write_u64(mem, at, spread(pde) | 0x5000);
		for (unsigned int n = 0; n < 1u << ARRAY_LEN(choice); n++) {
			at = 0x5000 + 8 * pt_index(va, 1);
			mem_write_u64(mem, at, spread(n) | 0x6000);
			for (unsigned int access = 0; access < 8; access++)
				compare(ctx, mem, va, access);
			/* One leaf is enough where the PDE ends the walk. */
			if (!(pde & 1))
				break;
		}
	}
}

static void two_levels_enumerated(void **state)
{
	struct mem *mem = ((struct fixture *)*state)->mem;

	/* PML4 1000 -> PDPT 2000 -> PD 4000 -> PT 5000 -> page 6000 */
	mem_write_u64(mem, 0x1000, 0x2000 | 7);
	mem_write_u64(mem, 0x2000 + 8, 0x4000 | 7);

	for (int k = 0; k < 8; k++) {
		struct paging_ctx ctx = {
			.mode = k & 1 ? PAGING_PAE : PAGING_4LEVEL,
			.root = 0x1000,
			.pdpte = {0, 0x4001, 0, 0},
			.wp = k & 2,
			.nxe = k & 4,
			.maxphyaddr = 40,
		};

		enumerate(mem, &ctx);
	}
}

/* Part two -------------------------------------------------------------- */

static uint64_t seed = 88172645463325252ull;

static uint64_t rnd(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

static uint64_t random_entry(void)
{
	uint64_t e = rnd() % 8 ? 7 : rnd() % 8;

	e |= rnd() % RAM_PAGES << 12;
	for (int i = 0; i < 2; i++)
		if (rnd() % 4 == 0)
			e |= BIT(rnd() % 64);
	return e;
}

static void random_tables(void **state)
{
	struct mem *mem = ((struct fixture *)*state)->mem;
	unsigned int faults = 0, fine = 0;

	for (int round = 0; round < 200; round++) {
		struct paging_ctx ctx = {
			.mode = rnd() % 2 ? PAGING_PAE : PAGING_4LEVEL,
			.root = rnd() % RAM_PAGES << 12,
			.wp = rnd() % 2,
			.nxe = rnd() % 2,
			.maxphyaddr = (uint8_t)(36 + rnd() % 17),
		};

		for (int i = 0; i < 4; i++)
			ctx.pdpte[i] = random_entry();
		for (uint64_t at = 0; at < mem->ram_size; at += 8)
			mem_write_u64(mem, at, random_entry());
		for (int i = 0; i < 2000; i++) {
			uint64_t va = rnd();
			unsigned int access = (unsigned int)(rnd() % 8);

			compare(&ctx, mem, va, access);
			if (paging_walk(&ctx, mem, va, 0).fault)
				faults++;
			else
				fine++;
		}
	}
	/* Both outcomes must have been met, or the test says nothing. */
	assert_true(faults > 10000 && fine > 10000);
}

static void references_per_walk(void **state)
{
	struct mem *mem = ((struct fixture *)*state)->mem;
	struct paging_ctx ctx = {
		.mode = PAGING_4LEVEL,
		.root = 0x1000,
		.nxe = true,
		.maxphyaddr = 40,
	};

	mem_write_u64(mem, 0x1000, 0x2007);
	mem_write_u64(mem, 0x2000, 0x3007);
	mem_write_u64(mem, 0x3000, 0x4007);
	mem_write_u64(mem, 0x4000, 0x5007);
	assert_int_equal(paging_walk(&ctx, mem, 0, 0).refs, 4);
	mem_write_u64(mem, 0x3000, 0x200087);
	assert_int_equal(paging_walk(&ctx, mem, 0, 0).refs, 3);
	mem_write_u64(mem, 0x1000, 0);
	assert_int_equal(paging_walk(&ctx, mem, 0, 0).refs, 1);

	ctx.mode = PAGING_PAE;
	ctx.pdpte[0] = 0x3001;
	mem_write_u64(mem, 0x3000, 0x4007);
	assert_int_equal(paging_walk(&ctx, mem, 0, 0).refs, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_levels_enumerated),
		cmocka_unit_test(random_tables),
		cmocka_unit_test(references_per_walk),
	};

	return cmocka_run_group_tests_name("paging_walk", tests, set_up,
					   tear_down);
}
