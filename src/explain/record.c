/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "explain/record.h"

#include <stdlib.h>
#include <string.h>

void story_finish(struct story *story)
{
	for (size_t i = 0; i < story->nr; i++) {
		free(story->step[i].guest);
		free(story->step[i].shadow);
	}
	free(story->step);
	*story = (struct story){0};
}

const struct story_step *story_first(const struct story *story,
				     enum sim_step_kind kind)
{
	for (size_t i = 0; i < story->nr; i++)
		if (story->step[i].step.kind == kind)
			return &story->step[i];
	return NULL;
}

size_t story_count(const struct story *story, enum sim_step_kind kind)
{
	size_t n = 0;

	for (size_t i = 0; i < story->nr; i++)
		n += story->step[i].step.kind == kind;
	return n;
}

/* --- The entry that a store goes to --------------------------------------- */

static uint64_t read_entry(const struct mem *mem, gpa_t gpa, unsigned int size)
{
	return size == 4 ? mem_read_u32(mem, gpa) : mem_read_u64(mem, gpa);
}

static void note_store(struct recorder *r, const struct guest_event *ev)
{
	const struct sim_inside in = sim_inside(r->sim);
	struct story *story = r->story;
	unsigned int size = paging_entry_size(in.guest.mode);
	gpa_t gpa;

	if (story->store.known || !smmu_gva_to_gpa(in.smmu, ev->gva, &gpa) ||
	    !mem_is_ram(in.mem, gpa, 1))
		return;
	gpa &= ~(gpa_t)(size - 1);
	story->store.known = true;
	story->store.gpa = gpa;
	story->store.size = size;
	story->store.was = read_entry(in.mem, gpa, size);
}

/* --- One step ------------------------------------------------------------ */

static struct vmx_exit_info exit_of(const struct vmcs *vmcs)
{
	return (struct vmx_exit_info){
		.reason = vmcs_get32(vmcs, VMCS_EXIT_REASON),
		.qualification = vmcs_get(vmcs, VMCS_EXIT_QUALIFICATION),
		.intr_info = vmcs_get32(vmcs, VMCS_EXIT_INTR_INFO),
		.intr_error = vmcs_get32(vmcs, VMCS_EXIT_INTR_ERROR),
		.vectoring_info = vmcs_get32(vmcs, VMCS_IDT_VECTORING_INFO),
		.vectoring_error = vmcs_get32(vmcs, VMCS_IDT_VECTORING_ERROR),
		.insn_len = vmcs_get32(vmcs, VMCS_EXIT_INSN_LEN),
	};
}

/* NULL: out of memory, and it is noted. */
static struct path *take_path(struct story *story, const struct paging_ctx *ctx,
			      const struct mem *mem,
			      const struct guest_event *ev)
{
	struct path *path = malloc(sizeof(*path));

	if (path)
		path_take(path, ctx, mem, ev->gva, ev->access);
	else
		story->failed = true;
	return path;
}

static void keep_details(struct recorder *r, struct story_step *to)
{
	const struct sim_inside in = sim_inside(r->sim);
	struct sim_step *step = &to->step;

	switch (step->kind) {
	case SIM_STEP_EVENT:
		to->event = *step->event;
		if (to->event.kind == GE_STORE)
			note_store(r, &to->event);
		break;
	case SIM_STEP_WALK:
		to->event = *step->event;
		to->guest = take_path(r->story, &in.guest, in.mem, &to->event);
		to->shadow =
			take_path(r->story, in.hardware, in.mem, &to->event);
		break;
	case SIM_STEP_EXIT:
		to->exit = exit_of(in.vmcs);
		break;
	case SIM_STEP_SPTE:
		to->page = smmu_page(in.smmu, step->table);
		to->was_kind = smmu_spte_kind(in.smmu, step->was);
		to->is_kind = smmu_spte_kind(in.smmu, step->is);
		break;
	case SIM_STEP_TABLE_GONE:
		to->page = smmu_page(in.smmu, step->table);
		break;
	case SIM_STEP_OUTCOME:
		to->event = *step->event;
		to->outcome = *step->outcome;
		break;
	default:
		break;
	}
	step->event = NULL;
	step->outcome = NULL;
}

static struct story_step *new_step(struct story *story)
{
	size_t want = story->max ? 2 * story->max : 64;
	void *more;

	if (story->nr == story->max) {
		more = realloc(story->step, want * sizeof(*story->step));
		if (!more) {
			story->failed = true;
			return NULL;
		}
		story->step = more;
		story->max = want;
	}
	story->step[story->nr] = (struct story_step){0};
	return &story->step[story->nr++];
}

static void note_charge(struct story *story, const struct sim_step *step)
{
	if (step->cost == COST_GUEST_INSN)
		story->guest_insns += step->n;
	else
		story->cycles += story->cost[step->cost] * step->n;
}

