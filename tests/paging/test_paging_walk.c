/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * paging_walk() against the slow model (slow_walk.h), in every paging mode.
 *
 * Enumerated: the bits of two table levels with the plain control bits; the
 * rights of two levels with every control bit that judges rights; the bits of
 * a protection key.  Drawn at random: whole tables, every MAXPHYADDR.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "slow_walk.h"

#define RAM_PAGES 64
#define VA        UINT64_C(0x40201123)

static struct mem *mem;

static int set_up(void **state)
{
	struct diag diag;

	(void)state;
	return mem_create(RAM_PAGES * PAGE_SIZE, 4, false, &mem, &diag);
}

static int tear_down(void **state)
{
	(void)state;
	mem_destroy(mem);
	return 0;
}

/* The lowest two tables of VA: at 4000 and 5000, whatever the mode. */
static void set_upper(const struct paging_ctx *ctx, uint64_t pde)
{
	if (ctx->mode == PAGING_32)
		mem_write_u32(mem, 0x4000 + 4 * (VA >> 22), (uint32_t)pde);
	else
		mem_write_u64(mem, 0x4000 + 8 * pt_index(VA, 2), pde);
}

static void set_lower(const struct paging_ctx *ctx, uint64_t pte)
{
	if (ctx->mode == PAGING_32)
		mem_write_u32(mem, 0x5000 + 4 * ((VA >> 12) & 1023),
			      (uint32_t)pte);
	else
		mem_write_u64(mem, 0x5000 + 8 * pt_index(VA, 1), pte);
}

/* PML5 3000 -> PML4 1000 -> PDPT 2000 -> PD 4000 -> PT 5000 -> page 6000 */
static struct paging_ctx set_way(enum paging_mode mode)
{
	static const hpa_t roots[NR_PAGING_MODES] = {
		[PAGING_32] = 0x4000,
		[PAGING_4LEVEL] = 0x1000,
		[PAGING_5LEVEL] = 0x3000,
	};

	mem_write_u64(mem, 0x3000, 0x1000 | 7);
	mem_write_u64(mem, 0x1000, 0x2000 | 7);
	mem_write_u64(mem, 0x2000 + 8, 0x4000 | 7);
	return (struct paging_ctx){
		.mode = mode,
		.root = roots[mode],
		.pdpte = {0, 0x4001, 0, 0},
		.has_1g = true,
		.maxphyaddr = 40,
	};
}

static void compare_all(const struct paging_ctx *ctx, uint64_t va)
{
	for (int i = 0; i < NR_REFERENCES; i++)
		compare_walks(ctx, mem, va, &references[i]);
}

/* The bits of an entry that are worth enumerating. */
static const uint64_t choice64[] = {PTE_P,   PTE_W,   PTE_U,   PTE_PS, PTE_NX,
				    BIT(51), BIT(40), BIT(52), BIT(13)};
static const uint64_t choice32[] = {PTE_P,   PTE_W,   PTE_U,   PTE_PS, PTE_G,
				    BIT(13), BIT(20), BIT(21), BIT(31)};

#define CHOICES ((unsigned int)ARRAY_LEN(choice64))
_Static_assert(ARRAY_LEN(choice32) == ARRAY_LEN(choice64), "one loop for both");

static uint64_t spread(const struct paging_ctx *ctx, unsigned int n)
{
	const uint64_t *choice = ctx->mode == PAGING_32 ? choice32 : choice64;
	uint64_t e = 0;

	for (unsigned int i = 0; i < CHOICES; i++)
		if (n >> i & 1)
			e |= choice[i];
	return e;
}

static void enumerate(const struct paging_ctx *ctx)
{
	for (unsigned int pde = 0; pde < 1u << CHOICES; pde++) {
		set_upper(ctx, spread(ctx, pde) | 0x5000);
		for (unsigned int n = 0; n < 1u << CHOICES; n++) {
			set_lower(ctx, spread(ctx, n) | 0x6000);
			compare_all(ctx, VA);
			/* One leaf is enough where the PDE ends the walk. */
			if (!(pde & 1))
				break;
		}
	}
}

static void two_levels_enumerated(void **state)
{
	static const enum paging_mode modes[] = {PAGING_32, PAGING_PAE,
						 PAGING_4LEVEL, PAGING_5LEVEL};

	(void)state;
	for (unsigned int m = 0; m < ARRAY_LEN(modes); m++) {
		struct paging_ctx ctx = set_way(modes[m]);

		/* Both values of each bit, and of each pair in some mode. */
		for (unsigned int k = m % 2; k < 4; k += 2) {
			ctx.wp = k & 2;
			ctx.nxe = k != 1;
			ctx.pse = k & 2;
			enumerate(&ctx);
		}
	}
}

/* Rights: U, W and NX of two levels under each set of control bits. */
static void rights_under(const struct paging_ctx *ctx)
{
	for (unsigned int r = 0; r < 64; r++) {
		uint64_t pde = (r & 7) * 2 % 8 | (r & 4 ? PTE_NX : 0);
		uint64_t pte = (r >> 3) * 2 % 8 | (r >> 3 & 4 ? PTE_NX : 0);

		set_upper(ctx, pde | 0x5000 | PTE_P);
		set_lower(ctx, pte | 0x6000 | PTE_P | (uint64_t)9 << 59);
		compare_all(ctx, VA);
	}
}

