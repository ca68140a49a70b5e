/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Chains of guest faults in traces of one processor, recounted by time; those
 * of several: test_import_chains.
 *
 * usage: test_replay_chains TRACES_DIR
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "../share.h"
#include "recount.h"

static const char *dir;

static void replay(const char *name, const struct lane_kind *kind)
{
	static unsigned int nr;
	char path[512];

	if (nr++ % one_of_cases())
		return;
	snprintf(path, sizeof(path), "%s/%s.ntr", dir, name);
	recount_chains(path, kind);
}

static void recounted_by_time(void **state)
{
	static const char *const names[] = {"linux-gzip", "perf-sort"};

	(void)state;
	for (size_t k = 0; k < NR_LANE_KINDS; k++)
		replay("mini-mixed", &lane_kinds[k]);
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		replay(names[i], &lane_kinds[0]);
		replay(names[i], &lane_kinds[NR_LANE_KINDS - 1]);
	}
	/* A kernel that writes CR3 between a fault and its retry. */
	replay("linux-fork-pti", &lane_kinds[NR_LANE_KINDS - 1]);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(recounted_by_time),
	};

	if (argc != 2)
		return 2;
	dir = argv[1];
	return cmocka_run_group_tests(tests, NULL, NULL);
}
