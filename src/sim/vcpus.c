/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Several processors: whose turn it is, and how one makes the others forget
 * what their TLBs hold (kvm_flush_remote_tlbs).
 *
 * Their turns come one after the other, so that the clock of cycles is the sum
 * of all their work.  What an exit asks of the others is done when it ends, all
 * at once: KVM's request bit is taken back at an entry, and until then a second
 * request interrupts nobody.  Each that runs is interrupted out of the guest; a
 * halted one is not there, and will enter with nothing in its TLB anyway.
 */
#include "sim/internal.h"

static void shift(struct chain_moment *moment, struct cost_range away)
{
	moment->clock = cost_plus(moment->clock, away);
}

/* What happened before it was left is as long ago as it was then. */
static void shift_clocks(struct sim_vcpu *vcpu, struct cost_range now)
{
	struct cost_range away = cost_since(now, vcpu->left);
	unsigned int nr = vcpu->nr_open + vcpu->retrying;

	for (unsigned int i = 0; i < nr; i++)
		shift(&vcpu->open[i].began, away);
	shift(&vcpu->fault_began, away);
	shift(&vcpu->retry_at, away);
}

void sim_select(struct sim *sim, unsigned int vcpu)
{
	BUG_ON(vcpu >= sim->nr_vcpus);
	if (sim->cur->emulating)
		sim_end_emulation(sim);
	sim->cur->left = account_clock(sim->acct);

	sim->cur = &sim->vcpu[vcpu];
	sim->mmu->select(sim, vcpu);
	sim->sink.view = &sim->cur->view;
	shift_clocks(sim->cur, account_clock(sim->acct));
	/* One that sleeps is told at its next entry what others changed. */
	if (!sim->cur->runs && sim->cur->hardware.root) {
		sim_refresh_root(sim);
		sim_do_flush(sim);
	}
}

static bool is_other_running(const struct sim *sim, unsigned int vcpu)
{
	return &sim->vcpu[vcpu] != sim->cur && sim->vcpu[vcpu].runs;
}

/* Without VPID they enter with nothing in their TLBs; with it they flush. */
static void flush_sleepers(struct sim *sim)
{
	struct sim_vcpu *sender = sim->cur;

	for (unsigned int i = 0; i < sim->nr_vcpus; i++) {
		sim->cur = &sim->vcpu[i];
		if (sim->cur != sender && !sim->cur->runs)
			sim_want_flush(sim);
	}
	sim->cur = sender;
}

bool sim_send_flush(struct sim *sim)
{
	uint64_t nr = 0;

	if (!sim->mmu->take_remote_flush(sim))
		return false;
	sim_want_flush(sim);
	if (sim->nr_vcpus == 1)
		return false;
	flush_sleepers(sim);
	for (unsigned int i = 0; i < sim->nr_vcpus; i++)
		nr += is_other_running(sim, i);
	account_charge(sim->acct, COST_IPI, nr);
	sim->acct->counter[CNT_remote_tlb_ipi] += nr;
	return nr > 0;
}

void sim_receive_flush(struct sim *sim)
{
	struct sim_vcpu *sender = sim->cur;
	const struct guest_event *event = sim->event;

	for (unsigned int i = 0; i < sim->nr_vcpus; i++) {
		const struct guest_event at = {
			.rip = sim->vcpu[i].rip,
			.cpl = sim->vcpu[i].user ? 3 : 0,
			/* The event itself may be gone: an emulation's. */
			.insns = sim->acct->insns,
		};

		if (&sim->vcpu[i] == sender || !sim->vcpu[i].runs)
			continue;
		sim->cur = &sim->vcpu[i];
		sim->mmu->select(sim, i);
		sim->event = &at;
		sim_exit_flush(sim);
	}
	sim->event = event;
	sim->cur = sender;
	sim->mmu->select(sim, sender->id);
}
