/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Chains of guest faults on several processors, recounted by time: what others
 * do meanwhile is no part of a chain.
 *
 * usage: test_import_chains PERF_LOG
 */
#include <stdio.h>

#include "import/import.h"
#include "recount.h"
#include "rig.h"

static const char *perf_log;

static void import_log(const char *out, uint32_t vcpus)
{
	struct import_request request = {
		.path = perf_log,
		.output = out,
		.format = import_format_find("perf"),
		.options = rig_options(TRACE_PAGES),
		.origin = "test",
		.tool = "test",
	};
	struct import_result result;
	struct diag diag;

	request.options.vcpus = vcpus;
	if (import_run(&request, &result, &diag))
		fail_msg("%s", diag.msg);
	assert_true(vcpus == 1 || result.guest.ipis > 0);
}

static void recounted_by_time(void **state)
{
	char path[192];

	(void)state;
	snprintf(path, sizeof(path), "%s", scratch_path("chains"));
	for (uint32_t vcpus = 1; vcpus <= 4; vcpus++) {
		import_log(path, vcpus);
		for (size_t k = 0; k < NR_LANE_KINDS; k++)
			recount_chains(path, &lane_kinds[k]);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(recounted_by_time),
	};

	if (argc != 2)
		return 2;
	perf_log = argv[1];
	return cmocka_run_group_tests_name("import_chains", tests, NULL, NULL);
}
