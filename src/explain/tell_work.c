/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The hypervisor's work in its order, and what it costs. */
#include <inttypes.h>
#include <string.h>

#include "explain/internal.h"

/* --- Steps with their cycles --------------------------------------------- */

/* Longer than that, and a line gets too long: up to a comma then. */
#define WHAT_MAX 48

static void put_step(const struct telling *t, const char *what, uint64_t n,
		     enum cost_id cost)
{
	uint64_t each = t->story->cost[cost];
	size_t len = strlen(what);

	if (len > WHAT_MAX)
		len = strcspn(what, ",");
	prose_cell(t->prose, "%.*s", (int)len, what);
	prose_cell(t->prose, "%" PRIu64, n);
	prose_cell(t->prose, "%" PRIu64, each);
	prose_cell(t->prose, "%" PRIu64, n * each);
}

static void put_sum(const struct telling *t, uint64_t cycles)
{
	prose_cell(t->prose, "sum");
	prose_cell(t->prose, " ");
	prose_cell(t->prose, " ");
	prose_cell(t->prose, "%" PRIu64, cycles);
}

static void begin_steps(const struct telling *t)
{
	prose_table(t->prose);
	prose_column(t->prose, "step", false);
	prose_column(t->prose, "units", true);
	prose_column(t->prose, "each", true);
	prose_column(t->prose, "cycles", true);
}

static bool is_work(const struct sim_step *step)
{
	return step->kind == SIM_STEP_CHARGE && step->n &&
	       step->cost != COST_GUEST_INSN;
}

static void put_steps(const struct telling *t, size_t from, size_t to)
{
	const struct story *story = t->story;
	uint64_t sum = 0;

	begin_steps(t);
	for (size_t i = from; i < to; i++) {
		const struct sim_step *step = &story->step[i].step;

		if (!is_work(step))
			continue;
		put_step(t, cost_info(step->cost)->what, step->n, step->cost);
		sum += step->n * story->cost[step->cost];
	}
	put_sum(t, sum);
}

/* --- What the shadow MMU says of it -------------------------------------- */

static const char *verdict_text(const struct smmu_result *r)
{
	switch (r->verdict) {
	case SMMU_FIXED:
		return "The shadow is mended: let the guest try again";
	case SMMU_INJECT:
		return "It is the guest's own fault: inject it";
	case SMMU_EMULATE:
		return "The frame is a guest page table, kept write-protected: "
		       "emulate the instruction";
	case SMMU_MMIO:
		return "There is no memory at that guest-physical address: a "
		       "device's, or nobody's";
	}
	return "";
}

/* The walk before this step; NULL: none. */
static const struct path *walk_before(const struct story *story, size_t i)
{
	while (i-- > 0)
		if (story->step[i].step.kind == SIM_STEP_WALK)
			return story->step[i].guest;
	return NULL;
}

/* KVM's walker is not the processor. */
static void tell_difference(const struct telling *t,
			    const struct smmu_result *r,
			    const struct path *guest)
{
	bool injects = r->verdict == SMMU_INJECT;

	if (!guest ||
	    (injects && guest->walk.fault && guest->walk.pfec == r->pfec))
		return;
	if (injects && guest->walk.fault)
		prose_para(t->prose,
			   "The hypervisor's walker says 0x%" PRIx32
			   " where the processor's rules give 0x%" PRIx32
			   ": it checks the rights of each entry on the way "
			   "down, does not look at reserved bits, and repeats "
			   "the I/D bit of the exit (docs/shadow-mmu.md, "
			   "\"Known flaws, kept\").",
			   r->pfec, guest->walk.pfec);
	else if (injects)
		prose_para(t->prose,
			   "By the processor's rules the guest's tables allow "
			   "this access; the hypervisor's walker says no, with "
			   "0x%" PRIx32 ".",
			   r->pfec);
	else if (guest->walk.fault)
		prose_para(t->prose,
			   "By the processor's rules the guest's tables fault "
			   "here with 0x%" PRIx32
			   "; this hypervisor's walker does not see it "
			   "(docs/shadow-mmu.md, \"Known flaws, kept\").",
			   guest->walk.pfec);
}

static void tell_result(const struct telling *t, size_t i)
{
	const struct smmu_result *r = &t->story->step[i].step.result;

	prose_verdict(t->prose, "%s. Cause: %s (%s).", verdict_text(r),
		      cause_name(r->cause), cause_what(r->cause));
	if (r->verdict == SMMU_INJECT && r->level)
		prose_para(t->prose,
			   "It is the guest's entry of level %u that says no; "
			   "the error code to inject is 0x%" PRIx32 ".",
			   r->level, r->pfec);
	tell_difference(t, r, walk_before(t->story, i));
}