static void rights_enumerated(void **state)
{
	(void)state;
	for (enum paging_mode mode = PAGING_32; mode < NR_PAGING_MODES;
	     mode++) {
		struct paging_ctx ctx = set_way(mode);

		for (unsigned int k = 0; k < 1u << 7; k++) {
			ctx.wp = k & 1;
			ctx.nxe = k & 2;
			ctx.smep = k & 4;
			ctx.smap = k & 8;
			ctx.pke = k & 16;
			/* What key 9 may do; the others may nothing. */
			ctx.pkru = ~(UINT32_C(3) << 18) | (k >> 5 & 3) << 18;
			rights_under(&ctx);
		}
	}
}

/* The key is the leaf's, also of a large page, and picks its own two bits. */
static void keys_enumerated(void **state)
{
	struct paging_ctx ctx = set_way(PAGING_5LEVEL);

	(void)state;
	ctx.nxe = ctx.wp = ctx.pke = true;
	for (uint64_t key = 0; key < 16; key++) {
		for (unsigned int bit = 0; bit < 32; bit++) {
			ctx.pkru = UINT32_C(1) << bit;
			set_upper(&ctx, 0x5007 | (15 - key) << 59);
			set_lower(&ctx, 0x6007 | key << 59);
			compare_all(&ctx, VA);
			set_upper(&ctx, 0x200087 | key << 59);
			compare_all(&ctx, VA);
		}
	}
}

/* PSE-36: each bit of a 4 MiB entry, for each width of the processor. */
static void pse36_enumerated(void **state)
{
	struct paging_ctx ctx = set_way(PAGING_32);

	(void)state;
	for (unsigned int width = 36; width <= 52; width++) {
		ctx.maxphyaddr = (uint8_t)width;
		for (unsigned int bit = 0; bit < 32; bit++) {
			set_upper(&ctx, 0x800083 ^ BIT(bit));
			ctx.pse = true;
			compare_all(&ctx, VA);
			ctx.pse = false;
			compare_all(&ctx, VA);
		}
	}
}

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

static uint32_t random_entry32(void)
{
	uint64_t e = random_entry();

	return (uint32_t)(e | e >> 32);
}

static struct paging_ctx random_ctx(void)
{
	struct paging_ctx ctx = {
		.mode = (enum paging_mode)(rnd() % NR_PAGING_MODES),
		.root = rnd() % RAM_PAGES << 12,
		.wp = rnd() % 2,
		.nxe = rnd() % 2,
		.pse = rnd() % 4,
		.smep = rnd() % 2,
		.smap = rnd() % 4 == 0,
		.pke = rnd() % 2,
		.pkru = (uint32_t)(rnd() & rnd()),
		.has_1g = rnd() % 4,
		.maxphyaddr = (uint8_t)(36 + rnd() % 17),
	};

	for (int i = 0; i < 4; i++)
		ctx.pdpte[i] = random_entry();
	return ctx;
}

static void random_tables(void **state)
{
	unsigned int faults[NR_PAGING_MODES] = {0}, fine[NR_PAGING_MODES] = {0};

	(void)state;
	for (int round = 0; round < 500; round++) {
		struct paging_ctx ctx = random_ctx();

		for (uint64_t at = 0; at < mem->ram_size; at += 8) {
			mem_write_u64(mem, at, random_entry());
			if (ctx.mode != PAGING_32)
				continue;
			mem_write_u32(mem, at, random_entry32());
			mem_write_u32(mem, at + 4, random_entry32());
		}
		for (int i = 0; i < 2000; i++) {
			uint64_t va = rnd();

			compare_walks(&ctx, mem, va,
				      &references[rnd() % NR_REFERENCES]);
			if (paging_walk(&ctx, mem, va, 0).fault)
				faults[ctx.mode]++;
			else
				fine[ctx.mode]++;
		}
	}
	/* Both outcomes must have been met, or the test says nothing. */
	for (enum paging_mode m = PAGING_32; m < NR_PAGING_MODES; m++)
		assert_true(faults[m] > 5000 && fine[m] > 5000);
}

static void references_per_walk(void **state)
{
	struct paging_ctx ctx = set_way(PAGING_4LEVEL);

	(void)state;
	set_upper(&ctx, 0x5007);
	set_lower(&ctx, 0x6007);
	assert_int_equal(paging_walk(&ctx, mem, VA, 0).refs, 4);
	set_upper(&ctx, 0x200087);
	assert_int_equal(paging_walk(&ctx, mem, VA, 0).refs, 3);
	mem_write_u64(mem, 0x1000, 0);
	assert_int_equal(paging_walk(&ctx, mem, VA, 0).refs, 1);

	ctx = set_way(PAGING_5LEVEL);
	set_upper(&ctx, 0x5007);
	assert_int_equal(paging_walk(&ctx, mem, VA, 0).refs, 5);
	ctx = set_way(PAGING_PAE);
	assert_int_equal(paging_walk(&ctx, mem, VA, 0).refs, 2);
	ctx = set_way(PAGING_32);
	set_upper(&ctx, 0x5007);
	set_lower(&ctx, 0x6007);
	assert_int_equal(paging_walk(&ctx, mem, VA, 0).refs, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_levels_enumerated),
		cmocka_unit_test(rights_enumerated),
		cmocka_unit_test(keys_enumerated),
		cmocka_unit_test(pse36_enumerated),
		cmocka_unit_test(random_tables),
		cmocka_unit_test(references_per_walk),
	};

	return cmocka_run_group_tests_name("paging_walk", tests, set_up,
					   tear_down);
}
