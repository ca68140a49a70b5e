/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "slow_walk.h"

const struct reference references[NR_REFERENCES] = {
	{0},
	{.write = true},
	{.fetch = true},
	{.ac = true},
	{.write = true, .ac = true},
	{.user = true},
	{.user = true, .write = true},
	{.user = true, .fetch = true},
};

#define FIELD_51_12 0x000ffffffffff000ull

struct chain {
	uint64_t entry[5];
	int level[5];
	bool large[5];
	int n;
	bool absent; /* the last entry */
};

/* What each paging mode's tables are like, from the top. */
static const struct shape {
	int top;
	int index_bits;
	int bytes;
} shapes[NR_PAGING_MODES] = {
	[PAGING_32] = {2, 10, 4},
	[PAGING_PAE] = {2, 9, 8},
	[PAGING_4LEVEL] = {4, 9, 8},
	[PAGING_5LEVEL] = {5, 9, 8},
};

static uint64_t table_word(const struct mem *mem, uint64_t address, int bytes)
{
	uint64_t word = 0;

	/* Frames of the tests' own shadow pool: empty tables. */
	if (bytes == 8 && pool_owns(&mem->pool, address))
		return 0;
	if (address + (uint64_t)bytes > mem->ram_size)
		return bytes == 4 ? 0xffffffffull : 0xffffffffffffffffull;
	for (int i = 0; i < bytes; i++)
		word += (uint64_t)mem->ram[address + (uint64_t)i] << (8 * i);
	return word;
}

static bool is_large(const struct paging_ctx *ctx, uint64_t e, int level)
{
	if ((e >> 7) % 2 == 0)
		return false;
	if (ctx->mode == PAGING_32)
		return level == 2 && ctx->pse;
	return level == 2 || level == 3;
}

/* Follow the chain until something ends it, without judging rights. */
static struct chain collect(const struct paging_ctx *ctx, const struct mem *mem,
			    uint64_t va)
{
	const struct shape *s = &shapes[ctx->mode];
	uint64_t base = ctx->root & FIELD_51_12;
	uint64_t per_table = 1ull << s->index_bits;
	struct chain c = {.n = 0};

	if (ctx->mode == PAGING_PAE)
		base = ctx->pdpte[(va >> 30) & 3] & FIELD_51_12;
	for (int level = s->top; level >= 1; level--) {
		int low = 12 + s->index_bits * (level - 1);
		uint64_t at =
			base + (va >> low) % per_table * (uint64_t)s->bytes;
		uint64_t e = table_word(mem, at, s->bytes);

		c.entry[c.n] = e;
		c.level[c.n] = level;
		c.large[c.n] = is_large(ctx, e, level);
		c.absent = e % 2 == 0;
		c.n++;
		if (c.absent || c.large[c.n - 1])
			break;
		base = e & FIELD_51_12;
	}
	return c;
}

/* A 4 MiB entry: 12:0 flags, 20:13 address 39:32, 21 nothing, 31:22 address. */
static bool bit_is_reserved_in_4m(const struct paging_ctx *ctx, int bit)
{
	if (bit == 21)
		return true;
	return bit >= 13 && bit <= 20 && bit - 13 + 32 >= ctx->maxphyaddr;
}

static bool bit_is_reserved(const struct paging_ctx *ctx, int bit, int level,
			    bool large)
{
	if (ctx->mode == PAGING_32)
		return large && bit_is_reserved_in_4m(ctx, bit);
	if (bit == 63)
		return !ctx->nxe;
	if (bit >= 52)
		return ctx->mode == PAGING_PAE;
	if (bit >= ctx->maxphyaddr)
		return true;
	if (bit == 7)
		return level > 3 || (level == 3 && !ctx->has_1g);
	if (large && level == 2)
		return bit >= 13 && bit <= 20;
	if (large && level == 3)
		return bit >= 13 && bit <= 29;
	return false;
}

static bool has_reserved(const struct paging_ctx *ctx, const struct chain *c,
			 int i)
{
	for (int bit = 0; bit < 64; bit++)
		if ((c->entry[i] >> bit) % 2 &&
		    bit_is_reserved(ctx, bit, c->level[i], c->large[i]))
			return true;
	return false;
}

struct page {
	bool user, writable, executable;
	unsigned int key;
};

/* What the entries say together. */
static struct page page_of(const struct paging_ctx *ctx, const struct chain *c)
{
	bool nx_counts = ctx->mode != PAGING_32 && ctx->nxe;
	struct page p = {true, true, true, 0};

	for (int i = 0; i < c->n; i++) {
		if ((c->entry[i] >> 2) % 2 == 0)
			p.user = false;
		if ((c->entry[i] >> 1) % 2 == 0)
			p.writable = false;
		if (nx_counts && c->entry[i] >> 63)
			p.executable = false;
	}
	p.key = (unsigned int)(c->entry[c->n - 1] >> 59) % 16;
	return p;
}

