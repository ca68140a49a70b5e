/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A wandering guest's state, and what its files call in each other.
 *
 *   wander.c      operations, and an episode of them
 *   wander_cpu.c  what it has set up, and one reference, checked
 *   wander_map.c  tables and what is written into them
 */
#ifndef NOTRAP_TESTS_ORACLE_WANDER_INTERNAL_H
#define NOTRAP_TESTS_ORACLE_WANDER_INTERNAL_H

#include "wander.h"
#include "wander_map.h"

/* What the guest has set on a processor. */
struct wander_vcpu {
	struct oracle_cpu cpu;
	unsigned top; /* top table in use: 0 or 1 */
};

struct wanderer {
	const struct wander_config *config;
	const struct wander_choice *choice;
	struct wander_counts *counts;
	struct wander_map map;
	struct mem *mem;
	struct sim *sim;
	struct event_sink *sink;
	unsigned vcpu; /* whose turn it is, and its: */
	struct oracle_cpu cpu;
	unsigned top;
	struct wander_vcpu left[SMMU_MAX_VCPUS]; /* the others' */
	bool global_pages;                       /* CR4.PGE */
	uint64_t rng;
	uint64_t op, insns;
};

struct reference {
	uint64_t va;
	unsigned size;
	bool write, fetch, user, ac;
};

/* Something is not as it must be: one line, and the process ends. */
__attribute__((format(printf, 2, 3))) _Noreturn void
wander_wrong(const struct wanderer *w, const char *fmt, ...);
__attribute__((format(printf, 2, 3))) void wander_tell(const struct wanderer *w,
						       const char *fmt, ...);

uint64_t wander_read(void *memory, uint64_t pa, int bytes);

/* An event that must be answered by GO_DONE. */
void wander_must(struct wanderer *w, struct guest_event ev);
void wander_use_vcpu(struct wanderer *w, unsigned vcpu);

/* MOV CR3 may leave global pages in a TLB, or in what stands for one. */
bool wander_keeps_global(const struct wanderer *w);

void wander_load_cr0(struct wanderer *w);
void wander_load_cr3(struct wanderer *w);
void wander_load_cr4(struct wanderer *w);
void wander_load_efer(struct wanderer *w);
void wander_load_pdptes(struct wanderer *w);
void wander_start_paging(struct wanderer *w);

/* What the model says of it; fetch_bit: with the host's I/D. */
struct oracle_result wander_expected(struct wanderer *w,
				     const struct reference *ref,
				     bool fetch_bit);

/*
 * One reference, checked.  *pa: where a store goes; true: it may be made, in
 * place or, if *emulate, by the hypervisor.
 */
bool wander_refer(struct wanderer *w, const struct reference *ref, uint64_t *pa,
		  bool *emulate);
void wander_store(struct wanderer *w, const struct reference *ref,
		  const void *bytes);

#endif
