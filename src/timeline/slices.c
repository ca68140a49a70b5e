/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The trace-event format (docs/timeline.md has the source): an array of
 * objects, of which B begins a slice and E ends the last one begun on the same
 * track, s and f are the ends of an arrow between the slices that are open
 * then, and C is a counter's new value.
 *
 * B and E rather than X, which tells a beginning and a length: a reader that
 * adds the two in floating point would see neighbours overlap.
 */
#include <inttypes.h>

#include "timeline/internal.h"

#define PROCESS 1

static void put_time(const struct timeline *t, uint64_t cycles)
{
	uint64_t ns = timeline_ns(t, cycles);

	fprintf(t->options.json, "\"ts\":%" PRIu64 ".%03" PRIu64, ns / 1000,
		ns % 1000);
}

/* Up to what follows the time. */
static void put_head(const struct timeline *t, const char *phase,
		     unsigned int vcpu, uint64_t cycles)
{
	fprintf(t->options.json, "\"ph\":\"%s\",\"pid\":%d,\"tid\":%u,", phase,
		PROCESS, vcpu + 1);
	put_time(t, cycles);
}

static bool is_wanted(const struct timeline *t, unsigned int vcpu)
{
	return t->options.json && timeline_shows(t, vcpu);
}

/* --- The file ----------------------------------------------------------------
 */

void slices_begin_file(struct timeline *t)
{
	FILE *out = t->options.json;

	if (!out)
		return;
	fprintf(out,
		"{\"displayTimeUnit\":\"ns\",\"otherData\":{\"mhz\":%" PRIu64
		"},\"traceEvents\":[\n"
		"{\"name\":\"process_name\",\"ph\":\"M\",\"pid\":%d,"
		"\"args\":{\"name\":\"%s\"}}",
		t->options.mhz, PROCESS, t->options.title);
	for (unsigned int i = 0; i < t->options.nr_vcpus; i++)
		fprintf(out,
			",\n{\"name\":\"thread_name\",\"ph\":\"M\","
			"\"pid\":%d,\"tid\":%u,\"args\":{\"name\":"
			"\"vCPU %u\"}}",
			PROCESS, i + 1, i);
}

void slices_end_file(struct timeline *t)
{
	if (t->options.json)
		fputs("\n]}\n", t->options.json);
}

/* --- Slices ------------------------------------------------------------------
 */

void slices_begin(struct timeline *t, unsigned int vcpu, const char *name,
		  const char *category)
{
	FILE *out = t->options.json;

	if (!is_wanted(t, vcpu))
		return;
	fprintf(out, ",\n{\"name\":\"%s\",\"cat\":\"%s\",", name, category);
	put_head(t, "B", vcpu, t->now);
	fputs("}", out);
}

static void put_event(const struct timeline *t, const char *key, uint8_t vector,
		      uint8_t type, bool has_error, uint32_t error)
{
	char name[16];

	timeline_event_name(vector, type, name, sizeof(name));
	fprintf(t->options.json, ",\"%s\":\"%s", key, name);
	if (has_error)
		fprintf(t->options.json, " (0x%" PRIx32 ")", error);
	fputs("\"", t->options.json);
}

static void put_exit(const struct timeline *t, const struct exit_at *exit)
{
	const struct vmx_event *injected = &exit->injected;
	FILE *out = t->options.json;

	fprintf(out,
		",\"rip\":\"0x%" PRIx64 "\",\"qualification\":\"0x%" PRIx64
		"\"",
		exit->rip, exit->qualification);
	if (exit->intr_info & VMX_INTR_VALID)
		put_event(t, "event", vmx_intr_vector(exit->intr_info),
			  (uint8_t)vmx_intr_type(exit->intr_info),
			  exit->intr_info & VMX_INTR_ERROR, exit->error);
	if (exit->cause != NR_CAUSES)
		fprintf(out, ",\"cause\":\"%s\"", cause_name(exit->cause));
	if (injected->valid)
		put_event(t, "injected", injected->vector,
			  (uint8_t)injected->type, injected->has_error,
			  injected->error);
}

