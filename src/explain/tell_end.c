/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the guest sees of it, how long that takes, and the other setting. */
#include <inttypes.h>
#include <string.h>

#include "explain/internal.h"

/* --- The outcome --------------------------------------------------------- */

/* What the source was told last; NULL: nothing was asked. */
static const struct story_step *last_outcome(const struct story *story)
{
	for (size_t i = story->nr; i-- > 0;)
		if (story->step[i].step.kind == SIM_STEP_OUTCOME)
			return &story->step[i];
	return NULL;
}

static void fault_text(const struct guest_outcome *out, char *buf, size_t size)
{
	const struct vmx_event event = {
		.valid = true,
		.vector = out->vector,
		.type = (enum vmx_intr_type)out->type,
		.has_error = out->has_error,
		.error = out->error,
	};

	event_text(&event, buf, size);
}

static const char *way_of(const struct story *story,
			  const struct guest_outcome *out)
{
	if (out->direct)
		return "delivered by the processor itself";
	if (story_first(story, SIM_STEP_EXIT))
		return "injected by the hypervisor";
	return "raised by the instruction, without an exit";
}

static void device_text(gpa_t gpa, char *buf, size_t size)
{
	snprintf(buf, size, "the device at 0x%" PRIx64 ", if there is one",
		 gpa);
}

/* Half a sentence: "nothing: ...". */
static void outcome_text(const struct story *story, char *buf, size_t size)
{
	const struct story_step *step = last_outcome(story);
	char text[200];

	if (!step) {
		snprintf(buf, size, "nothing: the access is done");
		return;
	}
	switch (step->outcome.verdict) {
	case GO_DONE:
		if (step->event.kind == GE_DEVICE) {
			device_text(step->event.value, buf, size);
			return;
		}
		snprintf(buf, size, "%s",
			 story->kind != STORY_REF ? "nothing but what it asked "
						    "for"
			 : step->event.kind == GE_STORE
				 ? "nothing: its store is done for it"
			 : step->event.kind == GE_COMPARE_FAILED
				 ? "nothing: its comparison is done for it"
				 : "nothing: the access is done");
		return;
	case GO_FAULT:
		fault_text(&step->outcome, text, sizeof(text));
		snprintf(buf, size, "%s, %s", text,
			 way_of(story, &step->outcome));
		return;
	case GO_EMULATE:
		snprintf(buf, size, "nothing: its store is done for it");
		return;
	case GO_MMIO:
		device_text(step->outcome.gpa, buf, size);
		return;
	case GO_TAKE_IRQ:
		snprintf(buf, size, "the interrupt, next");
		return;
	case GO_LATER:
		snprintf(buf, size,
			 "nothing yet: it cannot take the "
			 "interrupt now");
		return;
	case GO_SHUTDOWN:
		snprintf(buf, size, "its end: a triple fault");
		return;
	case GO_STOP:
		snprintf(buf, size, "its end: the model cannot go on");
		return;
	}
}

void tell_outcome(const struct telling *t)
{
	const struct story *story = t->story;
	const struct story_step *step = last_outcome(story);
	char text[300];

	prose_section(t->prose, "What the guest sees");
	outcome_text(story, text, sizeof(text));
	prose_para(t->prose, "%c%s.", text[0] - (text[0] >= 'a' ? 32 : 0),
		   text + 1);
	if (story->has_fault)
		prose_para(t->prose,
			   "CR2 is 0x%" PRIx64 " when the handler begins. %s",
			   story->ref.gva,
			   story->fault_exited
				   ? "The hypervisor wrote it before VM entry."
				   : "The processor wrote it.");
	else if (step && step->outcome.verdict == GO_DONE &&
		 step->event.kind == GE_ACCESS)
		prose_para(t->prose,
			   "The byte is at guest-physical 0x%" PRIx64
			   ", which here is the host-physical address, too.",
			   step->outcome.hpa);
	if (*t->lane_line)
		prose_para(t->prose, "The replay ends here: %s.", t->lane_line);
}

/* --- Latency ------------------------------------------------------------- */

static void put_duration(const struct telling *t, const char *what,
			 uint64_t cycles)
{
	uint64_t mhz = config_get(&t->story->config, OPT_mhz);

	if (mhz)
		prose_fact(t->prose, what, "%" PRIu64 " cycles, %.2f us",
			   cycles, (double)cycles / (double)mhz);
	else
		prose_fact(t->prose, what, "%" PRIu64 " cycles", cycles);
}

