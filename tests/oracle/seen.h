/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What became of one access of the matrix, whoever made it. */
#ifndef NOTRAP_TESTS_ORACLE_SEEN_H
#define NOTRAP_TESTS_ORACLE_SEEN_H

#include "matrix.h"

struct matrix_seen {
	enum {
		SEEN_OK,
		SEEN_FAULT,
		SEEN_MMIO,   /* the model went where there is no memory */
		SEEN_ENDLESS /* it faulted for ever */
	} what;
	uint64_t pa; /* SEEN_OK */
	uint32_t code;
	uint64_t cr2;          /* SEEN_FAULT */
	uint64_t upper, lower; /* the two entries afterwards */
};

#endif
