/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The simulator's state, and what its files call in each other.
 *
 *   sim.c      create, dispatch, what the source is shown
 *   vcpus.c    several processors: whose turn it is, remote TLB flushes
 *   exit.c     the frame of every VM exit: record, count, enter again
 *   mmu.h      how guest memory is virtualized: mmu_shadow.c, mmu_direct.c
 *   fault.c    references, emulated stores
 *   hardware.c the translation hardware: walks, fills, flushes
 *   control.c  control registers and MSRs
 *   insn.c     the other sensitive instructions
 *   region.c   the region of interest
 *   stray.c    references through entries that were to fault and do not
 *   deliver.c  exceptions, interrupts, deliveries, fault latency
 *   probe.c    what one is told who watches the steps
 */
#ifndef NOTRAP_SIM_INTERNAL_H
#define NOTRAP_SIM_INTERNAL_H

#include "cpu/cpu.h"
#include "cpu/hardware.h"
#include "direct/direct.h"
#include "shadow_mmu/smmu.h"
#include "sim/mmu.h"
#include "sim/probe.h"
#include "sim/sim.h"
#include "vmx_model/decide.h"
#include "vmx_model/exit.h"
#include "vmx_model/inject.h"
#include "vmx_model/raise.h"

/* A guest page fault that was delivered and has not been retried yet. */
struct open_fault {
	gva_t gva;
	gva_t rip;
	uint64_t cr3;
	struct chain_moment began; /* its access */
	uint64_t id;               /* the how-manieth there was */
};

/* Deep enough for every process asleep in a fault of its own; the oldest is
 * forgotten beyond that. */
#define OPEN_FAULTS_MAX 64

/* What is one processor's: its state, and what goes on on it. */
struct sim_vcpu {
	unsigned int id;
	bool runs; /* has begun, and has not halted since */
	/* Of its last event, and the time when another one's turn came. */
	gva_t rip;
	bool user;
	struct cost_range left;

	struct guest_view view;
	struct vmcs *vmcs;
	struct vmx_controls ctl;
	struct cpu cpu;             /* control state as the guest sees it */
	struct paging_ctx hardware; /* what the processor walks */
	struct cpu_hardware hw;     /* with sim_use_tlb() */
	bool wants_flush;           /* the hypervisor, before it enters again */
	unsigned int next_cr3_target;

	struct vmx_event delivering; /* not valid: no delivery under way */
	/* Interrupts whose delivery met a guest fault, by vector: KVM keeps
	 * them. */
	uint64_t requeued[4];
	bool irq_waiting; /* a device's line is up and could not be taken */
	/* GO_EMULATE or GO_MMIO given: the exit, where the hypervisor knows of
	 * it, lasts until the source's next step. */
	bool emulating;
	gva_t emulating_gva;

	struct chain_tape tape;
	/* Of the #PF last given to the source, until it is delivered. */
	bool fault_direct;
	struct chain_moment fault_began;
	struct chain_moment access_began; /* the reference that faulted last */
	gva_t deliver_rip;
	bool deliver_user;

	struct open_fault open[OPEN_FAULTS_MAX];
	unsigned int nr_open;
	bool retrying;       /* open[nr_open] is being retried since retry_at */
	bool retry_emulated; /* until the emulation that is under way ends */
	struct chain_moment retry_at;
	struct chain_key retry_chain; /* until retry_at */
};

struct sim {
	struct event_sink sink; /* first: the sink is the sim */
	struct sim_vcpu *cur;   /* the processor whose event it is */
	struct sim_vcpu vcpu[SMMU_MAX_VCPUS];
	unsigned int nr_vcpus;
	struct config config;
	struct smmu_switches sw; /* the generation's, as configured */

	struct mem *mem;
	struct account *acct;
	/* roi=on, after the end marker: what is reported. */
	struct account *region;
	bool region_begun;
	uint64_t spent_before; /* the region: sim_spent() */
	const struct sim_mmu *mmu;
	struct smmu *smmu;     /* mmu_shadow.c, else NULL */
	struct direct *direct; /* mmu_direct.c, else NULL */
	bool has_tlb;

