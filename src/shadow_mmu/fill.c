/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Leaf sptes: which rights one gets (set_pte_common, later set_spte), and what
 * is filled ahead with it.
 */
#include "shadow_mmu/internal.h"

/* Fills of one fault at most: a group of 8, or what follows up to 32. */
#define AHEAD_GROUP  8u
#define AHEAD_FOLLOW 32u

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
 * SMAP and to keys (PKRU changes without an exit, and is each processor's own),
 * any read-only page of the user's.
 */
static bool must_emulate(const struct smmu *smmu, const struct fill *f,
			 unsigned int access)
{
	const struct smmu_guest *guest = &smmu->cur->guest;
	bool denied = pkru_bits(guest->pkru, pte_pkey(f->gpte)) & PKRU_WD;
	bool keyed = guest->pke && paging_is_long(guest->mode);

	if (!f->write || f->user || guest->wp || !(access & ACC_USER))
		return false;
	if (keyed && denied)
		return true;
	return (guest->smap || keyed) && is_wp0_write(smmu, f, access) &&
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

static void note_fill(struct smmu *smmu, const struct fill *f)
{
	bool is_private = role_is_private(sp_of_slot(smmu, f->slot)->role);

	if (is_private)
		vtlb_note(smmu, f);
	note_origin(smmu, f->slot, is_private ? vtlb_origin(f) : f->gpte);
}

/* Before role_access the rights above were in no key, and taken for granted. */
static unsigned int rights_above(const struct smmu *smmu, const struct sp *sp)
{
	return smmu->sw.role_access ? role_access(sp->role) : ACC_ALL;
}

/* No lookup if it was writable: the frame is not protected then. */
void spte_sync(struct smmu *smmu, const struct sp *sp, slot_t slot,
	       uint64_t gpte)
{
	uint64_t old = spte_get(smmu, slot), spte;
	unsigned int access = gpte_access(smmu, gpte) & rights_above(smmu, sp);
	struct fill f = {.slot = slot, .gfn = spte_gfn(old), .gpte = gpte};
	enum grant grant = GRANT_READ;

	if (!(gpte & PTE_D))
		access &= ~ACC_WRITE;
	if (access & ACC_WRITE)
		grant = (old & PTE_W) || !sync_needs_protection(smmu, f.gfn,
								false)
				? GRANT_WRITE
				: GRANT_SHADOWED;
	note_origin(smmu, slot, gpte);
	if (grant == GRANT_WRITE)
		slot_mark_dirty(smmu, f.gfn);
	spte = spte_make(smmu, &f, access, grant);
	if ((spte ^ old) & ~(PTE_A | PTE_D))
		spte_replace(smmu, slot, spte);
}

/*
 * No RAM there: trap, marked until 2008; or since 3.1 the frame and the rights
 * under reserved bits, so that its fault tells all.
 */
static uint64_t mmio_spte(const struct smmu *smmu, gfn_t gfn,
			  unsigned int access)
{
	uint64_t mask = smmu->v.mmio, at = gfn << PAGE_SHIFT;

	if (smmu->sw.mmio_mark)
		return smmu->v.trap | SPTE_IO_MARK;
	if (!mask || (at & mask))
		return smmu->v.trap;
	account_count(smmu->acct, CNT_mmio_sptes);
	return mask | at | (access & (ACC_WRITE | ACC_USER));
}

void spte_sync_mmio(struct smmu *smmu, const struct sp *sp, slot_t slot,
		    uint64_t gpte)
{
	unsigned int access = gpte_access(smmu, gpte) & rights_above(smmu, sp);

	if (!(gpte & PTE_D))
		access &= ~ACC_WRITE;
	note_origin(smmu, slot, gpte);
	spte_set(smmu, slot,
		 mmio_spte(smmu, (gpte & PTE_ADDR) >> PAGE_SHIFT, access));
}

enum fill_result spte_fill(struct smmu *smmu, const struct fill *f)
{
	unsigned int access = f->access;
	enum grant grant;

	account_charge(smmu->acct, f->ahead ? COST_FILL_AHEAD : COST_SPTE_FILL,
		       1);
	if (!f->dirty)
		access &= ~ACC_WRITE;
	if (!gfn_is_ram(smmu, f->gfn)) {
		note_fill(smmu, f);
		spte_replace(smmu, f->slot, mmio_spte(smmu, f->gfn, access));
		return FILL_MMIO;
	}

	grant = grant_write(smmu, f, access);
	/* Unshadowing took the very table away: the access starts over. */
	if (unlikely(!sp_of_slot(smmu, f->slot)->in_use))
		return FILL_DONE;

	note_fill(smmu, f);
	spte_replace(smmu, f->slot, spte_make(smmu, f, access, grant));
	sp_note_slot(smmu, sp_of_slot(smmu, f->slot), f->gfn);
	if (grant == GRANT_WRITE)
		slot_mark_dirty(smmu, f->gfn);
	if (grant == GRANT_SHADOWED && f->write)
		return FILL_WRITE_PT;
	if (must_emulate(smmu, f, access))
		return FILL_EMULATE;
	if (!f->ahead)
		smmu->cur->last_updated = f->slot;
	return FILL_DONE;
}

/* False: no use to go on. */
static bool fill_metaphysical(struct smmu *smmu, const struct sp *sp,
			      slot_t slot)
{
	const struct fill f = {
		.slot = slot,
		.gfn = sp->gfn + slot_index(slot),
		.access = role_access(sp->role),
		.dirty = true,
		.gpte = role_pkey(sp->role),
		.ahead = true,
	};

	if (!smmu->sw.role_access || !gfn_is_ram(smmu, f.gfn))
		return false;
	spte_fill(smmu, &f);
	return true;
}

/* An entry that another fault would be needed for: A, or D, is to be set. */
static bool wants_fault(const struct smmu *smmu, uint64_t gpte)
{
	if (!(gpte & PTE_A))
		return true;
	return smmu->sw.fill_following && (gpte & PTE_W) && !(gpte & PTE_D);
}

static bool fill_shadow(struct smmu *smmu, struct sp *sp, slot_t slot)
{
	uint64_t gpte = sp_gpte(smmu, sp, slot_index(slot));
	const struct fill f = {
		.slot = slot,
		.gfn = (gpte & PTE_ADDR) >> PAGE_SHIFT,
		.access = gpte_access(smmu, gpte) & rights_above(smmu, sp),
		.dirty = gpte & PTE_D,
		.gpte = gpte,
		.ahead = true,
	};

	if (smmu->sw.notrap_bars_reserved && gpte_is_reserved(smmu, gpte))
		return true;
	if (!(gpte & PTE_P)) {
		spte_absent(smmu, slot, CNT_mmu_ahead_notrap);
		return true;
	}
	if (wants_fault(smmu, gpte))
		return !smmu->sw.fill_following;
	if (!gfn_is_ram(smmu, f.gfn) && !smmu->sw.fill_following)
		return false;
	spte_fill(smmu, &f);
	return true;
}

void spte_absent(struct smmu *smmu, slot_t slot, enum counter_id count)
{
	const struct sp *sp = sp_of_slot(smmu, slot);

	if (!smmu->sw.notrap_entries ||
	    (sp->unsync && smmu->sw.unsync_update_traps))
		return;
	spte_set(smmu, slot, smmu->v.notrap);
	if (has_notrap(&smmu->v))
		account_count(smmu->acct, count);
}

void fill_ahead(struct smmu *smmu, slot_t filled)
{
	struct sp *sp = sp_of_slot(smmu, filled);
	unsigned int index = slot_index(filled);
	unsigned int i = index & ~(AHEAD_GROUP - 1), end = i + AHEAD_GROUP;

	/* Its neighbours stand for no table that could be read. */
	if (role_is_private(sp->role))
		return;
	if (smmu->sw.fill_following) {
		i = index + 1;
		end = index + AHEAD_FOLLOW < PT_ENTRIES ? index + AHEAD_FOLLOW
							: PT_ENTRIES;
	} else if (!smmu->sw.fill_neighbours) {
		return;
	}
	for (bool go_on = true; go_on && sp->in_use && i < end; i++) {
		slot_t slot = slot_make(sp->table, i);

		if (i == index)
			continue;
		if (spte_get(smmu, slot) != smmu->v.trap)
			go_on = !smmu->sw.fill_following;
		else if (role_is_metaphysical(sp->role))
			go_on = fill_metaphysical(smmu, sp, slot);
		else
			go_on = fill_shadow(smmu, sp, slot);
	}
}
