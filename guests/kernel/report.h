/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the kernel counted, and the three ways a run ends.  The format of the
 * lines is a contract: README.md, "Output".
 */
#ifndef MINI_REPORT_H
#define MINI_REPORT_H

#include "common/types.h"

#define FAULT_CODES 64 /* P W U RSVD I PK: bits 5:0 of the error code */

struct stats {
	u64 faults[FAULT_CODES]; /* page faults by error code */
	u64 switches;            /* from one process (or idle) to another */
	u64 syscalls;
	u64 ticks; /* timer interrupts */
};

extern struct stats stats;

/* The workload ended: "ok", or it has already said FAILED; then the counts. */
_Noreturn void report_end(bool ok, u64 checksum);

/* The kernel found something wrong: "FAILED why", the counts, exit 1. */
_Noreturn void report_failed(const char *why);

/* The counts alone. */
void report_counts(void);

#endif
