/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Chains of guest faults, counted once more by time: each step that a probe is
 * told of is kept with its clock, for the whole of a trace; a fault's chain is
 * whatever began between its access and its retry.
 *
 * usage: test_replay_chains TRACES_DIR
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lanes.h"
#include "sim/probe.h"

static const char *dir;

struct happening {
	uint64_t at; /* cycles */
	const char *name;
	bool is_exit;
};

struct told {
	char text[CHAIN_TEXT_MAX];
	uint64_t faults, exits, cycles;
};

struct recount {
	struct sim *sim;
	struct happening *happened;
	size_t nr, room;
	struct told told[CHAINS_MAX];
	size_t nr_told;
};

static void happens(struct recount *rc, uint64_t at, const char *name,
		    bool is_exit)
{
	if (rc->nr == rc->room) {
		rc->room = rc->room ? 2 * rc->room : 1024;
		rc->happened =
			realloc(rc->happened, rc->room * sizeof(*rc->happened));
		assert_non_null(rc->happened);
	}
	rc->happened[rc->nr++] = (struct happening){at, name, is_exit};
}

static const char *reason_now(const struct recount *rc)
{
	uint64_t reason = vmcs_get(sim_inside(rc->sim).vmcs, VMCS_EXIT_REASON);

	return exit_reason_name((uint32_t)reason);
}

/* Those from `from` on, before `to`: as text, and how many exits. */
static uint64_t tell(const struct recount *rc, uint64_t from, uint64_t to,
		     char text[CHAIN_TEXT_MAX])
{
	unsigned int times = 0, runs = 0;
	uint64_t exits = 0;
	const char *last = "";
	size_t i = rc->nr;

	text[0] = 0;
	while (i && rc->happened[i - 1].at >= from)
		i--;
	for (; i < rc->nr && rc->happened[i].at < to; i++) {
		const struct happening *h = &rc->happened[i];
		char *end = text + strlen(text);

		exits += h->is_exit;
		if (runs > CHAIN_STEPS)
			continue;
		if (!strcmp(h->name, last)) {
			end = times == 1 ? end : strrchr(text, ' ');
			sprintf(end, " x%u", ++times);
			continue;
		}
		times = 1;
		last = h->name;
		runs++;
		sprintf(end, "%s%s", runs > 1 ? " > " : "",
			runs > CHAIN_STEPS ? "..." : last);
	}
	return exits;
}

static void retried(struct recount *rc, uint64_t began, uint64_t cycles)
{
	char text[CHAIN_TEXT_MAX];
	uint64_t exits = tell(rc, began, began + cycles, text);
	size_t i = 0;

	while (i < rc->nr_told && strcmp(rc->told[i].text, text) != 0)
		i++;
	assert_true(i < CHAINS_MAX);
	if (i == rc->nr_told) {
		rc->told[i] = (struct told){0};
		strcpy(rc->told[i].text, text);
		rc->nr_told++;
	}
	rc->told[i].faults++;
	rc->told[i].exits += exits;
	rc->told[i].cycles += cycles;
}

static void take(void *context, const struct sim_step *step)
{
	struct recount *rc = context;

	switch (step->kind) {
	case SIM_STEP_FAULT:
		if (!step->exits)
			happens(rc, step->now, "direct", false);
		break;
	case SIM_STEP_EXIT:
		happens(rc, step->now, reason_now(rc), true);
		break;
	case SIM_STEP_HANDLED:
		rc->happened[rc->nr - 1].name = cause_name(step->result.cause);
		break;
	case SIM_STEP_RETRIED:
		retried(rc, step->began, step->cycles);
		break;
	default:
		break;
	}
}

static void compare(const struct recount *rc, const char *what)
{
	const struct account *acct = sim_account(rc->sim);
	const struct chain *chain[CHAINS_MAX];
	size_t nr = chains_sorted(acct->chains, chain);

	assert_null(chains_other(acct->chains));
	if (nr != rc->nr_told)
		fail_msg("%s: %zu chains, recounted %zu", what, nr,
			 rc->nr_told);
	for (size_t i = 0; i < nr; i++) {
		char text[CHAIN_TEXT_MAX];
		size_t k = 0;

		chain_text(&chain[i]->key, text);
		while (k < nr && strcmp(rc->told[k].text, text) != 0)
			k++;
		if (k == nr)
			fail_msg("%s: \"%s\" is not so", what, text);
		if (rc->told[k].faults != chain[i]->latency.typ.count ||
		    rc->told[k].exits != chain[i]->exits ||
		    rc->told[k].cycles != chain[i]->latency.typ.sum)
			fail_msg(
				"%s: \"%s\": %llu faults, recounted %llu", what,
				text,
				(unsigned long long)chain[i]->latency.typ.count,
				(unsigned long long)rc->told[k].faults);
	}
}

/* Not audited: these are long. */
static struct replay_lane *create(const struct lane_kind *kind,
				  const struct trace_info *info)
{
	struct replay_lane *lane;
	struct config config;
	struct diag diag;

	config_init(&config);
	assert_int_equal(config_set(&config, "mmu", kind->mmu, &diag), 0);
	assert_int_equal(config_set(&config, "bypass", kind->bypass, &diag), 0);
	config = config_effective(&config);
	if (replay_lane_create(&config, info, &lane, &diag))
		fail_msg("%s", diag.msg);
	return lane;
}

static void replay(const char *name, const struct lane_kind *kind)
{
	struct trace_reader *reader;
	struct recount rc = {0};
	const struct sim_probe probe = {take, &rc};
	struct replay_pass pass = {.nr_lanes = 1};
	struct replay_lane *lane;
	struct diag diag;
	char path[512], what[600];

	snprintf(path, sizeof(path), "%s/%s.ntr", dir, name);
	snprintf(what, sizeof(what), "%s, %s %s", name, kind->mmu,
		 kind->bypass);
	if (trace_reader_open(path, &reader, &diag))
		fail_msg("%s", diag.msg);
	lane = create(kind, trace_reader_info(reader));
	rc.sim = replay_lane_sim(lane);
	sim_set_probe(rc.sim, &probe);
	pass.reader = reader;
	pass.lane = &lane;
	assert_int_equal(replay_run(&pass, &diag), 0);
	replay_lane_finish(lane);
	assert_int_equal(replay_lane_status(lane), REPLAY_DONE);
	assert_null(sim_check(rc.sim));
	compare(&rc, what);
	assert_true(rc.nr_told > 0);
	trace_reader_close(reader);
	replay_lane_destroy(lane);
	free(rc.happened);
}

static void recounted_by_time(void **state)
{
	static const char *const names[] = {"linux-gzip", "perf-sort"};

	(void)state;
	for (size_t k = 0; k < NR_LANE_KINDS; k++)
		replay("mini-mixed", &lane_kinds[k]);
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		replay(names[i], &lane_kinds[0]);
		replay(names[i], &lane_kinds[NR_LANE_KINDS - 1]);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(recounted_by_time),
	};

	if (argc != 2)
		return 2;
	dir = argv[1];
	return cmocka_run_group_tests(tests, NULL, NULL);
}
