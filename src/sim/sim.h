/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The simulator: a virtual machine monitor of its time around the modelled
 * VMX layer and the shadow MMU.  It is an event_sink; a source pushes, it
 * decides (vmx_model), handles (shadow_mmu) and counts (account).
 *
 * It is the only module that knows cpu, vmx_model and shadow_mmu.
 */
#ifndef NOTRAP_SIM_SIM_H
#define NOTRAP_SIM_SIM_H

#include "account/account.h"
#include "cpu/geometry.h"
#include "event/event.h"
#include "mem/mem.h"
#include "sim/config.h"

struct sim;

/*
 * config has passed config_check().  mem must have sim_pool_pages(config)
 * shadow frames.  The guest starts in 32-bit protected mode, paging off.
 */
int sim_create(const struct config *config, struct mem *mem, struct sim **ret,
	       struct diag *diag);
void sim_destroy(struct sim *sim); /* NULL is fine */

uint32_t sim_pool_pages(const struct config *config);

/* Control state of a processor that has been running before. */
struct sim_state {
	unsigned int vcpu;
	uint64_t cr0, cr3, cr4, efer;
	uint64_t pdpte[4]; /* as loaded, PAE mode */
	uint32_t pkru;
};

/*
 * Begin there.  Before its first event, and with the tables that CR3 leads to
 * in memory.  -EINVAL with a line: no state of the modelled processor.
 */
int sim_load_state(struct sim *sim, const struct sim_state *state,
		   struct diag *diag);

/*
 * The processor whose turn it is: that of the events to come, which say so
 * themselves, and of what is asked about until then (sink->view, translate).
 */
void sim_select(struct sim *sim, unsigned int vcpu);

/*
 * The source pushes every reference that misses the TLBs, which the simulator
 * fills and flushes from now on; lookups are counted by the source
 * (account.tlb), the rest by the simulator.  Each processor has its own, of the
 * shape that the geometry says.  Once; -ENOMEM with a line.
 */
int sim_use_tlb(struct sim *sim, const struct cpu_geometry *geometry,
		struct diag *diag);
struct tlb *sim_tlb(struct sim *sim, unsigned int vcpu);

struct event_sink *sim_sink(struct sim *sim);

/* With roi=on, of the region once it has ended. */
const struct account *sim_account(const struct sim *sim);
/* The same while it counts, for a source that looks up TLBs. */
struct account *sim_counting(struct sim *sim);

/*
 * Every VM exit that sim_account() counts, told when it is over.  Addresses
 * are those of the event that exited: gpa is that of a page fault's gva by the
 * guest's own tables, or what an EPT violation or misconfiguration tells, or
 * SIM_NO_GPA.
 */
#define SIM_NO_GPA UINT64_MAX

struct sim_exit_record {
	unsigned int reason; /* enum exit_reason */
	enum pf_cause cause; /* page faults only */
	bool is_page_fault;
	bool user;     /* rip is user code: CPL 3 */
	uint32_t pfec; /* page faults: error code */
	gva_t gva;     /* page faults, INVLPG */
	gva_t rip;
	gpa_t gpa;
	uint64_t insns;  /* instruction clock */
	uint64_t cycles; /* from exit to entry */
};

/* tell: NULL takes it back.  At most one at a time. */
void sim_watch_exits(struct sim *sim,
		     void (*tell)(void *context,
				  const struct sim_exit_record *record),
		     void *context);
/* With roi=on, told when the region begins: no exit so far is counted. */
void sim_watch_region(struct sim *sim, void (*begins)(void *context),
		      void *context);

/*
 * unsafe-trap=force: a reference that the processor translates to a frame the
 * guest's tables do not map, through an entry that was to fault.  Counted as
 * wrong_translations; the first ones are kept.
 */
struct sim_stray {
	gva_t gva;
	hpa_t hpa; /* where it goes: nothing is there */
	gpa_t gpa; /* where the guest's tables lead, or SIM_NO_GPA */
	gva_t rip;
	uint32_t access; /* PFEC_W, PFEC_U, PFEC_ID */
	uint64_t insns;  /* instruction clock */
};

#define SIM_STRAYS_MAX 8

const struct sim_stray *sim_strays(const struct sim *sim, unsigned int *nr);

/*
 * The guest refers to memory, whether or not that is pushed: an emulation that
 * was under way is over.  Before anything is charged for the reference.
 */
void sim_reference(struct sim *sim);

/* Bring the clocks up to the end of the run and close open latencies. */
void sim_finish(struct sim *sim, uint64_t insns);

/*
 * The guest-visible page faults in their order: FNV-64 over (cr2, error code)
 * of each.  Equal under every policy if the bypass is transparent.
 */
uint64_t sim_fault_digest(const struct sim *sim);

/* What is wrong inside: a conservation law or an audit; NULL if nothing. */
const char *sim_check(const struct sim *sim);

/* Of all audits that were run: what did not hold, and the first of it. */
struct sim_audit {
	uint64_t violations;
	const char *first; /* as long as the simulator; "": nothing */
};

struct sim_audit sim_audit(const struct sim *sim);

#endif
