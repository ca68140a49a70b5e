/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The story in its order: sections, and the thread that runs through them. */
#include <inttypes.h>
#include <string.h>

#include "explain/internal.h"

/* --- What is told of ----------------------------------------------------- */

static void settings_text(const struct config *config, char *buf, size_t size)
{
	struct config defaults;
	size_t len;

	config_init_beneath(&defaults, config);
	snprintf(buf, size, "mmu=%s bypass=%s", config_mmu_name(config),
		 config_has_bypass(config) ? "on" : "off");
	for (unsigned int i = 0; i < config_nr_keys(); i++) {
		char now[CONFIG_TEXT_MAX], normal[CONFIG_TEXT_MAX];
		const char *key = config_key_name(i);

		config_text(config, i, now, sizeof(now));
		config_text(&defaults, i, normal, sizeof(normal));
		if (!strcmp(now, normal) || !strcmp(key, "mmu") ||
		    !strcmp(key, "bypass"))
			continue;
		len = strlen(buf);
		snprintf(buf + len, size - len, " %s=%s", key, now);
	}
}

static void tell_head(const struct telling *t)
{
	char settings[600];

	prose_title(t->prose, "Item %" PRIu64 " of %s", t->story->item,
		    t->path);
	prose_code(t->prose, "%s", t->line);
	if (t->asked != t->story->item)
		prose_para(t->prose,
			   "Item %" PRIu64 ", which was asked for, tells how "
			   "this one ended.",
			   t->asked);
	settings_text(&t->story->config, settings, sizeof(settings));
	prose_para(t->prose, "Settings: %s", settings);
}

static void tell_ref(const struct telling *t)
{
	static const char *const verbs[] = {"fetches", "reads", "writes"};
	const struct trace_ref *ref = &t->story->ref;
	const char *bytes = ref->size == 1 ? "byte" : "bytes";

	if (ref->implicit)
		prose_para(t->prose,
			   "The processor itself %s %u %s at linear address "
			   "0x%" PRIx64 ", for an event that it delivers.",
			   verbs[ref->kind], ref->size, bytes, ref->gva);
	else if (ref->kind == TRACE_FETCH)
		prose_para(t->prose,
			   "%s code: the processor fetches an instruction of "
			   "%u %s at linear address 0x%" PRIx64 ".",
			   ref->user ? "User" : "Kernel", ref->size, bytes,
			   ref->gva);
	else
		prose_para(t->prose,
			   "%s code %s %u %s at linear address 0x%" PRIx64 ".",
			   ref->user ? "User" : "Kernel", verbs[ref->kind],
			   ref->size, bytes, ref->gva);
	if (ref->count > 1)
		prose_para(t->prose,
			   "It stands for a run of %" PRIu32
			   " references to this page, of which only the first "
			   "can fault.",
			   ref->count);
	if (!ref->count)
		prose_para(t->prose, "It is the rest of a reference that "
				     "crosses into this page.");
}

void tell_processor(const struct telling *t)
{
	if (t->story->nr_vcpus > 1)
		prose_fact(t->prose, "processor",
			   "number %u of %u, counted from 0", t->story->vcpu,
			   t->story->nr_vcpus);
}

static void tell_registers(const struct telling *t)
{
	const struct paging_ctx *ctx = &t->story->guest.ctx;

	prose_fact(t->prose, "guest paging", "%s, CR3 0x%" PRIx64,
		   tell_mode_name(ctx->mode), t->story->cpu.cr3);
	prose_fact(t->prose, "controls",
		   "CR0.WP=%d EFER.NXE=%d%s%s%s MAXPHYADDR=%u", ctx->wp,
		   ctx->nxe, ctx->smep ? " CR4.SMEP=1" : "",
		   ctx->smap ? " CR4.SMAP=1" : "", ctx->pke ? " CR4.PKE=1" : "",
		   ctx->maxphyaddr);
}

