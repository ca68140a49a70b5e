/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The timeline's state, and what its files call in each other.
 *
 *   timeline.c  steps of the simulator become slices that begin and end
 *   slices.c    slices, arrows and counters as trace-event JSON
 *   log.c       KVM's tracepoints as lines
 */
#ifndef NOTRAP_TIMELINE_INTERNAL_H
#define NOTRAP_TIMELINE_INTERNAL_H

#include "sim/probe.h"
#include "timeline/timeline.h"

/* What stands open on a processor's track, inner ones last. */
enum slice_kind {
	SLICE_GUEST,    /* instructions and their page walks */
	SLICE_DELIVERY, /* an event through the guest's IDT */
	SLICE_EXIT,     /* maybe in the midst of a delivery */
	SLICE_SETUP,    /* what was charged before anybody looked */
};

#define SLICES_OPEN_MAX 2

struct slice {
	enum slice_kind kind;
	uint64_t cycles[NR_PARTS]; /* its own; an exit has none */
	uint64_t nested;           /* charged in slices in it */
};

/* What the VMCS said of an exit, and what came of it. */
struct exit_at {
	uint32_t reason, intr_info, error, vectoring_info, insn_len;
	uint64_t qualification;
	gva_t rip;
	enum pf_cause cause; /* NR_CAUSES: no page fault */
	struct vmx_event injected;
};

struct track {
	struct slice slice[SLICES_OPEN_MAX];
	unsigned int nr;
	bool shown; /* the outermost began inside the window */

	enum guest_event_kind event; /* at hand */
	/* Of the last GE_DELIVER. */
	uint8_t vector, type;
	bool has_error;
	uint32_t error;
	struct exit_at exit; /* the last one */
};

enum counter_track {
	COUNTER_EXITS,
	COUNTER_BYPASSED,
	COUNTER_SHADOW_PAGES,
	COUNTER_TLB_MISSES,
	NR_COUNTER_TRACKS
};

struct timeline {
	struct timeline_options options;
	struct sim *sim;
	struct track track[SMMU_MAX_VCPUS];
	unsigned int vcpu; /* of the last step */
	uint64_t now;      /* cycles, at the last step */
	bool running;      /* false: before the region or behind it */
	bool over;         /* behind it */
	hpa_t fresh;       /* a table whose role is not known yet; 0: none */
	/* As last written, and whether they ever were. */
	uint64_t counter[NR_COUNTER_TRACKS];
	bool has_counter[NR_COUNTER_TRACKS];
};

/* ns of the model's time. */
static inline uint64_t timeline_ns(const struct timeline *t, uint64_t cycles)
{
	uint64_t mhz = t->options.mhz ? t->options.mhz : 1;

	return cycles / mhz * 1000 + cycles % mhz * 1000 / mhz;
}

/* Is what happens now on this processor to be told? */
bool timeline_shows(const struct timeline *t, unsigned int vcpu);

/* "#PF", "INT 0x80", "IRQ 0x30", "vector 0x1f". */
void timeline_event_name(uint8_t vector, uint8_t type, char *buf, size_t size);

/* slices.c: without a JSON file they do nothing. */
void slices_begin_file(struct timeline *t);
void slices_end_file(struct timeline *t);
/* name: what needs no quoting. */
void slices_begin(struct timeline *t, unsigned int vcpu, const char *name,
		  const char *category);
void slices_end(struct timeline *t, unsigned int vcpu,
		const struct slice *slice);
/* A charge, from t->now on; nothing if it took no time. */
void slices_cost(struct timeline *t, const struct sim_step *step);
/* The arrow from a guest fault's delivery to its retry. */
void slices_arrow(struct timeline *t, const struct sim_step *step, bool begins);
/* Those that have changed. */
void slices_counters(struct timeline *t);

/* log.c: without a log file they do nothing. */
void log_begin_file(struct timeline *t);
void log_exit(struct timeline *t, unsigned int vcpu);
void log_entry(struct timeline *t, const struct sim_step *step);
void log_spte(struct timeline *t, const struct sim_step *step);
void log_new_page(struct timeline *t, unsigned int vcpu);
void log_page_gone(struct timeline *t, const struct sim_step *step);

#endif
