/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * paging_walk() against the slow model.
 *
 * One test enumerates the bits of two table levels, accesses and controls; the
 * other draws random tables in each mode and at every MAXPHYADDR.  An argument
 * is the number of rounds of the latter.
 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "oracle.h"
#include "paging/walk.h"

#define RAM_PAGES 64

static struct mem *mem;
static unsigned int rounds = 200;
static uint64_t nr_compared;

static int set_up(void **state)
{
	struct diag diag;

	(void)state;
	return mem_create(RAM_PAGES * PAGE_SIZE, 1, false, &mem, &diag);
}

static int tear_down(void **state)
{
	(void)state;
	mem_destroy(mem);
	printf("# %" PRIu64 " walks compared\n", nr_compared);
	return 0;
}

static uint64_t read_ram(void *memory, uint64_t pa, int bytes)
{
	const struct mem *m = memory;
	uint64_t value = 0;

	/* The one frame of the shadow pool: an empty table. */
	if (bytes == 8 && pool_owns(&m->pool, pa))
		return 0;
	if (pa + (uint64_t)bytes > m->ram_size)
		return bytes == 4 ? UINT32_MAX : UINT64_MAX;
	for (int i = 0; i < bytes; i++)
		value |= (uint64_t)m->ram[pa + (uint64_t)i] << 8 * i;
	return value;
}

static struct oracle_cpu oracle_of(const struct paging_ctx *ctx)
{
	static const enum oracle_mode modes[] = {
		[PAGING_OFF] = ORACLE_OFF,
		[PAGING_32] = ORACLE_32,
		[PAGING_PAE] = ORACLE_PAE,
		[PAGING_4LEVEL] = ORACLE_4LEVEL,
		[PAGING_5LEVEL] = ORACLE_5LEVEL,
	};
	struct oracle_cpu cpu = {
		.mode = modes[ctx->mode],
		.cr3 = ctx->root,
		.wp = ctx->wp,
		.nxe = ctx->nxe,
		.pse = ctx->pse,
		.smep = ctx->smep,
		.smap = ctx->smap,
		.pke = ctx->pke,
		.pkru = ctx->pkru,
		.has_1g = ctx->has_1g,
		.maxphyaddr = ctx->maxphyaddr,
		.read = read_ram,
		.memory = mem,
	};

	for (int i = 0; i < 4; i++)
		cpu.pdpte[i] = ctx->pdpte[i];
	return cpu;
}

/* A walker's access, as an instruction's. */
static struct oracle_access access_of(gva_t va, uint32_t access)
{
	return (struct oracle_access){
		.va = va,
		.write = access & PFEC_W,
		.fetch = access & PFEC_ID,
		.cpl = access & PFEC_U ? 3 : 0,
		.ac = access & ACCESS_AC,
	};
}

static void compare(const struct paging_ctx *ctx, gva_t va, uint32_t access)
{
	struct oracle_cpu cpu = oracle_of(ctx);
	struct oracle_access a = access_of(va, access);
	struct oracle_result want = oracle_translate(&cpu, &a);
	struct walk got = paging_walk(ctx, mem, va, access);

	nr_compared++;
	if (got.fault == (want.what == ORACLE_PF) &&
	    (got.fault ? got.pfec == want.code : got.pa == want.pa) &&
	    got.refs == want.nr_entries)
		return;
	fail_msg("mode %d wp %d nxe %d pse %d smep %d smap %d pke %d pkru %x "
		 "M %d va %" PRIx64 " access %x leaf %" PRIx64
		 " level %d: got fault %d code %x pa %" PRIx64
		 " refs %d, want fault %d code %x pa %" PRIx64 " refs %d",
		 (int)ctx->mode, ctx->wp, ctx->nxe, ctx->pse, ctx->smep,
		 ctx->smap, ctx->pke, ctx->pkru, ctx->maxphyaddr, va, access,
		 got.leaf, got.level, got.fault, got.pfec, got.pa, got.refs,
		 want.what == ORACLE_PF, want.code, want.pa, want.nr_entries);
}

/* Accesses of a walker. */
static const uint32_t accesses[] = {
	0,
	PFEC_W,
	PFEC_ID,
	ACCESS_AC,
	ACCESS_AC | PFEC_W,
	PFEC_U,
	PFEC_U | PFEC_W,
	PFEC_U | PFEC_ID,
};

