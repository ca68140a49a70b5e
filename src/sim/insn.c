/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sensitive instructions whose exit the controls alone decide, and I/O.  Values
 * of CPUID leaves and ports are the source's: here an exit is decided and paid
 * for.
 */
#include "sim/internal.h"

void sim_io(struct sim *sim, const struct guest_event *ev,
	    struct guest_outcome *out)
{
	struct vmx_io io = {
		.port = (uint16_t)ev->error,
		.size = ev->size,
		.in = !(ev->access & PFEC_W),
		.string = ev->reg & GUEST_IO_STRING,
		.rep = ev->reg & GUEST_IO_REP,
		.imm = ev->reg & GUEST_IO_IMM,
	};

	sim_region_ends(sim, ev, out);
	if (out->verdict != GO_DONE)
		return;
	if (vmx_io_exits(&sim->cur->ctl, io.port, io.size)) {
		sim_exit_insn(sim, ev, EXIT_REASON_IO_INSTRUCTION,
			      vmx_qual_io(&io), COST_IO);
		sim_enter(sim, out);
	}
	sim_region_begins(sim, ev);
}

static enum vmx_insn insn_of(enum guest_event_kind kind)
{
	switch (kind) {
	case GE_INVLPG:
		return VMX_INSN_INVLPG;
	case GE_INVPCID:
		return VMX_INSN_INVPCID;
	case GE_CPUID:
		return VMX_INSN_CPUID;
	case GE_HLT:
		return VMX_INSN_HLT;
	case GE_RDTSC:
		return VMX_INSN_RDTSC;
	case GE_RDPMC:
		return VMX_INSN_RDPMC;
	case GE_INVD:
		return VMX_INSN_INVD;
	case GE_WBINVD:
		return VMX_INSN_WBINVD;
	case GE_VMCALL:
		return VMX_INSN_VMCALL;
	case GE_PAUSE:
		return VMX_INSN_PAUSE;
	case GE_DR:
		return VMX_INSN_MOV_DR;
	default:
		BUG("not an instruction that controls alone decide on");
	}
}

static uint64_t qualification_of(const struct guest_event *ev)
{
	if (ev->kind == GE_INVLPG)
		return ev->gva;
	if (ev->kind == GE_DR)
		return vmx_qual_mov_dr(ev->cr, !ev->value, ev->reg);
	return 0;
}

static unsigned int pcid_of(const struct cpu *cpu)
{
	return cpu->cr4 & CR4_PCIDE ? (unsigned int)(cpu->cr3 & PCID_BITS) : 0;
}

/*
 * kvm_handle_invpcid.  Only the roots of the PCID at work are held; those of
 * another are synced when CR3 loads them.
 */
static void handle_invpcid(struct sim *sim, const struct guest_event *ev)
{
	const struct cpu *cpu = &sim->cur->cpu;
	bool ours = ev->value == pcid_of(cpu);

	if (!cpu_invpcid_is_valid(cpu, ev->reg, ev->value, ev->gva)) {
		struct vmx_event gp = vmx_event_exception(EXC_GP, 0);

		sim_inject(sim, &gp);
		return;
	}
	if (ev->reg == INVPCID_ADDRESS) {
		account_count(sim->acct, CNT_invlpg);
		if (ours)
			sim->mmu->flush_page(sim, ev->gva, true);
		return;
	}
	account_count(sim->acct, CNT_tlb_flush);
	if (ours || ev->reg != INVPCID_CONTEXT)
		sim->mmu->flush(sim, true);
}

/* True: INVPCID is refused before any exit, or without one. */
static bool refuse_invpcid(struct sim *sim, const struct guest_event *ev,
			   struct guest_outcome *out)
{
	const struct cpu *cpu = &sim->cur->cpu;
	bool known = sim->cur->ctl.proc2 & VMX_PROC2_INVPCID;
	struct vmx_event event =
		vmx_event_exception(known ? EXC_GP : EXC_UD, 0);

	if (known && (vmx_insn_exits(&sim->cur->ctl, VMX_INSN_INVPCID) ||
		      cpu_invpcid_is_valid(cpu, ev->reg, ev->value, ev->gva)))
		return false;
	sim_raise(sim, &event, 0, out);
	return true;
}

/* The processor executes it itself. */
static void flush_by_insn(struct sim *sim, const struct guest_event *ev)
{
	bool one = ev->kind == GE_INVLPG ||
		   (ev->kind == GE_INVPCID && ev->reg == INVPCID_ADDRESS);

	if (one)
		sim->mmu->flush_page(sim, ev->gva, false);
	else if (ev->kind == GE_INVPCID)
		sim->mmu->flush(sim, false);
	if (one || ev->kind == GE_INVPCID)
		sim_flush_by_insn(sim, ev);
}

void sim_wrpkru(struct sim *sim, const struct guest_event *ev)
{
	uint32_t pkru = (uint32_t)ev->value;

	sim->cur->cpu.pkru = pkru;
	sim->cur->hardware.pkru = pkru;
	sim->mmu->set_pkru(sim);
	if (sim->has_tlb)
		tlb_set_pkru(&sim->cur->hw.tlb, pkru);
}

void sim_insn(struct sim *sim, const struct guest_event *ev,
	      struct guest_outcome *out)
{
	enum vmx_insn insn = insn_of(ev->kind);
	struct vmx_event ud = vmx_event_exception(EXC_UD, 0);

	if (ev->kind == GE_INVPCID && refuse_invpcid(sim, ev, out))
		return;
	if (!vmx_insn_exits(&sim->cur->ctl, insn)) {
		flush_by_insn(sim, ev);
		if (ev->kind == GE_VMCALL)
			sim_raise(sim, &ud, 0, out);
		return;
	}
	sim_exit_insn(sim, ev, vmx_insn_reason(insn), qualification_of(ev),
		      COST_OTHER);
	if (ev->kind == GE_INVLPG) {
		account_count(sim->acct, CNT_invlpg);
		sim->mmu->flush_page(sim, ev->gva, true);
	}
	if (ev->kind == GE_INVPCID)
		handle_invpcid(sim, ev);
	if (ev->kind == GE_HLT)
		sim->cur->runs = false;
	if (ev->kind == GE_VMCALL) {
		/* No hypercall is offered: as if there were no VMX. */
		sim_inject(sim, &ud);
	}
	sim_enter(sim, out);
}
