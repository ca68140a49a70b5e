/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Linear references: the whole path of a page fault in one place.
 *
 * The processor walks the shadow; VMX decides by the error code; the shadow
 * MMU fills, reflects or asks for emulation; the processor tries again.
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

static enum vmx_reflection reflection(const struct sim *sim)
{
	const struct smmu_switches *sw = &sim->sw;

	if (sw->df_by_table)
		return VMX_REFLECT_TABLE;
	if (sw->df_queued)
		return VMX_REFLECT_QUEUE;
	/* One that went past the hypervisor is not in its books. */
	if (sw->df_of_injected && sim->cur->fault_direct)
		return VMX_REFLECT_REPLACE;
	return VMX_REFLECT_PF;
}

/* Give a true guest fault to the guest: the exit is over. */
static void reflect(struct sim *sim, gva_t gva, uint32_t pfec,
		    struct guest_outcome *out)
{
	struct vmx_event cut = vmx_vectoring_event(sim->cur->vmcs);
	struct vmx_reflected r =
		vmx_reflect_page_fault(sim->cur->vmcs, pfec, reflection(sim));

	account_count(sim->acct, CNT_pf_guest);
	account_charge(sim->acct, COST_INJECT, 1);
	if (r.sets_cr2)
		sim_set_cr2(sim, gva);
	if (r.triple_fault) {
		sim_exit_end(sim);
		out->verdict = GO_SHUTDOWN;
		return;
	}
	if (r.event.valid && r.event.vector == EXC_PF)
		sim_fault_given(sim, false);
	if (cut.valid && cut.type == VMX_TYPE_EXTERNAL)
		sim_requeue(sim, cut.vector);
	sim_enter(sim, out);
}

static void begin_emulation(struct sim *sim, const struct guest_event *ev,
			    struct guest_outcome *out)
{
	/*
	 * The processor itself pushes onto a shadowed frame: there is no
	 * instruction to emulate.  Give the frame up as a table.
	 */
	if (sim->cur->delivering.valid) {
		smmu_unprotect(sim->smmu, ev->gva);
		sim_enter(sim, out);
		return;
	}
	account_count(sim->acct, CNT_insn_emulation);
	account_charge(sim->acct, COST_EMULATE, 1);
	sim->cur->emulating = true;
	sim->cur->emulating_gva = ev->gva;
	out->verdict = GO_EMULATE;
}

static void note_page_fault(struct sim *sim, gva_t gva, uint32_t pfec,
			    enum pf_cause cause)
{
	struct sim_exit_record *record = &sim->record;

	record->is_page_fault = true;
	record->cause = cause;
	record->pfec = pfec;
	record->gva = gva;
	if (!smmu_gva_to_gpa(sim->smmu, gva, &record->gpa))
		record->gpa = SIM_NO_GPA;
}

/*
 * A guest fault whose own error code would have passed the filter, had the
 * shadow said of it what the guest's tables say.
 */
static void count_missed(struct sim *sim, const struct walk *w,
			 const struct smmu_result *r)
{
	if (!vmx_pf_exits(&sim->cur->ctl, r->pfec))
		account_count(sim->acct, w->level > r->level
						 ? CNT_bypass_no_table
						 : CNT_bypass_trap);
}

/* Returns true if the reference is to be tried again. */
static bool page_fault_exit(struct sim *sim, const struct guest_event *ev,
			    const struct walk *w, struct guest_outcome *out)
{
	struct vmx_event pf = vmx_event_exception(EXC_PF, w->pfec);
	struct smmu_result r;

	sim_exit(sim, vmx_exit_exception(&pf, ev->gva));
	r = smmu_page_fault(sim->smmu, ev->gva,
			    w->pfec | (ev->access & ACCESS_AC));
	sim->acct->pf_cause[r.cause]++;
	if (sim_is_probed(sim))
		sim_probe_handled(sim, &r);
	if (sim->tell)
		note_page_fault(sim, ev->gva, w->pfec, r.cause);

	switch (r.verdict) {
	case SMMU_FIXED:
		sim_enter(sim, out);
		/* A delivery cut short starts over, the rest is retried. */
		return out->verdict == GO_DONE;
	case SMMU_INJECT:
		count_missed(sim, w, &r);
		reflect(sim, ev->gva, r.pfec, out);
		return false;
	case SMMU_EMULATE:
		begin_emulation(sim, ev, out);
		return false;
	case SMMU_MMIO:
		sim_refresh_root(sim);
		sim_exit_end(sim);
		out->verdict = GO_MMIO;
		out->gpa = r.gpa;
		return false;
	}
	BUG("verdict of the shadow MMU");
}

/* Returns true if the reference is to be tried again. */
static bool raise_page_fault(struct sim *sim, const struct guest_event *ev,
			     const struct walk *w, struct guest_outcome *out)
{
	struct vmx_event pf = vmx_event_exception(EXC_PF, w->pfec);
	bool exits = vmx_pf_exits(&sim->cur->ctl, w->pfec);

	sim->cur->access_began = sim->acct->now;
	if (sim_is_probed(sim))
		sim_probe_fault(sim, ev->gva, w->pfec, exits);
	if (exits)
		return page_fault_exit(sim, ev, w, out);

	/* Past the hypervisor, into the guest: it never knows. */
	sim_set_cr2(sim, ev->gva);
	sim_raise(sim, &pf, ev->gva, out);
	if (out->verdict == GO_FAULT && out->vector == EXC_PF)
		sim_fault_given(sim, true);
	out->direct = true;
	return false;
}

static void count_walk(struct sim *sim, const struct walk *w)
{
	sim->acct->tlb[TLB_walks]++;
	sim->acct->tlb[TLB_walk_refs] += w->refs;
	account_charge(sim->acct, COST_WALK_REF, w->refs);
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
	uint32_t grants;

	grants = data_grants(hardware, w, (w->rights & PTE_W) && dirty);
	if (w->rights & PTE_U)
		grants |= TLB_USER;
	if (!(w->rights & PTE_U) || !barred)
		grants |= TLB_SUPERVISOR;
	if (!(w->rights & PTE_NX))
		grants |= TLB_FETCH;
	tlb_fill(&sim->cur->tlb, ev->gva, fetch, grants);
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
			count_walk(sim, &w);
		if (!w.fault) {
			if (sim->has_tlb)
				fill_tlb(sim, ev, &w);
			out->verdict = GO_DONE;
			out->hpa = w.pa;
			return;
		}
		out->verdict = GO_DONE;
		if (!raise_page_fault(sim, ev, &w, out))
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

		smmu_pte_write(sim->smmu, gpa + i, bytes + i, n);
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
		if (!smmu_gva_to_gpa(sim->smmu, gva, &gpa)) {
			sim->cur->emulating = false;
			reflect(sim, gva, PFEC_W, out);
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

void sim_emulate_failed(struct sim *sim, const struct guest_event *ev,
			struct guest_outcome *out)
{
	BUG_ON(!sim->cur->emulating);
	account_count(sim->acct, CNT_insn_emulation_fail);
	if (!smmu_unprotect(sim->smmu, sim->cur->emulating_gva)) {
		sim_stop(sim, out,
			 "the instruction at 0x%llx cannot be emulated and "
			 "its target is not a page table",
			 (unsigned long long)ev->rip);
		return;
	}
	sim_refresh_root(sim);
}
