/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The invariants of one spte, each stated once, as a line of the table below.
 *
 * KVM's audit walked from the root and asked for each address; this one asks
 * each table about the guest entry behind it, so it needs no root and covers
 * tables that are cached but not linked.
 */
#include <string.h>

#include "shadow_mmu/internal.h"

struct entry {
	const struct smmu *smmu;
	const struct sp *sp;
	unsigned int index;
	slot_t slot;
	uint64_t spte;
	int level;
	/*
	 * What the guest has there; valid if shadows.  Of a present spte in a
	 * table that is out of sync, or a vTLB's: what it had when the spte was
	 * made.
	 */
	uint64_t gpte;
	bool shadows; /* a guest table is behind it, and all writes were seen */
	bool leaf;    /* present, level 1 */
	bool link;    /* present, above */
};

/* The guest entry as it is, or will be once the pending bytes land. */
static uint64_t gpte_behind(const struct smmu *smmu, const struct sp *sp,
			    unsigned int index)
{
	unsigned int size = role_gpte_size(sp->role);
	gpa_t gpa = (sp->gfn << PAGE_SHIFT) +
		    (gpa_t)size * role_guest_index(sp->role, index);
	uint64_t gpte = sp_gpte(smmu, sp, index);
	uint8_t bytes[8];

	if (!smmu->pending.len)
		return gpte;
	memcpy(bytes, &gpte, sizeof(bytes));
	for (unsigned int i = 0; i < size; i++)
		if (gpa + i >= smmu->pending.gpa &&
		    gpa + i < smmu->pending.gpa + smmu->pending.len)
			bytes[i] = smmu->pending
					   .bytes[gpa + i - smmu->pending.gpa];
	memcpy(&gpte, bytes, sizeof(gpte));
	return gpte;
}

/* A present spte is of the time when it was made. */
static bool is_as_made(const struct sp *sp)
{
	return sp->unsync || role_is_private(sp->role);
}

/* Metaphysical: memory from gfn on, one entry after the other. */
static bool is_linear(const struct sp *sp)
{
	return role_is_metaphysical(sp->role) && !role_is_private(sp->role);
}

static struct entry entry_of(const struct smmu *smmu, const struct sp *sp,
			     unsigned int index)
{
	struct entry e = {
		.smmu = smmu,
		.sp = sp,
		.index = index,
		.slot = slot_make(sp->table, index),
		.level = role_level(sp->role),
		.shadows = !role_is_metaphysical(sp->role) && !sp->blind &&
			   !sp->invalid,
	};
	bool present;

	e.spte = spte_get(smmu, e.slot);
	present = is_shadow_present(&smmu->v, e.spte);
	e.leaf = present && e.level == 1;
	e.link = present && e.level > 1;
	if (sp->unsync)
		e.shadows = smmu->made_from &&
			    (present || is_mmio_spte(&smmu->v, e.spte));
	if (role_is_private(sp->role))
		e.shadows = smmu->made_from && e.level == 1 &&
			    (present || is_mmio_spte(&smmu->v, e.spte) ||
			     is_mmio_mark(&smmu->v, e.spte));
	if (e.shadows)
		e.gpte = is_as_made(sp) ? smmu->made_from[e.slot]
					: gpte_behind(smmu, sp, index);
	return e;
}

static bool is_notrap(const struct entry *e)
{
	return has_notrap(&e->smmu->v) && e->spte == e->smmu->v.notrap;
}

static bool absent_is_known(const struct entry *e)
{
	if (e->leaf || e->link)
		return true;
	if (is_mmio_mark(&e->smmu->v, e->spte))
		return e->level == 1 && e->smmu->sw.mmio_mark;
	if (is_mmio_spte(&e->smmu->v, e->spte))
		return e->level == 1;
	return e->spte == e->smmu->v.trap || e->spte == e->smmu->v.notrap;
}

static bool notrap_is_absent(const struct entry *e)
{
	return !is_notrap(e) || !e->shadows || !(e->gpte & PTE_P);
}

static bool notrap_is_shadowed(const struct entry *e)
{
	return !is_notrap(e) || !role_is_metaphysical(e->sp->role);
}

/* Without unsync_update_traps an emulated write leaves it there. */
static bool notrap_is_in_sync(const struct entry *e)
{
	return !is_notrap(e) || !e->sp->unsync ||
	       !e->smmu->sw.unsync_update_traps;
}

static bool mmio_is_no_ram(const struct entry *e)
{
	if (!is_mmio_mark(&e->smmu->v, e->spte) || !e->shadows)
		return true;
	return !gfn_is_ram(e->smmu, spte_gfn(e->gpte));
}

