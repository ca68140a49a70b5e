/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "checked.h"

#include <string.h>

#define MAX_TRIES 4

void sync_guest(struct run *run)
{
	static const int levels[] = {
		[PAGING_OFF] = 0,    [PAGING_32] = 2,     [PAGING_PAE] = 3,
		[PAGING_4LEVEL] = 4, [PAGING_5LEVEL] = 5,
	};
	const struct smmu_guest *g = &run->rig.guest;

	run->guest = (struct truth_guest){
		.ram = run->rig.mem->ram,
		.ram_size = WORLD_RAM,
		.levels = levels[g->mode],
		.cr3 = g->cr3,
		.wp = g->wp,
		.nxe = g->nxe,
		.pse = g->pse,
		.maxphyaddr = MAXPHYADDR,
	};
	memcpy(run->guest.pdpte, g->pdpte, sizeof(run->guest.pdpte));
	run->wp_was_off |= !g->wp;
}

void use_vcpu(struct run *run, unsigned int vcpu)
{
	struct run_vcpu *to = &run->left[vcpu];

	run->left[run->vcpu] = (struct run_vcpu){
		.rig_guest = run->rig.guest,
		.guest = run->guest,
		.flushed = run->flushed,
		.flushed_one = run->flushed_one,
		.nr_flushed_one = run->nr_flushed_one,
	};
	run->vcpu = vcpu;
	run->rig.guest = to->rig_guest;
	run->guest = to->guest;
	run->flushed = to->flushed;
	run->flushed_one = to->flushed_one;
	run->nr_flushed_one = to->nr_flushed_one;
	smmu_select(run->rig.smmu, vcpu);
	smmu_enter(run->rig.smmu);
}

static void flaw(struct run *run, enum flaw id)
{
	run->flaws[id]++;
}

/* Only A and D of the entries on the way may have changed. */
static void follow_ad(struct run *run, const struct truth *t)
{
	for (int i = 0; i < t->nr_entries; i++) {
		size_t size = run->guest.levels == 2 ? 4 : 8;
		uint64_t now = 0, was = 0;

		if (t->entry_at[i] + size > WORLD_RAM)
			continue;
		memcpy(&now, run->rig.mem->ram + t->entry_at[i], size);
		memcpy(&was, run->mirror + t->entry_at[i], size);
		REQUIRE(run, !((now ^ was) & ~UINT64_C(0x60)));
		REQUIRE(run, !(was & ~now));
		memcpy(run->mirror + t->entry_at[i], &now, size);
	}
}

bool is_shadowed(const struct run *run, gpa_t gpa)
{
	return smmu_is_shadowed(run->rig.smmu, gpa >> 12);
}

bool is_protected(const struct run *run, gpa_t gpa)
{
	const struct smmu *smmu = run->rig.smmu;
	uint32_t page = sp_bucket_first(smmu, gpa >> 12);

	for (; page != NO_PAGE; page = smmu->sp[page].hash_next)
		if (sp_shadows(&smmu->sp[page], gpa >> 12) &&
		    !smmu->sp[page].unsync)
			return true;
	return false;
}

bool is_lazy(const struct run *run)
{
	return run->rig.gen->sw.unsync || run->rig.gen->sw.vtlb;
}

/*
 * Tables out of sync are as a TLB: until it is flushed, the guest may meet what
 * an entry of level 1 said at any time since the last flush.  Entries above are
 * as they are now: where they are not looked at, the guest flushes.
 */
void note_change(struct run *run, gpa_t at)
{
	uint64_t val;

	if (!is_lazy(run))
		return;
	if (!(run->nr_was % 1024))
		run->was = realloc(run->was,
				   (run->nr_was + 1024) * sizeof(*run->was));
	assert_non_null(run->was);
	memcpy(&val, run->mirror + at, 8);
	run->was[run->nr_was++] = (struct was){at, val, run->op};
}

void note_flush(struct run *run)
{
	run->flushed = run->op;
	run->nr_flushed_one = 0;
	/* Others may still know it. */
	if (run->nr_vcpus == 1)
		run->nr_was = 0;
}

void note_flush_page(struct run *run, gva_t gva)
{
	size_t n = run->nr_flushed_one;

	if (!(n % 1024))
		run->flushed_one =
			realloc(run->flushed_one,
				(n + 1024) * sizeof(*run->flushed_one));
	assert_non_null(run->flushed_one);
	run->flushed_one[n] = (struct was){.at = gva >> 12, .until = run->op};
	run->nr_flushed_one++;
}

static uint64_t last_flush(const struct run *run, gva_t gva)
{
	for (size_t i = run->nr_flushed_one; i > 0; i--)
		if (run->flushed_one[i - 1].at == gva >> 12)
			return run->flushed_one[i - 1].until;
	return run->flushed;
}

static bool leads_there(const struct truth *t, gpa_t gpa)
{
	return !t->absent && t->gpa == gpa && t->accessed;
}

