/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "paging/walk.h"

/* 32-bit paging without PSE does not look at it. */
static uint64_t ps_bit(const struct paging_ctx *ctx)
{
	return ctx->mode != PAGING_32 || ctx->pse ? PTE_PS : 0;
}

bool paging_is_leaf(const struct paging_ctx *ctx, uint64_t entry, int level)
{
	return level == 1 || (level <= 3 && (entry & ps_bit(ctx)));
}

/*
 * SDM vol. 3A, "32-Bit Paging": no bits but those of a 4 MiB entry.  PSE-36 has
 * room for 40 address bits and no more than the processor has.
 */
static uint64_t reserved_32(const struct paging_ctx *ctx, uint64_t entry,
			    int level)
{
	unsigned int width = ctx->maxphyaddr < 40 ? ctx->maxphyaddr : 40;

	if (level == 1 || !paging_is_leaf(ctx, entry, level))
		return 0;
	return BITS(21, width - 19);
}

/*
 * facts: SDM vol. 3A, "Reserved bits" of each paging mode.  62:52 are ignored
 * in long mode and reserved in PAE; 63 is reserved while NXE is 0.
 */
static uint64_t reserved_anywhere(const struct paging_ctx *ctx)
{
	uint64_t rsvd = 0;

	if (ctx->mode == PAGING_32)
		return 0;
	if (ctx->maxphyaddr < 52)
		rsvd |= BITS(51, ctx->maxphyaddr);
	if (ctx->mode == PAGING_PAE)
		rsvd |= BITS(62, 52);
	if (!ctx->nxe)
		rsvd |= PTE_NX;
	return rsvd;
}

/* PS, and what it makes reserved. */
static uint64_t reserved_by_ps(const struct paging_ctx *ctx, uint64_t entry,
			       int level)
{
	uint64_t rsvd = 0;

	if (ctx->mode == PAGING_32)
		return reserved_32(ctx, entry, level);
	if (level >= 4 || (level == 3 && !ctx->has_1g))
		rsvd |= PTE_PS;
	if (level == 3 && (entry & PTE_PS))
		rsvd |= BITS(29, 13);
	if (level == 2 && (entry & PTE_PS))
		rsvd |= BITS(20, 13);
	return rsvd;
}

uint64_t paging_reserved(const struct paging_ctx *ctx, uint64_t entry,
			 int level)
{
	return reserved_anywhere(ctx) | reserved_by_ps(ctx, entry, level);
}

static bool has_nx(const struct paging_ctx *ctx)
{
	return ctx->nxe && ctx->mode != PAGING_32;
}

static uint32_t fault_code(const struct paging_ctx *ctx, uint32_t access,
			   uint32_t more)
{
	if (!has_nx(ctx) && !ctx->smep)
		access &= ~(uint32_t)PFEC_ID;
	return (access & (uint32_t)(PFEC_W | PFEC_U | PFEC_ID)) | more;
}

static bool is_user_denied(uint64_t rights, uint32_t access)
{
	return !(rights & PTE_U) || ((access & PFEC_W) && !(rights & PTE_W));
}

static bool is_supervisor_denied(const struct paging_ctx *ctx, uint64_t rights,
				 uint32_t access)
{
	bool user_page = rights & PTE_U;

	if (access & PFEC_ID)
		return ctx->smep && user_page;
	if (ctx->smap && user_page && !(access & ACCESS_AC))
		return true;
	return (access & PFEC_W) && !(rights & PTE_W) && ctx->wp;
}

static bool is_denied(const struct paging_ctx *ctx, uint64_t rights,
		      uint32_t access)
{
	if ((access & PFEC_ID) && has_nx(ctx) && (rights & PTE_NX))
		return true;
	return access & PFEC_U ? is_user_denied(rights, access)
			       : is_supervisor_denied(ctx, rights, access);
}

bool paging_key_denies(const struct paging_ctx *ctx, uint64_t leaf,
		       uint64_t rights, uint32_t access)
{
	unsigned int bits = pkru_bits(ctx->pkru, pte_pkey(leaf));

	if (!ctx->pke || !paging_is_long(ctx->mode) || !(rights & PTE_U) ||
	    (access & PFEC_ID))
		return false;
	if (bits & PKRU_AD)
		return true;
	return (bits & PKRU_WD) && (access & PFEC_W) &&
	       ((access & PFEC_U) || ctx->wp);
}

static void set_fault(struct walk *w, const struct paging_ctx *ctx,
		      uint32_t access, uint32_t more)
{
	w->fault = true;
	w->pfec = fault_code(ctx, access, more);
}

