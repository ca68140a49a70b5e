/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The frame of every VM exit: the processor records, the hypervisor handles
 * (its callers do), the processor enters again with what was injected.
 */
#include <stdarg.h>
#include <stdio.h>

#include "sim/internal.h"

static void read_dirty_log(struct sim *sim)
{
	if (likely(!sim->dirty_log_due))
		return;
	sim->mmu->read_dirty_log(sim);
	sim->dirty_log_due = false;
}

void sim_exit_begin(struct sim *sim, unsigned int reason)
{
	const struct guest_event *ev = sim->event;
	bool user = sim->cur->delivering.valid ? sim->cur->deliver_user
					       : ev->cpl == 3;

	sim->injects_again = false;
	if (sim_is_probed(sim))
		sim_probe_exit(sim);
	account_exit_begin(sim->acct, reason);
	chain_note(&sim->cur->tape, chain_of_reason(reason));
	sim_flush_by_exit(sim);
	read_dirty_log(sim);
	if (!sim->tell)
		return;
	sim->record = (struct sim_exit_record){
		.reason = reason,
		.user = user,
		.gva = ev->gva,
		.rip = ev->rip,
		.gpa = SIM_NO_GPA,
		.insns = ev->insns,
		.cycles = sim->acct->exit_began.typ,
	};
}

static void end_and_tell(struct sim *sim)
{
	sim_do_flush(sim);
	if (sim_is_probed(sim))
		sim_probe_entry(sim);
	account_exit_end(sim->acct);
	if (!sim->tell || sim->region)
		return;
	sim->record.cycles = sim->acct->now - sim->record.cycles;
	sim->tell(sim->tell_context, &sim->record);
}

/* The processor's own external interrupt is another one's request. */
void sim_exit_flush(struct sim *sim)
{
	struct vmx_exit_info info =
		vmx_exit_external_interrupt(&sim->cur->ctl, 0);

	vmx_record_exit(sim->cur->vmcs, &info);
	sim_exit_begin(sim, info.reason);
	account_charge(sim->acct, COST_OTHER, 1);
	/* Its roots may be among what was taken away. */
	sim_refresh_root(sim);
	sim_want_flush(sim);
	end_and_tell(sim);
}

void sim_exit_end(struct sim *sim)
{
	bool flush = sim_send_flush(sim);

	end_and_tell(sim);
	if (flush)
		sim_receive_flush(sim);
}

void sim_exit(struct sim *sim, struct vmx_exit_info info)
{
	if (sim->cur->delivering.valid &&
	    info.reason != EXIT_REASON_TRIPLE_FAULT)
		vmx_exit_during(&info, &sim->cur->delivering);
	vmx_record_exit(sim->cur->vmcs, &info);
	sim_exit_begin(sim, info.reason);
}

void sim_exit_insn(struct sim *sim, const struct guest_event *ev,
		   enum exit_reason reason, uint64_t qualification,
		   enum cost_id cost)
{
	sim_exit(sim, vmx_exit_insn(reason, qualification, ev->insn_len));
	account_charge(sim->acct, cost, 1);
}

void sim_inject(struct sim *sim, const struct vmx_event *event)
{
	vmx_inject(sim->cur->vmcs, event);
	account_charge(sim->acct, COST_INJECT, 1);
}

void sim_enter(struct sim *sim, struct guest_outcome *out)
{
	struct vmx_event event;
	const char *why;

	sim_refresh_root(sim);
	sim->injects_again = vmx_reinject(sim->cur->vmcs);
	if (sim->injects_again)
		account_count(sim->acct, CNT_reinjections);
	sim_exit_end(sim);

	event = vmx_entry_event(sim->cur->vmcs);
	if (!event.valid)
		return;
	if (vmx_check_entry_event(sim->cur->vmcs, &why) != VMX_ENTRY_OK) {
		sim_stop(sim, out, "VM entry would fail: %s", why);
		return;
	}
	outcome_event(out, &event);
}

void sim_stop(struct sim *sim, struct guest_outcome *out, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(sim->stop_line, sizeof(sim->stop_line), fmt, ap);
	va_end(ap);
	sim->cur->view.stop = sim->stop_line;
	out->verdict = GO_STOP;
}

void sim_refresh_root(struct sim *sim)
{
	struct sim_root now = sim->mmu->enter(sim);
	hpa_t root = now.root;

	/* A CR3 target's root is the processor's own doing. */
	if (sim->smmu && sim->cur->hardware.root &&
	    root != sim->cur->hardware.root &&
	    (sim_in_exit(sim) || !sim->cur->runs))
		sim_want_flush(sim);
	sim->cur->hardware.mode = now.mode;
	sim->cur->hardware.root = root;
	if (sim->cur->hardware.mode == PAGING_PAE)
		for (unsigned int i = 0; i < 4; i++)
			sim->cur->hardware.pdpte[i] =
				pool_get(&sim->mem->pool, root, i);
	sim->cur->view.root = root;
	sim->cur->view.shadow = sim->cur->hardware.mode;
}

void sim_refresh_view(struct sim *sim)
{
	struct guest_view *view = &sim->cur->view;

	view->cr0 = sim->cur->cpu.cr0;
	view->cr2 = sim->cur->cpu.cr2;
	view->cr3 = sim->cur->cpu.cr3;
	view->cr4 = sim->cur->cpu.cr4;
	view->efer = sim->cur->cpu.efer;
	view->features = sim->cur->cpu.features;
	view->guest = cpu_paging(&sim->cur->cpu);
	view->mode_changes++;
}
