/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The processor's translation hardware at work: what a walk costs, what the
 * TLBs get, and what is flushed when.
 *
 * Without VPID an exit and entry flushes all.  With it the hypervisor does so
 * by itself where it has to (INVVPID, or INVEPT beneath EPT): once an exit, at
 * its end, as KVM's request bit is taken back at an entry.
 */
#include <errno.h>

#include "sim/internal.h"

int sim_use_tlb(struct sim *sim, const struct cpu_geometry *geometry,
		struct diag *diag)
{
	BUG_ON(sim->has_tlb || cpu_geometry_flaw(geometry));
	sim->has_tlb = true;
	for (unsigned int i = 0; i < sim->nr_vcpus; i++)
		if (hardware_init(&sim->vcpu[i].hw, geometry))
			return diag_set(diag, -ENOMEM, "no host memory");
	return 0;
}

struct tlb *sim_tlb(struct sim *sim, unsigned int vcpu)
{
	BUG_ON(vcpu >= sim->nr_vcpus);
	return &sim->vcpu[vcpu].hw.tlb;
}

/* --- Walks --------------------------------------------------------------- */

static void count_reads(struct account *acct, const struct walker_counts *c)
{
	for (int i = 0; i < NR_CACHE_LEVELS; i++) {
		if (!c->refs[i])
			continue;
		acct->tlb[TLB_walk_refs_l1 + i] += c->refs[i];
		if (c->charged[i])
			account_charge(acct, (enum cost_id)(COST_WALK_L1 + i),
				       c->charged[i]);
	}
}

static void count_walk(struct account *acct, const struct walker_counts *c)
{
	uint64_t *tlb = acct->tlb;

	tlb[TLB_walks]++;
	tlb[TLB_walks_overlapped] += c->overlaps;
	tlb[TLB_walk_refs] += c->reads;
	tlb[TLB_walk_refs_hidden] += c->hidden;
	tlb[TLB_ept_refs] += c->ept_refs;
	tlb[TLB_nested_lookups] += c->nested_lookups;
	tlb[TLB_nested_hits] += c->nested_hits;
	if (c->psc_level)
		tlb[TLB_psc_pde_hits + c->psc_level - 2]++;
	else
		tlb[TLB_psc_misses]++;
	if (!c->overlaps)
		account_charge(acct, COST_WALK, 1);
	count_reads(acct, c);
}

void sim_count_walk(struct sim *sim, const struct guest_event *ev,
		    const struct walker_path *path)
{
	struct walker_counts counts;

	if (!path->nr && !(path->ept_levels && path->has_page))
		return;
	walker_walk(&sim->cur->hw.walker, path, ev->gva, ev->insns, &counts);
	count_walk(sim->acct, &counts);
}

void sim_count_assists(struct sim *sim, unsigned int nr)
{
	if (!sim->has_tlb || !nr)
		return;
	sim->acct->tlb[TLB_ad_assists] += nr;
	account_charge(sim->acct, COST_AD_ASSIST, nr);
}

/* --- Fills --------------------------------------------------------------- */

static uint32_t data_grants(const struct paging_ctx *hardware,
			    const struct walk *w, bool write)
{
	if (hardware->pke && (w->rights & PTE_U) &&
	    paging_is_long(hardware->mode))
		return tlb_keyed(pte_pkey(w->leaf), write, hardware->pkru);
	return TLB_READ | (write ? TLB_WRITE : 0u);
}

static uint32_t grants_of(const struct paging_ctx *hardware,
			  const struct guest_event *ev, const struct walk *w)
{
	bool dirty = (w->leaf & PTE_D) || (ev->access & PFEC_W);
	bool barred = ev->access & PFEC_ID ? hardware->smep : hardware->smap;
	uint32_t grants =
		data_grants(hardware, w, (w->rights & PTE_W) && dirty);

	if (w->rights & PTE_U)
		grants |= TLB_USER;
	if (!(w->rights & PTE_U) || !barred)
		grants |= TLB_SUPERVISOR;
	if (!(w->rights & PTE_NX))
		grants |= TLB_FETCH;
	return grants;
}

static uint32_t kind_of(uint32_t access)
{
	if (access & PFEC_ID)
		return TLB_KIND_FETCH;
	return access & PFEC_W ? TLB_KIND_STORE : TLB_KIND_LOAD;
}

