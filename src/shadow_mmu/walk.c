/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The guest walk as KVM did it (walk_addr), which is not the processor's:
 * each entry's rights are checked on the spot, before the next one is read;
 * A is set on the way down, also when a lower level then faults; reserved bits
 * are not looked at; the error code repeats the access whatever NXE says.
 * From 2009 on it came nearer, switch by switch.  paging/walk.h has the
 * processor's.
 *
 * Added, and judged as the processor does: 1 GiB pages where CPUID shows them
 * (without, PS is overlooked there), all 40 address bits of PSE-36, SMEP, SMAP
 * and protection keys.  A table outside RAM reads as zeros, as KVM's bad page
 * did.
 */
#include "shadow_mmu/internal.h"

uint64_t guest_entry_read(const struct smmu *smmu, gfn_t table,
			  unsigned int size, unsigned int index)
{
	gpa_t gpa = (table << PAGE_SHIFT) + (gpa_t)size * index;

	if (!gfn_is_ram(smmu, table))
		return 0;
	return size == 4 ? mem_read_u32(smmu->mem, gpa)
			 : mem_read_u64(smmu->mem, gpa);
}

struct paging_ctx guest_paging(const struct smmu *smmu)
{
	const struct smmu_guest *guest = &smmu->cur->guest;
	struct paging_ctx ctx = {
		.mode = guest->mode,
		.root = guest->cr3 & PTE_ADDR,
		.wp = guest->wp,
		.nxe = guest->nxe,
		.pse = guest->pse,
		.smep = guest->smep,
		.smap = guest->smap,
		.pke = guest->pke,
		.pkru = guest->pkru,
		.has_1g = smmu->features & FEATURE_1G,
		.maxphyaddr = smmu->maxphyaddr,
	};

	for (unsigned int i = 0; i < 4; i++)
		ctx.pdpte[i] = guest->pdpte[i];
	return ctx;
}

unsigned int gpte_access(const struct smmu *smmu, uint64_t gpte)
{
	unsigned int access = ACC_EXEC;

	access |= (unsigned int)(gpte & (PTE_W | PTE_U));
	/* Before role_access NX was copied, whether NXE was on or not. */
	if ((gpte & PTE_NX) && (smmu->cur->guest.nxe || !smmu->sw.role_access))
		access &= ~ACC_EXEC;
	return access;
}

static bool is_denied(const struct smmu *smmu, uint64_t gpte, uint32_t access)
{
	if ((access & PFEC_W) && !(gpte & PTE_W) &&
	    ((access & PFEC_U) || smmu->cur->guest.wp))
		return true;
	if ((access & PFEC_U) && !(gpte & PTE_U))
		return true;
	return (access & PFEC_ID) && smmu->cur->guest.nxe && (gpte & PTE_NX);
}

static bool is_guest_leaf(const struct smmu *smmu, uint64_t gpte, int level)
{
	const struct smmu_guest *guest = &smmu->cur->guest;

	if (level == 1)
		return true;
	if (!(gpte & PTE_PS) || level > 3)
		return false;
	if (level == 3)
		return smmu->features & FEATURE_1G;
	return guest->mode != PAGING_32 || guest->pse;
}

static uint64_t reserved_bits(const struct smmu *smmu, uint64_t gpte, int level)
{
	struct paging_ctx ctx = guest_paging(smmu);

	return gpte & paging_reserved(&ctx, gpte, level);
}

bool gpte_is_reserved(const struct smmu *smmu, uint64_t gpte)
{
	return reserved_bits(smmu, gpte, 1);
}

bool walk_saw_reserved(const struct smmu *smmu, const struct guest_walk *w)
{
	for (int level = w->top; level >= w->level; level--) {
		uint64_t gpte = w->gpte[level - 1];

		if ((gpte & PTE_P) && reserved_bits(smmu, gpte, level))
			return true;
	}
	return false;
}

static gpa_t gpte_gpa(const struct smmu *smmu, const struct guest_walk *w,
		      gva_t gva, int level)
{
	enum paging_mode mode = smmu->cur->guest.mode;

	return (w->table_gfn[level - 1] << PAGE_SHIFT) +
	       (gpa_t)paging_entry_size(mode) * paging_index(mode, gva, level);
}

void walk_set_bits(const struct smmu *smmu, struct guest_walk *w, gva_t gva,
		   int level, uint64_t bits)
{
	gpa_t gpa = gpte_gpa(smmu, w, gva, level);
	uint64_t gpte = w->gpte[level - 1] | bits;

	w->gpte[level - 1] = gpte;
	if (smmu->cur->guest.mode == PAGING_32)
		mem_write_u32(smmu->mem, gpa, (uint32_t)gpte);
	else
		mem_write_u64(smmu->mem, gpa, gpte);
	slot_mark_dirty(smmu, w->table_gfn[level - 1]);
}

/* Where the walk starts; false: an absent PDPTE. */
static bool walk_start(const struct smmu *smmu, gva_t gva, struct guest_walk *w,
		       gfn_t *table)
{
	uint64_t entry = smmu->cur->guest.cr3;

	w->top = paging_levels(smmu->cur->guest.mode);
	if (smmu->cur->guest.mode == PAGING_PAE)
		entry = smmu->cur->guest.pdpte[(gva >> 30) & 3];
	*table = (entry & PTE_ADDR) >> PAGE_SHIFT;
	return smmu->cur->guest.mode != PAGING_PAE || (entry & PTE_P);
}

