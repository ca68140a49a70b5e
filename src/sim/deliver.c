/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Exceptions and interrupts on their way to the guest, and how long a guest
 * page fault takes from its access to the retry.
 */
#include "base/hash.h"
#include "sim/internal.h"

void sim_raise(struct sim *sim, const struct vmx_event *event,
	       uint64_t qualification, struct guest_outcome *out)
{
	struct vmx_raised raised = vmx_raise(
		&sim->cur->ctl, event, qualification, &sim->cur->delivering);
	struct vmx_event back;

	if (raised.shuts_down) {
		out->verdict = GO_SHUTDOWN;
		return;
	}
	if (!raised.exits) {
		outcome_event(out, &raised.event);
		return;
	}

	vmx_record_exit(sim->cur->vmcs, &raised.exit);
	sim_exit_begin(sim, raised.exit.reason);
	if (raised.exit.reason == EXIT_REASON_TRIPLE_FAULT) {
		sim_exit_end(sim);
		out->verdict = GO_SHUTDOWN;
		return;
	}

	sim->other_exception_exits++;
	/* An intercepted exception means nothing to this hypervisor: back. */
	back = vmx_exit_event(sim->cur->vmcs);
	sim_inject(sim, &back);
	sim_enter(sim, out);
}

void sim_exception(struct sim *sim, const struct guest_event *ev,
		   struct guest_outcome *out)
{
	struct vmx_event event = vmx_event_exception(ev->vector, ev->error);

	event.has_error = ev->has_error;
	sim_raise(sim, &event, 0, out);
}

void sim_soft_int(struct sim *sim, const struct guest_event *ev,
		  struct guest_outcome *out)
{
	struct vmx_event event = vmx_event_software(
		(enum vmx_intr_type)ev->type, ev->vector, ev->insn_len);

	/* INT n is no exception: the bitmap does not look at it. */
	if (event.type == VMX_TYPE_SW_INTERRUPT)
		outcome_event(out, &event);
	else
		sim_raise(sim, &event, 0, out);
}

static void take_irq(struct sim *sim, struct guest_outcome *out)
{
	if (!sim_in_exit(sim)) {
		out->verdict = GO_TAKE_IRQ;
		return;
	}
	account_count(sim->acct, CNT_irq_injections);
	account_charge(sim->acct, COST_INJECT, 1);
	sim_enter(sim, out);
	/* The source has the interrupt controller: it finds the vector. */
	out->verdict = GO_TAKE_IRQ;
}

static bool has_requeued(const struct sim *sim)
{
	return sim->cur->requeued[0] | sim->cur->requeued[1] |
	       sim->cur->requeued[2] | sim->cur->requeued[3];
}

static void want_window(struct sim *sim)
{
	sim->cur->view.irq_window = sim->cur->irq_waiting || has_requeued(sim);
}

void sim_requeue(struct sim *sim, uint8_t vector)
{
	sim->cur->requeued[vector / 64] |= BIT(vector % 64);
	want_window(sim);
}

/* The lowest vector first, as KVM looked for it. */
static struct vmx_event take_requeued(struct sim *sim)
{
	unsigned int word = 0, bit;

	while (!sim->cur->requeued[word])
		word++;
	bit = (unsigned int)__builtin_ctzll(sim->cur->requeued[word]);
	sim->cur->requeued[word] &= ~BIT(bit);
	return vmx_event_interrupt((uint8_t)(word * 64 + bit));
}

void sim_irq(struct sim *sim, const struct guest_event *ev,
	     struct guest_outcome *out)
{
	if (vmx_external_interrupt_exits(&sim->cur->ctl)) {
		sim_exit(sim, vmx_exit_external_interrupt(&sim->cur->ctl,
							  ev->vector));
		account_charge(sim->acct, COST_OTHER, 1);
	}
	if (ev->if_open) {
		take_irq(sim, out);
		return;
	}
	sim->cur->irq_waiting = true;
	want_window(sim);
	if (sim_in_exit(sim))
		sim_enter(sim, out);
	out->verdict = GO_LATER;
}

void sim_irq_window(struct sim *sim, const struct guest_event *ev,
		    struct guest_outcome *out)
{
	if (!sim->cur->ctl.off) {
		account_count(sim->acct, CNT_irq_window);
		sim_exit_insn(sim, ev, EXIT_REASON_PENDING_INTERRUPT, 0,
			      COST_OTHER);
	}
	if (has_requeued(sim)) {
		struct vmx_event again = take_requeued(sim);

		want_window(sim);
		sim_inject(sim, &again);
		sim_enter(sim, out);
		return;
	}
	sim->cur->irq_waiting = false;
	want_window(sim);
	take_irq(sim, out);
}

