/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Page faults (page_fault, fetch, set_pte_common): walk the guest's tables,
 * link shadow tables down to the leaf, fill the leaf, say what came of it.
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

static bool is_on_walk(const struct guest_walk *w, gfn_t gfn)
{
	for (int level = w->top; level >= w->level; level--)
		if (w->table_gfn[level - 1] == gfn)
			return true;
	return false;
}

/*
 * User code may write this frame, so it is no page table any more: KVM's
 * heuristic, until June 2008 (6bf6a9532fd0).
 */
static void unshadow(struct smmu *smmu, const struct fill *f)
{
	if (!f->user || !f->walk || is_on_walk(f->walk, f->gfn))
		return;
	if (f->write ? smmu->sw.unshadow_user_writes
		     : smmu->sw.unshadow_any_user_fault)
		smmu->acct->counter[CNT_mmu_unshadowed] +=
			sp_unprotect(smmu, f->gfn);
}

enum grant {
	GRANT_READ,
	GRANT_WRITE,
	GRANT_SHADOWED, /* write wanted, but the frame is a guest table */
};

/* CR0.WP=0, and a supervisor writes what is read-only. */
static bool is_wp0_write(const struct smmu *smmu, const struct fill *f,
			 unsigned int access)
{
	return !(access & ACC_WRITE) && f->write && !f->user &&
	       !smmu->cur->guest.wp;
}

/*
 * A supervisor's write that the guest allows for CR0.WP=0 alone, and that
 * hardware, with WP=1, must not be given an spte for: a page the protection key
 * of which forbids writing; or, as a page made the supervisor's is lost to
 * SMAP, any read-only page of the user's.
 */
static bool must_emulate(const struct smmu *smmu, const struct fill *f,
			 unsigned int access)
{
	const struct smmu_guest *guest = &smmu->cur->guest;
	bool denied = pkru_bits(guest->pkru, pte_pkey(f->gpte)) & PKRU_WD;

	if (!f->write || f->user || guest->wp || !(access & ACC_USER))
		return false;
	if (guest->pke && paging_is_long(guest->mode) && denied)
		return true;
	return guest->smap && is_wp0_write(smmu, f, access) &&
	       !smmu->sw.wp0_keeps_user;
}

static enum grant grant_write(struct smmu *smmu, const struct fill *f,
			      unsigned int access)
{
	if (!(access & ACC_WRITE) &&
	    (!is_wp0_write(smmu, f, access) || must_emulate(smmu, f, access)))
		return GRANT_READ;
	unshadow(smmu, f);
	return sync_needs_protection(smmu, f->gfn, true) ? GRANT_SHADOWED
							 : GRANT_WRITE;
}

/*
 * Until the seed a fill was added to what the spte granted already; but U is no
 * grant to a supervisor where SMEP, SMAP or a key would keep him out for ever.
 */
static uint64_t old_rights(const struct smmu *smmu, const struct fill *f)
{
	const struct smmu_guest *guest = &smmu->cur->guest;
	uint64_t old = spte_get(smmu, f->slot);

	if (!smmu->sw.spte_accumulates || guest->smep || guest->smap ||
	    guest->pke || !is_shadow_present(&smmu->v, old) ||
	    spte_gfn(old) != f->gfn)
		return 0;
	return old & (PTE_W | PTE_U | PTE_NX);
}

/* A page that only the supervisor may have now; SMEP must still see it. */
static uint64_t as_supervisor(const struct smmu *smmu, uint64_t spte)
{
	if ((spte & PTE_U) && smmu->cur->guest.smep)
		spte |= PTE_NX;
	return spte & ~PTE_U;
}

static uint64_t spte_make(const struct smmu *smmu, const struct fill *f,
			  unsigned int access, enum grant grant)
{
	uint64_t spte = PTE_P | PTE_D | (f->gfn << PAGE_SHIFT);

	spte |= old_rights(smmu, f);
	if (smmu->sw.spte_accessed)
		spte |= PTE_A;
	if (!(access & ACC_EXEC))
		spte |= PTE_NX;
	if (access & ACC_USER)
		spte |= PTE_U;
	if (has_pkeys(smmu, role_mode(sp_of_slot(smmu, f->slot)->role)))
		spte |= f->gpte & PTE_PKEY;
	if (grant == GRANT_SHADOWED)
		spte &= ~PTE_W;
	if (grant == GRANT_WRITE) {
		spte |= PTE_W;
		if (!(access & ACC_WRITE) && !smmu->sw.wp0_keeps_user)
			spte = as_supervisor(smmu, spte);
	}
	return spte;
}