/* What the guest's tables allow, by the rules that this generation knows. */
static bool is_allowed(const struct run *run, const struct truth *t,
		       uint32_t access)
{
	if (t->reserved && run->rig.gen->sw.walk_checks_reserved)
		return false;
	return truth_allows(&run->guest, t, access & ACC_W, access & ACC_U,
			    access & ACC_X);
}

static bool agrees(const struct run *run, const struct truth *t, gpa_t gpa,
		   uint32_t access)
{
	return leads_there(t, gpa) && is_allowed(run, t, access) &&
	       (!(access & ACC_W) || t->leaf_dirty);
}

/* What the guest's tables say, or said, that explains the reference best. */
static struct truth explanation(struct run *run, gpa_t gpa, gva_t gva,
				uint32_t access)
{
	struct truth_guest guest = run->guest;
	struct truth now = truth_of(&guest, gva), best = now;
	int last = now.nr_entries - 1;
	uint64_t since = last_flush(run, gva), leaf;

	if (!is_lazy(run) || !guest.levels || last < 0 ||
	    agrees(run, &now, gpa, access) ||
	    now.nr_entries != (guest.levels == 3 ? 2 : guest.levels))
		return now;
	for (size_t i = run->nr_was; i > 0; i--) {
		const struct was *was = &run->was[i - 1];
		struct truth t;

		if (was->until < since)
			break;
		if (was->at != (now.entry_at[last] & ~UINT64_C(7)))
			continue;
		/* 4-byte entries: one half of what was noted. */
		leaf = was->val;
		if (guest.levels == 2)
			leaf = (uint32_t)(leaf >> (now.entry_at[last] % 8 * 8));
		guest.leaf = &leaf;
		t = truth_of(&guest, gva);
		if (agrees(run, &t, gpa, access)) {
			run->stale++;
			return t;
		}
		if (leads_there(&t, gpa) && !leads_there(&best, gpa))
			best = t;
	}
	return best;
}

/* The processor got through. */
static void check_through(struct run *run, const struct walk *w, gva_t gva,
			  uint32_t access)
{
	struct truth t = explanation(run, w->pa, gva, access);
	const struct smmu_switches *sw = &run->rig.gen->sw;
	bool large = t.page_level > 1;

	REQUIRE(run, !t.absent);
	REQUIRE(run, t.gpa == w->pa);
	REQUIRE(run, w->pa < WORLD_RAM);
	if (t.reserved) {
		REQUIRE(run, !sw->walk_checks_reserved);
		flaw(run, FLAW_reserved);
	}
	if (!truth_allows(&run->guest, &t, access & ACC_W, access & ACC_U,
			  access & ACC_X)) {
		REQUIRE(run, run->world.wild && !sw->role_access_above);
		/* Only NX above is lost where nothing is shared. */
		REQUIRE(run, !sw->vtlb || (access & ACC_X));
		flaw(run, FLAW_rights);
	}
	REQUIRE(run, t.accessed);
	if ((access & ACC_W) && run->guest.levels && !t.leaf_dirty) {
		REQUIRE(run, large && (!sw->role_access || run->wp_was_off));
		REQUIRE(run, !sw->role_large_checked && !sw->vtlb);
		flaw(run,
		     sw->role_access ? FLAW_large_dirty_wp0 : FLAW_large_dirty);
	}
	if ((access & ACC_W) && is_protected(run, w->pa)) {
		REQUIRE(run, !run->guest.levels && !sw->nonpaging_protects);
		flaw(run, FLAW_nonpaging_write);
	}
}

static uint32_t code_bits(uint32_t access)
{
	return access & (ACC_W | ACC_U | ACC_X);
}

/* Of an injected fault. */
static uint32_t injected_bits(const struct run *run, uint32_t access)
{
	bool has_nx = run->guest.nxe && run->guest.levels != 2;

	if (run->rig.gen->sw.fetch_code_needs_nxe && !has_nx)
		access &= ~ACC_X;
	return code_bits(access);
}

static void check_direct(struct run *run, uint32_t pfec, gva_t gva,
			 uint32_t access)
{
	struct truth t = truth_of(&run->guest, gva);

	REQUIRE(run, run->rig.bypass && run->guest.levels);
	REQUIRE(run, t.absent);
	REQUIRE(run, pfec == code_bits(access));
	if (t.reserved) {
		REQUIRE(run, !run->rig.gen->sw.walk_checks_reserved);
		flaw(run, FLAW_reserved);
	}
	if ((access & ACC_X) && !run->guest.nxe)
		flaw(run, FLAW_fetch_bit);
}

/* The processor's code, now that the walk is the processor's. */
static void check_injected_exactly(struct run *run, const struct smmu_result *r,
				   const struct truth *t, uint32_t access)
{
	uint32_t more = PFEC_P;

	if (t->reserved)
		more = PFEC_P | PFEC_RSVD;
	else if (t->absent)
		more = 0;
	/* Reflected without a walk, the code keeps the processor's I/D. */
	if (run->rig.gen->sw.gnp_sptes && t->absent && (access & ACC_X) &&
	    (!run->guest.nxe || run->guest.levels == 2) &&
	    r->pfec == (code_bits(access) | more))
		flaw(run, FLAW_fetch_bit);
	else
		REQUIRE(run, r->pfec == (injected_bits(run, access) | more));
	REQUIRE(run,
		r->cause == (t->reserved ? CAUSE_reserved : CAUSE_injected));
}

