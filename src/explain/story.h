/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One item of a trace and all that it made the simulator do, kept as it
 * happened.  record.c fills it from a lane and its probe; tell*.c make a text
 * of it.
 */
#ifndef NOTRAP_EXPLAIN_STORY_H
#define NOTRAP_EXPLAIN_STORY_H

#include "explain/path.h"
#include "replay/replay.h"
#include "sim/probe.h"
#include "vmx_model/exit.h"

enum story_kind {
	STORY_REF,   /* a reference */
	STORY_EVENT, /* an event of the trace */
};

/* A reference's first question. */
enum story_tlb {
	STORY_TLB_L1,   /* the first level knew it */
	STORY_TLB_L2,   /* a data reference that the second level knew */
	STORY_TLB_MISS, /* the tables were walked */
};

struct story_step {
	struct sim_step step;         /* its pointers are gone */
	struct guest_event event;     /* SIM_STEP_EVENT */
	struct guest_outcome outcome; /* SIM_STEP_OUTCOME */
	struct path *guest, *shadow;  /* SIM_STEP_WALK; the story's */
	struct vmx_exit_info exit;    /* SIM_STEP_EXIT */
	struct smmu_page page;        /* SIM_STEP_SPTE, _TABLE, _TABLE_GONE */
	enum smmu_spte_kind was_kind, is_kind; /* SIM_STEP_SPTE */
};

/* An exit between a guest's fault and its retry. */
struct story_later {
	uint64_t item;
	uint32_t reason;
	uint64_t cycles;
	bool is_page_fault;
	enum pf_cause cause;
};

#define STORY_LATER_MAX 16

struct story {
	/* What is told of. */
	enum story_kind kind;
	uint64_t item, insns;
	struct trace_ref ref;
	struct guest_event event;
	struct config config;

	/* Before it. */
	struct cpu cpu;
	struct vmx_controls controls;
	unsigned int vcpu, nr_vcpus;
	struct path guest, shadow; /* references: of its address */
	bool in_delivery;          /* made while an event is delivered */
	uint64_t counter[NR_COUNTERS];
	uint64_t tlb_counter[NR_TLB_COUNTERS];

	hpa_t root; /* that the processor walks */
	uint64_t now;

	/* What came of it. */
	struct story_step *step;
	size_t nr, max;
	bool failed; /* no memory for a step */
	enum story_tlb tlb;
	uint64_t cycles;      /* of all charges but guest instructions */
	uint64_t guest_insns; /* the clock was brought up by so many */
	struct path guest_after;
	hpa_t root_after;
	struct smmu_page root_page; /* of root_after */
	uint64_t now_after;         /* behind the last step */
	/* The guest's entry that an emulated instruction stored to. */
	struct {
		bool known;
		gpa_t gpa; /* of the entry */
		unsigned int size;
		uint64_t was, is;
	} store;
	uint64_t cost[NR_COSTS]; /* cycles a unit */

	/* A guest fault it made, until the access is tried again. */
	bool has_fault;
	bool fault_exited;
	uint64_t fault_began;
	bool is_retried;
	uint64_t retried_item, retry_cycles;
	struct story_later later[STORY_LATER_MAX];
	size_t nr_later; /* of all, also those beyond the array */
};

/* Frees what it holds. */
void story_finish(struct story *story);

/* Of an event that is a page fault or has one: the first; NULL: none. */
const struct story_step *story_first(const struct story *story,
				     enum sim_step_kind kind);
size_t story_count(const struct story *story, enum sim_step_kind kind);

#endif
