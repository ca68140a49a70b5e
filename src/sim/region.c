/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The region of interest (roi=on): from the guest's first OUT of 0x10 to port
 * 0xf5 to its first OUT of 0x11 after that.  The markers' own exits are left
 * out, and so is a fault that is not retried inside.
 */
#include "sim/internal.h"

static bool is_marker(const struct sim *sim, const struct guest_event *ev,
		      enum guest_marker marker)
{
	return config_get(&sim->config, OPT_roi) && event_is_marker(ev, marker);
}

/* After the marker's exit. */
void sim_region_begins(struct sim *sim, const struct guest_event *ev)
{
	if (sim->region_begun || !is_marker(sim, ev, GUEST_REGION_BEGINS))
		return;
	sim->region_begun = true;
	for (unsigned int i = 0; i < sim->nr_vcpus; i++) {
		sim->vcpu[i].nr_open = 0;
		sim->vcpu[i].retrying = false;
		sim->vcpu[i].left = (struct cost_range){0};
	}
	sim->other_exception_exits = 0;
	sim->nr_strays = 0;
	sim->spent_before = sim_spent(sim);
	account_reset(sim->acct);
	if (sim_is_probed(sim))
		sim_probe_region(sim, SIM_STEP_REGION);
	if (sim->region_begins)
		sim->region_begins(sim->region_context);
}

/* Before the marker's exit. */
void sim_region_ends(struct sim *sim, const struct guest_event *ev,
		     struct guest_outcome *out)
{
	if (!sim->region_begun || sim->region ||
	    !is_marker(sim, ev, GUEST_REGION_ENDS))
		return;
	sim->region = account_clone(sim->acct);
	if (sim_is_probed(sim))
		sim_probe_region(sim, SIM_STEP_REGION_ENDS);
	if (!sim->region)
		sim_stop(sim, out, "no host memory");
}