void sim_fault_given(struct sim *sim, bool direct)
{
	if (direct)
		chain_note(&sim->cur->tape, CHAIN_DIRECT);
	sim->cur->fault_direct = direct;
	sim->cur->fault_began = sim->cur->access_began;
}

void sim_deliver(struct sim *sim, const struct guest_event *ev)
{
	sim->cur->delivering = (struct vmx_event){
		.valid = true,
		.vector = ev->vector,
		.type = (enum vmx_intr_type)ev->type,
		.has_error = ev->has_error,
		.error = ev->error,
		.insn_len = ev->insn_len,
	};
	sim->cur->deliver_rip = ev->rip;
	sim->cur->deliver_user = ev->cpl == 3;
	account_charge(sim->acct, COST_DELIVERY, 1);
}

static bool is_hw_exception(const struct vmx_event *event, uint8_t vector)
{
	return event->valid && event->type == VMX_TYPE_HW_EXCEPTION &&
	       event->vector == vector;
}

static void open_fault(struct sim *sim)
{
	if (sim->cur->nr_open == OPEN_FAULTS_MAX) {
		for (unsigned int i = 1; i < OPEN_FAULTS_MAX; i++)
			sim->cur->open[i - 1] = sim->cur->open[i];
		sim->cur->nr_open--;
		sim->acct->faults_forgotten++;
	}
	sim->cur->open[sim->cur->nr_open++] = (struct open_fault){
		.gva = sim->cur->cpu.cr2,
		.rip = sim->cur->deliver_rip,
		.cr3 = sim->cur->cpu.cr3,
		.began = sim->cur->fault_began,
		.id = ++sim->faults,
	};
}

void sim_delivered(struct sim *sim, const struct guest_event *ev)
{
	struct vmx_event event = sim->cur->delivering;

	(void)ev;
	sim->cur->delivering.valid = false;
	if (is_hw_exception(&event, EXC_DF))
		account_count(sim->acct, CNT_double_faults);
	if (!is_hw_exception(&event, EXC_PF))
		return;

	account_guest_fault(sim->acct, event.error, sim->cur->fault_direct);
	sim->fault_digest = fnv64(sim->fault_digest, &sim->cur->cpu.cr2,
				  sizeof(sim->cur->cpu.cr2));
	sim->fault_digest =
		fnv64(sim->fault_digest, &event.error, sizeof(event.error));
	open_fault(sim);
	if (sim_is_probed(sim))
		sim_probe_delivered(sim);
}

/* Its chain ends here: the tape goes on, and forgets. */
void sim_retry_through(struct sim *sim)
{
	struct sim_vcpu *cur = sim->cur;

	cur->retry_at = sim_moment(sim);
	cur->retry_chain = chain_key(&cur->tape, &cur->open[cur->nr_open].began,
				     &cur->retry_at);
}

/* The latest open fault of this address space at this rip. */
void sim_retry(struct sim *sim, const struct guest_event *ev)
{
	for (unsigned int i = sim->cur->nr_open; i-- > 0;) {
		struct open_fault found = sim->cur->open[i];

		if (found.rip != ev->rip || found.cr3 != sim->cur->cpu.cr3)
			continue;
		for (; i + 1 < sim->cur->nr_open; i++)
			sim->cur->open[i] = sim->cur->open[i + 1];
		sim->cur->open[--sim->cur->nr_open] = found;
		sim->cur->retrying = true;
		sim->cur->retry_emulated = false;
		sim_retry_through(sim);
		return;
	}
}

void sim_retry_close(struct sim *sim)
{
	if (!sim->cur->retrying)
		return;
	sim->cur->retrying = false;
	if (sim_is_probed(sim))
		sim_probe_retried(sim);
	account_fault_retried(sim->acct, &sim->cur->retry_chain,
			      &sim->cur->open[sim->cur->nr_open].began,
			      &sim->cur->retry_at);
}

/*
 * The retried reference may still need a hidden fill: that is part of the
 * fault's latency.  Any other event means that it succeeded.
 */
bool sim_is_retried(const struct sim *sim, const struct guest_event *ev)
{
	const struct open_fault *open = &sim->cur->open[sim->cur->nr_open];

	return sim->cur->retrying && ev->kind == GE_ACCESS &&
	       ev->rip == open->rip && (ev->gva ^ open->gva) <= PAGE_MASK;
}
