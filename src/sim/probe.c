/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/probe.h"

#include "arch/cpu_features.h"
#include "sim/internal.h"

static void tell(struct sim *sim, struct sim_step step)
{
	step.now = sim->acct->now;
	step.vcpu = sim->cur->id;
	sim->probe.tell(sim->probe.context, &step);
}

static void tell_charge(void *context, enum cost_id id, uint64_t n)
{
	tell(context,
	     (struct sim_step){.kind = SIM_STEP_CHARGE, .cost = id, .n = n});
}

static void tell_set(void *context, hpa_t table, unsigned int index,
		     uint64_t val)
{
	struct sim *sim = context;

	tell(sim, (struct sim_step){
			  .kind = SIM_STEP_SPTE,
			  .table = table,
			  .index = index,
			  .was = pool_get(&sim->mem->pool, table, index),
			  .is = val,
		  });
}

static void tell_alloc(void *context, hpa_t table, int level)
{
	tell(context, (struct sim_step){.kind = SIM_STEP_TABLE,
					.table = table,
					.level = level});
}

static void tell_free(void *context, hpa_t table)
{
	tell(context,
	     (struct sim_step){.kind = SIM_STEP_TABLE_GONE, .table = table});
}

void sim_set_probe(struct sim *sim, const struct sim_probe *probe)
{
	bool listens = probe->tell;

	sim->probe = *probe;
	sim->account_watch = (struct account_watch){tell_charge, sim};
	sim->pool_watch =
		(struct pool_watch){tell_set, tell_alloc, tell_free, sim};
	sim->acct->watch = listens ? &sim->account_watch : NULL;
	sim->mem->pool.watch = listens ? &sim->pool_watch : NULL;
}

void sim_probe_event(struct sim *sim, enum sim_step_kind kind,
		     const struct guest_event *ev,
		     const struct guest_outcome *out)
{
	tell(sim, (struct sim_step){.kind = kind, .event = ev, .outcome = out});
}

void sim_probe_fault(struct sim *sim, gva_t gva, uint32_t pfec, bool exits)
{
	tell(sim, (struct sim_step){.kind = SIM_STEP_FAULT,
				    .gva = gva,
				    .pfec = pfec,
				    .exits = exits,
				    .began = sim->cur->access_began.clock.typ});
}

void sim_probe_exit(struct sim *sim)
{
	tell(sim,
	     (struct sim_step){.kind = SIM_STEP_EXIT, .event = sim->event});
}

void sim_probe_handled(struct sim *sim, const struct smmu_result *result)
{
	tell(sim,
	     (struct sim_step){.kind = SIM_STEP_HANDLED, .result = *result});
}

void sim_probe_entry(struct sim *sim)
{
	tell(sim, (struct sim_step){
			  .kind = SIM_STEP_ENTRY,
			  .injected = vmx_entry_event(sim->cur->vmcs),
			  .again = sim->injects_again,
			  .cycles = sim->acct->now - sim->acct->exit_began.typ,
		  });
}

void sim_probe_delivered(struct sim *sim)
{
	const struct sim_vcpu *cur = sim->cur;
	const struct open_fault *open = &cur->open[cur->nr_open - 1];

	tell(sim, (struct sim_step){.kind = SIM_STEP_DELIVERED,
				    .gva = open->gva,
				    .id = open->id,
				    .exits = !cur->fault_direct});
}

void sim_probe_retried(struct sim *sim)
{
	const struct sim_vcpu *cur = sim->cur;
	const struct open_fault *open = &cur->open[cur->nr_open];

	tell(sim, (struct sim_step){.kind = SIM_STEP_RETRIED,
				    .gva = open->gva,
				    .id = open->id,
				    .began = open->began.clock.typ,
				    .cycles = cur->retry_at.clock.typ -
					      open->began.clock.typ});
}

void sim_probe_region(struct sim *sim, enum sim_step_kind kind)
{
	tell(sim, (struct sim_step){.kind = kind});
}

struct sim_inside sim_inside(const struct sim *sim)
{
	return (struct sim_inside){
		.mem = sim->mem,
		.smmu = sim->smmu,
		.vmcs = sim->cur->vmcs,
		.controls = &sim->cur->ctl,
		.cpu = &sim->cur->cpu,
		.hardware = &sim->cur->hardware,
		.guest = cpu_guest_paging(&sim->cur->cpu),
		.vcpu = (unsigned int)(sim->cur - sim->vcpu),
		.nr_vcpus = sim->nr_vcpus,
	};
}
