/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The access matrix: every legal combination of the bits of two table levels,
 * under every setting of the controls, for every kind of access.  In the
 * spirit of kvm-unit-tests' access test; the layout and the choice are ours.
 *
 * One layout of guest-physical memory serves the simulator driven by events,
 * guest code (guest.S) and the real KVM.  The tables of level n at
 * MATRIX_TABLE(n) lead to matrix_va(); beside it all of RAM is mapped one to
 * one for the supervisor, but for two pages that user code runs on.
 *
 * Knows nothing of src/, as oracle.h.
 */
#ifndef NOTRAP_TESTS_ORACLE_MATRIX_H
#define NOTRAP_TESTS_ORACLE_MATRIX_H

#include <stddef.h>

#include "../../guests/access/layout.h"
#include "oracle.h"

struct matrix_space {
	enum oracle_mode mode;
	int level; /* of the lower of the two entries; 1, 2 or 3 */
	int maxphyaddr;
	bool has_1g;
	/* Which controls the machine has; without: as if they were off. */
	bool has_smep, has_smap, has_pku;
};

struct matrix_controls {
	bool wp, nxe, pse, smep, smap, pke;
	uint32_t pkru;
};

struct matrix_pair {
	uint64_t upper, lower; /* entries, addresses included */
};

struct matrix_access {
	const char *name;
	bool write, fetch, user, ac;
	unsigned int offset; /* into the page: MATRIX_READ_AT and so on */
};

/* Entries of the fixed tables, into RAM of MATRIX_RAM bytes. */
void matrix_build(const struct matrix_space *space, uint8_t *ram);
/* What the pages hold that an access may end in. */
void matrix_fill_pages(uint8_t *ram);

uint64_t matrix_va(const struct matrix_space *space);
uint64_t matrix_root(const struct matrix_space *space); /* for CR3 */
uint64_t matrix_upper_at(const struct matrix_space *space);
uint64_t matrix_lower_at(const struct matrix_space *space);
int matrix_entry_bytes(const struct matrix_space *space);

/* Settings of the controls, the i-th of matrix_nr_controls(). */
unsigned int matrix_nr_controls(const struct matrix_space *space);
struct matrix_controls matrix_controls_at(const struct matrix_space *space,
					  unsigned int i);

/* All pairs under these controls; to be freed. */
struct matrix_pair *matrix_pairs(const struct matrix_space *space,
				 const struct matrix_controls *controls,
				 size_t *nr);

/*
 * How many of these pairs to go on so that, over all controls and accesses,
 * about `cases` cases are tried (0: all); odd.
 */
size_t matrix_stride(const struct matrix_space *space, size_t nr_pairs,
		     uint64_t cases);

extern const struct matrix_access matrix_accesses[];
extern const unsigned int matrix_nr_accesses;

/* What the slow model says; reads entries in ram. */
struct oracle_result matrix_expect(const struct matrix_space *space,
				   const struct matrix_controls *controls,
				   const struct matrix_access *access,
				   struct oracle_quirks quirks, uint8_t *ram);

/* "wp nxe smap | upper 0x.. lower 0x.. | user write" */
void matrix_describe(const struct matrix_space *space,
		     const struct matrix_controls *controls,
		     const struct matrix_pair *pair,
		     const struct matrix_access *access, char *buf,
		     size_t size);

#endif