/* Not so if a delivery that was cut short is merely to begin again. */
static bool is_new_fault(const struct story *story,
			 const struct guest_outcome *out)
{
	for (size_t i = story->nr; i-- > 0 && !out->direct;)
		if (story->step[i].step.kind == SIM_STEP_HANDLED)
			return story->step[i].step.result.verdict ==
			       SMMU_INJECT;
	return out->direct;
}

static void note_outcome(struct story *story, const struct sim_step *step)
{
	const struct guest_outcome *out = step->outcome;

	if (out->verdict != GO_FAULT || out->vector != EXC_PF ||
	    out->type != EVENT_HW_EXC || step->event->kind == GE_DELIVER)
		return;
	story->has_fault = is_new_fault(story, out);
	story->fault_exited = !out->direct;
}

static void keep(struct recorder *r, const struct sim_step *step)
{
	struct story *story = r->story;
	struct story_step *to = new_step(story);

	if (!to)
		return;
	to->step = *step;
	story->now_after = sim_counting(r->sim)->now;
	if (step->kind == SIM_STEP_CHARGE)
		note_charge(story, step);
	if (step->kind == SIM_STEP_FAULT)
		story->fault_began = step->began;
	if (step->kind == SIM_STEP_OUTCOME)
		note_outcome(story, step);
	keep_details(r, to);
}

/* --- Phases -------------------------------------------------------------- */

/* What the item did is done: see what has become of everything. */
static void item_done(struct recorder *r)
{
	const struct sim_inside in = sim_inside(r->sim);
	const struct account *acct = sim_counting(r->sim);
	struct story *story = r->story;

	for (int i = 0; i < NR_COUNTERS; i++)
		story->counter[i] = acct->counter[i] - story->counter[i];
	if (story->kind == STORY_REF)
		path_take(&story->guest_after, &in.guest, in.mem,
			  story->ref.gva, story->guest.access);
	story->root_after = in.hardware->root;
	story->root_page = smmu_page(in.smmu, story->root_after);
	if (story->store.known)
		story->store.is =
			read_entry(in.mem, story->store.gpa, story->store.size);
	for (size_t i = 0; i < story->nr; i++) {
		struct story_step *step = &story->step[i];

		if (step->step.kind == SIM_STEP_TABLE)
			step->page = smmu_page(in.smmu, step->step.table);
	}
	r->phase = story->has_fault ? RECORD_FOLLOW : RECORD_DONE;
}

/* The second-level TLB's answer comes before what it leads to, if anything. */
static bool asks_second(const struct sim_step *step)
{
	return step->kind == SIM_STEP_CHARGE && step->cost == COST_TLB_L2;
}

/* Does this step go on with the emulation?  The next access ends it. */
static bool is_rest(struct recorder *r, const struct sim_step *step)
{
	const struct guest_event *ev = step->event;

	if (r->gave_up && asks_second(step))
		return true;
	if (step->kind != SIM_STEP_EVENT)
		return r->in_push || step->kind == SIM_STEP_ENTRY;
	r->gave_up |= ev->kind == GE_EMULATE_FAILED;
	if (event_is_answer(ev))
		return true;
	return r->gave_up && ev->kind == GE_ACCESS &&
	       ev->gva == r->story->ref.gva;
}

static void take_rest(struct recorder *r, const struct sim_step *step)
{
	if (!is_rest(r, step)) {
		if (step->kind == SIM_STEP_EVENT)
			item_done(r);
		return;
	}
	keep(r, step);
	if (step->kind == SIM_STEP_OUTCOME && r->gave_up &&
	    step->event->kind == GE_ACCESS)
		item_done(r);
}

static void note_later(struct recorder *r)
{
	struct story *story = r->story;

	if (story->nr_later < STORY_LATER_MAX)
		story->later[story->nr_later] = r->later;
	story->nr_later++;
}

/*
 * While other processors had their turn, time stood still for the fault, so
 * that with several of them its address must do.
 */
static bool is_its_retry(const struct story *story, const struct sim_step *step)
{
	if (story->nr_vcpus > 1)
		return step->gva == story->ref.gva;
	return step->began == story->fault_began;
}

static void take_follow(struct recorder *r, const struct sim_step *step)
{
	const struct sim_inside in = sim_inside(r->sim);

	switch (step->kind) {
	case SIM_STEP_EXIT:
		r->later = (struct story_later){
			.item = r->item,
			.reason = vmcs_get32(in.vmcs, VMCS_EXIT_REASON),
		};
		break;
	case SIM_STEP_HANDLED:
		r->later.is_page_fault = true;
		r->later.cause = step->result.cause;
		break;
	case SIM_STEP_ENTRY:
		r->later.cycles = step->cycles;
		note_later(r);
		break;
	case SIM_STEP_RETRIED:
		if (!is_its_retry(r->story, step))
			break;
		r->story->is_retried = true;
		r->story->retried_item = r->item;
		r->story->retry_cycles = step->cycles;
		r->phase = RECORD_DONE;
		break;
	default:
		break;
	}
}