static void put_later(const struct telling *t)
{
	const struct story *story = t->story;

	if (!story->nr_later) {
		prose_para(t->prose, "No VM exit comes between.");
		return;
	}
	prose_para(t->prose, "VM exits between:");
	prose_table(t->prose);
	prose_column(t->prose, "item", true);
	prose_column(t->prose, "cycles", true);
	prose_column(t->prose, "reason", false);
	for (size_t i = 0; i < story->nr_later && i < STORY_LATER_MAX; i++) {
		const struct story_later *later = &story->later[i];

		prose_cell(t->prose, "%" PRIu64, later->item);
		prose_cell(t->prose, "%" PRIu64, later->cycles);
		if (later->is_page_fault)
			prose_cell(t->prose, "page fault, %s",
				   cause_name(later->cause));
		else
			prose_cell(t->prose, "%s",
				   exit_reason_name(later->reason));
	}
	if (story->nr_later > STORY_LATER_MAX)
		prose_para(t->prose, "And %zu more.",
			   story->nr_later - STORY_LATER_MAX);
}

/* NULL: no latency ends with this step. */
static const char *latency_name(const struct story *story, size_t at)
{
	bool irq = story->kind == STORY_EVENT && story->event.kind == GE_IRQ;

	if (story->step[at].step.kind == SIM_STEP_RETRIED)
		return "this ends a fault";
	if (story->step[at].step.kind != SIM_STEP_ENTRY)
		return NULL;
	while (at-- > 0)
		if (story->step[at].step.kind == SIM_STEP_EXIT)
			return story->step[at].exit.reason ==
						       EXIT_REASON_EXTERNAL_INTERRUPT &&
					       !irq
				       ? "another's flush"
				       : "exit to entry";
	return "exit to entry";
}

void tell_latency(const struct telling *t)
{
	const struct story *story = t->story;
	bool began = false;

	for (size_t i = 0; i < story->nr; i++) {
		const char *what = latency_name(story, i);

		if (!what)
			continue;
		if (!began)
			prose_section(t->prose, "Latency");
		began = true;
		put_duration(t, what, story->step[i].step.cycles);
	}
	if (!story->has_fault)
		return;
	if (!began)
		prose_section(t->prose, "Latency");
	if (!story->is_retried) {
		prose_para(t->prose, "The access is not tried again before "
				     "the trace ends.");
		return;
	}
	put_duration(t, "fault to retry", story->retry_cycles);
	prose_para(t->prose,
		   "The guest's handler runs, and the access is tried again "
		   "and done by item %" PRIu64 ".",
		   story->retried_item);
	put_later(t);
}

/* --- The other setting --------------------------------------------------- */

static void sum_up(const struct story *story, char *buf, size_t size)
{
	const struct story_step *handled = story_first(story, SIM_STEP_HANDLED);
	size_t exits = story_count(story, SIM_STEP_EXIT);
	char text[300], cause[60] = "", retry[80] = "";

	outcome_text(story, text, sizeof(text));
	if (handled)
		snprintf(cause, sizeof(cause), " (%s)",
			 cause_name(handled->step.result.cause));
	if (story->is_retried)
		snprintf(retry, sizeof(retry),
			 "; from the fault to the retry %" PRIu64 " cycles",
			 story->retry_cycles);
	snprintf(buf, size,
		 "%zu VM exit%s%s, %" PRIu64 " cycles; the guest sees %s%s",
		 exits, exits == 1 ? "" : "s", cause, story->cycles, text,
		 retry);
}

void tell_other(const struct telling *t)
{
	bool on = config_has_bypass(&t->story->config);
	char here[600], there[600];

	if (!t->other)
		return;
	prose_section(t->prose, "With the bypass %s", on ? "off" : "on");
	sum_up(t->story, here, sizeof(here));
	sum_up(t->other, there, sizeof(there));
	if (!strcmp(here, there)) {
		prose_para(t->prose, "The same: %s.", there);
		return;
	}
	prose_fact(t->prose, on ? "bypass=on" : "bypass=off", "%s", here);
	prose_fact(t->prose, on ? "bypass=off" : "bypass=on", "%s", there);
}