static inline uint64_t read_entry(const struct mem *mem, hpa_t at,
				  unsigned int size)
{
	uint64_t entry;

	if (unlikely(size == 4))
		return mem_is_ram(mem, at, 4) ? mem_read_u32(mem, at)
					      : UINT32_MAX;
	return mem_read_entry(mem, at, &entry) ? entry : ~UINT64_C(0);
}

uint64_t paging_read_entry(const struct paging_ctx *ctx, const struct mem *mem,
			   hpa_t table, unsigned int index)
{
	unsigned int size = paging_entry_size(ctx->mode);

	return read_entry(mem, table + (hpa_t)size * index, size);
}

/*
 * From the top table down to a leaf, or to an entry that faults: then the error
 * code's upper bits are *ret.  An entry that leads to a table has P, neither PS
 * nor a reserved bit.  Nothing else points into w.
 */
specialised bool walk_tables(struct walk *restrict w,
			     const struct paging_ctx *ctx,
			     const struct mem *mem, enum paging_mode mode,
			     gva_t gva, uint32_t *ret)
{
	const unsigned int size = paging_entry_size(mode);
	const uint64_t ps = ps_bit(ctx), rsvd = reserved_anywhere(ctx);
	uint64_t all = PTE_W | PTE_U, any = 0, entry;
	int level = paging_levels(mode);
	hpa_t table = w->table;
	unsigned int refs = 0;

	for (;; level--) {
		hpa_t at = table + size * paging_index(mode, gva, level);

		entry = read_entry(mem, at, size);
		w->at[refs++] = at;
		if (level == 1 || (entry & (PTE_P | ps | rsvd)) != PTE_P)
			break;
		all &= entry;
		any |= entry;
		table = entry & PTE_ADDR;
	}
	w->leaf = entry;
	w->table = table;
	w->index = (uint16_t)paging_index(mode, gva, level);
	w->level = (uint8_t)level;
	w->refs = (uint8_t)refs;
	w->rights = all | (any & PTE_NX);
	*ret = 0;
	if (!(entry & PTE_P))
		return false;
	if (unlikely(level > 1 || (entry & rsvd)) &&
	    (entry & (rsvd | reserved_by_ps(ctx, entry, level)))) {
		*ret = PFEC_P | PFEC_RSVD;
		return false;
	}
	w->rights = (all & entry) | ((any | entry) & PTE_NX);
	return true;
}

/* Member by member, as a block that is cleared at once costs more. */
static void clear(struct walk *w)
{
	w->fault = false;
	w->pfec = 0;
	w->pa = w->leaf = w->table = 0;
	w->index = w->level = w->refs = 0;
	w->rights = PTE_W | PTE_U;
	for (int i = 0; i < PT_LEVEL_MAX; i++)
		w->at[i] = 0;
}

/* Into the caller's: a copy of what was just written in parts would stall. */
void paging_walk_to(const struct paging_ctx *ctx, const struct mem *mem,
		    gva_t gva, uint32_t access, struct walk *ret)
{
	uint32_t denied;
	bool found;

	clear(ret);
	gva = paging_linear(ctx->mode, gva);
	if (ctx->mode == PAGING_OFF) {
		ret->pa = gva;
		return;
	}
	ret->table = ctx->root & PTE_ADDR;
	if (ctx->mode == PAGING_PAE) {
		ret->leaf = ctx->pdpte[(gva >> 30) & 3];
		ret->level = 3;
		ret->table = 0;
		if (!(ret->leaf & PTE_P)) {
			set_fault(ret, ctx, access, 0);
			return;
		}
		ret->table = ret->leaf & PTE_ADDR;
	}
	found = ctx->mode == PAGING_4LEVEL
			? walk_tables(ret, ctx, mem, PAGING_4LEVEL, gva,
				      &denied)
			: walk_tables(ret, ctx, mem, ctx->mode, gva, &denied);
	if (!found) {
		set_fault(ret, ctx, access, denied);
		return;
	}

	denied = is_denied(ctx, ret->rights, access) ? PFEC_P : 0;
	if (paging_key_denies(ctx, ret->leaf, ret->rights, access))
		denied |= PFEC_P | PFEC_PK;
	if (denied) {
		set_fault(ret, ctx, access, denied);
		return;
	}
	ret->pa = paging_leaf_base(ctx->mode, ret->leaf, ret->level) |
		  (gva & (BIT(paging_shift(ctx->mode, ret->level)) - 1));
}