static void tell_entry(const struct telling *t, const struct sim_step *step)
{
	char text[200];

	if (!step->injected.valid) {
		prose_para(t->prose,
			   "VM entry, with nothing injected, %" PRIu64
			   " cycles after the exit.",
			   step->cycles);
		return;
	}
	event_text(&step->injected, text, sizeof(text));
	prose_para(t->prose,
		   "VM entry, %" PRIu64 " cycles after the exit, with the "
		   "entry field 0x%" PRIx32 ": %s.",
		   step->cycles, vmx_event_info(&step->injected), text);
}

static void tell_store(const struct telling *t, const struct guest_event *ev)
{
	char bytes[2 * GUEST_STORE_MAX + 1] = "";

	for (unsigned int i = 0; i < ev->size; i++)
		snprintf(bytes + 2 * i, 3, "%02x", ev->bytes[ev->size - 1 - i]);
	prose_para(t->prose,
		   "The emulated instruction stores %u bytes, 0x%s, at "
		   "0x%" PRIx64
		   ". The shadow MMU is told before they are in memory.",
		   ev->size, bytes, ev->gva);
}

void tell_work(const struct telling *t, size_t from, size_t to)
{
	const struct story *story = t->story;
	bool entered = false;

	put_steps(t, from, to);
	for (size_t i = from; i < to; i++) {
		const struct story_step *step = &story->step[i];

		if (step->step.kind == SIM_STEP_HANDLED)
			tell_result(t, i);
		else if (step->step.kind == SIM_STEP_EVENT &&
			 step->event.kind == GE_STORE)
			tell_store(t, &step->event);
		else if (step->step.kind == SIM_STEP_EVENT &&
			 step->event.kind == GE_EMULATE_FAILED)
			prose_para(t->prose,
				   "The instruction cannot be emulated: the "
				   "table is unshadowed, so that it can run.");
		else if (step->step.kind == SIM_STEP_EVENT &&
			 step->event.kind == GE_COMPARE_FAILED)
			prose_para(t->prose,
				   "The emulated instruction compares, and "
				   "finds another value: it stores nothing.");
		else if (step->step.kind == SIM_STEP_EVENT &&
			 step->event.kind == GE_DEVICE)
			prose_para(t->prose,
				   "The instruction is emulated with the "
				   "device at 0x%" PRIx64
				   ", or with nobody: all ones are read, "
				   "what is written is lost.",
				   step->event.value);
		else if (step->step.kind == SIM_STEP_ENTRY) {
			tell_entry(t, &step->step);
			entered = true;
		}
	}
	if (!entered)
		prose_para(t->prose, "The exit is not over when the trace "
				     "ends.");
}

/* --- Cycles -------------------------------------------------------------- */

/* From exits to entries. */
static uint64_t exit_cycles(const struct story *story)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < story->nr; i++)
		if (story->step[i].step.kind == SIM_STEP_ENTRY)
			sum += story->step[i].step.cycles;
	return sum;
}

void tell_cycles(const struct telling *t)
{
	const struct story *story = t->story;
	uint64_t units[NR_COSTS] = {0};

	prose_section(t->prose, "Cycles");
	if (!story->cycles) {
		prose_para(t->prose, "None are charged.");
		return;
	}
	if (story_count(story, SIM_STEP_EXIT) == 1 &&
	    story->cycles == exit_cycles(story)) {
		prose_para(t->prose, "%" PRIu64 ", all of them told above.",
			   story->cycles);
		return;
	}
	for (size_t i = 0; i < story->nr; i++)
		if (is_work(&story->step[i].step))
			units[story->step[i].step.cost] +=
				story->step[i].step.n;
	begin_steps(t);
	for (int i = 0; i < NR_COSTS; i++)
		if (units[i])
			put_step(t, cost_info((enum cost_id)i)->what, units[i],
				 (enum cost_id)i);
	put_sum(t, story->cycles);
}

void tell_counters(const struct telling *t)
{
	const struct story *story = t->story;
	bool began = false;

	for (int i = 0; i < NR_COUNTERS; i++) {
		enum counter_id id = (enum counter_id)i;

		if (!story->counter[i])
			continue;
		if (!began) {
			prose_section(t->prose, "Counters");
			prose_table(t->prose);
			prose_column(t->prose, "counter", false);
			prose_column(t->prose, "by", true);
			prose_column(t->prose, "a unit is a", false);
			began = true;
		}
		prose_cell(t->prose, "%s", counter_name(id));
		prose_cell(t->prose, "%" PRIu64, story->counter[i]);
		prose_cell(t->prose, "%s", counter_what(id));
	}
}
