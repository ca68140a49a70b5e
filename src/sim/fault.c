/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Linear references: the processor walks; where that faults, the MMU of the
 * configuration has its say (mmu_shadow.c, mmu_direct.c); the processor tries
 * again.
 */
#include <string.h>

#include "sim/internal.h"

/* A reference needs at most a fill of the table and one for the dirty bit. */
#define MAX_TRIES 8

void sim_set_cr2(struct sim *sim, gva_t gva)
{
	sim->cur->cpu.cr2 = gva;
	sim->cur->view.cr2 = gva;
}

void sim_fault_direct(struct sim *sim, const struct guest_event *ev,
		      uint32_t pfec, struct guest_outcome *out)
{
	struct vmx_event pf = vmx_event_exception(EXC_PF, pfec);

	sim_set_cr2(sim, ev->gva);
	sim_raise(sim, &pf, ev->gva, out);
	if (out->verdict == GO_FAULT && out->vector == EXC_PF)
		sim_fault_given(sim, true);
	out->direct = true;
}

void sim_count_walk(struct sim *sim, unsigned int refs)
{
	if (!refs)
		return;
	sim->acct->tlb[TLB_walks]++;
	sim->acct->tlb[TLB_walk_refs] += refs;
	account_charge(sim->acct, COST_WALK_REF, refs);
}

static uint32_t data_grants(const struct paging_ctx *hardware,
			    const struct walk *w, bool write)
{
	if (hardware->pke && (w->rights & PTE_U) &&
	    paging_is_long(hardware->mode))
		return tlb_keyed(pte_pkey(w->leaf), write, hardware->pkru);
	return TLB_READ | (write ? TLB_WRITE : 0u);
}

static void fill_tlb(struct sim *sim, const struct guest_event *ev,
		     const struct walk *w)
{
	const struct paging_ctx *hardware = &sim->cur->hardware;
	bool dirty = (w->leaf & PTE_D) || (ev->access & PFEC_W);
	bool fetch = ev->access & PFEC_ID;
	bool barred = fetch ? hardware->smep : hardware->smap;
	uint32_t kind = fetch                 ? TLB_FETCH
			: ev->access & PFEC_W ? TLB_WRITE
					      : TLB_READ;
	struct tlb_page page = {.gva = ev->gva};
	uint32_t grants;

	grants = data_grants(hardware, w, (w->rights & PTE_W) && dirty);
	if (w->rights & PTE_U)
		grants |= TLB_USER;
	if (!(w->rights & PTE_U) || !barred)
		grants |= TLB_SUPERVISOR;
	if (!(w->rights & PTE_NX))
		grants |= TLB_FETCH;
	page.grants = grants;
	tlb_fill(&sim->cur->tlb, kind, &page);
}

void sim_access(struct sim *sim, const struct guest_event *ev,
		struct guest_outcome *out)
{
	for (int i = 0; i < MAX_TRIES; i++) {
		struct walk w;

		if (sim_is_probed(sim))
			sim_probe_event(sim, SIM_STEP_WALK, ev, NULL);
		w = cpu_translate(&sim->cur->hardware, sim->mem, ev->gva,
				  ev->access);

		if (unlikely(sim->may_stray))
			sim_look_for_stray(sim, ev, &w);
		if (sim->has_tlb)
			sim_count_walk(sim, sim->mmu->walk_refs(sim, &w));
		if (!w.fault) {
			if (sim->has_tlb)
				fill_tlb(sim, ev, &w);
			out->verdict = GO_DONE;
			out->hpa = w.pa;
			return;
		}
		out->verdict = GO_DONE;
		if (!i)
			sim->cur->access_began = sim_moment(sim);
		if (!sim->mmu->fault(sim, ev, &w, out))
			return;
	}
	sim_stop(sim, out,
		 "a fault at 0x%llx is fixed again and again without effect",
		 (unsigned long long)ev->gva);
}

static bool store_part(struct sim *sim, gpa_t gpa, const uint8_t *bytes,
		       unsigned int len)
{
	if (!mem_is_ram(sim->mem, gpa, len))
		return false;

	/* KVM applies the write to the shadow before the bytes land. */
	for (unsigned int i = 0; i < len; i += 8) {
		unsigned int n = len - i < 8 ? len - i : 8;

		sim->mmu->write(sim, gpa + i, bytes + i, n);
		memcpy(mem_ram(sim->mem, gpa + i), bytes + i, n);
	}
	return true;
}

/* The bytes of a store to a write-protected frame; split at a page's end. */
void sim_store(struct sim *sim, const struct guest_event *ev,
	       struct guest_outcome *out)
{
	unsigned int done = 0;

	BUG_ON(!sim->cur->emulating || ev->size > GUEST_STORE_MAX);
	while (done < ev->size) {
		gva_t gva = ev->gva + done;
		unsigned int room =
			(unsigned int)(PAGE_SIZE - (gva & PAGE_MASK));
		unsigned int len = ev->size - done;
		gpa_t gpa;

		if (len > room)
			len = room;
		if (!sim->mmu->gva_to_gpa(sim, gva, &gpa)) {
			sim->cur->emulating = false;
			sim->cur->retry_emulated = false;
			sim->mmu->refuse_store(sim, gva, out);
			return;
		}
		if (!store_part(sim, gpa, ev->bytes + done, len)) {
			out->verdict = GO_MMIO;
			out->gpa = gpa;
			return;
		}
		done += len;
	}
	sim_refresh_root(sim);
}

void sim_device(struct sim *sim)
{
	BUG_ON(!sim->cur->emulating);
	if (sim_in_exit(sim)) {
		account_count(sim->acct, CNT_insn_emulation);
		account_charge(sim->acct, COST_EMULATE, 1);
	}
	sim_end_emulation(sim);
}

void sim_emulate_failed(struct sim *sim, const struct guest_event *ev,
			struct guest_outcome *out)
{
	BUG_ON(!sim->cur->emulating);
	account_count(sim->acct, CNT_insn_emulation_fail);
	if (!sim->mmu->unprotect(sim, sim->cur->emulating_gva)) {
		sim_stop(sim, out,
			 "the instruction at 0x%llx cannot be emulated and "
			 "its target is not a page table",
			 (unsigned long long)ev->rip);
		return;
	}
	sim_refresh_root(sim);
}
