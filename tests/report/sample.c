/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Every cost is 1 but those named here, so that sums are easy. */
#include "sample.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arch/exit_reasons.h"

enum {
	COST_OF_EXIT = 100,
	COST_OF_EMULATION = 50,
};

static void set(struct result *result, const char *key, const char *value,
		bool changed)
{
	struct result_setting *set = &result->config[result->nr_config++];

	snprintf(set->key, sizeof(set->key), "%s", key);
	snprintf(set->value, sizeof(set->value), "%s", value);
	set->changed = changed;
}

static void page_fault_exit(struct account *acct, struct chain_tape *tape,
			    enum pf_cause cause)
{
	chain_note(tape, chain_of_cause(cause));
	account_exit_begin(acct, EXIT_REASON_EXCEPTION_NMI);
	acct->pf_cause[cause]++;
	if (cause == CAUSE_pt_write) {
		account_charge(acct, COST_EMULATE, 1);
		account_count(acct, CNT_mmu_pte_write);
	}
	account_exit_end(acct);
}

static void guest_fault(struct account *acct, enum sample_kind kind,
			uint32_t pfec)
{
	bool direct = kind == SAMPLE_BYPASS && !(pfec & 1);
	struct chain_tape tape = {0};
	struct chain_moment began = account_moment(acct, &tape), ended;
	struct chain_key key;

	if (direct)
		chain_note(&tape, CHAIN_DIRECT);
	else
		page_fault_exit(acct, &tape, CAUSE_injected);
	account_charge(acct, COST_DELIVERY, 1);
	account_guest_fault(acct, pfec, direct);
	page_fault_exit(acct, &tape, CAUSE_pt_write);
	if (kind == SAMPLE_CLEAR)
		page_fault_exit(acct, &tape, CAUSE_hidden_fill);
	ended = account_moment(acct, &tape);
	key = chain_key(&tape, &began, &ended);
	account_fault_retried(acct, &key, &began, &ended);
}

static void fill(struct account *acct, enum sample_kind kind, uint64_t faults)
{
	for (int i = 0; i < NR_COSTS; i++)
		account_set_cost(acct, (enum cost_id)i, cost_exact(1));
	account_set_cost(acct, COST_EXIT, cost_exact(COST_OF_EXIT));
	account_set_cost(acct, COST_EMULATE, cost_exact(COST_OF_EMULATION));

	account_guest_time(acct, 1000);
	for (uint64_t i = 0; i < faults; i++)
		guest_fault(acct, kind, 6);
	guest_fault(acct, kind, 7);
	for (int i = 0; i < 2; i++) {
		account_exit_begin(acct, EXIT_REASON_CR_ACCESS);
		account_exit_end(acct);
	}
}

void sample_init(struct sample *sample, enum sample_kind kind, uint64_t faults)
{
	static const char *const mmu[] = {"kvm-2.6.20", "kvm-2.6.24",
					  "kvm-2.6.25"};
	struct result *result = &sample->result;

	*sample = (struct sample){.acct = account_create()};
	if (!sample->acct)
		abort();
	fill(sample->acct, kind, faults);

	*result = (struct result){
		.source_kind = "live",
		.source_path = "guests/mini.elf",
		.source_args = "touch pages=8",
		.source_digest = 0x1234,
		.guest_status = "exit 0",
		.guest_line = "",
		.guest_ok = true,
		.guest_insns = 1000,
		.guest_memory_digest = 1,
		.guest_console_digest = 2,
		.guest_fault_digest = 3,
		.acct = sample->acct,
	};
	set(result, "mmu", mmu[kind], kind != SAMPLE_BYPASS);
	set(result, "bypass", kind == SAMPLE_BYPASS ? "on" : "off",
	    kind != SAMPLE_BYPASS);
	if (kind != SAMPLE_BYPASS)
		strcpy(result->config[1].note, "this generation has none");
	set(result, "memory", "64M", false);
	set(result, "mhz", "100", true);
}

void sample_finish(struct sample *sample)
{
	account_destroy(sample->acct);
}
