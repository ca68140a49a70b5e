/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The VMCS a hypervisor of 2007 sets up, and the guest's control registers and
 * MSRs.  Values of MSRs are the source's: here an exit is decided and paid for,
 * and control state is kept.
 */
#include <errno.h>

#include "sim/internal.h"

/*
 * KVM's choice with shadow tables: every CR0 bit and these CR4 bits belong to
 * the hypervisor (facts: KVM_GUEST_CR4_MASK of 2.6.24); hardware always pages,
 * protects supervisor writes and uses 8-byte entries.
 */
#define CR4_HOST_OWNED (CR4_VME | CR4_PSE | CR4_PAE | CR4_PGE | CR4_VMXE)
#define CR0_HARDWARE   (CR0_PG | CR0_PE | CR0_WP | CR0_NE)
#define CR4_HARDWARE   (CR4_PAE | CR4_VMXE)
/*
 * And with EPT, KVM 3.1: the hardware pages as the guest does.  CR0.TS is the
 * guest's, as the FPU is (vmx_fpu_activate), and so is CR4.PGE beside the rest
 * of KVM_CR4_GUEST_OWNED_BITS (set_cr4_guest_host_mask).
 */
#define EPT_CR0_GUEST_OWNED CR0_TS
#define EPT_CR4_GUEST_OWNED \
	(CR4_PVI | CR4_DE | CR4_PCE | CR4_OSFXSR | CR4_OSXMMEXCPT | CR4_PGE)
/* The guest's, but not while it has no paging: hardware has. */
#define CR4_JUDGES (CR4_SMEP | CR4_SMAP | CR4_PKE)

static uint64_t or_auto(const struct config *config, enum option_id id,
			uint64_t otherwise)
{
	uint64_t val = config_get(config, id);

	return val == CONFIG_AUTO ? otherwise : val;
}

/* Without it INVPCID is #UD, with it it exits where INVLPG does. */
static uint32_t proc2_controls(const struct config *config)
{
	bool invpcid = config_get(config, OPT_features) & FEATURE_INVPCID;
	uint32_t proc2 = invpcid ? VMX_PROC2_INVPCID : 0;

	if (config_mmu_kind(config) == MMU_EPT)
		proc2 |= VMX_PROC2_EPT | VMX_PROC2_UNRESTRICTED;
	if (config_has_vpid(config))
		proc2 |= VMX_PROC2_VPID;
	return proc2;
}

/* Beneath EPT KVM sees CR3 only while the guest does not page. */
static uint32_t cr3_controls(const struct sim *sim)
{
	bool is_guests = config_mmu_kind(&sim->config) == MMU_EPT &&
			 cpu_is_paging(&sim->cur->cpu);

	return is_guests
		       ? 0
		       : VMX_PROC_CR3_LOAD_EXITING | VMX_PROC_CR3_STORE_EXITING;
}

static uint32_t proc_controls(const struct sim *sim)
{
	const struct config *config = &sim->config;
	uint32_t proc = VMX_PROC_UNCOND_IO_EXITING | VMX_PROC_MOV_DR_EXITING |
			VMX_PROC_CR8_LOAD_EXITING | VMX_PROC_CR8_STORE_EXITING |
			cr3_controls(sim);

	if (config_mmu_kind(config) == MMU_NATIVE)
		return proc2_controls(config) ? VMX_PROC_SECONDARY : 0;
	if (config_get(config, OPT_hlt_exiting))
		proc |= VMX_PROC_HLT_EXITING;
	if (config_get(config, OPT_tsc_exiting))
		proc |= VMX_PROC_RDTSC_EXITING;
	if (config_invlpg_exits(config))
		proc |= VMX_PROC_INVLPG_EXITING;
	if (proc2_controls(config))
		proc |= VMX_PROC_SECONDARY;
	return proc;
}

/* Those that came later are the hypervisor's, too. */
static uint64_t cr4_host_owned(const struct cpu *cpu)
{
	return CR4_HOST_OWNED |
	       (cpu_cr4_bits(cpu->features) &
		~cpu_cr4_bits(cpu->features & ~(uint32_t)FEATURE_ALL));
}

/* SMEP, SMAP and keys pass through, as sptes have what they judge by. */
static uint64_t cr4_hardware(const struct cpu *cpu)
{
	uint64_t judges = cpu_is_paging(cpu) ? 0 : CR4_JUDGES;

	return (cpu->cr4 & ~judges) | CR4_HARDWARE;
}

static uint64_t hardware_cr0(const struct sim *sim)
{
	switch (config_mmu_kind(&sim->config)) {
	case MMU_SHADOW:
		return sim->cur->cpu.cr0 | CR0_HARDWARE;
	case MMU_EPT:
		return sim->cur->cpu.cr0 | CR0_NE;
	case MMU_NATIVE:
		break;
	}
	return sim->cur->cpu.cr0;
}