/* SDM vol. 3A, "Determination of Access Rights", sentence by sentence. */
static bool is_permitted(const struct paging_ctx *ctx, const struct page *p,
			 const struct reference *ref)
{
	if (ref->user && !p->user)
		return false;
	if (ref->fetch)
		return p->executable && (ref->user || !p->user || !ctx->smep);
	if (!ref->user && p->user && ctx->smap && !ref->ac)
		return false;
	if (ref->write && !p->writable)
		return !ref->user && !ctx->wp;
	return true;
}

/* SDM vol. 3A, "Protection Keys". */
static bool key_permits(const struct paging_ctx *ctx, const struct page *p,
			const struct reference *ref)
{
	bool in_long_mode =
		ctx->mode == PAGING_4LEVEL || ctx->mode == PAGING_5LEVEL;
	bool access_disable = (ctx->pkru >> (p->key * 2)) % 2;
	bool write_disable = (ctx->pkru >> (p->key * 2 + 1)) % 2;

	if (!in_long_mode || !ctx->pke || ref->fetch || !p->user)
		return true;
	if (access_disable)
		return false;
	if (!ref->write || !write_disable)
		return true;
	return !ref->user && !ctx->wp;
}

static uint64_t address_of(const struct paging_ctx *ctx, const struct chain *c,
			   uint64_t va)
{
	uint64_t e = c->entry[c->n - 1];

	switch (c->level[c->n - 1]) {
	case 1:
		return (e & FIELD_51_12) + va % 0x1000;
	case 2:
		if (ctx->mode == PAGING_32)
			return (e >> 13) % 256 * 0x100000000ull +
			       e / 0x400000 * 0x400000 + va % 0x400000;
		return (e & 0x000fffffffe00000ull) + va % 0x200000;
	default:
		return (e & 0x000fffffc0000000ull) + va % 0x40000000;
	}
}

/* SDM vol. 3A, "Page-Fault Exceptions": bits that repeat the reference. */
static uint32_t code_of(const struct paging_ctx *ctx,
			const struct reference *ref)
{
	bool pae = ctx->mode != PAGING_32; /* CR4.PAE is 1 */
	uint32_t code = 0;

	if (ref->write)
		code += 2;
	if (ref->user)
		code += 4;
	if (ref->fetch && (ctx->smep || (pae && ctx->nxe)))
		code += 16;
	return code;
}

struct verdict slow_walk(const struct paging_ctx *ctx, const struct mem *mem,
			 uint64_t va, const struct reference *ref)
{
	struct verdict v = {.fault = true, .code = code_of(ctx, ref)};
	struct chain c;
	struct page p;

	if (ctx->mode != PAGING_4LEVEL && ctx->mode != PAGING_5LEVEL)
		va %= 0x100000000ull;
	if (ctx->mode == PAGING_OFF) {
		v.fault = false;
		v.address = va;
		return v;
	}
	if (ctx->mode == PAGING_PAE && ctx->pdpte[va >> 30] % 2 == 0)
		return v;

	c = collect(ctx, mem, va);
	for (int i = 0; i < c.n; i++) {
		if (c.absent && i == c.n - 1)
			return v;
		if (has_reserved(ctx, &c, i)) {
			v.code += 1 + 8;
			return v;
		}
	}
	p = page_of(ctx, &c);
	if (!key_permits(ctx, &p, ref)) {
		v.code += 1 + 32;
		return v;
	}
	if (!is_permitted(ctx, &p, ref)) {
		v.code += 1;
		return v;
	}
	v.fault = false;
	v.address = address_of(ctx, &c, va);
	return v;
}

void compare_walks(const struct paging_ctx *ctx, const struct mem *mem,
		   uint64_t va, const struct reference *ref)
{
	uint32_t access = (ref->write ? PFEC_W : 0) | (ref->user ? PFEC_U : 0) |
			  (ref->fetch ? PFEC_ID : 0) |
			  (ref->ac ? (uint32_t)ACCESS_AC : 0);
	struct walk got = paging_walk(ctx, mem, va, access);
	struct verdict want = slow_walk(ctx, mem, va, ref);
	bool same =
		got.fault == want.fault &&
		(got.fault ? got.pfec == want.code : got.pa == want.address);

	if (!same)
		fail_msg("mode %d wp %d nxe %d pse %d smep %d smap %d pke %d "
			 "pkru %x 1g %d M %d va %llx access %x leaf %llx level "
			 "%d: got fault %d code %x pa %llx, want fault %d code "
			 "%x pa %llx",
			 (int)ctx->mode, ctx->wp, ctx->nxe, ctx->pse, ctx->smep,
			 ctx->smap, ctx->pke, ctx->pkru, ctx->has_1g,
			 ctx->maxphyaddr, (unsigned long long)va, access,
			 (unsigned long long)got.leaf, got.level, got.fault,
			 got.pfec, (unsigned long long)got.pa, want.fault,
			 want.code, (unsigned long long)want.address);
}