/* Enumeration ------------------------------------------------------------ */

static const uint64_t choice[] = {PTE_P,   PTE_W,   PTE_U,   PTE_PS, PTE_NX,
				  BIT(51), BIT(40), BIT(52), BIT(13)};
#define NR_ENTRIES (1u << ARRAY_LEN(choice))

static uint64_t spread(unsigned int n)
{
	uint64_t e = 0;

	for (unsigned int i = 0; i < ARRAY_LEN(choice); i++)
		if (n >> i & 1)
			e |= choice[i];
	return e;
}

static void enumerate(const struct paging_ctx *ctx)
{
	const gva_t va = 0x40201123;

	for (unsigned int pde = 0; pde < NR_ENTRIES; pde++) {
		mem_write_u64(mem, 0x4000 + 8 * pt_index(va, 2),
			      spread(pde) | 0x5000);
		for (unsigned int n = 0; n < NR_ENTRIES; n++) {
			mem_write_u64(mem, 0x5000 + 8 * pt_index(va, 1),
				      spread(n) | 0x6000);
			for (size_t i = 0; i < ARRAY_LEN(accesses); i++)
				compare(ctx, va, accesses[i]);
			/* One leaf is enough where the PDE ends the walk. */
			if (!(pde & 1))
				break;
		}
	}
}

static void two_levels_enumerated(void **state)
{
	(void)state;
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
			.has_1g = true,
			.maxphyaddr = 40,
		};

		enumerate(&ctx);
	}
}

/* Random tables ----------------------------------------------------------- */

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
	e |= (rnd() & 15) << 59;
	if (rnd() % 4)
		e &= ~BITS(62, 59);
	if (rnd() % 8 == 0)
		e |= PTE_PS;
	if (rnd() % 16 == 0) /* reserved in large entries */
		e |= BIT(12 + rnd() % 18);
	for (int i = 0; i < 2; i++)
		if (rnd() % 4 == 0)
			e |= BIT(rnd() % 64);
	return e;
}

/* Two entries of 32-bit tables at once. */
static uint64_t random_word(enum paging_mode mode)
{
	uint64_t e = random_entry();

	return mode == PAGING_32 ? (uint32_t)e | random_entry() << 32 : e;
}

static gva_t random_va(enum paging_mode mode)
{
	gva_t va = rnd();

	if (mode == PAGING_4LEVEL)
		return (uint64_t)((int64_t)(va << 16) >> 16);
	if (mode == PAGING_5LEVEL)
		return (uint64_t)((int64_t)(va << 7) >> 7);
	return va & UINT32_MAX;
}

static struct paging_ctx random_ctx(void)
{
	struct paging_ctx ctx = {
		.mode = (enum paging_mode)(rnd() % NR_PAGING_MODES),
		.root = rnd() % RAM_PAGES << 12,
		.wp = rnd() % 2,
		.nxe = rnd() % 2,
		.pse = rnd() % 2,
		.smep = rnd() % 2,
		.smap = rnd() % 2,
		.pke = rnd() % 2,
		.pkru = (uint32_t)rnd(),
		.has_1g = rnd() % 4,
		.maxphyaddr = (uint8_t)(36 + rnd() % 17),
	};

	for (int i = 0; i < 4; i++)
		ctx.pdpte[i] = random_entry();
	return ctx;
}

static void random_tables(void **state)
{
	unsigned int faults = 0, fine = 0;

	(void)state;
	for (unsigned int round = 0; round < rounds; round++) {
		struct paging_ctx ctx = random_ctx();

		for (uint64_t at = 0; at < mem->ram_size; at += 8)
			mem_write_u64(mem, at, random_word(ctx.mode));
		for (int i = 0; i < 4000; i++) {
			gva_t va = random_va(ctx.mode);

			compare(&ctx, va,
				accesses[rnd() % ARRAY_LEN(accesses)]);
			if (paging_walk(&ctx, mem, va, 0).fault)
				faults++;
			else
				fine++;
		}
	}
	/* Both outcomes must have been met, or the test says nothing. */
	assert_true(faults > 10000 && fine > 10000);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_levels_enumerated),
		cmocka_unit_test(random_tables),
	};

	if (argc > 1)
		rounds = (unsigned int)strtoul(argv[1], NULL, 0);
	return cmocka_run_group_tests_name("oracle_walk", tests, set_up,
					   tear_down);
}
