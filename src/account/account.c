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
	if (!acct->fault_latency) {
		free(acct);
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
	free(acct);
}

void account_reset(struct account *acct)
{
	struct account fresh = {
		.fault_latency = acct->fault_latency,
		.in_exit = -1,
		.insns = acct->insns,
		.watch = acct->watch,
	};

	BUG_ON(acct->in_exit >= 0);
	for (int i = 0; i < NR_EXIT_REASONS; i++)
		free(acct->exit[i]);
	memset(acct->fault_latency, 0, sizeof(*acct->fault_latency));
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

static struct histogram *clone_histogram(const struct histogram *h)
{
	struct histogram *copy = malloc(sizeof(*copy));

	if (copy)
		*copy = *h;
	return copy;
}

struct account *account_clone(const struct account *acct)
{
	struct account *copy = malloc(sizeof(*copy));
	bool failed;

	if (!copy)
		return NULL;
	*copy = *acct;
	copy->watch = NULL;
	copy->fault_latency = clone_histogram(acct->fault_latency);
	failed = !copy->fault_latency;
	for (int i = 0; i < NR_EXIT_REASONS; i++) {
		if (!acct->exit[i])
			continue;
		copy->exit[i] = clone_histogram(acct->exit[i]);
		failed |= !copy->exit[i];
	}
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
		acct->exit[reason] = calloc(1, sizeof(struct histogram));
		BUG_ON(!acct->exit[reason]);
	}
	acct->in_exit = (int)reason;
	acct->exit_began = acct->now;
	account_charge(acct, COST_EXIT, 1);
	account_charge(acct, COST_DISPATCH, 1);
}

void account_exit_end(struct account *acct)
{
	BUG_ON(acct->in_exit < 0);
	histogram_add(acct->exit[acct->in_exit], acct->now - acct->exit_began);
	acct->in_exit = -1;
}

uint64_t account_exits(const struct account *acct, unsigned int reason)
{
	return acct->exit[reason] ? acct->exit[reason]->count : 0;
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

static bool parts_sum_to_clocks(const struct account *acct)
{
	struct cost_range sum = {0};

	for (int i = 0; i < NR_PARTS; i++) {
		struct cost_range part =
			account_part_cycles(acct, (enum cost_part)i);

		sum.typ += part.typ;
		sum.min += part.min;
		sum.max += part.max;
	}
	return sum.typ == acct->now && sum.min == acct->now_min &&
	       sum.max == acct->now_max;
}

const char *account_check(const struct account *acct, uint64_t pf_exits)
{
	uint64_t sum = 0;

	for (int i = 0; i < NR_CAUSES; i++)
		sum += acct->pf_cause[i];
	if (sum != pf_exits)
		return "page-fault causes sum to page-fault exits";

	if (!parts_sum_to_clocks(acct))
		return "cycles by part sum to the total";

	if (acct->cost_count[COST_EXIT] != account_exits_total(acct))
		return "exits paid for are the exits filed by reason";
	return NULL;
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
