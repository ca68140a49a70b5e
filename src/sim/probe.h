/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the simulator does, step by step and in order, for one who wants to
 * tell a person of it.  Nobody is asked anything, and nothing changes by being
 * watched; without a probe it costs a branch that is never taken.
 */
#ifndef NOTRAP_SIM_PROBE_H
#define NOTRAP_SIM_PROBE_H

#include "cpu/cpu.h"
#include "shadow_mmu/smmu.h"
#include "sim/sim.h"
#include "vmx_model/controls.h"
#include "vmx_model/event.h"
#include "vmx_model/vmcs.h"

enum sim_step_kind {
	SIM_STEP_EVENT,      /* event was pushed, nothing has happened yet */
	SIM_STEP_WALK,       /* the processor is about to walk, for event */
	SIM_STEP_FAULT,      /* it raises #PF: pfec, began; exits: or not */
	SIM_STEP_EXIT,       /* VM exit of event; the VMCS says why */
	SIM_STEP_HANDLED,    /* a page-fault exit by the shadow MMU: result */
	SIM_STEP_ENTRY,      /* the exit is over: injected, again, cycles */
	SIM_STEP_CHARGE,     /* cost, n */
	SIM_STEP_SPTE,       /* table, index: was, is */
	SIM_STEP_TABLE,      /* frame taken for a shadow table: table, level */
	SIM_STEP_TABLE_GONE, /* given back: table */
	/* A guest fault has been delivered: gva, id, exits: it was injected */
	SIM_STEP_DELIVERED,
	SIM_STEP_RETRIED, /* it is over: gva, id, began, cycles */
	SIM_STEP_OUTCOME, /* what the source is told of event: outcome */
	/* roi=on: all counts begin anew, and cycles at 0; no more counts */
	SIM_STEP_REGION,
	SIM_STEP_REGION_ENDS,
};

struct sim_step {
	enum sim_step_kind kind;
	uint64_t now; /* cycles; of a charge, after it */
	unsigned int vcpu;
	const struct guest_event *event;
	const struct guest_outcome *outcome;
	struct smmu_result result;
	struct vmx_event injected;
	bool again; /* its delivery had been cut short by the exit */
	uint32_t pfec;
	bool exits;
	enum cost_id cost;
	uint64_t n;
	hpa_t table;
	unsigned int index;
	int level;
	uint64_t was, is;
	gva_t gva;
	uint64_t id; /* of guest faults, in the order of their deliveries */
	uint64_t began, cycles;
};

struct sim_probe {
	/* The step is gone when this returns.  NULL: nobody listens. */
	void (*tell)(void *context, const struct sim_step *step);
	void *context;
};

/* From now on; one at a time. */
void sim_set_probe(struct sim *sim, const struct sim_probe *probe);

/* What a step is to be seen with; pointers last as long as the simulator. */
struct sim_inside {
	const struct mem *mem;
	const struct smmu *smmu;
	const struct vmcs *vmcs;
	const struct vmx_controls *controls;
	const struct cpu *cpu;
	const struct paging_ctx *hardware; /* what the processor walks */
	struct paging_ctx guest;           /* what the guest has set up */
	unsigned int vcpu, nr_vcpus;       /* the processor at hand, of all */
};

struct sim_inside sim_inside(const struct sim *sim);

#endif
