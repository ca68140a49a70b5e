/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The chain of a guest page fault: all that happened on its processor from the
 * access that faulted to the same access when it went through.  That is what
 * one page fault really costs under a hypervisor: the fault exits, is injected,
 * the guest's handler writes its page table, which exits, and the retried
 * access may exit once more, to fill the shadow.
 *
 * A processor has a tape, onto which goes each of its exits and each fault that
 * the guest got without one.  A fault remembers where the tape stood when it
 * began; its chain is what has come onto it since.  Faults of the handler's own
 * and exits of other processes that ran meanwhile are part of it, as they are
 * part of the time it took.
 */
#ifndef NOTRAP_ACCOUNT_CHAIN_H
#define NOTRAP_ACCOUNT_CHAIN_H

#include "account/latency.h"
#include "base/types.h"

/* What can be on the tape: an enum pf_cause, an enum exit_reason (an exit that
 * is no page fault's), or this. */
#define CHAIN_DIRECT 0u /* a guest fault delivered without an exit */

unsigned int chain_of_cause(unsigned int cause);
unsigned int chain_of_reason(unsigned int reason);

#define CHAIN_TAPE 128u /* steps looked back at, a power of two */

struct chain_tape {
	uint64_t nr;    /* steps so far */
	uint64_t exits; /* those of them that are exits */
	uint8_t step[CHAIN_TAPE];
};

static inline void chain_note(struct chain_tape *tape, unsigned int what)
{
	tape->step[tape->nr++ % CHAIN_TAPE] = (uint8_t)what;
	tape->exits += what != CHAIN_DIRECT;
}

/* The exit that was noted last turns out to be another. */
static inline void chain_amend(struct chain_tape *tape, unsigned int what)
{
	tape->step[(tape->nr - 1) % CHAIN_TAPE] = (uint8_t)what;
}

/* A moment on one processor. */
struct chain_moment {
	struct cost_range clock;
	uint64_t nr, exits; /* of its tape */
};

/*
 * What tells chains apart: their steps in order, equal ones in a row told as
 * one and how many.  `more`: there were more than fit, which are not told.
 */
#define CHAIN_STEPS 8
#define CHAIN_TIMES UINT8_MAX /* as many, or more */

struct chain_key {
	uint8_t nr, more;
	uint8_t what[CHAIN_STEPS], times[CHAIN_STEPS];
};

/* Between two moments of a tape; of one too long ago for it, none is told. */
struct chain_key chain_key(const struct chain_tape *tape,
			   const struct chain_moment *from,
			   const struct chain_moment *to);

/* "injected > pt_write x2 > hidden_fill > ..." */
#define CHAIN_TEXT_MAX 400

void chain_text(const struct chain_key *key, char buf[CHAIN_TEXT_MAX]);

/* The faults that went one way. */
struct chain {
	struct chain_key key;
	uint64_t exits; /* of all of them */
	struct latency latency;
};

/* The first so many chains seen are told apart; faults of others are one
 * record more. */
#define CHAINS_MAX 256

struct chains;

struct chains *chains_create(void);                       /* NULL: memory */
struct chains *chains_clone(const struct chains *chains); /* likewise */
void chains_destroy(struct chains *chains);               /* NULL is fine */
void chains_reset(struct chains *chains);

void chains_add(struct chains *chains, const struct chain_key *key,
		uint64_t exits, struct cost_range cycles);

/*
 * By number of faults, the first seen of equals first; returns how many.
 * Pointers last until the next chains_add().  NULL has none.
 */
size_t chains_sorted(const struct chains *chains,
		     const struct chain *ret[CHAINS_MAX]);
/* Those that were not told apart; NULL: none. */
const struct chain *chains_other(const struct chains *chains);

#endif