void slices_end(struct timeline *t, unsigned int vcpu,
		const struct slice *slice)
{
	const struct track *track = &t->track[vcpu];
	uint64_t sum = slice->nested;
	FILE *out = t->options.json;

	if (!is_wanted(t, vcpu))
		return;
	for (int i = 0; i < NR_PARTS; i++)
		sum += slice->cycles[i];
	fputs(",\n{", out);
	put_head(t, "E", vcpu, t->now);
	fprintf(out, ",\"args\":{\"cycles\":%" PRIu64, sum);
	for (int i = 0; i < NR_PARTS; i++)
		if (slice->cycles[i])
			fprintf(out, ",\"%s\":%" PRIu64,
				part_name((enum cost_part)i), slice->cycles[i]);
	if (slice->kind == SLICE_EXIT)
		put_exit(t, &track->exit);
	if (slice->kind == SLICE_DELIVERY)
		put_event(t, "event", track->vector, track->type,
			  track->has_error, track->error);
	fputs("}}", out);
}

void slices_cost(struct timeline *t, const struct sim_step *step)
{
	const struct cost_info *cost = cost_info(step->cost);
	FILE *out = t->options.json;

	if (step->now == t->now || !is_wanted(t, step->vcpu))
		return;
	fprintf(out, ",\n{\"name\":\"%s\",\"cat\":\"%s\",",
		cost->key + sizeof("cost.") - 1, part_name(cost->part));
	put_head(t, "B", step->vcpu, t->now);
	fputs("},\n{", out);
	put_head(t, "E", step->vcpu, step->now);
	fprintf(out, ",\"args\":{\"cycles\":%" PRIu64 ",\"n\":%" PRIu64 "}}",
		step->now - t->now, step->n);
}

/* --- Arrows and counters -----------------------------------------------------
 */

void slices_arrow(struct timeline *t, const struct sim_step *step, bool begins)
{
	FILE *out = t->options.json;

	if (!is_wanted(t, step->vcpu))
		return;
	fprintf(out,
		",\n{\"name\":\"guest fault\",\"cat\":\"fault\",\"id\":%" PRIu64
		",",
		step->id);
	put_head(t, begins ? "s" : "f", step->vcpu, t->now);
	if (begins)
		fprintf(out,
			",\"args\":{\"gva\":\"0x%" PRIx64 "\",\"way\":\"%s\"}}",
			step->gva, step->exits ? "injected" : "direct");
	else
		fprintf(out,
			",\"bp\":\"e\",\"args\":{\"gva\":\"0x%" PRIx64
			"\",\"cycles\":%" PRIu64 "}}",
			step->gva, step->cycles);
}

static void put_counter(struct timeline *t, enum counter_track id,
			const char *name, uint64_t value)
{
	if (t->has_counter[id] && t->counter[id] == value)
		return;
	t->has_counter[id] = true;
	t->counter[id] = value;
	fprintf(t->options.json, ",\n{\"name\":\"%s\",\"ph\":\"C\",\"pid\":%d,",
		name, PROCESS);
	put_time(t, t->now);
	fprintf(t->options.json, ",\"args\":{\"%s\":%" PRIu64 "}}", name,
		value);
}

void slices_counters(struct timeline *t)
{
	const struct account *acct = sim_counting(t->sim);
	const struct smmu *smmu = sim_inside(t->sim).smmu;
	uint64_t misses = acct->tlb[TLB_walks];

	if (!is_wanted(t, t->vcpu))
		return;
	put_counter(t, COUNTER_EXITS, "VM exits", acct->cost_count[COST_EXIT]);
	put_counter(t, COUNTER_BYPASSED, "bypassed faults",
		    account_faults_direct(acct));
	if (smmu)
		put_counter(t, COUNTER_SHADOW_PAGES, "shadow pages",
			    smmu_nr_pages(smmu));
	/* Where references are not modelled there are none. */
	if (misses)
		put_counter(t, COUNTER_TLB_MISSES, "TLB misses", misses);
}
