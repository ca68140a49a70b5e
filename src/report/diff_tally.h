/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What diff.c counts and diff_sheet.c shows. */
#ifndef NOTRAP_REPORT_DIFF_TALLY_H
#define NOTRAP_REPORT_DIFF_TALLY_H

#include "arch/exit_reasons.h"
#include "report/diff.h"

/* Kinds of exits: none, a page fault of a cause, another reason. */
#define DIFF_NONE 0u
#define NR_KINDS  (1u + NR_CAUSES + NR_EXIT_REASONS)

struct diff_tally {
	uint64_t exits; /* pairs */
	uint64_t cycles[2];
};

struct diff_row {
	bool has_a, has_b;
	struct align_exit a, b;
};

struct diff {
	struct diff_window window;
	struct align *align;
	struct diff_tally tally[NR_KINDS][NR_KINDS]; /* of A, of B */
	struct diff_row *row;
	size_t nr_rows, room;
	uint64_t left_out; /* of the rows that the window asked for */
	bool failed;       /* no memory */
};

static inline unsigned int diff_kind_of(const struct align_exit *exit)
{
	if (!exit)
		return DIFF_NONE;
	return exit->cause == ALIGN_NO_CAUSE ? 1u + NR_CAUSES + exit->reason
					     : 1u + (unsigned int)exit->cause;
}

/* "pt_write", "CR_ACCESS", "" */
static inline const char *diff_kind_name(unsigned int kind)
{
	if (kind == DIFF_NONE)
		return "";
	return kind <= NR_CAUSES ? cause_name((enum pf_cause)(kind - 1))
				 : exit_reason_name(kind - 1 - NR_CAUSES);
}

#endif
