/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Page faults (page_fault, fetch): walk the guest's tables, link shadow tables
 * down to the leaf, have the leaf filled (fill.c), say what came of it.
 *
 * Two hazards of the original are closed, as they end in a corrupted host or
 * an endless loop: user code that writes a table it is translated by, or a
 * table that is a root, gets its write emulated instead of the table zapped
 * under the walk (docs/shadow-mmu.md, "Departures").
 */
#include "shadow_mmu/internal.h"

/* What the shadow said of gva before the fault was handled. */
struct before {
	slot_t leaf; /* NO_SLOT: no leaf table */
	uint64_t spte;
	bool present;
	bool awaits_a;
	bool unlogged; /* write-protected until the frame is in the log */
};

static struct before look_before(const struct smmu *smmu, gva_t gva)
{
	struct before b = {.leaf = shadow_leaf(smmu, gva)};

	if (b.leaf == NO_SLOT)
		return b;
	b.spte = spte_get(smmu, b.leaf);
	b.present = is_shadow_present(&smmu->v, b.spte);
	b.awaits_a = !b.present && sp_awaits_a(smmu, b.leaf);
	b.unlogged = b.present && slot_logs(smmu, spte_gfn(b.spte)) &&
		     !slot_is_dirty(smmu, spte_gfn(b.spte));
	return b;
}

/* Why an exit was needed that ends with an spte which translates. */
static enum pf_cause fixed_cause(const struct before *b, uint32_t access,
				 bool was_accessed, bool was_dirty)
{
	if (b->present && spte_allows(b->spte, access))
		return CAUSE_spurious;
	if (b->awaits_a && !was_accessed)
		return CAUSE_accessed_dirty;
	if (b->present && (!was_dirty || b->unlogged) && (access & PFEC_W) &&
	    spte_allows(b->spte | PTE_W, access))
		return was_dirty ? CAUSE_dirty_log : CAUSE_accessed_dirty;
	return CAUSE_hidden_fill;
}

/* Pieces of a split page share its protection key, which is in no gpte. */
static uint32_t leaf_role(const struct smmu *smmu, uint64_t leaf)
{
	if (!has_pkeys(smmu, smmu->cur->guest.mode))
		return 0;
	return pte_pkey(leaf) << ROLE_PKEY_SHIFT;
}

/*
 * The key of the table to link at `level`.  Below a guest large page there is
 * no guest table: a metaphysical one, keyed by the piece of the page that it
 * maps.  Intermediate tables get the rights above the *leaf*, not those above
 * themselves: KVM's mistake until 2021 (b1bd5cba3306), kept.
 */
static uint32_t child_key(const struct smmu *smmu, const struct guest_walk *w,
			  gva_t gva, int level, gfn_t *gfn)
{
	bool metaphysical = level <= w->level;
	uint64_t leaf = w->gpte[w->level - 1];
	unsigned int access = 0;

	if (smmu->sw.vtlb)
		return vtlb_key(smmu, gva, level - 1, gfn);
	if (metaphysical)
		*gfn = w->gfn & ~(BIT(9 * (level - 1)) - 1);
	else
		*gfn = w->table_gfn[level - 2];

	if (smmu->sw.role_access) {
		access = w->pt_access;
		if (metaphysical && smmu->sw.role_large_access)
			access = w->pte_access;
		else if (!metaphysical && smmu->sw.role_access_above)
			access = w->above[level - 2];
		if (metaphysical && !(leaf & PTE_D))
			access &= ~ACC_WRITE;
	} else if (metaphysical && smmu->sw.role_hugepage_access) {
		access = gpte_access(smmu, leaf);
	}
	return role_make(smmu->cur->glevels, gva, level - 1, metaphysical,
			 access) |
	       guest_role(smmu) | role_control(smmu) |
	       (metaphysical ? leaf_role(smmu, leaf) : 0);
}

/* The entry the child table stands for is no longer what the walk saw. */
static bool gpte_changed(const struct smmu *smmu, const struct guest_walk *w,
			 gva_t gva, int level)
{
	enum paging_mode mode = smmu->cur->guest.mode;

	return guest_entry_read(
		       smmu, w->table_gfn[level - 1], paging_entry_size(mode),
		       paging_index(mode, gva, level)) != w->gpte[level - 1];
}

