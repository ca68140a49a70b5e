/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "paging/walk.h"

/*
 * facts: SDM vol. 3A, "Reserved bits" of each paging mode.  62:52 are ignored
 * in long mode and reserved in PAE; 63 is reserved while NXE is 0.
 */
uint64_t paging_reserved(const struct paging_ctx *ctx, uint64_t entry,
			 int level)
{
	uint64_t rsvd = 0;

	if (ctx->maxphyaddr < 52)
		rsvd |= BITS(51, ctx->maxphyaddr);
	if (ctx->mode == PAGING_PAE)
		rsvd |= BITS(62, 52);
	if (!ctx->nxe)
		rsvd |= PTE_NX;
	if (level == 4)
		rsvd |= PTE_PS;
	if (level == 3 && (entry & PTE_PS))
		rsvd |= BITS(29, 13);
	if (level == 2 && (entry & PTE_PS))
		rsvd |= BITS(20, 13);
	return rsvd;
}

static bool is_leaf(uint64_t entry, int level)
{
	return level == 1 || ((entry & PTE_PS) && level <= 3);
}

static uint32_t fault_code(const struct paging_ctx *ctx, uint32_t access,
			   uint32_t more)
{
	if (!ctx->nxe)
		access &= ~(uint32_t)PFEC_ID;
	return (access & (uint32_t)(PFEC_W | PFEC_U | PFEC_ID)) | more;
}

static bool is_denied(const struct paging_ctx *ctx, uint64_t rights,
		      uint32_t access)
{
	if ((access & PFEC_U) && !(rights & PTE_U))
		return true;
	if ((access & PFEC_W) && !(rights & PTE_W) &&
	    ((access & PFEC_U) || ctx->wp))
		return true;
	return (access & PFEC_ID) && ctx->nxe && (rights & PTE_NX);
}

static struct walk walk_fault(struct walk w, const struct paging_ctx *ctx,
			      uint32_t access, uint32_t more)
{
	w.fault = true;
	w.pfec = fault_code(ctx, access, more);
	return w;
}

static uint64_t read_entry(const struct mem *mem, hpa_t hpa)
{
	uint64_t entry;

	return mem_read_entry(mem, hpa, &entry) ? entry : ~UINT64_C(0);
}

struct walk paging_walk(const struct paging_ctx *ctx, const struct mem *mem,
			gva_t gva, uint32_t access)
{
	struct walk w = {.rights = PTE_W | PTE_U};
	hpa_t table = ctx->root & PTE_ADDR;
	int level = paging_levels(ctx->mode);

	if (ctx->mode == PAGING_OFF) {
		w.pa = gva;
		return w;
	}
	if (ctx->mode == PAGING_PAE) {
		uint64_t pdpte = ctx->pdpte[(gva >> 30) & 3];

		gva &= UINT32_MAX;
		w.leaf = pdpte;
		w.level = 3;
		if (!(pdpte & PTE_P))
			return walk_fault(w, ctx, access, 0);
		table = pdpte & PTE_ADDR;
		level = 2;
	}

	for (;; level--) {
		unsigned int index = pt_index(gva, level);
		uint64_t entry = read_entry(mem, table + 8 * index);

		w.leaf = entry;
		w.table = table;
		w.index = (uint16_t)index;
		w.level = (uint8_t)level;
		w.refs++;
		if (!(entry & PTE_P))
			return walk_fault(w, ctx, access, 0);
		if (entry & paging_reserved(ctx, entry, level))
			return walk_fault(w, ctx, access, PFEC_P | PFEC_RSVD);

		w.rights &= entry | ~(PTE_W | PTE_U);
		w.rights |= entry & PTE_NX;
		if (is_leaf(entry, level))
			break;
		table = entry & PTE_ADDR;
	}

	if (is_denied(ctx, w.rights, access))
		return walk_fault(w, ctx, access, PFEC_P);

	w.pa = (w.leaf & PTE_ADDR & ~(BIT(pt_shift(level)) - 1)) |
	       (gva & (BIT(pt_shift(level)) - 1));
	return w;
}