void sim_fill_tlb(struct sim *sim, const struct guest_event *ev,
		  const struct walk *w)
{
	struct tlb_page page = {
		.gva = ev->gva,
		.grants = grants_of(&sim->cur->hardware, ev, w),
	};

	sim->mmu->page(sim, w, &page);
	tlb_fill(&sim->cur->hw.tlb, kind_of(ev->access), &page);
}

/* --- Flushes ------------------------------------------------------------- */

static void count_flush(struct sim *sim, enum hardware_flush flush)
{
	switch (flush) {
	case FLUSH_NONE:
		break;
	case FLUSH_PAGE:
		sim->acct->tlb[TLB_page_flushes]++;
		break;
	case FLUSH_CONTEXT:
		sim->acct->tlb[TLB_context_flushes]++;
		break;
	case FLUSH_ALL:
		sim->acct->tlb[TLB_flushes]++;
		break;
	}
}

static bool has_vpid(const struct sim *sim)
{
	return sim->cur->ctl.proc2 & VMX_PROC2_VPID;
}

void sim_flush_by_exit(struct sim *sim)
{
	if (!sim->has_tlb)
		return;
	walker_serialize(&sim->cur->hw.walker);
	if (!has_vpid(sim))
		count_flush(sim, hardware_exit_entry(&sim->cur->hw));
}

void sim_forget_rights(struct sim *sim)
{
	if (sim->has_tlb)
		tlb_flush(&sim->cur->hw.tlb);
}

static void invalidate(struct sim *sim)
{
	bool is_ept = sim->cur->ctl.proc2 & VMX_PROC2_EPT;
	struct cpu_hardware *hw = &sim->cur->hw;

	account_charge(sim->acct, is_ept ? COST_INVEPT : COST_INVVPID, 1);
	if (sim->has_tlb)
		count_flush(sim, is_ept ? hardware_invept(hw)
					: hardware_invvpid(hw));
}

void sim_want_flush(struct sim *sim)
{
	if (!has_vpid(sim))
		return;
	if (sim_in_exit(sim))
		sim->cur->wants_flush = true;
	else
		invalidate(sim);
}

void sim_do_flush(struct sim *sim)
{
	if (!sim->cur->wants_flush)
		return;
	sim->cur->wants_flush = false;
	invalidate(sim);
}

void sim_flush_by_cr(struct sim *sim, unsigned int cr, uint64_t was,
		     uint64_t val)
{
	struct cpu_hardware *hw = &sim->cur->hw;
	const struct cpu *cpu = &sim->cur->cpu;
	/* A shadow's root has no PCID. */
	uint64_t cr4 = sim->smmu ? 0 : cpu->cr4;

	if (cr == 3)
		account_charge(sim->acct, COST_MOV_CR3, 1);
	if (!sim->has_tlb)
		return;
	if (cr == 3)
		count_flush(sim, hardware_mov_cr3(hw, cr4, val));
	else if (cr == 0)
		count_flush(sim, hardware_mov_cr0(hw, was, cpu->cr0));
	else if (cr == 4)
		count_flush(sim, hardware_mov_cr4(hw, was, cpu->cr4));
}

void sim_flush_by_insn(struct sim *sim, const struct guest_event *ev)
{
	struct cpu_hardware *hw = &sim->cur->hw;
	enum hardware_flush flush = FLUSH_NONE;

	account_charge(sim->acct,
		       ev->kind == GE_INVLPG ? COST_INVLPG : COST_INVPCID, 1);
	if (!sim->has_tlb)
		return;
	if (ev->kind == GE_INVLPG)
		flush = hardware_invlpg(hw, ev->gva);
	else
		flush = hardware_invpcid(hw, cpu_paging(&sim->cur->cpu),
					 ev->reg, (uint16_t)ev->value, ev->gva);
	count_flush(sim, flush);
}

/* The processor begins with this CR3. */
void sim_begin_with_cr3(struct sim *sim)
{
	const struct cpu *cpu = &sim->cur->cpu;

	if (sim->has_tlb && !sim->smmu)
		hardware_mov_cr3(&sim->cur->hw, cpu->cr4, cpu->cr3);
}