/* Link a table under the slot; NULL: give up, the access starts over. */
static struct sp *link_table(struct smmu *smmu, const struct guest_walk *w,
			     gva_t gva, int level, slot_t slot)
{
	gfn_t gfn;
	uint32_t role = child_key(smmu, w, gva, level, &gfn);
	struct sp *child = sp_get(smmu, gfn, role, slot);

	if (smmu->sw.fetch_rechecks && !role_is_metaphysical(role) &&
	    gpte_changed(smmu, w, gva, level - 1)) {
		parent_remove(smmu, child, slot);
		return NULL;
	}
	spte_set(smmu, slot, child->table | SPTE_LINK);
	return child;
}

/*
 * validate_direct_spte (c22885050e65): the large page's entry has other rights,
 * or another D, than when its pieces were linked.
 */
static bool is_other_split(const struct smmu *smmu, const struct guest_walk *w,
			   gva_t gva, int level, uint64_t spte)
{
	const struct sp *child = sp_of_table(smmu, spte & PTE_ADDR);
	gfn_t gfn;

	return smmu->sw.role_large_checked && level <= w->level &&
	       child->role != child_key(smmu, w, gva, level, &gfn);
}

static void unlink_table(struct smmu *smmu, slot_t slot)
{
	parent_remove(smmu, sp_of_table(smmu, spte_get(smmu, slot) & PTE_ADDR),
		      slot);
	spte_set(smmu, slot, smmu->v.trap);
	flush_remote(smmu);
}

/* The leaf slot of gva, with the tables on the way; NO_SLOT: start over. */
static slot_t fetch_slot(struct smmu *smmu, gva_t gva,
			 const struct guest_walk *w)
{
	hpa_t table = smmu->cur->root;
	int level = w->top;

	if (!paging_is_long(smmu->cur->guest.mode))
		table = pool_get(&smmu->mem->pool, smmu->cur->pae_root,
				 (gva >> 30) & 3) &
			PTE_ADDR;

	for (;; level--) {
		slot_t slot = slot_make(table, pt_index(gva, level));
		uint64_t spte = spte_get(smmu, slot);
		struct sp *child;

		if (level == 1)
			return slot;
		if (is_shadow_present(&smmu->v, spte)) {
			if (!is_other_split(smmu, w, gva, level, spte)) {
				table = spte & PTE_ADDR;
				continue;
			}
			unlink_table(smmu, slot);
		}
		child = link_table(smmu, w, gva, level, slot);
		if (!child)
			return NO_SLOT;
		table = child->table;
	}
}

static enum fill_result fetch(struct smmu *smmu, gva_t gva, uint32_t access,
			      struct guest_walk *w)
{
	struct fill f = {
		.slot = fetch_slot(smmu, gva, w),
		.gfn = w->gfn,
		.access = w->pte_access,
		.write = access & PFEC_W,
		.user = access & PFEC_U,
		.walk = w,
	};
	enum fill_result filled;

	if (f.slot == NO_SLOT)
		return FILL_DONE;
	if (f.write && !(w->gpte[w->level - 1] & PTE_D))
		walk_set_bits(smmu, w, gva, w->level, PTE_D);
	f.gpte = w->gpte[w->level - 1];
	f.dirty = f.gpte & PTE_D;
	filled = spte_fill(smmu, &f);
	if (sp_of_slot(smmu, f.slot)->in_use)
		fill_ahead(smmu, f.slot);
	return filled;
}

static void reset_flood(struct smmu *smmu)
{
	if (smmu->sw.flood_reset_on_fault)
		smmu->cur->last_pt_write_count = 0;
}

static struct smmu_result inject(struct smmu *smmu, const struct guest_walk *w)
{
	reset_flood(smmu);
	return (struct smmu_result){
		.verdict = SMMU_INJECT,
		.cause = walk_saw_reserved(smmu, w) ? CAUSE_reserved
						    : CAUSE_injected,
		.pfec = w->pfec,
		.level = (uint8_t)w->level,
	};
}