static uint64_t hardware_cr4(const struct sim *sim)
{
	switch (config_mmu_kind(&sim->config)) {
	case MMU_SHADOW:
		return cr4_hardware(&sim->cur->cpu);
	case MMU_EPT:
		return sim->cur->cpu.cr4 | CR4_VMXE;
	case MMU_NATIVE:
		break;
	}
	return sim->cur->cpu.cr4;
}

static void refresh_hardware(struct sim_vcpu *vcpu)
{
	uint64_t cr4 = cr4_hardware(&vcpu->cpu);

	vcpu->hardware.smep = cr4 & CR4_SMEP;
	vcpu->hardware.smap = cr4 & CR4_SMAP;
	vcpu->hardware.pke = cr4 & CR4_PKE;
	vcpu->hardware.pkru = vcpu->cpu.pkru;
}

static void refresh_shadows(struct sim *sim)
{
	struct vmcs *vmcs = sim->cur->vmcs;

	vmcs_set(vmcs, VMCS_CR0_SHADOW, sim->cur->cpu.cr0);
	vmcs_set(vmcs, VMCS_CR4_SHADOW, sim->cur->cpu.cr4);
	vmcs_set(vmcs, VMCS_GUEST_CR0, hardware_cr0(sim));
	vmcs_set(vmcs, VMCS_GUEST_CR4, hardware_cr4(sim));
	vmcs_set(vmcs, VMCS_PROC_CONTROLS, proc_controls(sim));
	vmcs_set(vmcs, VMCS_GUEST_CR3, sim->cur->hardware.root);
	vmx_controls_load(vmcs, &sim->cur->ctl);
	sim->cur->ctl.off = config_mmu_kind(&sim->config) == MMU_NATIVE;
	refresh_hardware(sim->cur);
}

static void init_for_shadow(struct sim *sim)
{
	const struct config *config = &sim->config;
	bool bypass = config_has_bypass(config);
	struct vmcs *vmcs = sim->cur->vmcs;

	vmcs_set(vmcs, VMCS_PIN_CONTROLS, VMX_PIN_EXT_INTR_EXITING);
	vmcs_set(vmcs, VMCS_EXCEPTION_BITMAP,
		 or_auto(config, OPT_exception_bitmap, BIT(EXC_PF)));
	vmcs_set(vmcs, VMCS_PFEC_MASK, or_auto(config, OPT_pfec_mask, bypass));
	vmcs_set(vmcs, VMCS_PFEC_MATCH,
		 or_auto(config, OPT_pfec_match, bypass));
	vmcs_set(vmcs, VMCS_CR0_MASK, UINT64_MAX);
	vmcs_set(vmcs, VMCS_CR4_MASK, cr4_host_owned(&sim->cur->cpu));
}

/* No page fault exits: bit 14 and the filter are 0. */
static void init_for_ept(struct vmcs *vmcs)
{
	vmcs_set(vmcs, VMCS_PIN_CONTROLS, VMX_PIN_EXT_INTR_EXITING);
	vmcs_set(vmcs, VMCS_CR0_MASK, ~EPT_CR0_GUEST_OWNED);
	vmcs_set(vmcs, VMCS_CR4_MASK, ~EPT_CR4_GUEST_OWNED);
}

void sim_init_vmcs(struct sim *sim)
{
	const struct config *config = &sim->config;
	struct vmcs *vmcs = sim->cur->vmcs;

	vmcs_set(vmcs, VMCS_PROC2_CONTROLS, proc2_controls(config));
	switch (config_mmu_kind(config)) {
	case MMU_SHADOW:
		init_for_shadow(sim);
		break;
	case MMU_EPT:
		init_for_ept(vmcs);
		break;
	case MMU_NATIVE:
		break;
	}
	/* RFLAGS is the source's; it asks before an interrupt is injected. */
	vmcs_set(vmcs, VMCS_GUEST_RFLAGS, RFLAGS_ONE | RFLAGS_IF);
	refresh_shadows(sim);
}

static void inject_gp(struct sim *sim)
{
	struct vmx_event gp = vmx_event_exception(EXC_GP, 0);

	sim_inject(sim, &gp);
}

/* #GP(0) for a load the processor refuses: by itself, or by the hypervisor. */
static void refuse_load(struct sim *sim, bool exits, struct guest_outcome *out)
{
	struct vmx_event gp = vmx_event_exception(EXC_GP, 0);

	if (!exits) {
		sim_raise(sim, &gp, 0, out);
		return;
	}
	inject_gp(sim);
	sim_enter(sim, out);
}