static uint32_t access_of(const struct trace_ref *ref)
{
	return (ref->kind == TRACE_WRITE ? PFEC_W : 0u) |
	       (ref->kind == TRACE_FETCH ? PFEC_ID : 0u) |
	       (ref->user ? PFEC_U : 0u) | (ref->ac ? ACCESS_AC : 0u);
}

/* How things stand before the item. */
static void note_state(struct recorder *r)
{
	const struct sim_inside in = sim_inside(r->sim);
	const struct account *acct = sim_counting(r->sim);
	struct story *story = r->story;

	story->cpu = *in.cpu;
	story->root = in.hardware->root;
	story->now = acct->now;
	story->now_after = acct->now;
	story->controls = *in.controls;
	story->vcpu = in.vcpu;
	story->nr_vcpus = in.nr_vcpus;
	memcpy(story->counter, acct->counter, sizeof(story->counter));
	if (story->kind == STORY_REF) {
		uint32_t access = access_of(&story->ref);

		path_take(&story->guest, &in.guest, in.mem, story->ref.gva,
			  access);
		path_take(&story->shadow, in.hardware, in.mem, story->ref.gva,
			  access);
	}
}

static bool is_own_event(const struct story *story,
			 const struct guest_event *ev)
{
	if (story->kind == STORY_REF)
		return ev->kind == GE_ACCESS && ev->gva == story->ref.gva;
	return ev->kind == story->event.kind;
}

/* Walks from here on; its lookups have been counted. */
static void note_walks(struct recorder *r)
{
	const struct account *acct = sim_counting(r->sim);

	for (int i = TLB_misses; i < NR_TLB_COUNTERS; i++)
		r->story->tlb_counter[i] = acct->tlb[i];
}

/*
 * What comes before the item's own push ends what an earlier item began, or
 * loads the state that a trace begins with.
 */
static bool is_earlier(struct recorder *r, const struct sim_step *step)
{
	struct story *story = r->story;

	if (r->has_begun || asks_second(step))
		return false;
	if (step->kind != SIM_STEP_EVENT)
		return true;
	r->has_begun = is_own_event(story, step->event);
	if (r->has_begun) {
		note_state(r);
		note_walks(r);
		story->now -= story->cycles;
		return false;
	}
	story->nr = 0;
	story->cycles = 0;
	return true;
}

static void take(void *context, const struct sim_step *step)
{
	struct recorder *r = context;

	if (step->kind == SIM_STEP_EVENT)
		r->in_push = true;
	switch (r->phase) {
	case RECORD_ITEM:
		if (!is_earlier(r, step))
			keep(r, step);
		break;
	case RECORD_REST:
		take_rest(r, step);
		break;
	case RECORD_FOLLOW:
		take_follow(r, step);
		break;
	case RECORD_DONE:
		break;
	}
	if (step->kind == SIM_STEP_OUTCOME)
		r->in_push = false;
}

/* --- The recorder -------------------------------------------------------- */

void record_begin(struct recorder *r, struct story *story,
		  struct replay_lane *lane)
{
	const struct sim_probe probe = {take, r};
	const struct account *acct;

	*r = (struct recorder){
		.story = story,
		.lane = lane,
		.sim = replay_lane_sim(lane),
		.item = story->item,
	};
	acct = sim_counting(r->sim);
	note_state(r);
	memcpy(story->tlb_counter, acct->tlb, sizeof(story->tlb_counter));
	for (unsigned int i = 0; i < NR_COSTS; i++)
		story->cost[i] = acct->cost[i].typ;
	sim_set_probe(r->sim, &probe);
}

static bool is_emulating(const struct story *story)
{
	for (size_t i = story->nr; i-- > 0;) {
		enum guest_verdict verdict = story->step[i].outcome.verdict;

		if (story->step[i].step.kind == SIM_STEP_OUTCOME)
			return verdict == GO_EMULATE || verdict == GO_MMIO;
	}
	return false;
}

void record_item_over(struct recorder *r)
{
	const struct account *acct = sim_counting(r->sim);
	struct story *story = r->story;

	if (r->phase != RECORD_ITEM)
		return;
	for (int i = 0; i < NR_TLB_COUNTERS; i++)
		story->tlb_counter[i] = acct->tlb[i] - story->tlb_counter[i];
	if (story_count(story, SIM_STEP_WALK))
		story->tlb = STORY_TLB_MISS;
	else
		story->tlb = story->tlb_counter[TLB_l2_hits] ? STORY_TLB_L2
							     : STORY_TLB_L1;
	if (is_emulating(story))
		r->phase = RECORD_REST;
	else
		item_done(r);
}

void record_end(struct recorder *r)
{
	if (r->phase == RECORD_ITEM)
		record_item_over(r);
	if (r->phase == RECORD_REST)
		item_done(r);
	sim_set_probe(r->sim, &(struct sim_probe){0});
}
