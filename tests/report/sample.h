/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Results made by hand, small enough that a test can say what every number of
 * their report has to be.
 */
#ifndef NOTRAP_TESTS_REPORT_SAMPLE_H
#define NOTRAP_TESTS_REPORT_SAMPLE_H

#include "report/report.h"

/*
 * A guest that touches `faults` pages: each fault is a user write to a page
 * not present (code 6), then a write to the page table, then a second look if
 * the table write left the spte empty.  One COW fault (code 7), two CR writes.
 */
struct sample {
	struct account *acct;
	struct result result;
};

enum sample_kind {
	SAMPLE_CLEAR,  /* 3 exits a fault */
	SAMPLE_UPDATE, /* 2 */
	SAMPLE_BYPASS, /* 1, faults direct */
};

/* Aborts when out of memory. */
void sample_init(struct sample *sample, enum sample_kind kind, uint64_t faults);
void sample_finish(struct sample *sample);

#endif