	/* The event being handled; of an emulation, the one it began with. */
	const struct guest_event *event;
	void (*tell)(void *context, const struct sim_exit_record *record);
	void *tell_context;
	void (*region_begins)(void *context);
	void *region_context;
	struct sim_exit_record record; /* of the exit under way */
	bool injects_again; /* the entry that ends it, what it cut short */
	uint64_t faults;    /* guest page faults delivered */
	struct sim_probe probe;
	struct account_watch account_watch;
	struct pool_watch pool_watch;

	uint64_t dirty_log_next; /* instruction clock */
	bool dirty_log_due;      /* to be read at the next exit */
	bool may_stray;          /* trap_find_danger(): the run is forced */
	struct sim_stray stray[SIM_STRAYS_MAX];
	unsigned int nr_strays;

	uint64_t other_exception_exits; /* by an exception but #PF */
	uint64_t fault_digest;
	char stop_line[160];
};

/* Cycles since the start that were not the guest's own. */
static inline uint64_t sim_spent(const struct sim *sim)
{
	const struct account *acct = sim->acct;

	return sim->spent_before + acct->now -
	       acct->cost_count[COST_GUEST_INSN] *
		       acct->cost[COST_GUEST_INSN].typ;
}

/* As far as the processor at work has come. */
static inline struct chain_moment sim_moment(const struct sim *sim)
{
	return account_moment(sim->acct, &sim->cur->tape);
}

/* vcpus.c */

/* In an exit that is about to end: send the others what it asked for. */
bool sim_send_flush(struct sim *sim);
/* After it: they take it, each in an exit of its own. */
void sim_receive_flush(struct sim *sim);

/* sim.c */
void sim_end_emulation(struct sim *sim);

/* exit.c */

/* Record the exit (with what was being delivered) and begin to count it. */
void sim_exit(struct sim *sim, struct vmx_exit_info info);

void sim_exit_begin(struct sim *sim, unsigned int reason);

/* An exit that another processor's request for a flush causes, all of it. */
void sim_exit_flush(struct sim *sim);

/* The exit is over, whatever the guest does next. */
void sim_exit_end(struct sim *sim);

/* Between the two. */
static inline bool sim_in_exit(const struct sim *sim)
{
	return sim->acct->in_exit >= 0;
}

/* A sensitive instruction exits; charges `cost` of handling. */
void sim_exit_insn(struct sim *sim, const struct guest_event *ev,
		   enum exit_reason reason, uint64_t qualification,
		   enum cost_id cost);

/*
 * VM entry after sim_exit(): what was injected, or cut short by the exit, goes
 * to the source as GO_FAULT; otherwise out keeps the caller's verdict.
 */
void sim_enter(struct sim *sim, struct guest_outcome *out);

/* Give up: one line for the view. */
__attribute__((format(printf, 3, 4))) void
sim_stop(struct sim *sim, struct guest_outcome *out, const char *fmt, ...);

void sim_inject(struct sim *sim, const struct vmx_event *event);

static inline void outcome_event(struct guest_outcome *out,
				 const struct vmx_event *event)
{
	out->verdict = GO_FAULT;
	out->vector = event->vector;
	out->type = (uint8_t)event->type;
	out->has_error = event->has_error;
	out->error = event->error;
}

/* Copy the shadow root and the guest's control state to where they are used. */
void sim_refresh_root(struct sim *sim);
void sim_refresh_view(struct sim *sim);

/* fault.c */
void sim_access(struct sim *sim, const struct guest_event *ev,
		struct guest_outcome *out);
void sim_store(struct sim *sim, const struct guest_event *ev,
	       struct guest_outcome *out);
void sim_emulate_failed(struct sim *sim, const struct guest_event *ev,
			struct guest_outcome *out);
void sim_device(struct sim *sim);
void sim_set_cr2(struct sim *sim, gva_t gva);
/* The guest's own fault goes past the hypervisor into the guest. */
void sim_fault_direct(struct sim *sim, const struct guest_event *ev,
		      uint32_t pfec, struct guest_outcome *out);

/* hardware.c: the first three with sim_use_tlb() only */

/* The processor has walked for ev; of nothing, as natively without paging. */
void sim_count_walk(struct sim *sim, const struct guest_event *ev,
		    const struct walker_path *path);
void sim_fill_tlb(struct sim *sim, const struct guest_event *ev,
		  const struct walk *w);
