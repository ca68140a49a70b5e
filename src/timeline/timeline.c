/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Steps of the simulator become slices that begin and end.
 *
 * The clock moves by charges alone, so that what a charge has cost is how far
 * it has moved.  An instruction or a page walk opens a guest slice unless one
 * is open; an exit, a delivery or another processor's turn closes it.
 */
#include "timeline/timeline.h"

#include <stdlib.h>

#include "arch/exception.h"
#include "timeline/internal.h"

static bool in_window(const struct timeline *t, uint64_t cycles)
{
	uint64_t us = timeline_ns(t, cycles) / 1000;

	return us >= t->options.from && us < t->options.to;
}

bool timeline_shows(const struct timeline *t, unsigned int vcpu)
{
	const struct track *track = &t->track[vcpu];

	return t->running && (track->nr ? track->shown : in_window(t, t->now));
}

void timeline_event_name(uint8_t vector, uint8_t type, char *buf, size_t size)
{
	static const char *const names[NR_EXCEPTIONS] = {
		[EXC_DE] = "#DE", [EXC_DB] = "#DB", [EXC_BP] = "#BP",
		[EXC_OF] = "#OF", [EXC_BR] = "#BR", [EXC_UD] = "#UD",
		[EXC_NM] = "#NM", [EXC_DF] = "#DF", [EXC_TS] = "#TS",
		[EXC_NP] = "#NP", [EXC_SS] = "#SS", [EXC_GP] = "#GP",
		[EXC_PF] = "#PF", [EXC_MF] = "#MF", [EXC_AC] = "#AC",
		[EXC_MC] = "#MC", [EXC_XM] = "#XM", [EXC_VE] = "#VE",
		[EXC_CP] = "#CP",
	};

	if (type == VMX_TYPE_EXTERNAL)
		snprintf(buf, size, "IRQ 0x%x", vector);
	else if (type == VMX_TYPE_SW_INTERRUPT)
		snprintf(buf, size, "INT 0x%x", vector);
	else if (vector < NR_EXCEPTIONS && names[vector])
		snprintf(buf, size, "%s", names[vector]);
	else
		snprintf(buf, size, "vector 0x%x", vector);
}

/* --- What stands open ------------------------------------------------------
 */

static struct slice *innermost(struct track *track)
{
	return track->nr ? &track->slice[track->nr - 1] : NULL;
}

static bool is_innermost(const struct track *track, enum slice_kind kind)
{
	return track->nr && track->slice[track->nr - 1].kind == kind;
}

static void open_slice(struct timeline *t, unsigned int vcpu,
		       enum slice_kind kind, const char *name,
		       const char *category)
{
	struct track *track = &t->track[vcpu];

	BUG_ON(track->nr == SLICES_OPEN_MAX);
	if (!track->nr)
		track->shown = in_window(t, t->now);
	track->slice[track->nr++] = (struct slice){.kind = kind};
	slices_begin(t, vcpu, name, category);
}

static void open_guest(struct timeline *t, unsigned int vcpu)
{
	open_slice(t, vcpu, SLICE_GUEST, "guest", part_name(PART_guest));
}

static void close_slice(struct timeline *t, unsigned int vcpu)
{
	struct track *track = &t->track[vcpu];
	const struct slice *slice = innermost(track);

	slices_end(t, vcpu, slice);
	track->nr--;
	/* What ends in another is an exit, which has nothing of its own. */
	if (track->nr)
		innermost(track)->nested += slice->nested;
}

static void close_guest(struct timeline *t, unsigned int vcpu)
{
	if (is_innermost(&t->track[vcpu], SLICE_GUEST))
		close_slice(t, vcpu);
}

static void close_all(struct timeline *t)
{
	for (unsigned int i = 0; i < t->options.nr_vcpus; i++)
		while (t->track[i].nr)
			close_slice(t, i);
}

/* --- Charges ---------------------------------------------------------------
 */

/* A slice of its own, in what is open. */
static void charge_alone(struct timeline *t, const struct sim_step *step)
{
	struct track *track = &t->track[step->vcpu];

	close_guest(t, step->vcpu);
	if (!track->nr)
		track->shown = in_window(t, t->now);
	slices_cost(t, step);
	if (track->nr)
		innermost(track)->nested += step->now - t->now;
}

