/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The guest walk as KVM did it (walk_addr), which is not the processor's:
 * each entry's rights are checked on the spot, before the next one is read;
 * A is set on the way down, also when a lower level then faults; reserved bits
 * are not looked at; the error code repeats the access whatever NXE says.
 * paging/walk.h has the processor's.
 *
 * Left out: entries of 4 bytes.  Added: 1 GiB pages, which KVM of the time
 * did not know.  A table outside RAM reads as zeros, as KVM's bad page did.
 */
#include "shadow_mmu/internal.h"

uint64_t guest_entry_read(const struct smmu *smmu, gfn_t table,
			  unsigned int index)
{
	if (!gfn_is_ram(smmu, table))
		return 0;
	return mem_read_u64(smmu->mem, (table << PAGE_SHIFT) + 8 * index);
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

static bool is_guest_leaf(uint64_t gpte, int level)
{
	return level == 1 || (level <= 3 && (gpte & PTE_PS));
}

bool walk_saw_reserved(const struct smmu *smmu, const struct guest_walk *w)
{
	struct paging_ctx ctx = {
		.mode = smmu->cur->guest.mode,
		.nxe = smmu->cur->guest.nxe,
		.has_1g = true,
		.maxphyaddr = smmu->maxphyaddr,
	};

	for (int level = w->top; level >= w->level; level--) {
		uint64_t gpte = w->gpte[level - 1];

		if ((gpte & PTE_P) &&
		    (gpte & paging_reserved(&ctx, gpte, level)))
			return true;
	}
	return false;
}

void walk_set_bits(const struct smmu *smmu, struct guest_walk *w, gva_t gva,
		   int level, uint64_t bits)
{
	gpa_t gpa = (w->table_gfn[level - 1] << PAGE_SHIFT) +
		    8 * pt_index(gva, level);

	w->gpte[level - 1] |= bits;
	mem_write_u64(smmu->mem, gpa, w->gpte[level - 1]);
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
	uint64_t leaf = w->gpte[w->level - 1];
	gpa_t offset = gva & (BIT(pt_shift(w->level)) - 1);
	gpa_t base = leaf & PTE_ADDR & ~(BIT(pt_shift(w->level)) - 1);

	w->gfn = (base + offset) >> PAGE_SHIFT;
	w->pte_access = w->pt_access & gpte_access(smmu, leaf);
	w->was_dirty = leaf & PTE_D;
}

static bool walk_error(struct guest_walk *w, uint32_t access, uint32_t present)
{
	w->pfec = (access & (PFEC_W | PFEC_U | PFEC_ID)) | present;
	return false;
}

/* Read-only: look, but set neither A nor D. */
static bool walk_levels(const struct smmu *smmu, gva_t gva, uint32_t access,
			bool read_only, struct guest_walk *w)
{
	gfn_t table;

	*w = (struct guest_walk){.pt_access = ACC_ALL};
	if (!walk_start(smmu, gva, w, &table)) {
		w->level = 3;
		return walk_error(w, access, 0);
	}

	for (w->level = w->top;; w->level--) {
		unsigned int at = (unsigned int)w->level - 1;
		uint64_t gpte =
			guest_entry_read(smmu, table, pt_index(gva, w->level));

		w->table_gfn[at] = table;
		w->gpte[at] = gpte;
		if (!(gpte & PTE_P))
			return walk_error(w, access, 0);
		if (is_denied(smmu, gpte, access))
			return walk_error(w, access, PFEC_P);
		w->was_accessed = gpte & PTE_A;
		if (!(gpte & PTE_A) && !read_only)
			walk_set_bits(smmu, w, gva, w->level, PTE_A);
		if (is_guest_leaf(gpte, w->level))
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
	gpa_t gpa = (w->table_gfn[w->level - 1] << PAGE_SHIFT) +
		    8 * pt_index(gva, w->level);

	walk_set_bits(smmu, w, gva, w->level, PTE_D);
	smmu_pte_write(smmu, gpa, &w->gpte[w->level - 1], 8);
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

	if (smmu->cur->guest.mode == PAGING_OFF) {
		*ret = gva;
		return true;
	}
	if (!walk_levels(smmu, gva, 0, true, &w))
		return false;
	*ret = (w.gfn << PAGE_SHIFT) | (gva & PAGE_MASK);
	return true;
}
