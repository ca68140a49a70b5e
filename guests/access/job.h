/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a host and the access guest tell each other, in memory.
 *
 * The host loads access32.bin or access64.bin at ACCESS_LOAD and starts there
 * in 32-bit protected mode, flat, paging off, interrupts off; it has built the
 * page tables (layout.h) and written a job with a list of steps.  The guest
 * turns paging on, does one step after the other, writes a result for each
 * and ends with an OUT of job.status to port 0xf4.
 */
#ifndef NOTRAP_GUESTS_ACCESS_JOB_H
#define NOTRAP_GUESTS_ACCESS_JOB_H

#include <stdint.h>

#include "layout.h"

#define ACCESS_LOAD 0x100000
#define ACCESS_JOB  0x50000
/* Steps and results may lie here, a page's end to the other. */
#define ACCESS_LIST     0x200000
#define ACCESS_LIST_END 0x800000

struct access_job {
	uint32_t status; /* ACCESS_* */
	uint32_t nr_steps;
	uint32_t nr_done;
	uint32_t entry_bytes;
	uint32_t cr3, cr4, efer; /* to start with */
	uint32_t steps, results; /* addresses */
	/* ACCESS_EXCEPTION: */
	uint32_t vector, error;
	uint32_t pad;
	uint64_t rip;
	uint64_t va, upper_at, lower_at;
};

enum {
	ACCESS_DONE = 0,
	ACCESS_RUNNING = 1,
	ACCESS_EXCEPTION = 3, /* one that no step asked for */
};

/* access_step.what: an access, or new controls. */
#define STEP_WRITE    1u
#define STEP_FETCH    2u
#define STEP_USER     4u
#define STEP_AC       8u
#define STEP_CONTROLS 0x100u
#define STEP_PKRU     0x200u /* with STEP_CONTROLS: pkru counts */

struct access_step {
	uint64_t upper, lower; /* the two entries */
	uint32_t what;
	uint32_t offset; /* into the page */
	uint32_t cr0, cr4, efer, pkru;
};

#define ACCESS_NO_FAULT 0xffffffffu

struct access_result {
	uint32_t code; /* of the #PF, or ACCESS_NO_FAULT */
	/*
	 * What was read, or what the code that was fetched says, or the page
	 * in which the write was found: all of them MATRIX_PAGE_*, or 0.
	 */
	uint32_t page;
	uint64_t cr2;
	uint64_t upper, lower;
};

#endif