static void charge_guest(struct timeline *t, const struct sim_step *step)
{
	struct track *track = &t->track[step->vcpu];

	if (is_innermost(track, SLICE_EXIT)) {
		charge_alone(t, step);
		return;
	}
	if (!track->nr)
		open_guest(t, step->vcpu);
	innermost(track)->cycles[cost_info(step->cost)->part] +=
		step->now - t->now;
}

static void charge_delivery(struct timeline *t, const struct sim_step *step)
{
	struct track *track = &t->track[step->vcpu];
	char name[16];

	/* A delivery that was under way has come to nothing. */
	while (track->nr)
		close_slice(t, step->vcpu);
	timeline_event_name(track->vector, track->type, name, sizeof(name));
	open_slice(t, step->vcpu, SLICE_DELIVERY, name,
		   part_name(PART_delivery));
	innermost(track)->cycles[PART_delivery] += step->now - t->now;
}

static void charge(struct timeline *t, const struct sim_step *step)
{
	switch (cost_info(step->cost)->part) {
	case PART_guest:
	case PART_translation:
		charge_guest(t, step);
		break;
	case PART_delivery:
		charge_delivery(t, step);
		break;
	case PART_exit:
	case PART_handler:
		charge_alone(t, step);
		break;
	case NR_PARTS:
		BUG("part of a cost");
	}
}

/* --- Steps -----------------------------------------------------------------
 */

static void note_event(struct track *track, const struct guest_event *ev)
{
	track->event = ev->kind;
	if (ev->kind != GE_DELIVER)
		return;
	track->vector = ev->vector;
	track->type = ev->type;
	track->has_error = ev->has_error;
	track->error = ev->error;
}

static void note_exit(struct timeline *t, const struct sim_step *step)
{
	const struct vmcs *vmcs = sim_inside(t->sim).vmcs;
	struct track *track = &t->track[step->vcpu];
	uint32_t info = vmcs_get32(vmcs, VMCS_EXIT_INTR_INFO);

	track->exit = (struct exit_at){
		.reason = vmcs_get32(vmcs, VMCS_EXIT_REASON),
		.qualification = vmcs_get(vmcs, VMCS_EXIT_QUALIFICATION),
		.intr_info = info,
		.vectoring_info = vmcs_get32(vmcs, VMCS_IDT_VECTORING_INFO),
		.insn_len = vmcs_get32(vmcs, VMCS_EXIT_INSN_LEN),
		.rip = step->event->rip,
		.cause = NR_CAUSES,
	};
	if ((info & VMX_INTR_VALID) && (info & VMX_INTR_ERROR))
		track->exit.error = vmcs_get32(vmcs, VMCS_EXIT_INTR_ERROR);
}

static void begin_exit(struct timeline *t, const struct sim_step *step)
{
	struct track *track = &t->track[step->vcpu];

	note_exit(t, step);
	close_guest(t, step->vcpu);
	open_slice(t, step->vcpu, SLICE_EXIT,
		   exit_reason_name(track->exit.reason), part_name(PART_exit));
	log_exit(t, step->vcpu);
}

static void end_exit(struct timeline *t, const struct sim_step *step)
{
	struct track *track = &t->track[step->vcpu];

	log_entry(t, step);
	track->exit.injected = step->injected;
	/* The region may have begun or ended inside. */
	if (is_innermost(track, SLICE_EXIT))
		close_slice(t, step->vcpu);
	slices_counters(t);
}

static void delivered(struct timeline *t, const struct sim_step *step)
{
	if (!t->track[step->vcpu].nr)
		open_guest(t, step->vcpu);
	slices_arrow(t, step, true);
	if (!step->exits)
		slices_counters(t);
}

static void retried(struct timeline *t, const struct sim_step *step)
{
	if (!t->track[step->vcpu].nr)
		open_guest(t, step->vcpu);
	slices_arrow(t, step, false);
}

