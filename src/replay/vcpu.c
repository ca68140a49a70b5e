/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whose turn it is, and the state in which a processor begins. */
#include <string.h>

#include "replay/internal.h"

static struct sim_state state_of(const struct trace_info *info,
				 unsigned int vcpu)
{
	struct trace_vcpu from = trace_vcpu_of(info, vcpu);
	struct sim_state state = {.vcpu = vcpu,
				  .cr0 = from.cr0,
				  .cr3 = from.cr3,
				  .cr4 = from.cr4,
				  .efer = from.efer,
				  .pkru = (uint32_t)from.pkru};

	memcpy(state.pdpte, from.pdpte, sizeof(state.pdpte));
	return state;
}

void lane_init_vcpus(struct replay_lane *lane, const struct trace_info *info)
{
	const struct guest_view *view = lane->sink->view;

	lane->reset = (struct sim_state){.cr0 = view->cr0,
					 .cr3 = view->cr3,
					 .cr4 = view->cr4,
					 .efer = view->efer};
	lane->nr_vcpus = info->nr_others + 1;
	lane->state = state_of(info, 0);
	for (unsigned int i = 1; i < lane->nr_vcpus; i++)
		lane->left[i].state = state_of(info, i);
}

/* The simulator starts where a live guest does; a cut or imported trace need
 * not, and its root's table has come by now. */
void lane_begin(struct replay_lane *lane)
{
	const struct sim_state *state = &lane->state, *reset = &lane->reset;
	struct diag diag;

	lane->begun = true;
	if (state->cr0 == reset->cr0 && state->cr3 == reset->cr3 &&
	    state->cr4 == reset->cr4 && state->efer == reset->efer &&
	    !state->pkru)
		return;
	if (sim_load_state(lane->sim, state, &diag))
		lane_differs(lane, "the trace begins with %.300s", diag.msg);
}

static void leave(struct replay_lane *lane)
{
	lane->left[lane->vcpu] = (struct lane_vcpu){
		.state = lane->state,
		.begun = lane->begun,
		.kept = {*lane->fetch[0], *lane->fetch[1]},
		.retry = lane->retry,
		.retrying = lane->retrying,
	};
}

static void enter(struct replay_lane *lane, uint8_t vcpu)
{
	const struct lane_vcpu *left = &lane->left[vcpu];

	lane->vcpu = vcpu;
	lane->tlb = sim_tlb(lane->sim, vcpu);
	lane->state = left->state;
	lane->begun = left->begun;
	memcpy(lane->kept, left->kept, sizeof(lane->kept));
	lane->fetch[0] = &lane->kept[0];
	lane->fetch[1] = &lane->kept[1];
	lane->retry = left->retry;
	lane->retrying = left->retrying;
	sim_select(lane->sim, vcpu);
}

void lane_use_vcpu(struct replay_lane *lane, uint32_t vcpu)
{
	if (lane->expected == EXPECT_VALUE)
		lane_emulate_failed(lane);
	if (!lane_is_running(lane))
		return;
	if (vcpu >= lane->nr_vcpus) {
		lane_differs(lane,
			     "processor %u, of which the trace's header does "
			     "not tell",
			     vcpu);
		return;
	}
	if (lane->delivery.under_way || lane->expected != EXPECT_ANYTHING) {
		lane_differs(lane,
			     "processor %u is left in the midst of "
			     "a delivery or before one",
			     lane->vcpu);
		return;
	}
	if (vcpu == lane->vcpu)
		return;
	leave(lane);
	enter(lane, (uint8_t)vcpu);
}
