/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The laws of conservation that an account keeps. */
#include "account/account.h"

static const char *check_causes(const struct account *acct, uint64_t pf_exits)
{
	uint64_t sum = 0;

	for (int i = 0; i < NR_CAUSES; i++)
		sum += acct->pf_cause[i];
	return sum == pf_exits ? NULL
			       : "page-fault causes sum to page-fault exits";
}

static bool is_equal(struct cost_range a, struct cost_range b)
{
	return a.typ == b.typ && a.min == b.min && a.max == b.max;
}

static const char *check_parts(const struct account *acct)
{
	struct cost_range sum = {0};

	for (int i = 0; i < NR_PARTS; i++)
		sum = cost_plus(sum,
				account_part_cycles(acct, (enum cost_part)i));
	return is_equal(sum, account_clock(acct))
		       ? NULL
		       : "cycles by part sum to the total";
}

static struct cost_range sum_of(const struct latency *latency)
{
	return (struct cost_range){latency->typ.sum, latency->low.sum,
				   latency->high.sum};
}

static bool is_within(struct cost_range a, struct cost_range b)
{
	return a.typ <= b.typ && a.min <= b.min && a.max <= b.max;
}

/*
 * Not all of the handler's cycles are an exit's (a CR3 target's new roots), and
 * guest time may pass in one (an instruction emulated with its devices).
 */
static const char *check_exits(const struct account *acct)
{
	struct cost_range least = account_part_cycles(acct, PART_exit);
	struct cost_range sum = {0};

	if (acct->cost_count[COST_EXIT] != account_exits_total(acct))
		return "exits paid for are the exits filed by reason";
	for (unsigned int i = 0; i < NR_EXIT_REASONS; i++) {
		if (!acct->exit[i])
			continue;
		if (!latency_is_sound(acct->exit[i]))
			return "latencies of exits agree with themselves";
		sum = cost_plus(sum, sum_of(acct->exit[i]));
	}
	if (!is_within(least, sum) || !is_within(sum, account_clock(acct)))
		return "latencies of exits are between their own part and all";
	return NULL;
}

/* Faults, exits and cycles by chain. */
struct chain_sums {
	uint64_t faults, exits;
	struct cost_range cycles;
	bool sound;
};

static void add_chain(struct chain_sums *sums, const struct chain *chain)
{
	sums->faults += chain->latency.typ.count;
	sums->exits += chain->exits;
	sums->cycles = cost_plus(sums->cycles, sum_of(&chain->latency));
	sums->sound &= latency_is_sound(&chain->latency);
}

static const char *check_chains(const struct account *acct)
{
	const struct chain *chain[CHAINS_MAX];
	size_t nr = chains_sorted(acct->chains, chain);
	const struct chain *other = chains_other(acct->chains);
	struct chain_sums sums = {.sound = true};

	for (size_t i = 0; i < nr; i++)
		add_chain(&sums, chain[i]);
	if (other)
		add_chain(&sums, other);

	if (!sums.sound || !latency_is_sound(acct->fault_latency) ||
	    !histogram_is_sound(acct->fault_exits))
		return "latencies of guest faults agree with themselves";
	if (sums.faults != acct->fault_latency->typ.count ||
	    sums.faults != acct->fault_exits->count)
		return "faults by chain sum to those that were retried";
	if (!is_equal(sums.cycles, sum_of(acct->fault_latency)))
		return "cycles by chain sum to the latency of faults";
	if (sums.exits != acct->fault_exits->sum)
		return "exits by chain sum to those of faults";
	return NULL;
}

const char *account_check(const struct account *acct, uint64_t pf_exits)
{
	const char *broken = check_causes(acct, pf_exits);

	if (!broken)
		broken = check_parts(acct);
	if (!broken)
		broken = check_exits(acct);
	if (!broken)
		broken = check_chains(acct);
	return broken ? broken : account_check_tlb(acct);
}
