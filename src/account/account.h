/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a run has counted.  Plain data: the modules that do the work call the
 * inline functions below, once, where the thing happens; src/report reads.
 *
 * Cycles are counts times costs.  `now` is their running sum, kept so that the
 * latency of an exit or a fault can be told; account_check() proves that it
 * equals the sum over the cost counts.  A cost is a range, so there are two
 * clocks more: what it would be if each cost were at its least, or at its most.
 */
#ifndef NOTRAP_ACCOUNT_ACCOUNT_H
#define NOTRAP_ACCOUNT_ACCOUNT_H

#include "account/chain.h"
#include "account/cost_range.h"
#include "account/latency.h"
#include "arch/exit_reasons.h"
#include "base/types.h"

enum counter_id {
#define COUNTER(name, what) CNT_##name,
#include "account/counters.def"
#undef COUNTER
	NR_COUNTERS
};

enum pf_cause {
#define CAUSE(name, what) CAUSE_##name,
#include "account/causes.def"
#undef CAUSE
	NR_CAUSES
};

enum cost_part {
#define PART(name, what) PART_##name,
#include "account/parts.def"
#undef PART
	NR_PARTS
};

enum cost_id {
#define COST(id, key, part, owner, what) COST_##id,
#include "account/costs.def"
#undef COST
	NR_COSTS
};

enum tlb_counter {
#define TLB_COUNTER(name, what) TLB_##name,
#include "account/tlb.def"
#undef TLB_COUNTER
	NR_TLB_COUNTERS
};

#define NR_PFEC 64 /* error codes of guest faults, bits 5:0 */

/* One who wants to be told of each charge, in order. */
struct account_watch {
	void (*charge)(void *context, enum cost_id id, uint64_t n);
	void *context;
};

struct account {
	uint64_t counter[NR_COUNTERS];
	uint64_t pf_cause[NR_CAUSES];
	uint64_t tlb[NR_TLB_COUNTERS];

	/* Guest (true) faults by error code, as the guest saw them. */
	uint64_t fault_direct[NR_PFEC];
	uint64_t fault_injected[NR_PFEC];

	struct latency *exit[NR_EXIT_REASONS]; /* NULL: never seen */
	/* Of guest faults, from the access to its retry; how many exits were
	 * in between; and which. */
	struct latency *fault_latency;
	uint64_t faults_forgotten; /* too many were waiting for theirs */
	struct histogram *fault_exits;
	struct chains *chains;
	/* What account_exit_begin() noted; reason is < 0 outside an exit. */
	int in_exit;
	struct cost_range exit_began;

	uint64_t insns; /* the clock of guest instructions */
	uint64_t cost_count[NR_COSTS];
	/* Cycles a unit, from the configuration: account_set_cost(). */
	struct cost_range cost[NR_COSTS];
	uint64_t now; /* cycles since the start */
	uint64_t now_min, now_max;

	const struct account_watch *watch; /* NULL: nobody; not the account's */
};

/* Every cost is 0.  NULL: out of memory. */
struct account *account_create(void);
void account_destroy(struct account *acct); /* NULL is fine */

/* Before the first charge; min <= typ <= max. */
void account_set_cost(struct account *acct, enum cost_id id,
		      struct cost_range cost);

/* Outside an exit: forget every count; costs, the clock of guest instructions
 * and the watch stay. */
void account_reset(struct account *acct);

/* A copy of its own that nobody watches, to be destroyed.  NULL: out of memory.
 */
struct account *account_clone(const struct account *acct);

static inline void account_count(struct account *acct, enum counter_id id)
{
	acct->counter[id]++;
}

static inline void account_charge(struct account *acct, enum cost_id id,
				  uint64_t n)
{
	const struct cost_range *cost = &acct->cost[id];

	acct->cost_count[id] += n;
	acct->now += cost->typ * n;
	acct->now_min += cost->min * n;
	acct->now_max += cost->max * n;
	if (unlikely(acct->watch))
		acct->watch->charge(acct->watch->context, id, n);
}

/* The three clocks. */
static inline struct cost_range account_clock(const struct account *acct)
{
	return (struct cost_range){acct->now, acct->now_min, acct->now_max};
}

static inline void account_guest_fault(struct account *acct, uint32_t pfec,
				       bool direct)
{
	uint64_t *by_code = direct ? acct->fault_direct : acct->fault_injected;

	by_code[pfec & (NR_PFEC - 1)]++;
}

/* Now, of the processor whose tape it is. */
static inline struct chain_moment account_moment(const struct account *acct,
						 const struct chain_tape *tape)
{
	return (struct chain_moment){account_clock(acct), tape->nr,
				     tape->exits};
}

/* A guest fault's access, which began then, is through; key: between the two.
 */
void account_fault_retried(struct account *acct, const struct chain_key *key,
			   const struct chain_moment *began,
			   const struct chain_moment *ended);

/* Bring the clock of guest instructions up to `insns`; charges the advance. */
static inline void account_guest_time(struct account *acct, uint64_t insns)
{
	if (insns <= acct->insns)
		return;
	account_charge(acct, COST_GUEST_INSN, insns - acct->insns);
	acct->insns = insns;
}

/*
 * One VM exit: begin charges the hardware round trip and the dispatch, end
 * files the latency under the reason.  They nest never.
 */
void account_exit_begin(struct account *acct, unsigned int reason);
void account_exit_end(struct account *acct);

uint64_t account_exits(const struct account *acct, unsigned int reason);
uint64_t account_exits_total(const struct account *acct);
uint64_t account_faults_direct(const struct account *acct);
uint64_t account_faults_injected(const struct account *acct);
struct cost_range account_part_cycles(const struct account *acct,
				      enum cost_part part);

/*
 * check.c.  Conservation, at the end of every run: page-fault causes sum to
 * the page-fault exits told by the caller, parts to the clocks, exits filed by
 * reason are those that were paid for, chains are all that took place,
 * and the laws of account_check_tlb().
 * Returns NULL if all holds, or the name of the law that is broken.
 */
const char *account_check(const struct account *acct, uint64_t pf_exits);

/* Of the translation hardware: hits and misses, reads and what they cost. */
const char *account_check_tlb(const struct account *acct);

/* Whose a cost is, and so whose file has the number (src/machine). */
enum cost_owner {
	OWNER_HARDWARE,
	OWNER_SOFTWARE,
};

struct cost_info {
	const char *key; /* "cost.exit" */
	enum cost_part part;
	enum cost_owner owner;
	const char *what;
};

const struct cost_info *cost_info(enum cost_id id);
const char *counter_name(enum counter_id id);
const char *counter_what(enum counter_id id);
const char *tlb_counter_name(enum tlb_counter id);
const char *tlb_counter_what(enum tlb_counter id);
const char *cause_name(enum pf_cause cause);
const char *cause_what(enum pf_cause cause);
const char *part_name(enum cost_part part);
const char *part_what(enum cost_part part);

#endif
