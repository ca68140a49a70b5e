/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The runs of the matrix tests: each MMU of the simulator, without and with the
 * bypass, in each mode, at each pair of levels.
 */
#ifndef NOTRAP_TESTS_ORACLE_RUNS_H
#define NOTRAP_TESTS_ORACLE_RUNS_H

#include "judge.h"
#include "sim/config.h"

struct matrix_run {
	char name[128];
	struct matrix_space space;
	struct mmu_choice mmu;
	bool bypass;
	struct config config;
	struct judge judge;
	void *own; /* of the test */
};

/*
 * All runs, or their share, as tests of cmocka: each calls `one`, whose *state
 * is its matrix_run.  Returns the number of tests that failed.
 */
int runs_all(const char *group, void (*one)(void **state));

/*
 * Pairs of entries, evenly picked so that about `cases` are tried (0: all),
 * under each setting of the controls.
 */
void runs_each_pair(struct matrix_run *run, uint64_t cases,
		    void (*controls)(struct matrix_run *run,
				     const struct matrix_controls *controls),
		    void (*pair)(struct matrix_run *run,
				 const struct matrix_controls *controls,
				 const struct matrix_pair *pair));

/*
 * Print the counts; fail if something was wrong or, where `whole`, if a flaw
 * of the generation did not show.
 */
void runs_conclude(struct matrix_run *run, bool whole);

#endif
