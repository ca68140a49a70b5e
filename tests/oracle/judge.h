/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Is what became of an access of the matrix right?  By the slow model: right.
 * By the slow model with the quirks of a generation, or in a state that one of
 * its known flaws explains: right for that generation, and counted.  Anything
 * else is a difference nobody has named.
 */
#ifndef NOTRAP_TESTS_ORACLE_JUDGE_H
#define NOTRAP_TESTS_ORACLE_JUDGE_H

#include "seen.h"
#include "shadow_mmu/smmu.h"

enum matrix_flaw {
#define FLAW(name, what) MATRIX_FLAW_##name,
#include "flaws.def"
#undef FLAW
	NR_MATRIX_FLAWS
};

struct judge {
	struct matrix_space space;
	/* NULL: no shadow tables, or a real processor: no flaws. */
	const struct smmu_generation *gen;
	/* Guest code may refer to where there is no memory. */
	bool has_devices;
	bool bypass;
	uint8_t *ram; /* the tables, for the model to read */
	uint64_t cases;
	uint64_t flaws[NR_MATRIX_FLAWS];
	uint64_t left_out;
	uint64_t wrong;
	char first[512]; /* the first that was wrong */
};

void judge_init(struct judge *j, const struct matrix_space *space,
		const struct smmu_generation *gen, bool bypass);
void judge_finish(struct judge *j);

/* seen: after `access` with `pair` in place under `controls`. */
void judge_case(struct judge *j, const struct matrix_controls *controls,
		const struct matrix_pair *pair,
		const struct matrix_access *access,
		const struct matrix_seen *seen);

/*
 * A case in which a known flaw would end the run of guest code: the access goes
 * where there is no memory, or faults for ever.  True: counted as such, leave
 * it out.
 */
bool judge_leaves_out(struct judge *j, const struct matrix_controls *controls,
		      const struct matrix_pair *pair,
		      const struct matrix_access *access);

/* Must a generation show this flaw, if all cases were tried? */
bool judge_must_show(const struct judge *j, enum matrix_flaw flaw);

const char *judge_flaw_name(enum matrix_flaw flaw);

#endif