/* The processor has set A or D in so many entries. */
void sim_count_assists(struct sim *sim, unsigned int nr);
/* A VM exit, and the entry after it. */
void sim_flush_by_exit(struct sim *sim);
/* With VPID: the hypervisor flushes before it enters, or now. */
void sim_want_flush(struct sim *sim);
void sim_do_flush(struct sim *sim);
/* The processor itself has loaded val into CR0, CR3 or CR4. */
void sim_flush_by_cr(struct sim *sim, unsigned int cr, uint64_t was,
		     uint64_t val);
/* INVLPG, INVPCID without an exit. */
void sim_flush_by_insn(struct sim *sim, const struct guest_event *ev);
/*
 * What entries grant depends on has changed.  Hardware would judge what its
 * entries say anew; here they go, and no flush is counted.
 */
void sim_forget_rights(struct sim *sim);
void sim_begin_with_cr3(struct sim *sim);

/* stray.c: only where the run was forced */
void sim_look_for_stray(struct sim *sim, const struct guest_event *ev,
			struct walk *w);

/* control.c */
void sim_init_vmcs(struct sim *sim);
void sim_cr_write(struct sim *sim, const struct guest_event *ev,
		  struct guest_outcome *out);
void sim_cr_read(struct sim *sim, const struct guest_event *ev,
		 struct guest_outcome *out);
void sim_task_switch(struct sim *sim, const struct guest_event *ev,
		     struct guest_outcome *out);
void sim_clts(struct sim *sim, const struct guest_event *ev,
	      struct guest_outcome *out);
void sim_lmsw(struct sim *sim, const struct guest_event *ev,
	      struct guest_outcome *out);
void sim_msr(struct sim *sim, const struct guest_event *ev,
	     struct guest_outcome *out);

/* insn.c */
void sim_io(struct sim *sim, const struct guest_event *ev,
	    struct guest_outcome *out);
void sim_insn(struct sim *sim, const struct guest_event *ev,
	      struct guest_outcome *out);
void sim_wrpkru(struct sim *sim, const struct guest_event *ev);

/* region.c: the guest's markers around what is to be counted */
void sim_region_begins(struct sim *sim, const struct guest_event *ev);
void sim_region_ends(struct sim *sim, const struct guest_event *ev,
		     struct guest_outcome *out);

/* deliver.c */
/* Raise an exception by the rules of hardware: exit, or the guest's IDT. */
void sim_raise(struct sim *sim, const struct vmx_event *event,
	       uint64_t qualification, struct guest_outcome *out);
void sim_exception(struct sim *sim, const struct guest_event *ev,
		   struct guest_outcome *out);
void sim_soft_int(struct sim *sim, const struct guest_event *ev,
		  struct guest_outcome *out);
void sim_irq(struct sim *sim, const struct guest_event *ev,
	     struct guest_outcome *out);
void sim_irq_window(struct sim *sim, const struct guest_event *ev,
		    struct guest_outcome *out);
/* Keep an interrupt for the next window. */
void sim_requeue(struct sim *sim, uint8_t vector);
/* The reference that faulted last is a #PF on its way to the guest. */
void sim_fault_given(struct sim *sim, bool direct);
void sim_deliver(struct sim *sim, const struct guest_event *ev);
void sim_delivered(struct sim *sim, const struct guest_event *ev);
void sim_retry(struct sim *sim, const struct guest_event *ev);
/* Is ev the reference that the last GE_RETRY announced? */
bool sim_is_retried(const struct sim *sim, const struct guest_event *ev);
/* The retried reference may be through, as far as one can tell now. */
void sim_retry_through(struct sim *sim);
/* The retried reference is through, since retry_at: file the latency. */
void sim_retry_close(struct sim *sim);

/* probe.c: only while somebody listens. */
static inline bool sim_is_probed(const struct sim *sim)
{
	return unlikely(sim->probe.tell != NULL);
}

void sim_probe_event(struct sim *sim, enum sim_step_kind kind,
		     const struct guest_event *ev,
		     const struct guest_outcome *out);
void sim_probe_fault(struct sim *sim, gva_t gva, uint32_t pfec, bool exits);
void sim_probe_exit(struct sim *sim);
void sim_probe_handled(struct sim *sim, const struct smmu_result *result);
void sim_probe_entry(struct sim *sim);
void sim_probe_delivered(struct sim *sim);
void sim_probe_retried(struct sim *sim);
void sim_probe_region(struct sim *sim, enum sim_step_kind kind);

#endif
