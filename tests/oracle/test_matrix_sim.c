/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * O1 by events: the access matrix through src/sim, for each generation, bypass
 * and mode, against the slow model.  What differs must be a flaw that the
 * generation is known for, and each of those must show: one that was fixed
 * has to leave judge.c and docs/shadow-mmu.md.
 *
 * An argument is the number of cases of each run; 0: all.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "play.h"
#include "runs.h"

static uint64_t cases = 3000; /* of each run */

static void set_controls(struct matrix_run *run,
			 const struct matrix_controls *controls)
{
	play_controls(run->own, controls);
}

static void try_pair(struct matrix_run *run,
		     const struct matrix_controls *controls,
		     const struct matrix_pair *pair)
{
	for (unsigned int i = 0; i < matrix_nr_accesses; i++) {
		const struct matrix_access *access = &matrix_accesses[i];
		struct matrix_seen seen;

		play_pair(run->own, pair);
		seen = play_access(run->own, access);
		judge_case(&run->judge, controls, pair, access, &seen);
	}
}

static void one_run(void **state)
{
	struct matrix_run *run = *state;
	struct play play;

	run->own = &play;
	play_start(&play, &run->space, &run->config);
	runs_each_pair(run, cases, set_controls, try_pair);
	runs_conclude(run, true);
	play_end(&play);
}

int main(int argc, char **argv)
{
	if (argc > 1)
		cases = strtoull(argv[1], NULL, 0);
	return runs_all("matrix_sim", one_run);
}
