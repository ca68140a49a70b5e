/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "account/account.h"

#include <stdlib.h>
#include <string.h>

#include "base/bug.h"

static const struct {
	const char *name, *what;
} counters[] = {
#define COUNTER(name, what) {#name, what},
#include "account/counters.def"
#undef COUNTER
};

static const struct {
	const char *name, *what;
} causes[] = {
#define CAUSE(name, what) {#name, what},
#include "account/causes.def"
#undef CAUSE
};

static const struct {
	const char *name, *what;
} tlb_counters[] = {
#define TLB_COUNTER(name, what) {#name, what},
#include "account/tlb.def"
#undef TLB_COUNTER
};

static const struct {
	const char *name, *what;
} parts[] = {
#define PART(name, what) {#name, what},
#include "account/parts.def"
#undef PART
};

static const struct cost_info costs[] = {
#define COST(id, key, part, owner, what) \
	{key, PART_##part, OWNER_##owner, what},
#include "account/costs.def"
#undef COST
};

struct account *account_create(void)
{
	struct account *acct = calloc(1, sizeof(*acct));

	if (!acct)
		return NULL;
	acct->fault_latency = calloc(1, sizeof(*acct->fault_latency));
	acct->fault_exits = calloc(1, sizeof(*acct->fault_exits));
	acct->chains = chains_create();
	if (!acct->fault_latency || !acct->fault_exits || !acct->chains) {
		account_destroy(acct);
		return NULL;
	}
	acct->in_exit = -1;
	return acct;
}

void account_destroy(struct account *acct)
{
	if (!acct)
		return;
	for (int i = 0; i < NR_EXIT_REASONS; i++)
		free(acct->exit[i]);
	free(acct->fault_latency);
	free(acct->fault_exits);
	chains_destroy(acct->chains);
	free(acct);
}

void account_reset(struct account *acct)
{
	struct account fresh = {
		.fault_latency = acct->fault_latency,
		.fault_exits = acct->fault_exits,
		.chains = acct->chains,
		.in_exit = -1,
		.insns = acct->insns,
		.watch = acct->watch,
	};

	BUG_ON(acct->in_exit >= 0);
	for (int i = 0; i < NR_EXIT_REASONS; i++)
		free(acct->exit[i]);
	memset(acct->fault_latency, 0, sizeof(*acct->fault_latency));
	memset(acct->fault_exits, 0, sizeof(*acct->fault_exits));
	chains_reset(acct->chains);
	memcpy(fresh.cost, acct->cost, sizeof(fresh.cost));
	*acct = fresh;
}

void account_set_cost(struct account *acct, enum cost_id id,
		      struct cost_range cost)
{
	BUG_ON(acct->cost_count[id] || cost.min > cost.typ ||
	       cost.typ > cost.max);
	acct->cost[id] = cost;
}

static void *clone_bytes(const void *bytes, size_t size, bool *failed)
{
	void *copy = malloc(size);

	if (copy)
		memcpy(copy, bytes, size);
	*failed |= !copy;
	return copy;
}

struct account *account_clone(const struct account *acct)
{
	struct account *copy = malloc(sizeof(*copy));
	bool failed = false;

	if (!copy)
		return NULL;
	*copy = *acct;
	copy->watch = NULL;
	copy->fault_latency = clone_bytes(
		acct->fault_latency, sizeof(*acct->fault_latency), &failed);
	copy->fault_exits = clone_bytes(acct->fault_exits,
					sizeof(*acct->fault_exits), &failed);
	copy->chains = chains_clone(acct->chains);
	failed |= !copy->chains;
	for (int i = 0; i < NR_EXIT_REASONS; i++)
		if (acct->exit[i])
			copy->exit[i] = clone_bytes(
				acct->exit[i], sizeof(*acct->exit[i]), &failed);
	if (failed) {
		account_destroy(copy);
		return NULL;
	}
	return copy;
}

void account_exit_begin(struct account *acct, unsigned int reason)
{
	BUG_ON(acct->in_exit >= 0 || reason >= NR_EXIT_REASONS);
	if (!acct->exit[reason]) {
		acct->exit[reason] = calloc(1, sizeof(struct latency));
		BUG_ON(!acct->exit[reason]);
	}
	acct->in_exit = (int)reason;
	acct->exit_began = account_clock(acct);
	account_charge(acct, COST_EXIT, 1);
	account_charge(acct, COST_DISPATCH, 1);
}

void account_exit_end(struct account *acct)
{
	BUG_ON(acct->in_exit < 0);
	latency_add(acct->exit[acct->in_exit],
		    cost_since(account_clock(acct), acct->exit_began));
	acct->in_exit = -1;
}

void account_fault_retried(struct account *acct, const struct chain_key *key,
			   const struct chain_moment *began,
			   const struct chain_moment *ended)
{
	struct cost_range cycles = cost_since(ended->clock, began->clock);
	uint64_t exits = ended->exits - began->exits;

	latency_add(acct->fault_latency, cycles);
	histogram_add(acct->fault_exits, exits);
	chains_add(acct->chains, key, exits, cycles);
}

uint64_t account_exits(const struct account *acct, unsigned int reason)
{
	return acct->exit[reason] ? acct->exit[reason]->typ.count : 0;
}

uint64_t account_exits_total(const struct account *acct)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < NR_EXIT_REASONS; i++)
		sum += account_exits(acct, i);
	return sum;
}

static uint64_t sum_codes(const uint64_t by_code[NR_PFEC])
{
	uint64_t sum = 0;

	for (int i = 0; i < NR_PFEC; i++)
		sum += by_code[i];
	return sum;
}

uint64_t account_faults_direct(const struct account *acct)
{
	return sum_codes(acct->fault_direct);
}

uint64_t account_faults_injected(const struct account *acct)
{
	return sum_codes(acct->fault_injected);
}

struct cost_range account_part_cycles(const struct account *acct,
				      enum cost_part part)
{
	struct cost_range sum = {0};

	for (int i = 0; i < NR_COSTS; i++) {
		if (costs[i].part != part)
			continue;
		sum.typ += acct->cost_count[i] * acct->cost[i].typ;
		sum.min += acct->cost_count[i] * acct->cost[i].min;
		sum.max += acct->cost_count[i] * acct->cost[i].max;
	}
	return sum;
}

const struct cost_info *cost_info(enum cost_id id)
{
	return &costs[id];
}

const char *counter_name(enum counter_id id)
{
	return counters[id].name;
}

const char *counter_what(enum counter_id id)
{
	return counters[id].what;
}

const char *tlb_counter_name(enum tlb_counter id)
{
	return tlb_counters[id].name;
}

const char *tlb_counter_what(enum tlb_counter id)
{
	return tlb_counters[id].what;
}

const char *cause_name(enum pf_cause cause)
{
	return causes[cause].name;
}

const char *cause_what(enum pf_cause cause)
{
	return causes[cause].what;
}

const char *part_name(enum cost_part part)
{
	return parts[part].name;
}

const char *part_what(enum cost_part part)
{
	return parts[part].what;
}