/* The hypervisor remembers the last CR3 values as targets (round robin). */
static void remember_cr3(struct sim *sim, uint64_t cr3)
{
	uint64_t targets = config_get(&sim->config, OPT_cr3_targets);
	struct vmcs *vmcs = sim->cur->vmcs;
	uint32_t count = vmcs_get32(vmcs, VMCS_CR3_TARGET_COUNT);

	if (!targets)
		return;
	vmcs_set(
		vmcs,
		(enum vmcs_field)(VMCS_CR3_TARGET0 + sim->cur->next_cr3_target),
		cr3);
	sim->cur->next_cr3_target =
		(sim->cur->next_cr3_target + 1) % (uint32_t)targets;
	if (count < targets)
		vmcs_set(vmcs, VMCS_CR3_TARGET_COUNT, count + 1);
}

static void forget_cr3s(struct sim *sim)
{
	vmcs_set(sim->cur->vmcs, VMCS_CR3_TARGET_COUNT, 0);
	sim->cur->next_cr3_target = 0;
}

/* The load is legal and done: let the shadow follow and go on. */
static void finish_load(struct sim *sim, unsigned int cr, bool exits,
			struct guest_outcome *out)
{
	if (!sim->mmu->load_cr(sim, cr, exits, out))
		return;
	if (exits && cr == 3 && cpu_is_paging(&sim->cur->cpu))
		remember_cr3(sim, sim->cur->cpu.cr3);
	else if (exits && (cr == 0 || cr == 4))
		forget_cr3s(sim);
	sim_refresh_root(sim);
	refresh_shadows(sim);
	sim_refresh_view(sim);
	if (exits)
		sim_enter(sim, out);
}

int sim_load_state(struct sim *sim, const struct sim_state *state,
		   struct diag *diag)
{
	struct cpu *cpu = &sim->vcpu[state->vcpu].cpu;
	enum paging_mode mode;

	sim_select(sim, state->vcpu);
	cpu->cr0 = state->cr0;
	cpu->cr3 = state->cr3;
	cpu->cr4 = state->cr4;
	cpu->efer = state->efer;
	for (unsigned int i = 0; i < 4; i++)
		cpu->pdpte[i] = state->pdpte[i];
	cpu->pkru = state->pkru;
	sim->cur->hardware.pkru = state->pkru;
	mode = cpu_paging(cpu);
	if (!cpu_is_sane(cpu))
		return diag_set(diag, -EINVAL,
				"CR0 0x%llx, CR4 0x%llx, EFER 0x%llx: not a "
				"state of the modelled processor",
				(unsigned long long)cpu->cr0,
				(unsigned long long)cpu->cr4,
				(unsigned long long)cpu->efer);
	if (mode != PAGING_OFF && !cpu_root_is_ram(sim->mem, cpu->cr3))
		return diag_set(diag, -EINVAL,
				"CR3 is 0x%llx, where there is no memory",
				(unsigned long long)cpu->cr3);
	sim->mmu->reset(sim);
	sim_begin_with_cr3(sim);
	sim->cur->hardware.root = 0;
	sim_refresh_root(sim);
	refresh_shadows(sim);
	sim_refresh_view(sim);
	return 0;
}

static uint64_t hardware_cr(const struct sim *sim, unsigned int cr)
{
	switch (cr) {
	case 0:
		return vmcs_get(sim->cur->vmcs, VMCS_GUEST_CR0);
	case 2:
		return sim->cur->cpu.cr2;
	case 3:
		return sim->cur->cpu.cr3;
	case 4:
		return vmcs_get(sim->cur->vmcs, VMCS_GUEST_CR4);
	default:
		return 0;
	}
}

void sim_cr_write(struct sim *sim, const struct guest_event *ev,
		  struct guest_outcome *out)
{
	bool code64 = cpu_is_long(&sim->cur->cpu) && ev->size == 8;
	uint64_t was = ev->cr == 4 ? sim->cur->cpu.cr4 : sim->cur->cpu.cr0;
	uint64_t compared = ev->value;
	struct vmx_cr_result r;

	if (ev->cr == 2) {
		sim_set_cr2(sim, ev->value);
		return;
	}
	if (ev->cr == 3 && (sim->cur->cpu.cr4 & CR4_PCIDE))
		compared &= ~CR3_NO_FLUSH;
	r = vmx_cr_write(&sim->cur->ctl, ev->cr, hardware_cr(sim, ev->cr),
			 compared);
	if (r.exits)
		sim_exit_insn(sim, ev, EXIT_REASON_CR_ACCESS,
			      vmx_qual_mov_cr(ev->cr, VMX_CR_MOV_TO, ev->reg),
			      COST_CR_WRITE);
	if (!cpu_load_cr(&sim->cur->cpu, sim->mem, ev->cr, ev->value, code64)) {
		refuse_load(sim, r.exits, out);
		return;
	}
	if (!r.exits)
		sim_flush_by_cr(sim, ev->cr, was, ev->value);
	finish_load(sim, ev->cr, r.exits, out);
}