/* It holds the frame, and no right that the guest's entry has not got. */
static bool mmio_is_its_entry(const struct entry *e)
{
	gfn_t gfn = spte_gfn(e->spte & ~e->smmu->v.mmio);
	uint64_t lacks = ~e->gpte & (PTE_W | PTE_U);

	if (!is_mmio_spte(&e->smmu->v, e->spte))
		return true;
	if (gfn_is_ram(e->smmu, gfn))
		return false;
	if (is_linear(e->sp))
		return gfn == e->sp->gfn + e->index;
	if (!e->shadows)
		return true;
	if (!(e->gpte & PTE_D))
		lacks |= PTE_W;
	return (e->gpte & PTE_P) && (e->gpte & PTE_A) &&
	       gfn == spte_gfn(e->gpte) && !(e->spte & lacks);
}

static bool leaf_is_ram(const struct entry *e)
{
	return !e->leaf || gfn_is_ram(e->smmu, spte_gfn(e->spte));
}

static bool leaf_is_noted(const struct entry *e)
{
	gfn_t gfn = spte_gfn(e->spte);

	return !e->leaf || !gfn_is_ram(e->smmu, gfn) ||
	       (e->sp->slot_bitmap & BIT(e->smmu->slot_of[gfn]));
}

static bool leaf_is_logged(const struct entry *e)
{
	gfn_t gfn = spte_gfn(e->spte);

	return !e->leaf || !(e->spte & PTE_W) || !gfn_is_ram(e->smmu, gfn) ||
	       !slot_logs(e->smmu, gfn) || slot_is_dirty(e->smmu, gfn);
}

static bool leaf_maps_its_frame(const struct entry *e)
{
	if (!e->leaf)
		return true;
	if (is_linear(e->sp))
		return spte_gfn(e->spte) == e->sp->gfn + e->index;
	if (!e->shadows)
		return true;
	return (e->gpte & PTE_P) && spte_gfn(e->gpte) == spte_gfn(e->spte);
}

/* Which supervisor writes were not denied when the spte was made. */
static bool may_lack_w(const struct entry *e)
{
	const struct smmu_switches *sw = &e->smmu->sw;

	if (!sw->role_wp)
		return e->smmu->wp0_seen;
	return !(e->sp->role & ROLE_WP) &&
	       (sw->wp0_keeps_user || !(e->spte & PTE_U));
}

/* wp0_seen, nxe0_seen: without a role CR0.WP and EFER.NXE are in no key. */
static bool leaf_rights(const struct entry *e)
{
	bool keyed = e->smmu->sw.role_nxe;
	bool nxe = keyed ? e->sp->role & ROLE_NXE : e->smmu->cur->guest.nxe;
	bool nx = (e->gpte & PTE_NX) && nxe;

	if (!e->leaf || !e->shadows)
		return true;
	if ((e->spte & PTE_W) && !(e->gpte & PTE_W) && !may_lack_w(e))
		return false;
	if ((e->spte & PTE_U) && !(e->gpte & PTE_U))
		return false;
	return !nx || (e->spte & PTE_NX) || (!keyed && e->smmu->nxe0_seen);
}

static bool leaf_is_accessed(const struct entry *e)
{
	return !e->leaf || !e->shadows || (e->gpte & PTE_A);
}

static bool leaf_is_dirty(const struct entry *e)
{
	return !e->leaf || !e->shadows || !(e->spte & PTE_W) ||
	       (e->gpte & PTE_D);
}

static bool leaf_is_protected(const struct entry *e)
{
	gfn_t gfn = spte_gfn(e->spte);
	uint32_t page;

	if (!e->leaf || !(e->spte & PTE_W))
		return true;
	page = sp_bucket_first(e->smmu, gfn);
	for (; page != NO_PAGE; page = e->smmu->sp[page].hash_next) {
		const struct sp *sp = &e->smmu->sp[page];

		if (sp_shadows(sp, gfn) && !sp->blind && !sp->unsync)
			return false;
	}
	return true;
}

/* On the list that starts at head, as far as its neighbours say. */
static bool is_listed(const struct smmu *smmu, slot_t head, slot_t slot)
{
	struct slot_link link = smmu->link[slot];

	if (link.prev == NO_SLOT ? head != slot
				 : smmu->link[link.prev].next != slot)
		return false;
	return link.next == NO_SLOT || smmu->link[link.next].prev == slot;
}

static bool leaf_is_rmapped(const struct entry *e)
{
	if (!e->leaf || !is_rmap_spte(e->smmu, e->spte))
		return true;
	return gfn_is_ram(e->smmu, spte_gfn(e->spte)) &&
	       is_listed(e->smmu, e->smmu->rmap[spte_gfn(e->spte)], e->slot);
}

static const struct sp *child_of(const struct entry *e)
{
	hpa_t table = e->spte & PTE_ADDR;

	if (!pool_owns(&e->smmu->mem->pool, table))
		return NULL;
	return sp_of_table(e->smmu, table);
}

static bool link_is_live(const struct entry *e)
{
	const struct sp *child;

	if (!e->link)
		return true;
	child = child_of(e);
	if ((e->spte & ~(PTE_ADDR | PTE_A)) != (SPTE_LINK & ~PTE_A))
		return false;
	return child && child->in_use &&
	       role_level(child->role) == e->level - 1;
}