/* cause: if the spte translates now. */
static struct smmu_result result_of(struct smmu *smmu, enum fill_result filled,
				    gpa_t gpa, enum pf_cause cause)
{
	struct smmu_result r = {
		.verdict = SMMU_FIXED, .cause = cause, .gpa = gpa};

	if (filled == FILL_MMIO) {
		r.verdict = SMMU_MMIO;
		r.cause = CAUSE_mmio;
		return r;
	}
	account_count(smmu->acct, CNT_pf_fixed);
	if (filled == FILL_EMULATE) {
		r.verdict = SMMU_EMULATE;
		r.cause = CAUSE_hidden_fill;
	}
	if (filled == FILL_WRITE_PT) {
		r.verdict = SMMU_EMULATE;
		r.cause = CAUSE_pt_write;
	}
	return r;
}

static struct smmu_result paging_fault(struct smmu *smmu, gva_t gva,
				       uint32_t access, const struct before *b)
{
	enum fill_result filled = FILL_MMIO;
	struct guest_walk w;
	gpa_t gpa;

	if (!walk_guest(smmu, gva, access, &w))
		return inject(smmu, &w);
	gpa = (w.gfn << PAGE_SHIFT) | (gva & PAGE_MASK);

	/* Without the mark the shadow never hears of MMIO (d196e343361c). */
	if (smmu->sw.mmio_mark || smmu->v.mmio || gfn_is_ram(smmu, w.gfn)) {
		filled = fetch(smmu, gva, access, &w);
		if (filled != FILL_WRITE_PT)
			reset_flood(smmu);
	}
	return result_of(smmu, filled, gpa,
			 fixed_cause(b, access, w.was_accessed, w.was_dirty));
}

static struct smmu_result nonpaging_fault(struct smmu *smmu, gva_t gva,
					  uint32_t access,
					  const struct before *b)
{
	return result_of(smmu, nonpaging_map(smmu, gva, access), gva,
			 fixed_cause(b, access, true, true));
}

/*
 * A fault by reserved bits: the spte itself says what it stands for.  False: it
 * does not, or not this access.
 */
static bool fast_fault(struct smmu *smmu, gva_t gva, uint32_t access,
		       struct smmu_result *ret)
{
	const struct smmu_guest *guest = &smmu->cur->guest;
	slot_t slot = shadow_leaf(smmu, gva);
	uint64_t spte = slot == NO_SLOT ? 0 : spte_get(smmu, slot);
	/* Where a U page may be closed to the kernel, the walk must tell. */
	bool by_walk = (access & PFEC_ID) || guest->smap || guest->pke;

	account_charge(smmu->acct, COST_FAST_FAULT, 1);
	if (smmu->sw.gnp_sptes && slot != NO_SLOT && has_notrap(&smmu->v) &&
	    spte == smmu->v.notrap) {
		account_count(smmu->acct, CNT_fault_fast_gnp);
		reset_flood(smmu);
		*ret = (struct smmu_result){.verdict = SMMU_INJECT,
					    .cause = CAUSE_injected,
					    .pfec = access &
						    ~(uint32_t)ACCESS_AC,
					    .level = 1};
		return true;
	}
	if (!by_walk && is_mmio_spte(&smmu->v, spte) &&
	    spte_allows(spte, access)) {
		account_count(smmu->acct, CNT_fault_fast_mmio);
		*ret = (struct smmu_result){
			.verdict = SMMU_MMIO,
			.cause = CAUSE_mmio,
			.gpa = (spte_gfn(spte & ~smmu->v.mmio) << PAGE_SHIFT) |
			       (gva & PAGE_MASK)};
		return true;
	}
	account_count(smmu->acct, CNT_fault_fast_fail);
	return false;
}

struct smmu_result smmu_page_fault(struct smmu *smmu, gva_t gva, uint32_t pfec)
{
	uint32_t access = pfec & (PFEC_W | PFEC_U | PFEC_ID | ACCESS_AC);
	struct before b;
	struct smmu_result r;

	gva = paging_linear(smmu->cur->guest.mode, gva);
	b = look_before(smmu, gva);
	audit_gva(smmu, gva, "pre page fault");
	if ((pfec & PFEC_RSVD) && (smmu->v.mmio || smmu->sw.gnp_sptes) &&
	    fast_fault(smmu, gva, access, &r))
		return r;
	sp_recycle(smmu);
	if (smmu->cur->guest.mode == PAGING_OFF)
		r = nonpaging_fault(smmu, gva, access, &b);
	else
		r = paging_fault(smmu, gva, access, &b);
	audit_gva(smmu, gva, "post page fault");
	return r;
}