static void end_event(struct timeline *t, const struct sim_step *step)
{
	struct track *track = &t->track[step->vcpu];

	if (track->event == GE_DELIVERED && is_innermost(track, SLICE_DELIVERY))
		close_slice(t, step->vcpu);
}

static void begin_region(struct timeline *t)
{
	for (unsigned int i = 0; i < t->options.nr_vcpus; i++)
		t->track[i].nr = 0;
	t->now = 0;
	t->running = true;
	slices_counters(t);
}

static void end_region(struct timeline *t)
{
	close_all(t);
	slices_counters(t);
	t->running = false;
	t->over = true;
}

static void tell_spte(struct timeline *t, const struct sim_step *step)
{
	if (t->options.log && is_innermost(&t->track[step->vcpu], SLICE_EXIT))
		log_spte(t, step);
}

static void handle(struct timeline *t, const struct sim_step *step)
{
	switch (step->kind) {
	case SIM_STEP_EVENT:
		note_event(&t->track[step->vcpu], step->event);
		break;
	case SIM_STEP_EXIT:
		begin_exit(t, step);
		break;
	case SIM_STEP_HANDLED:
		t->track[step->vcpu].exit.cause = step->result.cause;
		break;
	case SIM_STEP_ENTRY:
		end_exit(t, step);
		break;
	case SIM_STEP_CHARGE:
		charge(t, step);
		break;
	case SIM_STEP_SPTE:
		tell_spte(t, step);
		break;
	case SIM_STEP_TABLE:
		t->fresh = step->table;
		break;
	case SIM_STEP_TABLE_GONE:
		log_page_gone(t, step);
		break;
	case SIM_STEP_DELIVERED:
		delivered(t, step);
		break;
	case SIM_STEP_RETRIED:
		retried(t, step);
		break;
	case SIM_STEP_OUTCOME:
		end_event(t, step);
		break;
	case SIM_STEP_REGION_ENDS:
		end_region(t);
		break;
	case SIM_STEP_REGION:
	case SIM_STEP_WALK:
	case SIM_STEP_FAULT:
		break;
	}
}

/* t->now is that of the step before, until this one has been handled. */
static void take(void *context, const struct sim_step *step)
{
	struct timeline *t = context;

	if (step->kind == SIM_STEP_REGION && !t->over)
		begin_region(t);
	if (!t->running) {
		if (step->kind == SIM_STEP_EVENT)
			note_event(&t->track[step->vcpu], step->event);
		return;
	}
	/* It is another processor's turn. */
	if (step->vcpu != t->vcpu)
		close_guest(t, t->vcpu);
	t->vcpu = step->vcpu;
	if (t->fresh && step->kind != SIM_STEP_TABLE) {
		log_new_page(t, step->vcpu);
		t->fresh = 0;
	}
	handle(t, step);
	t->now = step->now;
}

/* Shadow roots are made with the simulator, before the first step. */
static void tell_setup(struct timeline *t)
{
	const struct account *acct = sim_counting(t->sim);

	if (!acct->now)
		return;
	open_slice(t, 0, SLICE_SETUP, "setup", part_name(PART_handler));
	for (int i = 0; i < NR_PARTS; i++)
		t->track[0].slice[0].cycles[i] =
			account_part_cycles(acct, (enum cost_part)i).typ;
	t->now = acct->now;
	close_slice(t, 0);
}

/* --- Beginning and end -----------------------------------------------------
 */

struct timeline *timeline_begin(struct sim *sim,
				const struct timeline_options *options)
{
	struct timeline *t = calloc(1, sizeof(*t));
	const struct sim_probe probe = {take, t};

	if (!t)
		return NULL;
	t->options = *options;
	t->sim = sim;
	t->running = !options->region;
	slices_begin_file(t);
	log_begin_file(t);
	if (t->running) {
		tell_setup(t);
		slices_counters(t);
	}
	sim_set_probe(sim, &probe);
	return t;
}

void timeline_end(struct timeline *t)
{
	if (!t)
		return;
	sim_set_probe(t->sim, &(struct sim_probe){0});
	if (t->running) {
		close_all(t);
		slices_counters(t);
	}
	slices_end_file(t);
	free(t);
}