static void spte_replace(struct smmu *smmu, slot_t slot, uint64_t spte)
{
	rmap_remove(smmu, slot, spte_get(smmu, slot));
	spte_set(smmu, slot, spte);
	rmap_add(smmu, slot, spte);
}

static void note_origin(struct smmu *smmu, slot_t slot, uint64_t gpte)
{
	if (smmu->made_from)
		smmu->made_from[slot] = gpte;
}

/* No lookup if it was writable: the frame is not protected then. */
void spte_sync(struct smmu *smmu, const struct sp *sp, slot_t slot,
	       uint64_t gpte)
{
	uint64_t old = spte_get(smmu, slot), spte;
	unsigned int access = gpte_access(smmu, gpte);
	struct fill f = {.slot = slot, .gfn = spte_gfn(old), .gpte = gpte};
	enum grant grant = GRANT_READ;

	if (smmu->sw.role_access)
		access &= role_access(sp->role);
	if (!(gpte & PTE_D))
		access &= ~ACC_WRITE;
	if (access & ACC_WRITE)
		grant = (old & PTE_W) || !sync_needs_protection(smmu, f.gfn,
								false)
				? GRANT_WRITE
				: GRANT_SHADOWED;
	note_origin(smmu, slot, gpte);
	spte = spte_make(smmu, &f, access, grant);
	if ((spte ^ old) & ~(PTE_A | PTE_D))
		spte_replace(smmu, slot, spte);
}

enum fill_result spte_fill(struct smmu *smmu, const struct fill *f)
{
	unsigned int access = f->access;
	enum grant grant;

	account_charge(smmu->acct, COST_SPTE_FILL, 1);
	if (!f->dirty)
		access &= ~ACC_WRITE;
	if (!gfn_is_ram(smmu, f->gfn)) {
		spte_replace(smmu, f->slot,
			     smmu->v.trap |
				     (smmu->sw.mmio_mark ? SPTE_IO_MARK : 0));
		return FILL_MMIO;
	}

	grant = grant_write(smmu, f, access);
	/* Unshadowing took the very table away: the access starts over. */
	if (unlikely(!sp_of_slot(smmu, f->slot)->in_use))
		return FILL_DONE;

	note_origin(smmu, f->slot, f->gpte);
	spte_replace(smmu, f->slot, spte_make(smmu, f, access, grant));
	sp_note_slot(smmu, sp_of_slot(smmu, f->slot), f->gfn);
	if (grant == GRANT_WRITE)
		slot_mark_dirty(smmu, f->gfn);
	if (grant == GRANT_SHADOWED && f->write)
		return FILL_WRITE_PT;
	if (must_emulate(smmu, f, access))
		return FILL_EMULATE;
	smmu->cur->last_updated = f->slot;
	return FILL_DONE;
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

	if (metaphysical)
		*gfn = w->gfn & ~(BIT(9 * (level - 1)) - 1);
	else
		*gfn = w->table_gfn[level - 2];

	if (smmu->sw.role_access) {
		access = w->pt_access;
		if (metaphysical && !(leaf & PTE_D))
			access &= ~ACC_WRITE;
	} else if (metaphysical && smmu->sw.role_hugepage_access) {
		access = gpte_access(smmu, leaf);
	}
	return role_make(smmu->cur->glevels, gva, level - 1, metaphysical,
			 access) |
	       guest_role(smmu) | (metaphysical ? leaf_role(smmu, leaf) : 0);
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
			table = spte & PTE_ADDR;
			continue;
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

	if (f.slot == NO_SLOT)
		return FILL_DONE;
	if (f.write && !(w->gpte[w->level - 1] & PTE_D))
		walk_set_bits(smmu, w, gva, w->level, PTE_D);
	f.gpte = w->gpte[w->level - 1];
	f.dirty = f.gpte & PTE_D;
	return spte_fill(smmu, &f);
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
	if (smmu->sw.mmio_mark || gfn_is_ram(smmu, w.gfn)) {
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

struct smmu_result smmu_page_fault(struct smmu *smmu, gva_t gva, uint32_t pfec)
{
	uint32_t access = pfec & (PFEC_W | PFEC_U | PFEC_ID | ACCESS_AC);
	struct before b;
	struct smmu_result r;

	gva = paging_linear(smmu->cur->guest.mode, gva);
	b = look_before(smmu, gva);
	audit_gva(smmu, gva, "pre page fault");
	sp_recycle(smmu);
	if (smmu->cur->guest.mode == PAGING_OFF)
		r = nonpaging_fault(smmu, gva, access, &b);
	else
		r = paging_fault(smmu, gva, access, &b);
	audit_gva(smmu, gva, "post page fault");
	return r;
}
