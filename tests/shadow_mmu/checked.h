/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * References of a random guest, each step checked against the slow model.  See
 * test_shadow_mmu_random.c for what must hold.
 */
#ifndef NOTRAP_TESTS_SHADOW_MMU_CHECKED_H
#define NOTRAP_TESTS_SHADOW_MMU_CHECKED_H

#include "rig.h"
#include "truth.h"
#include "world.h"

#define MAXPHYADDR 36

/* A value that an entry of a table had, until a certain operation. */
struct was {
	gpa_t at;
	uint64_t val;
	uint64_t until;
};

enum flaw {
#define FLAW(name, what, who) FLAW_##name,
#include "flaws.def"
#undef FLAW
	NR_FLAWS
};

/* Of a processor whose turn it is not. */
struct run_vcpu {
	struct smmu_guest rig_guest;
	struct truth_guest guest;
	uint64_t flushed;
	struct was *flushed_one;
	size_t nr_flushed_one;
};

struct run {
	struct rig rig;
	struct world world;
	/* Whose turn it is: below, what is one processor's is of this one. */
	unsigned int vcpu, nr_vcpus;
	struct run_vcpu left[SMMU_MAX_VCPUS];
	struct truth_guest guest;
	uint8_t *mirror; /* what RAM should be */
	uint64_t flaws[NR_FLAWS];
	uint64_t ends[RIG_LOOP + 1];
	bool wp_was_off; /* in this episode */
	uint64_t op;
	/* What TLBs could still know: see checked.c. */
	struct was *was;
	size_t nr_was;
	uint64_t flushed;        /* all translations, in this operation */
	struct was *flushed_one; /* .at: of this page */
	size_t nr_flushed_one;
	uint64_t stale; /* references by what is no longer so */
	uint64_t unsyncs;
	uint64_t windows, windows_op; /* stores in one; in which operation */
};

#define REQUIRE(run, cond)                                                    \
	do {                                                                  \
		if (!(cond))                                                  \
			fail_msg("op %llu, %s: not so: %s",                   \
				 (unsigned long long)(run)->op,               \
				 (run)->world.wild ? "wild" : "tame", #cond); \
	} while (0)

/* Another processor's turn: it enters the guest. */
void use_vcpu(struct run *run, unsigned int vcpu);

/* The rig's control state goes to the model. */
void sync_guest(struct run *run);

/* A change of a table may go unseen until the guest flushes. */
bool is_lazy(const struct run *run);

bool is_shadowed(const struct run *run, gpa_t gpa);
/* The guest may not write it unseen. */
bool is_protected(const struct run *run, gpa_t gpa);

/* The guest flushes: all, or one page; and is about to change 8 bytes. */
void note_flush(struct run *run);
void note_flush_page(struct run *run, gva_t gva);
void note_change(struct run *run, gpa_t at);

/* *gpa: where a reference went that is RIG_OK, RIG_EMULATE or RIG_MMIO. */
enum rig_end access_checked(struct run *run, gva_t gva, uint32_t access,
			    gpa_t *gpa);

#endif
