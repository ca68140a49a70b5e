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

struct event_sink *sim_sink(struct sim *sim);

/* With roi=on, of the region once it has ended. */
const struct account *sim_account(const struct sim *sim);

/* Bring the clocks up to the end of the run and close open latencies. */
void sim_finish(struct sim *sim, uint64_t insns);

/*
 * The guest-visible page faults in their order: FNV-64 over (cr2, error code)
 * of each.  Equal under every policy if the bypass is transparent.
 */
uint64_t sim_fault_digest(const struct sim *sim);

/* What is wrong inside: a conservation law or an audit; NULL if nothing. */
const char *sim_check(const struct sim *sim);
const struct smmu_audit_report *sim_audit(const struct sim *sim);

#endif
