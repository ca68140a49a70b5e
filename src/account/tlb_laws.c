/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the counts of the translation hardware have to sum to. */
#include "account/account.h"

static uint64_t paid(const struct account *acct)
{
	return acct->cost_count[COST_WALK_L1] + acct->cost_count[COST_WALK_L2] +
	       acct->cost_count[COST_WALK_L3] + acct->cost_count[COST_WALK_MEM];
}

/* A source that looks nothing up has no hits, either. */
static bool misses_add_up(const struct account *acct)
{
	const uint64_t *n = acct->tlb;

	return !(n[TLB_l1i_lookups] + n[TLB_l1d_lookups]) ||
	       n[TLB_l1i_misses] + n[TLB_l1d_misses] ==
		       n[TLB_l2_hits] + n[TLB_misses];
}

static bool misses_are_lookups(const struct account *acct)
{
	const uint64_t *n = acct->tlb;

	return n[TLB_l1i_misses] <= n[TLB_l1i_lookups] &&
	       n[TLB_l1d_misses] <= n[TLB_l1d_lookups] &&
	       n[TLB_l2_hits] <= n[TLB_l2_lookups] &&
	       n[TLB_l2_lookups] <= n[TLB_l1i_misses] + n[TLB_l1d_misses] &&
	       n[TLB_nested_hits] <= n[TLB_nested_lookups];
}

static bool walks_begin_somewhere(const struct account *acct)
{
	const uint64_t *n = acct->tlb;

	return n[TLB_walks] == n[TLB_psc_pde_hits] + n[TLB_psc_pdpte_hits] +
				       n[TLB_psc_pml4e_hits] +
				       n[TLB_psc_pml5e_hits] +
				       n[TLB_psc_misses];
}

static bool reads_end_somewhere(const struct account *acct)
{
	const uint64_t *n = acct->tlb;

	return n[TLB_walk_refs] == n[TLB_walk_refs_l1] + n[TLB_walk_refs_l2] +
					   n[TLB_walk_refs_l3] +
					   n[TLB_walk_refs_mem] &&
	       n[TLB_ept_refs] <= n[TLB_walk_refs];
}

static bool reads_are_paid(const struct account *acct)
{
	return acct->tlb[TLB_walk_refs] ==
	       paid(acct) + acct->tlb[TLB_walk_refs_hidden];
}

static bool walks_are_paid(const struct account *acct)
{
	return acct->tlb[TLB_walks] ==
	       acct->cost_count[COST_WALK] + acct->tlb[TLB_walks_overlapped];
}

static bool second_is_paid(const struct account *acct)
{
	return acct->tlb[TLB_l2_lookups] == acct->cost_count[COST_TLB_L2] &&
	       acct->tlb[TLB_ad_assists] == acct->cost_count[COST_AD_ASSIST];
}

static const struct {
	const char *name;
	bool (*holds)(const struct account *acct);
} laws[] = {
	{"references that missed the first TLB hit the second or missed all",
	 misses_add_up},
	{"there are as many lookups as misses", misses_are_lookups},
	{"walks begin behind a cached entry or at the top",
	 walks_begin_somewhere},
	{"walks' reads are those of each cache level", reads_end_somewhere},
	{"walks' reads are paid for or hidden", reads_are_paid},
	{"walks are paid for or overlapped", walks_are_paid},
	{"second-level lookups and A/D assists are paid for", second_is_paid},
};

const char *account_check_tlb(const struct account *acct)
{
	for (size_t i = 0; i < ARRAY_LEN(laws); i++)
		if (!laws[i].holds(acct))
			return laws[i].name;
	return NULL;
}
