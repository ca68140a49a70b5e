/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Cases of the matrix as work for the access guest (guests/access): as many as
 * its memory takes, and what it found.  For every host that runs guest code.
 */
#ifndef NOTRAP_TESTS_ORACLE_BATCH_H
#define NOTRAP_TESTS_ORACLE_BATCH_H

#include "seen.h"

struct batch_case {
	struct matrix_controls controls;
	struct matrix_pair pair;
	const struct matrix_access *access;
};

struct batch {
	struct matrix_space space;
	uint8_t *ram; /* the guest's, MATRIX_RAM bytes */
	struct batch_case *cases;
	uint32_t nr, room;
	struct matrix_controls controls; /* as the last case leaves them */
};

/* Tables, pages, image and an empty job into zeroed RAM. */
void batch_init(struct batch *b, const struct matrix_space *space, uint8_t *ram,
		const void *image, size_t size);
void batch_finish(struct batch *b);

/* False: full, run it. */
bool batch_add(struct batch *b, const struct matrix_controls *controls,
	       const struct matrix_pair *pair,
	       const struct matrix_access *access);

/* The job is complete: the guest can start. */
void batch_seal(struct batch *b);

/* After the run: NULL, or why the guest is not done with all steps. */
const char *batch_trouble(const struct batch *b);

/* The i-th step's result; false: it only set controls. */
bool batch_seen(const struct batch *b, uint32_t i, struct matrix_seen *ret);

#endif
