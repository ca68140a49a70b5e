/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guest memory by shadow tables: the whole path of a page fault in one place.
 *
 * The processor has walked the shadow; VMX decides by the error code; the
 * shadow MMU fills, reflects or asks for emulation.
 */
#include <string.h>

#include "sim/internal.h"

/* Live migration has begun. */
static void log_dirty(struct sim *sim)
{
	struct smmu_slot ram;
	struct diag diag;

	smmu_get_slot(sim->smmu, 0, &ram);
	ram.log_dirty = true;
	BUG_ON(smmu_set_slot(sim->smmu, 0, &ram, &diag));
	sim->dirty_log_next = config_get(&sim->config, OPT_dirty_log);
}

static int create(struct sim *sim, struct diag *diag)
{
	struct smmu_config mmu = config_mmu(&sim->config);
	int err = smmu_create(&mmu, sim->mem, sim->acct, &sim->smmu, diag);

	if (!err && config_get(&sim->config, OPT_dirty_log))
		log_dirty(sim);
	return err;
}

static void destroy(struct sim *sim)
{
	smmu_destroy(sim->smmu);
}

static struct sim_audit audit(const struct sim *sim)
{
	const struct smmu_audit_report *own = smmu_audit_result(sim->smmu);

	return (struct sim_audit){own->violations, own->first};
}

static void select(struct sim *sim, unsigned int vcpu)
{
	smmu_select(sim->smmu, vcpu);
}

static bool take_remote_flush(struct sim *sim)
{
	return smmu_take_remote_flush(sim->smmu);
}

static void read_dirty_log(struct sim *sim)
{
	smmu_read_dirty_log(sim->smmu, 0, NULL, NULL);
}

static struct smmu_guest guest_of(const struct cpu *cpu)
{
	const struct paging_ctx ctx = cpu_guest_paging(cpu);
	struct smmu_guest guest = {
		.mode = ctx.mode,
		.cr3 = cpu->cr3,
		.wp = ctx.wp,
		.nxe = ctx.nxe,
		.pse = ctx.pse,
		.pge = cpu->cr4 & CR4_PGE,
		.smep = ctx.smep,
		.smap = ctx.smap,
		.pke = ctx.pke,
		.pkru = ctx.pkru,
	};

	memcpy(guest.pdpte, ctx.pdpte, sizeof(guest.pdpte));
	return guest;
}

static void reset(struct sim *sim)
{
	struct smmu_guest guest = guest_of(&sim->cur->cpu);

	smmu_reset_context(sim->smmu, &guest);
}

/* A new CR3 is in place: the roots follow (paging_new_cr3). */
static void switch_roots(struct sim *sim)
{
	struct smmu_guest guest = guest_of(&sim->cur->cpu);

	smmu_new_cr3(sim->smmu, &guest);
	account_count(sim->acct, CNT_tlb_flush);
}

/* KVM always started the MMU's context afresh when it saw CR0 or CR4 change. */
static bool load_cr(struct sim *sim, unsigned int cr, bool exits,
		    struct guest_outcome *out)
{
	const struct cpu *cpu = &sim->cur->cpu;

	if (cr == 3 && cpu_is_paging(cpu))
		switch_roots(sim);
	/* vmx_set_cr3, and the reset of the context below. */
	if (exits)
		sim_want_flush(sim);
	if (!exits || (cr != 0 && cr != 4))
		return true;
	if (cpu_is_paging(cpu) && !cpu_root_is_ram(sim->mem, cpu->cr3)) {
		sim_stop(sim, out,
			 "the guest turns paging on with CR3 0x%llx, where it "
			 "has no memory",
			 (unsigned long long)cpu->cr3);
		return false;
	}
	reset(sim);
	account_count(sim->acct, CNT_tlb_flush);
	return true;
}

static void set_efer(struct sim *sim)
{
	smmu_set_nxe(sim->smmu, sim->cur->cpu.efer & EFER_NXE);
	sim_want_flush(sim);
}

static void set_pkru(struct sim *sim)
{
	smmu_set_pkru(sim->smmu, sim->cur->cpu.pkru);
}

/* What no exit tells of, it does not know. */
static void flush_page(struct sim *sim, gva_t gva, bool exits)
{
	if (!exits)
		return;
	smmu_invlpg(sim->smmu, gva);
	sim_want_flush(sim);
}

static void flush(struct sim *sim, bool exits)
{
	if (!exits)
		return;
	smmu_sync(sim->smmu);
	sim_want_flush(sim);
}

static struct sim_root enter(struct sim *sim)
{
	smmu_enter(sim->smmu);
	return (struct sim_root){smmu_root(sim->smmu),
				 smmu_shadow_mode(sim->smmu)};
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
	chain_amend(&sim->cur->tape, chain_of_cause(r.cause));
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
		/* Its exit lasts until the source has been at the device. */
		sim_refresh_root(sim);
		sim->cur->emulating = true;
		sim->cur->emulating_gva = ev->gva;
		out->verdict = GO_MMIO;
		out->gpa = r.gpa;
		return false;
	}
	BUG("verdict of the shadow MMU");
}

/* Of the shadow's tables, from the root to where the walk has ended. */
static void count_walk(struct sim *sim, const struct guest_event *ev,
		       const struct walk *w)
{
	struct walker_path path = {.mode = sim->cur->hardware.mode,
				   .nr = w->refs};

	memcpy(path.at, w->at, sizeof(path.at));
	sim_count_walk(sim, ev, &path);
}

/* Sptes map 4 KiB, and have no G. */
static void page(const struct sim *sim, const struct walk *w,
		 struct tlb_page *ret)
{
	(void)sim;
	(void)w;
	ret->size = TLB_4K;
}

static bool fault(struct sim *sim, const struct guest_event *ev,
		  const struct walk *w, struct guest_outcome *out)
{
	bool exits = vmx_pf_exits(&sim->cur->ctl, w->pfec);

	if (sim_is_probed(sim))
		sim_probe_fault(sim, ev->gva, w->pfec, exits);
	if (exits)
		return page_fault_exit(sim, ev, w, out);
	/* Past the hypervisor, into the guest: it never knows. */
	sim_fault_direct(sim, ev, w->pfec, out);
	return false;
}

static void write(struct sim *sim, gpa_t gpa, const void *bytes,
		  unsigned int len)
{
	smmu_pte_write(sim->smmu, gpa, bytes, len);
}

static void refuse_store(struct sim *sim, gva_t gva, struct guest_outcome *out)
{
	reflect(sim, gva, PFEC_W, out);
}

static bool unprotect(struct sim *sim, gva_t gva)
{
	return smmu_unprotect(sim->smmu, gva);
}

static bool gva_to_gpa(const struct sim *sim, gva_t gva, gpa_t *ret)
{
	return smmu_gva_to_gpa(sim->smmu, gva, ret);
}

const struct sim_mmu sim_mmu_shadow = {
	.create = create,
	.destroy = destroy,
	.audit = audit,
	.select = select,
	.take_remote_flush = take_remote_flush,
	.read_dirty_log = read_dirty_log,
	.reset = reset,
	.load_cr = load_cr,
	.set_efer = set_efer,
	.set_pkru = set_pkru,
	.flush_page = flush_page,
	.flush = flush,
	.enter = enter,
	.count_walk = count_walk,
	.page = page,
	.fault = fault,
	.write = write,
	.refuse_store = refuse_store,
	.unprotect = unprotect,
	.gva_to_gpa = gva_to_gpa,
};