static void tell_ref_facts(const struct telling *t)
{
	const struct story *story = t->story;
	const struct story_step *event = story_first(story, SIM_STEP_EVENT);

	tell_processor(t);
	if (event && story->ref.implicit)
		prose_fact(t->prose, "rip",
			   "0x%" PRIx64 ", of the code that it interrupts; the "
			   "access is a supervisor's",
			   event->event.rip);
	else if (event)
		prose_fact(t->prose, "rip", "0x%" PRIx64 ", CPL %u",
			   event->event.rip, event->event.cpl);
	else
		prose_fact(t->prose, "CPL", "%d", story->ref.user ? 3 : 0);
	prose_fact(t->prose, "clock",
		   "%" PRIu64 " guest instructions are completed",
		   story->insns);
	tell_registers(t);
}

/* --- One try of the access ----------------------------------------------- */

static bool is_own(const struct story *story, const struct story_step *step)
{
	return step->step.kind == SIM_STEP_WALK &&
	       step->event.kind == GE_ACCESS &&
	       step->event.gva == story->ref.gva;
}

/* The step of this kind between two; `to` if there is none. */
static size_t find_step(const struct story *story, size_t from, size_t to,
			enum sim_step_kind kind)
{
	while (from < to && story->step[from].step.kind != kind)
		from++;
	return from;
}

/* The exit's last step: the entry, or what there is. */
static size_t end_of_exit(const struct story *story, size_t from)
{
	size_t entry = find_step(story, from, story->nr, SIM_STEP_ENTRY);

	return entry < story->nr ? entry + 1 : story->nr;
}

static void tell_vm_exit(const struct telling *t, size_t at)
{
	prose_section(t->prose, "The VM exit");
	tell_exit(t, &t->story->step[at].exit);
	prose_section(t->prose, "What the hypervisor does");
	tell_work(t, at, end_of_exit(t->story, at));
}

static void tell_hardware(const struct telling *t, const struct path *shadow)
{
	prose_para(t->prose,
		   "The processor does not see the guest's tables. It walks "
		   "the shadow (%s, root 0x%" PRIx64
		   "), with CR0.WP=%d and EFER.NXE=%d whatever the guest's "
		   "are.",
		   tell_mode_name(shadow->ctx.mode), shadow->ctx.root,
		   shadow->ctx.wp, shadow->ctx.nxe);
}

static size_t next_walk(const struct story *story, size_t from)
{
	return find_step(story, from, story->nr, SIM_STEP_WALK);
}

/* A fault on top of an event that was being delivered. */
static void tell_combined(const struct telling *t, size_t from, size_t to)
{
	size_t at = find_step(t->story, from, to, SIM_STEP_OUTCOME);
	const struct guest_outcome *out;

	if (at == to)
		return;
	out = &t->story->step[at].outcome;
	if (out->verdict != GO_SHUTDOWN &&
	    !(out->verdict == GO_FAULT && out->vector == EXC_DF))
		return;
	prose_para(t->prose,
		   "But it arose while another event was being delivered, and "
		   "the processor makes %s of the two (docs/vmx-exits.md, \"A "
		   "second exception during delivery\").",
		   out->verdict == GO_SHUTDOWN ? "a triple fault"
					       : "a double fault");
}

static void tell_fault(const struct telling *t, size_t walk, size_t fault)
{
	const struct story *story = t->story;
	const struct sim_step *step = &story->step[fault].step;
	size_t end = next_walk(story, fault), exit;

	prose_section(t->prose, "Does the fault exit?");
	tell_code(t, story->step[walk].shadow, step->pfec);
	tell_filter(t, step->pfec, step->exits);
	if (!step->exits)
		tell_combined(t, fault, end);
	exit = find_step(story, fault, end, SIM_STEP_EXIT);
	if (exit < end)
		tell_vm_exit(t, exit);
}

/* What a walk without a fault leaves behind. */
static void tell_ad(const struct telling *t, const struct path *shadow)
{
	uint64_t set = PTE_A | (shadow->access & PFEC_W ? PTE_D : 0);
	const char *name;

	set &= ~shadow->walk.leaf;
	if (!set)
		return;
	name = path_entry_name(shadow->walk.level);
	prose_para(t->prose, "The processor sets %s in the %s of the shadow.",
		   set == PTE_A   ? "A"
		   : set == PTE_D ? "D"
				  : "A and D",
		   name);
}

