/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * unsafe-trap=force: a walk that leaves what the hypervisor has set up, through
 * an entry whose reserved bits this processor has not got.
 *
 * On hardware the guest would go on with what is there, all ones if nothing
 * is, and be another guest from then on.  Nobody can say what it would have
 * done.  So the reference is counted, and then taken as if the entry had
 * faulted: each is one accident in the course the guest should have taken.
 */
#include "sim/internal.h"

/* Each such value has bit 51 set, the last that a processor can reserve. */
#define SAFE_WIDTH 51

const struct sim_stray *sim_strays(const struct sim *sim, unsigned int *nr)
{
	*nr = sim->nr_strays;
	return sim->stray;
}

static bool is_table_known(const struct sim *sim, const struct walk *w)
{
	return !w->refs || pool_owns(&sim->mem->pool, w->table);
}

static void count_stray(struct sim *sim, const struct guest_event *ev,
			hpa_t hpa)
{
	struct sim_stray *stray = &sim->stray[sim->nr_strays];

	account_count(sim->acct, CNT_wrong_translations);
	if (sim->region || sim->nr_strays == SIM_STRAYS_MAX)
		return;
	*stray = (struct sim_stray){
		.gva = ev->gva,
		.hpa = hpa,
		.rip = ev->rip,
		.access = ev->access & (PFEC_W | PFEC_U | PFEC_ID),
		.insns = sim->acct->insns,
	};
	if (!sim->mmu->gva_to_gpa(sim, ev->gva, &stray->gpa))
		stray->gpa = SIM_NO_GPA;
	sim->nr_strays++;
}

void sim_look_for_stray(struct sim *sim, const struct guest_event *ev,
			struct walk *w)
{
	bool lost = !w->fault && !mem_is_ram(sim->mem, w->pa, 1);
	struct paging_ctx safe = sim->cur->hardware;

	if (!lost && is_table_known(sim, w))
		return;
	if (lost)
		count_stray(sim, ev, w->pa);
	safe.maxphyaddr = SAFE_WIDTH;
	*w = paging_walk(&safe, sim->mem, ev->gva, ev->access);
	BUG_ON(!w->fault);
}