void sim_cr_read(struct sim *sim, const struct guest_event *ev,
		 struct guest_outcome *out)
{
	struct vmx_cr_result r =
		vmx_cr_read(&sim->cur->ctl, ev->cr, hardware_cr(sim, ev->cr));

	out->value = r.value;
	if (!r.exits)
		return;
	sim_exit_insn(sim, ev, EXIT_REASON_CR_ACCESS,
		      vmx_qual_mov_cr(ev->cr, VMX_CR_MOV_FROM, ev->reg),
		      COST_OTHER);
	out->value = ev->cr == 3 ? sim->cur->cpu.cr3 : 0;
	sim_enter(sim, out);
}

static void write_cr0(struct sim *sim, const struct guest_event *ev,
		      struct vmx_cr_result r, uint64_t qualification,
		      uint64_t val, struct guest_outcome *out)
{
	uint64_t was = sim->cur->cpu.cr0;

	if (r.exits)
		sim_exit_insn(sim, ev, EXIT_REASON_CR_ACCESS, qualification,
			      COST_CR_WRITE);
	if (!cpu_load_cr0(&sim->cur->cpu, sim->mem, val, false)) {
		refuse_load(sim, r.exits, out);
		return;
	}
	if (!r.exits)
		sim_flush_by_cr(sim, 0, was, val);
	finish_load(sim, 0, r.exits, out);
}

/* Unconditional under VMX; the hypervisor does all of it. */
void sim_task_switch(struct sim *sim, const struct guest_event *ev,
		     struct guest_outcome *out)
{
	bool exits = config_mmu_kind(&sim->config) != MMU_NATIVE;
	struct cpu *cpu = &sim->cur->cpu;

	if (exits) {
		sim_exit_insn(
			sim, ev, EXIT_REASON_TASK_SWITCH,
			vmx_qual_task_switch((uint16_t)ev->error, ev->reg),
			COST_EMULATE);
		/* The event has come where it was to go. */
		vmcs_set(sim->cur->vmcs, VMCS_IDT_VECTORING_INFO, 0);
	}
	cpu_load_cr0(cpu, sim->mem, cpu->cr0 | CR0_TS, false);
	if (cpu_is_paging(cpu) &&
	    !cpu_load_cr(cpu, sim->mem, 3, ev->value, false)) {
		sim_stop(sim, out,
			 "a task whose CR3 is 0x%llx cannot be switched to",
			 (unsigned long long)ev->value);
		return;
	}
	if (!exits)
		sim_flush_by_cr(sim, 3, 0, ev->value);
	finish_load(sim, 3, exits, out);
}

void sim_clts(struct sim *sim, const struct guest_event *ev,
	      struct guest_outcome *out)
{
	write_cr0(sim, ev, vmx_clts(&sim->cur->ctl, hardware_cr(sim, 0)),
		  vmx_qual_clts(), sim->cur->cpu.cr0 & ~CR0_TS, out);
}

void sim_lmsw(struct sim *sim, const struct guest_event *ev,
	      struct guest_outcome *out)
{
	uint16_t source = (uint16_t)ev->value;

	write_cr0(sim, ev,
		  vmx_lmsw(&sim->cur->ctl, hardware_cr(sim, 0), source),
		  vmx_qual_lmsw(source, ev->reg),
		  cpu_lmsw(&sim->cur->cpu, source), out);
}

void sim_msr(struct sim *sim, const struct guest_event *ev,
	     struct guest_outcome *out)
{
	bool write = ev->kind == GE_WRMSR;
	bool exits = vmx_msr_exits(&sim->cur->ctl, ev->error, write);
	bool ok = true;

	if (exits)
		sim_exit_insn(sim, ev,
			      write ? EXIT_REASON_MSR_WRITE
				    : EXIT_REASON_MSR_READ,
			      0, COST_OTHER);
	if (ev->error == MSR_EFER) {
		if (write)
			ok = cpu_load_efer(&sim->cur->cpu, ev->value);
		sim->mmu->set_efer(sim);
		out->value = sim->cur->cpu.efer;
	}
	if (!ok) {
		refuse_load(sim, exits, out);
		return;
	}
	sim_refresh_view(sim);
	if (exits)
		sim_enter(sim, out);
}