static void tell_try(const struct telling *t, size_t at, bool first)
{
	const struct story *story = t->story;
	const struct story_step *walk = &story->step[at];
	size_t end = next_walk(story, at + 1);
	size_t fault = find_step(story, at, end, SIM_STEP_FAULT);

	if (!walk->guest || !walk->shadow)
		return;
	if (first)
		tell_guest_walk(t, walk->guest);
	prose_section(t->prose, first ? "What the shadow's tables say"
				      : "The access once more");
	if (first)
		tell_hardware(t, walk->shadow);
	tell_shadow_walk(t, walk->shadow);
	if (fault < end)
		tell_fault(t, at, fault);
	else
		tell_ad(t, walk->shadow);
}

/* A delivery that begins again makes its earlier references anew. */
static void tell_restart(const struct telling *t, size_t others)
{
	const struct story *story = t->story;
	bool again = false;

	for (size_t i = 0; i < story->nr; i++)
		again |= story->step[i].step.kind == SIM_STEP_EVENT &&
			 story->step[i].event.kind == GE_DELIVER;
	if (!again)
		return;
	prose_para(t->prose,
		   "The exit cut the delivery of an event short: the processor "
		   "begins it again, from its first reference on. That takes "
		   "%zu other walk%s; the sum of cycles below has it all.",
		   others, others == 1 ? "" : "s");
}

/* What an entry asks of the other processors: an interrupt each. */
static void tell_flushes(const struct telling *t)
{
	const struct story *story = t->story;
	size_t nr = 0;

	for (size_t i = 0; i < story->nr; i++)
		nr += story->step[i].step.kind == SIM_STEP_EXIT &&
		      story->step[i].exit.reason ==
			      EXIT_REASON_EXTERNAL_INTERRUPT;
	if (!nr || (story->kind == STORY_EVENT && story->event.kind == GE_IRQ))
		return;
	prose_para(t->prose,
		   "Other TLBs may hold what is no more: %zu other processor%s "
		   "interrupted out of the guest, to flush, at that entry. The "
		   "cycles of these exits are part of the sum below.",
		   nr, nr == 1 ? " is" : "s are");
}

static void tell_tries(const struct telling *t)
{
	const struct story *story = t->story;
	size_t others = 0;
	bool first = true;

	for (size_t i = 0; i < story->nr; i++) {
		if (story->step[i].step.kind != SIM_STEP_WALK)
			continue;
		if (!is_own(story, &story->step[i])) {
			others++;
			continue;
		}
		tell_try(t, i, first);
		first = false;
	}
	tell_flushes(t);
	tell_restart(t, others);
}

static void tell_hit(const struct telling *t)
{
	prose_section(t->prose, "Nothing to do");
	prose_para(t->prose,
		   "A TLB hit asks no table and cannot fault: no exit, and "
		   "neither the processor nor the hypervisor does anything. "
		   "What the TLB holds comes from an earlier walk of these "
		   "entries of the shadow:");
	tell_shadow_walk(t, &t->story->shadow);
}

static void tell_reference(const struct telling *t)
{
	prose_section(t->prose, "The event");
	tell_ref(t);
	tell_ref_facts(t);
	tell_hardware_facts(t);
	if (t->story->tlb == STORY_TLB_MISS)
		tell_tries(t);
	else
		tell_hit(t);
}

/* Where the processor is in a delivery: nothing is decided. */
static bool is_bookkeeping(const struct story *story)
{
	return story->kind == STORY_EVENT &&
	       (story->event.kind == GE_DELIVER ||
		story->event.kind == GE_DELIVERED ||
		story->event.kind == GE_RETRY);
}

static void tell_other_event(const struct telling *t)
{
	const struct story *story = t->story;

	prose_section(t->prose, "The event");
	tell_event(t);
	if (is_bookkeeping(story))
		return;
	tell_decision(t);
	for (size_t i = 0; i < story->nr; i++) {
		if (story->step[i].step.kind != SIM_STEP_EXIT)
			continue;
		tell_vm_exit(t, i);
		break;
	}
	tell_flushes(t);
}

void tell(const struct telling *t)
{
	tell_head(t);
	if (t->story->kind == STORY_REF)
		tell_reference(t);
	else
		tell_other_event(t);
	if (is_bookkeeping(t->story)) {
		tell_cycles(t);
		return;
	}
	if (t->story->nr)
		tell_changes(t);
	tell_outcome(t);
	tell_cycles(t);
	tell_counters(t);
	tell_latency(t);
	tell_other(t);
}
