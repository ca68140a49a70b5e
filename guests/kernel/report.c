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
		print("faults 0x%lx %lu\n", code, stats.faults[code]);
	}
	print("faults total %lu\n", total);
	print("switches %lu\n", stats.switches);
	print("syscalls %lu\n", stats.syscalls);
	print("ticks %lu\n", stats.ticks);
}

_Noreturn void report_end(bool ok, u64 checksum)
{
	if (ok)
		print("ok 0x%016lx\n", checksum);
	report_counts();
	machine_exit(ok ? EXIT_OK : EXIT_FAILED);
}

_Noreturn void report_failed(const char *why)
{
	print("FAILED %s\n", why);
	report_counts();
	machine_exit(EXIT_FAILED);
}