static void walk_leaf(const struct smmu *smmu, gva_t gva, struct guest_walk *w)
{
	enum paging_mode mode = smmu->cur->guest.mode;
	uint64_t leaf = w->gpte[w->level - 1];
	gpa_t offset = gva & (BIT(paging_shift(mode, w->level)) - 1);

	w->gfn =
		(paging_leaf_base(mode, leaf, w->level) + offset) >> PAGE_SHIFT;
	w->pte_access = w->pt_access & gpte_access(smmu, leaf);
	w->was_dirty = leaf & PTE_D;
}

static bool walk_error(const struct smmu *smmu, struct guest_walk *w,
		       uint32_t access, uint32_t more)
{
	const struct smmu_guest *guest = &smmu->cur->guest;

	bool nxe = guest->nxe && guest->mode != PAGING_32;

	if (smmu->sw.fetch_code_needs_nxe && !nxe && !guest->smep)
		access &= ~(uint32_t)PFEC_ID;
	w->pfec = (access & (PFEC_W | PFEC_U | PFEC_ID)) | more;
	return false;
}

/*
 * A right is missing, and the walk stops at once: it has not come to the key,
 * and whether that denies, too, the processor's own tells.
 */
static bool walk_denied(const struct smmu *smmu, gva_t gva, uint32_t access,
			struct guest_walk *w)
{
	struct paging_ctx ctx = guest_paging(smmu);
	uint32_t key = 0;

	if (ctx.pke)
		key = paging_walk(&ctx, smmu->mem, gva, access).pfec & PFEC_PK;
	return walk_error(smmu, w, access, PFEC_P | key);
}

/*
 * SMEP, SMAP and protection keys look at the page as a whole.  The bits that
 * they add to the error code; 0: allowed.
 */
static uint32_t page_denies(const struct smmu *smmu, uint64_t leaf,
			    uint32_t access, const struct guest_walk *w)
{
	struct paging_ctx ctx = guest_paging(smmu);
	uint32_t code = 0;

	if (!(w->pt_access & leaf & ACC_USER))
		return 0;
	if (paging_key_denies(&ctx, leaf, PTE_U, access))
		code = PFEC_P | PFEC_PK;
	if (access & PFEC_U)
		return code;
	if (access & PFEC_ID ? ctx.smep : ctx.smap && !(access & ACCESS_AC))
		code |= PFEC_P;
	return code;
}

/* Read-only: look, but set neither A nor D. */
static bool walk_levels(const struct smmu *smmu, gva_t gva, uint32_t access,
			bool read_only, struct guest_walk *w)
{
	enum paging_mode mode = smmu->cur->guest.mode;
	bool denied = false;
	gfn_t table;

	*w = (struct guest_walk){.pt_access = ACC_ALL};
	if (!walk_start(smmu, gva, w, &table)) {
		w->level = 3;
		return walk_error(smmu, w, access, 0);
	}

	for (w->level = w->top;; w->level--) {
		unsigned int at = (unsigned int)w->level - 1;
		uint32_t code;
		bool leaf;
		uint64_t gpte =
			guest_entry_read(smmu, table, paging_entry_size(mode),
					 paging_index(mode, gva, w->level));

		w->table_gfn[at] = table;
		w->above[at] = w->pt_access;
		w->gpte[at] = gpte;
		if (!(gpte & PTE_P))
			return walk_error(smmu, w, access, 0);
		if (smmu->sw.walk_checks_reserved &&
		    reserved_bits(smmu, gpte, w->level))
			return walk_error(smmu, w, access, PFEC_P | PFEC_RSVD);
		leaf = is_guest_leaf(smmu, gpte, w->level);
		denied |= is_denied(smmu, gpte, access);
		if (denied && !smmu->sw.walk_goes_on)
			return walk_denied(smmu, gva, access, w);
		code = denied ? PFEC_P : 0;
		if (leaf && !read_only)
			code |= page_denies(smmu, gpte, access, w);
		if (leaf && code)
			return walk_error(smmu, w, access, code);
		w->was_accessed = gpte & PTE_A;
		if (!(gpte & PTE_A) && !read_only && !denied)
			walk_set_bits(smmu, w, gva, w->level, PTE_A);
		if (leaf)
			break;

		w->pt_access &= gpte_access(smmu, gpte);
		if (!smmu->sw.role_access)
			w->pt_access |= ACC_EXEC;
		table = (gpte & PTE_ADDR) >> PAGE_SHIFT;
	}
	walk_leaf(smmu, gva, w);
	return true;
}

/* 2.6.25: the walk sets D, and what else shadows the table follows. */
static void walk_dirty(struct smmu *smmu, gva_t gva, struct guest_walk *w)
{
	walk_set_bits(smmu, w, gva, w->level, PTE_D);
	smmu_pte_write(smmu, gpte_gpa(smmu, w, gva, w->level),
		       &w->gpte[w->level - 1],
		       paging_entry_size(smmu->cur->guest.mode));
}

bool walk_guest(struct smmu *smmu, gva_t gva, uint32_t access,
		struct guest_walk *ret)
{
	bool ok = walk_levels(smmu, gva, access, false, ret);

	if (ret->top >= ret->level)
		account_charge(smmu->acct, COST_GUEST_WALK_REF,
			       (uint64_t)(ret->top - ret->level + 1));
	if (ok && (access & PFEC_W) && !ret->was_dirty &&
	    smmu->sw.walk_sets_dirty)
		walk_dirty(smmu, gva, ret);
	return ok;
}

bool smmu_gva_to_gpa(const struct smmu *smmu, gva_t gva, gpa_t *ret)
{
	struct guest_walk w;

	gva = paging_linear(smmu->cur->guest.mode, gva);
	if (smmu->cur->guest.mode == PAGING_OFF) {
		*ret = gva;
		return true;
	}
	if (!walk_levels(smmu, gva, 0, true, &w))
		return false;
	*ret = (w.gfn << PAGE_SHIFT) | (gva & PAGE_MASK);
	return true;
}
