/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The end of a run on the console.
 */
#include "kernel/report.h"

#include "kernel/console.h"

struct stats stats;

void report_counts(void)
{
	u64 total = 0;

	for (u64 code = 0; code < FAULT_CODES; code++) {
		if (!stats.faults[code])
			continue;
		total += stats.faults[code];
		print("faults 0x%llx %llu\n", code, stats.faults[code]);
	}
	print("faults total %llu\n", total);
	print("switches %llu\n", stats.switches);
	print("syscalls %llu\n", stats.syscalls);
	print("ticks %llu\n", stats.ticks);
}

_Noreturn void report_end(bool ok, u64 checksum)
{
	if (ok)
		print("ok 0x%016llx\n", checksum);
	report_counts();
	machine_exit(ok ? EXIT_OK : EXIT_FAILED);
}

_Noreturn void report_failed(const char *why)
{
	print("FAILED %s\n", why);
	report_counts();
	machine_exit(EXIT_FAILED);
}
