/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "recount.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "shadow_mmu/smmu.h"
#include "sim/probe.h"

struct happening {
	uint64_t at; /* by the processor's clock */
	const char *name;
	bool is_exit;
};

struct processor {
	uint64_t clock; /* of its own turns */
	struct happening *happened;
	size_t nr, room;
	uint64_t access; /* when the reference that faulted last began */
	uint64_t given;  /* likewise of the fault that the guest was given */
};

struct told {
	char text[CHAIN_TEXT_MAX];
	uint64_t faults, exits, cycles;
};

struct recount {
	struct sim *sim;
	struct processor cpu[SMMU_MAX_VCPUS];
	unsigned int turn; /* whose it is */
	uint64_t now;      /* the account's clock at the last step */
	uint64_t *began;   /* of each fault, by its number */
	size_t room;
	struct told told[CHAINS_MAX];
	size_t nr_told;
};

static void *room_for(void *array, size_t *room, size_t nr, size_t size)
{
	if (nr < *room)
		return array;
	*room = nr < 512 ? 1024 : 2 * nr;
	array = realloc(array, *room * size);
	assert_non_null(array);
	return array;
}

static void happens(struct processor *cpu, const char *name, bool is_exit)
{
	cpu->happened = room_for(cpu->happened, &cpu->room, cpu->nr,
				 sizeof(*cpu->happened));
	cpu->happened[cpu->nr++] =
		(struct happening){cpu->clock, name, is_exit};
}

static const char *reason_now(const struct recount *rc)
{
	uint64_t reason = vmcs_get(sim_inside(rc->sim).vmcs, VMCS_EXIT_REASON);

	return exit_reason_name((uint32_t)reason);
}

/* Those from `from` on, before `to`: as text, and how many exits. */
static uint64_t tell(const struct processor *cpu, uint64_t from, uint64_t to,
		     char text[CHAIN_TEXT_MAX])
{
	unsigned int times = 0, runs = 0;
	uint64_t exits = 0;
	const char *last = "";
	size_t i = cpu->nr;

	text[0] = 0;
	while (i && cpu->happened[i - 1].at >= from)
		i--;
	for (; i < cpu->nr && cpu->happened[i].at < to; i++) {
		const struct happening *h = &cpu->happened[i];
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

static void retried(struct recount *rc, const struct sim_step *step)
{
	const struct processor *cpu = &rc->cpu[step->vcpu];
	uint64_t began = rc->began[step->id], end = began + step->cycles;
	char text[CHAIN_TEXT_MAX];
	uint64_t exits = tell(cpu, began, end, text);
	size_t i = 0;

	assert_true(end <= cpu->clock);
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
	rc->told[i].cycles += step->cycles;
}

static void fault(struct recount *rc, const struct sim_step *step)
{
	struct processor *cpu = &rc->cpu[step->vcpu];

	cpu->access = cpu->clock - (step->now - step->began);
	if (step->exits)
		return;
	cpu->given = cpu->access;
	happens(cpu, "direct", false);
}

static void handled(struct recount *rc, const struct sim_step *step)
{
	struct processor *cpu = &rc->cpu[step->vcpu];

	cpu->happened[cpu->nr - 1].name = cause_name(step->result.cause);
	if (step->result.verdict == SMMU_INJECT)
		cpu->given = cpu->access;
}

static void delivered(struct recount *rc, const struct sim_step *step)
{
	rc->began =
		room_for(rc->began, &rc->room, step->id, sizeof(*rc->began));
	rc->began[step->id] = rc->cpu[step->vcpu].given;
}

static void take(void *context, const struct sim_step *step)
{
	struct recount *rc = context;

	rc->cpu[rc->turn].clock += step->now - rc->now;
	rc->now = step->now;
	switch (step->kind) {
	case SIM_STEP_EVENT:
		rc->turn = step->vcpu;
		break;
	case SIM_STEP_FAULT:
		fault(rc, step);
		break;
	case SIM_STEP_EXIT:
		happens(&rc->cpu[step->vcpu], reason_now(rc), true);
		break;
	case SIM_STEP_HANDLED:
		handled(rc, step);
		break;
	case SIM_STEP_DELIVERED:
		delivered(rc, step);
		break;
	case SIM_STEP_RETRIED:
		retried(rc, step);
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

static void name_of(const char *path, const struct lane_kind *kind, char *buf,
		    size_t size)
{
	const char *slash = strrchr(path, '/');

	snprintf(buf, size, "%s, %s %s", slash ? slash + 1 : path, kind->mmu,
		 kind->bypass);
}

static void finish(struct recount *rc)
{
	for (unsigned int i = 0; i < SMMU_MAX_VCPUS; i++)
		free(rc->cpu[i].happened);
	free(rc->began);
}

void recount_chains(const char *path, const struct lane_kind *kind)
{
	struct trace_reader *reader;
	struct recount rc = {0};
	const struct sim_probe probe = {take, &rc};
	struct replay_pass pass = {.nr_lanes = 1};
	struct replay_lane *lane;
	struct diag diag;
	char what[600];

	name_of(path, kind, what, sizeof(what));
	if (trace_reader_open(path, &reader, &diag))
		fail_msg("%s", diag.msg);
	lane = create(kind, trace_reader_info(reader));
	rc.sim = replay_lane_sim(lane);
	rc.now = sim_account(rc.sim)->now;
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
	finish(&rc);
}