/* Of the guest's entry; 0 where keys are not shadowed. */
static uint64_t pkey_of(const struct entry *e)
{
	if (!has_pkeys(e->smmu, role_mode(e->sp->role)))
		return 0;
	return e->gpte & PTE_PKEY;
}

static bool leaf_has_its_key(const struct entry *e)
{
	if (!e->leaf)
		return true;
	if (is_linear(e->sp))
		return (e->spte & PTE_PKEY) == role_pkey(e->sp->role);
	return !e->shadows || (e->spte & PTE_PKEY) == pkey_of(e);
}

static gfn_t metaphysical_gfn(const struct entry *e)
{
	gfn_t first = e->sp->gfn;

	/* Paging off: a root maps a quarter of 4 GiB, its gfn is 0. */
	if (!role_glevels(e->sp->role))
		first = (gfn_t)((e->sp->role >> ROLE_QUADRANT_SHIFT) & 3) << 18;
	return first + ((gfn_t)e->index << (9 * (e->level - 1)));
}

static bool maps_large_page(const struct entry *e)
{
	if (!(e->gpte & PTE_PS) || e->level > 3)
		return false;
	if (role_glevels(e->sp->role) == 2)
		return e->sp->role & ROLE_PSE;
	return e->level == 2 || (e->smmu->features & FEATURE_1G);
}

/* First frame of the large page, or of the half that a 4 MiB one is here. */
static gfn_t large_page_gfn(const struct entry *e)
{
	enum paging_mode mode = role_mode(e->sp->role);
	uint64_t base = paging_leaf_base(mode, e->gpte, e->level);

	if (mode == PAGING_32)
		base += (uint64_t)(e->index & 1) << pt_shift(2);
	return base >> PAGE_SHIFT;
}

static bool link_shadows_its_table(const struct entry *e)
{
	const struct sp *child;

	if (!e->link || !link_is_live(e))
		return true;
	child = child_of(e);
	if (role_is_private(e->sp->role))
		return role_is_private(child->role) &&
		       pt_index(child->gfn << PAGE_SHIFT, e->level) == e->index;
	if (is_linear(e->sp))
		return role_is_metaphysical(child->role) &&
		       child->gfn == metaphysical_gfn(e);
	if (!e->shadows)
		return true;
	if (!(e->gpte & PTE_P) || !(e->gpte & PTE_A))
		return false;
	if (maps_large_page(e))
		return role_is_metaphysical(child->role) &&
		       child->gfn == large_page_gfn(e) &&
		       role_pkey(child->role) == pkey_of(e);
	return !role_is_metaphysical(child->role) &&
	       child->gfn == spte_gfn(e->gpte);
}

static bool link_is_known(const struct entry *e)
{
	if (!e->link || !link_is_live(e))
		return true;
	return is_listed(e->smmu, child_of(e)->parents, e->slot);
}

static const struct {
	const char *name;
	bool (*holds)(const struct entry *e);
} invariants[] = {
	{"an absent spte is trap, notrap or the MMIO mark", absent_is_known},
	{"notrap stands for an absent guest entry", notrap_is_absent},
	{"notrap is in no metaphysical table", notrap_is_shadowed},
	{"notrap is in no table that is out of sync", notrap_is_in_sync},
	{"the MMIO mark stands for no RAM", mmio_is_no_ram},
	{"an MMIO spte is what its guest entry says", mmio_is_its_entry},
	{"a leaf maps RAM", leaf_is_ram},
	{"a table that maps RAM has its slot bit", leaf_is_noted},
	{"a writable frame of a logged slot is in the log", leaf_is_logged},
	{"a leaf maps the frame its guest entry names", leaf_maps_its_frame},
	{"a leaf grants no right its guest entry lacks", leaf_rights},
	{"a leaf has its page's protection key", leaf_has_its_key},
	{"a leaf's guest entry is accessed", leaf_is_accessed},
	{"a writable leaf's guest entry is dirty", leaf_is_dirty},
	{"no leaf may write a frame whose shadow is in sync",
	 leaf_is_protected},
	{"a leaf is in its frame's rmap", leaf_is_rmapped},
	{"an upper spte links a live table one level down", link_is_live},
	{"a linked table shadows what the guest names", link_shadows_its_table},
	{"a linked table knows its parent", link_is_known},
};

void audit_entry(struct audit *a, const struct sp *sp, unsigned int index)
{
	struct entry e = entry_of(a->smmu, sp, index);

	if (e.level > 1 && is_notrap(&e))
		a->report->observed[SMMU_SEEN_nonleaf_notrap]++;
	if (sp->unsync && is_notrap(&e))
		a->report->observed[SMMU_SEEN_unsync_notrap]++;
	for (size_t i = 0; i < ARRAY_LEN(invariants); i++)
		if (unlikely(!invariants[i].holds(&e)))
			audit_violation(a, invariants[i].name, sp, index);
}
