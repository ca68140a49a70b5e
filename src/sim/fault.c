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

/* A and D of a shadow's entry; what direct tables hold has both. */
static bool is_assisted(const struct sim *sim, const struct walk *w,
			uint32_t access)
{
	return sim->smmu && !w->fault &&
	       (~w->leaf & (PTE_A | (access & PFEC_W ? PTE_D : 0)));
}

void sim_access(struct sim *sim, const struct guest_event *ev,
		struct guest_outcome *out)
{
	sim->acct->tlb[TLB_misses] += sim->has_tlb;
	for (int i = 0; i < MAX_TRIES; i++) {
		struct walk w;

		if (sim_is_probed(sim))
			sim_probe_event(sim, SIM_STEP_WALK, ev, NULL);
		cpu_translate(&sim->cur->hardware, sim->mem, ev->gva,
			      ev->access, &w);

		if (unlikely(sim->may_stray))
			sim_look_for_stray(sim, ev, &w);
		if (sim->has_tlb)
			sim->mmu->count_walk(sim, ev, &w);
		if (!w.fault) {
			if (sim->has_tlb)
				sim_fill_tlb(sim, ev, &w);
			sim_count_assists(sim,
					  is_assisted(sim, &w, ev->access));
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
