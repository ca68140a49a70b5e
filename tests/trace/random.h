/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Random items: like those of programs, unlike anything, and extreme ones. */
#ifndef NOTRAP_TESTS_TRACE_RANDOM_H
#define NOTRAP_TESTS_TRACE_RANDOM_H

#include "trace/trace.h"

struct rng {
	uint64_t state;
	gva_t pc, stack, heap; /* where the program that is imitated is */
};

void rng_init(struct rng *rng, uint64_t seed);
uint64_t rng_next(struct rng *rng);
uint64_t rng_below(struct rng *rng, uint64_t limit);

/* As of a program: mostly the next instruction, the stack, an array. */
void random_program_ref(struct rng *rng, struct trace_ref *ref);

/* Any that is valid; count 0 or 1 unless `counted`. */
void random_ref(struct rng *rng, bool counted, struct trace_ref *ref);

/* Any other item that is valid; a table's entries go to `table`. */
void random_item(struct rng *rng, struct trace_item *item,
		 uint64_t table[PT_ENTRIES]);

struct trace_info random_info(struct rng *rng,
			      enum trace_granularity granularity);

#endif