static void check_injected(struct run *run, const struct smmu_result *r,
			   const struct truth *t, uint32_t access)
{
	bool w = access & ACC_W, u = access & ACC_U, x = access & ACC_X;

	REQUIRE(run, !is_allowed(run, t, access));
	if (run->rig.gen->sw.walk_goes_on) {
		check_injected_exactly(run, r, t, access);
		return;
	}
	REQUIRE(run, (r->pfec & ~PFEC_P) == injected_bits(run, access));
	/* The walk ends at the first missing right, the model's does not. */
	if (r->cause == CAUSE_reserved)
		REQUIRE(run, t->reserved);
	else
		REQUIRE(run, r->cause == CAUSE_injected &&
				     (!t->reserved || (r->pfec & PFEC_P)));
	if (!t->absent) {
		REQUIRE(run, r->pfec & PFEC_P);
	} else if (r->pfec & PFEC_P) {
		REQUIRE(run, truth_denies_above(&run->guest, t, w, u, x));
		REQUIRE(run, run->world.wild);
		flaw(run, FLAW_check_order);
	}
}

static void check_fixed(struct run *run, const struct smmu_result *r,
			const struct truth *t, uint32_t access)
{
	/* Nothing is cached here, so no fault is for nothing. */
	REQUIRE(run, r->cause != CAUSE_spurious);
	if (r->cause == CAUSE_accessed_dirty)
		REQUIRE(run, !t->leaf_accessed ||
				     ((access & ACC_W) && !t->leaf_dirty));
	else
		REQUIRE(run, r->cause == CAUSE_hidden_fill);
}

/* t: of the guest as it was before the exit. */
static enum rig_end check_result(struct run *run, const struct smmu_result *r,
				 const struct truth *t, gva_t gva,
				 uint32_t access)
{
	if (r->verdict == SMMU_INJECT) {
		check_injected(run, r, t, access);
		return RIG_INJECT;
	}

	if (r->verdict == SMMU_MMIO) {
		struct truth was = *t;

		/* By an MMIO spte, which may be stale. */
		if (run->guest.levels && !agrees(run, t, r->gpa, access))
			was = explanation(run, r->gpa, gva, access);
		REQUIRE(run, is_allowed(run, &was, access));
		REQUIRE(run, r->gpa == was.gpa);
		REQUIRE(run, r->gpa >= WORLD_RAM && r->cause == CAUSE_mmio);
		return RIG_MMIO;
	}
	REQUIRE(run, is_allowed(run, t, access));
	REQUIRE(run, r->gpa == t->gpa);
	REQUIRE(run, r->gpa < WORLD_RAM);
	if (r->verdict == SMMU_EMULATE) {
		REQUIRE(run, r->cause == CAUSE_pt_write);
		REQUIRE(run, access & ACC_W);
		REQUIRE(run, is_shadowed(run, r->gpa));
		return RIG_EMULATE;
	}
	check_fixed(run, r, t, access);
	return RIG_OK;
}

static void check_stuck(struct run *run, gva_t gva, uint32_t access)
{
	struct truth t = truth_of(&run->guest, gva);

	REQUIRE(run, !run->rig.gen->sw.role_access);
	REQUIRE(run, !run->guest.nxe && (access & ACC_X) && t.leaf_nx);
	flaw(run, FLAW_nx_loop);
}

static void processor_marks(struct run *run, const struct walk *w,
			    uint32_t access)
{
	run->rig.mem->pool.model[pool_page(w->table)][w->index] |=
		PTE_A | ((access & ACC_W) ? PTE_D : 0);
}

/* One reference, every step checked. */
enum rig_end access_checked(struct run *run, gva_t gva, uint32_t access,
			    gpa_t *gpa)
{
	for (int i = 0; i <= MAX_TRIES; i++) {
		struct truth t = truth_of(&run->guest, gva);
		struct smmu_result r;
		enum rig_end end;
		struct walk w;

		smmu_enter(run->rig.smmu);
		w = rig_walk(&run->rig, gva, access);
		*gpa = w.pa;
		if (!w.fault) {
			check_through(run, &w, gva, access);
			processor_marks(run, &w, access);
			return RIG_OK;
		}
		if (run->rig.bypass && !(w.pfec & PFEC_P)) {
			check_direct(run, w.pfec, gva, access);
			return RIG_DIRECT;
		}
		r = smmu_page_fault(run->rig.smmu, gva, w.pfec);
		follow_ad(run, &t);
		*gpa = r.gpa;
		end = check_result(run, &r, &t, gva, access);
		if (end != RIG_OK)
			return end;
	}
	check_stuck(run, gva, access);
	return RIG_LOOP;
}
