/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Steps told to a probe against what was counted and what the tables hold: by
 * the steps alone one knows every cycle, every exit and every shadow entry.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sim/probe.h"
#include "synth.h"

struct sums {
	struct synth *s;
	uint64_t cycles;
	uint64_t exits, entries, faults, direct, handled;
	uint64_t delivered, delivered_direct, retried;
	uint64_t exit_cycles, since_exit;
	bool in_exit, in_event;
	uint64_t causes[NR_CAUSES];
	uint64_t (*shadow)[PT_ENTRIES]; /* as the steps tell */
	uint64_t records, record_cycles;
};

static void take(void *context, const struct sim_step *step)
{
	struct sums *sums = context;
	const struct account *acct = sim_account(sums->s->sim);
	uint32_t page = step->table ? pool_page(step->table) : 0;

	switch (step->kind) {
	case SIM_STEP_EVENT:
		assert_false(sums->in_event);
		sums->in_event = true;
		break;
	case SIM_STEP_OUTCOME:
		assert_true(sums->in_event);
		sums->in_event = false;
		break;
	case SIM_STEP_WALK:
		assert_true(step->event->kind == GE_ACCESS);
		break;
	case SIM_STEP_FAULT:
		sums->faults++;
		sums->direct += !step->exits;
		break;
	case SIM_STEP_EXIT:
		assert_false(sums->in_exit);
		sums->in_exit = true;
		sums->exits++;
		sums->since_exit = 0;
		break;
	case SIM_STEP_HANDLED:
		sums->handled++;
		sums->causes[step->result.cause]++;
		break;
	case SIM_STEP_ENTRY:
		assert_true(sums->in_exit);
		assert_true(step->cycles == sums->since_exit);
		sums->in_exit = false;
		sums->entries++;
		sums->exit_cycles += sums->since_exit;
		break;
	case SIM_STEP_CHARGE:
		sums->cycles += acct->cost[step->cost].typ * step->n;
		sums->since_exit += acct->cost[step->cost].typ * step->n;
		assert_true(step->now == acct->now);
		break;
	case SIM_STEP_SPTE:
		assert_true(sums->shadow[page][step->index] == step->was);
		sums->shadow[page][step->index] = step->is;
		break;
	case SIM_STEP_TABLE:
		memset(sums->shadow[page], 0, PAGE_SIZE);
		break;
	case SIM_STEP_TABLE_GONE:
		break;
	case SIM_STEP_DELIVERED:
		assert_true(step->id == ++sums->delivered);
		sums->delivered_direct += !step->exits;
		break;
	case SIM_STEP_RETRIED:
		assert_true(step->id && step->id <= sums->delivered);
		sums->retried++;
		break;
	case SIM_STEP_REGION:
	case SIM_STEP_REGION_ENDS:
		assert_true(false);
		break;
	}
}

static void take_record(void *context, const struct sim_exit_record *record)
{
	struct sums *sums = context;

	sums->records++;
	sums->record_cycles += record->cycles;
}

static void check_shadow(const struct sums *sums)
{
	const struct pool *pool = &sums->s->mem->pool;

	for (uint32_t page = 0; page < pool->nr_pages; page++)
		if (pool->level[page])
			assert_memory_equal(sums->shadow[page],
					    pool->model[page], PAGE_SIZE);
}

static void run_guest(struct synth *s)
{
	for (unsigned int round = 0; round < 4; round++) {
		synth_load_cr3(s, synth_new_space(s));
		for (gva_t i = 0; i < 40; i++)
			assert_true(synth_touch(s, SYNTH_USER + i * PAGE_SIZE,
						i % 3 ? PFEC_W : 0,
						i % 2 ? SYNTH_PTE_RO
						      : SYNTH_PTE_RW));
	}
}

static void check(const char *config)
{
	struct synth s;
	struct sums sums = {.s = &s};
	const struct sim_probe probe = {take, &sums};
	const struct account *acct;
	uint64_t cycles, exits;

	synth_start(&s, config);
	acct = sim_account(s.sim);
	cycles = acct->now;
	exits = account_exits_total(acct);
	sums.shadow = calloc(s.mem->pool.nr_pages, PAGE_SIZE);
	for (uint32_t i = 0; i < s.mem->pool.nr_pages; i++)
		memcpy(sums.shadow[i], s.mem->pool.model[i], PAGE_SIZE);
	sim_set_probe(s.sim, &probe);
	sim_watch_exits(s.sim, take_record, &sums);
	run_guest(&s);
	synth_kernel_access(&s, SYNTH_STACK, 0); /* ends an emulation */

	assert_true(sums.cycles == acct->now - cycles);
	assert_true(sums.exits == account_exits_total(acct) - exits);
	assert_true(sums.entries == sums.exits);
	assert_true(sums.records == sums.exits);
	assert_true(sums.record_cycles == sums.exit_cycles);
	assert_true(sums.direct == account_faults_direct(acct));
	assert_true(sums.delivered_direct == sums.direct);
	assert_true(sums.delivered - sums.direct ==
		    account_faults_injected(acct));
	assert_true(sums.retried == sums.delivered);
	assert_true(sums.handled == sums.faults - sums.direct);
	assert_true(sums.handled > 40);
	for (int i = 0; i < NR_CAUSES; i++)
		assert_true(sums.causes[i] <= acct->pf_cause[i]);
	check_shadow(&sums);

	sim_set_probe(s.sim, &(struct sim_probe){0});
	cycles = sums.cycles;
	synth_touch(&s, SYNTH_USER + 64 * PAGE_SIZE, PFEC_W, SYNTH_PTE_RW);
	assert_true(sums.cycles == cycles);
	synth_end(&s);
	free(sums.shadow);
}

static void every_generation(void **state)
{
	unsigned int nr;
	const struct smmu_generation *gen = smmu_generations(&nr);

	(void)state;
	for (unsigned int i = 0; i < nr; i++) {
		char config[80];

		snprintf(config, sizeof(config), "mmu=%s bypass=off",
			 gen[i].name);
		check(config);
		snprintf(config, sizeof(config), "mmu=%s bypass=on",
			 gen[i].name);
		check(config);
	}
}

/* Pages are recycled in the midst of it. */
static void few_pages(void **state)
{
	(void)state;
	check("mmu=seed shadow-pages=64");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_generation),
		cmocka_unit_test(few_pages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
