/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every item of committed traces has its story recorded, and it is held against
 * what was counted by others: the account's clock, the exit records that
 * reports are made of, and, for page faults, a walk of the guest's own tables.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "explain/internal.h"

static const char *traces; /* their directory */

/* Exit records that the story at hand began. */
#define RECORDS_MAX 64

struct listener {
	struct sim_exit_record record[RECORDS_MAX];
	size_t nr;
	uint64_t from; /* the story's item */
	bool has_rest;
};

static void take_exit(void *context, uint64_t position,
		      const struct sim_exit_record *record)
{
	struct listener *l = context;

	if (position < l->from)
		return;
	assert_true(l->nr < RECORDS_MAX);
	l->record[l->nr++] = *record;
}

struct totals {
	uint64_t all, items, lost, without, exits, causes[NR_CAUSES], hits,
		faults, direct, rest, walks, spared;
};

/* The account's clock moved by what the steps say. */
static void check_cycles(const struct story *story)
{
	uint64_t charged = story->cycles +
			   story->guest_insns * story->cost[COST_GUEST_INSN];

	assert_true(charged == story->now_after - story->now);
}

/* Each exit is as it was reported. */
static void check_exits(const struct story *story, const struct listener *l,
			struct totals *totals)
{
	size_t n = 0;
	bool open = false;
	uint64_t since = 0;

	for (size_t i = 0; i < story->nr; i++) {
		const struct story_step *s = &story->step[i];

		switch (s->step.kind) {
		case SIM_STEP_EXIT:
			assert_true(n < l->nr);
			assert_false(open);
			open = true;
			since = 0;
			assert_true(s->exit.reason == l->record[n].reason);
			break;
		case SIM_STEP_CHARGE:
			since += s->step.n * story->cost[s->step.cost];
			break;
		case SIM_STEP_HANDLED:
			assert_true(open && l->record[n].is_page_fault);
			assert_true(s->step.result.cause == l->record[n].cause);
			totals->causes[s->step.result.cause]++;
			break;
		case SIM_STEP_ENTRY:
			assert_true(open);
			open = false;
			assert_true(s->step.cycles == l->record[n].cycles);
			assert_true(since <= s->step.cycles);
			n++;
			totals->exits++;
			break;
		default:
			break;
		}
	}
	assert_false(open);
	/* The item that ends an emulation may have exits of its own. */
	assert_true(n == l->nr || (l->has_rest && n < l->nr));
}

/* What is told of walks is what was paid for, and hidden. */
static void check_walks(const struct story *story, struct totals *totals)
{
	const uint64_t *n = story->tlb_counter;
	uint64_t begun = 0, read = 0;

	for (size_t i = 0; i < story->nr; i++) {
		const struct sim_step *step = &story->step[i].step;

		if (step->kind != SIM_STEP_CHARGE)
			continue;
		if (step->cost == COST_WALK)
			begun += step->n;
		if (step->cost >= COST_WALK_L1 && step->cost <= COST_WALK_MEM)
			read += step->n;
	}
	assert_true(n[TLB_walks] == story_count(story, SIM_STEP_WALK));
	assert_true(begun == n[TLB_walks] - n[TLB_walks_overlapped]);
	assert_true(read == n[TLB_walk_refs] - n[TLB_walk_refs_hidden]);
	totals->spared += n[TLB_walks] - n[TLB_psc_misses];
	totals->walks += n[TLB_walks];
}

/* Does the guest see a fault iff its own tables say so? */
static void check_truth(const struct story *story, struct totals *totals)
{
	const struct story_step *walk = story_first(story, SIM_STEP_WALK);
	const struct story_step *last = NULL;

	if (story->kind != STORY_REF || story->tlb != STORY_TLB_MISS) {
		totals->hits += story->kind == STORY_REF;
		assert_false(story->has_fault);
		return;
	}
	for (size_t i = 0; i < story->nr; i++)
		if (story->step[i].step.kind == SIM_STEP_OUTCOME)
			last = &story->step[i];
	assert_non_null(last);
	assert_true(story->has_fault == walk->guest->walk.fault);
	if (!story->has_fault)
		return;
	assert_true(last->outcome.error == walk->guest->walk.pfec);
	totals->faults++;
	totals->direct += last->outcome.direct;
	assert_true(last->outcome.direct == !story->fault_exited);
	assert_true(!story->fault_exited == !story_first(story, SIM_STEP_EXIT));
}

static void begin(struct recorder *r, struct story *story,
		  struct replay_lane *lane, const struct trace_item *item,
		  uint64_t n)
{
	*story = (struct story){.item = n};
	if (item_is_ref(item)) {
		story->kind = STORY_REF;
		story->ref = item->refs[0];
	} else {
		story->kind = STORY_EVENT;
		story->event = item->event;
	}
	record_begin(r, story, lane);
}

/* One lane over the trace, and the story at hand. */
struct replay {
	struct pass pass;
	struct replay_lane *lane;
	struct recorder r;
	struct story story;
	bool is_open;
	struct listener listener;
	struct totals *totals;
};

static void end_story(struct replay *replay)
{
	const struct story *story = &replay->story;

	record_end(&replay->r);
	check_exits(story, &replay->listener, replay->totals);
	check_truth(story, replay->totals);
	check_cycles(story);
	if (!replay->listener.has_rest)
		check_walks(story, replay->totals);
	replay->totals->items++;
	story_finish(&replay->story);
	replay->is_open = false;
}

static void take_item(struct replay *replay, const struct trace_item *item,
		      bool wanted)
{
	uint64_t n = replay->pass.next - 1;

	if (!replay->is_open && wanted) {
		replay->listener = (struct listener){.from = n};
		begin(&replay->r, &replay->story, replay->lane, item, n);
		replay->is_open = true;
	} else if (wanted) {
		replay->totals->lost++;
	}
	replay_lane_item(replay->lane, item);
	assert_string_equal(replay_lane_line(replay->lane), "");
	if (!replay->is_open)
		return;
	record_item_over(&replay->r);
	if (replay->r.phase == RECORD_REST)
		replay->listener.has_rest = true;
	if (replay->r.phase == RECORD_REST)
		replay->totals->rest++;
	else
		end_story(replay);
}

/* The others tell how one of these ended, or do nothing. */
static bool may_have_story(const struct trace_item *item)
{
	return item->kind == TRACE_ITEM_REFS ||
	       (item->kind == TRACE_ITEM_EVENT &&
		item->event.kind != GE_EMULATE_FAILED &&
		item->event.kind != GE_COMPARE_FAILED);
}

/*
 * An emulation's story goes on into the next items, which then have none.  So
 * there are two replays, each with the stories of every other pair of items:
 * a write to a page table and its bytes are such a pair, or lie in two.
 */
static void replay_pairs(const char *path, const struct config *config,
			 unsigned int which, struct totals *totals)
{
	struct explain_request request = {.path = path, .config = config};
	struct replay *replay = calloc(1, sizeof(*replay));
	const struct replay_watch watch = {.exit = take_exit,
					   .context = &replay->listener};
	struct trace_item item;
	struct diag diag;

	replay->totals = totals;
	assert_int_equal(pass_begin(&replay->pass, &request, &diag), 0);
	assert_int_equal(
		create_lane(config, &replay->pass, &replay->lane, &diag), 0);
	replay_lane_watch(replay->lane, &watch);
	while (pass_read(&replay->pass, replay->pass.next, &item, &diag) > 0) {
		bool has_story = may_have_story(&item);

		take_item(replay, &item,
			  has_story &&
				  ((replay->pass.next - 1) >> 1 & 1) == which);
		totals->without += !has_story && which;
	}
	if (replay->is_open)
		end_story(replay);
	totals->all = replay->pass.next;
	replay_lane_finish(replay->lane);
	assert_int_equal(replay_lane_status(replay->lane), REPLAY_DONE);
	replay_lane_destroy(replay->lane);
	pass_end(&replay->pass);
	free(replay);
}

static void replay_all(const char *name, const char *settings[],
		       struct totals *totals)
{
	char path[1024];
	struct config config;
	struct diag diag;

	*totals = (struct totals){0};
	snprintf(path, sizeof(path), "%s/%s", traces, name);
	config_init(&config);
	for (; *settings; settings += 2)
		assert_int_equal(
			config_set(&config, settings[0], settings[1], &diag),
			0);
	for (unsigned int which = 0; which < 2; which++)
		replay_pairs(path, &config, which, totals);
	assert_true(totals->items + totals->lost + totals->without ==
		    totals->all);
	assert_true(totals->lost <= totals->rest);
}

static const char *const touch = "mini-touch.ntr";

static void bypass_on(void **state)
{
	const char *settings[] = {"mmu", "kvm-2.6.25", "bypass", "on", NULL};
	struct totals totals;

	(void)state;
	replay_all(touch, settings, &totals);
	assert_true(totals.faults > 1000);
	assert_true(totals.direct > 1000);
	assert_true(totals.causes[CAUSE_pt_write] > 900);
	assert_true(totals.hits > 5000);
	assert_true(totals.rest > 900);
	assert_true(totals.spared > 1000 && totals.spared < totals.walks);
}

static void bypass_off(void **state)
{
	const char *settings[] = {"mmu", "kvm-2.6.25", "bypass", "off", NULL};
	struct totals totals;

	(void)state;
	replay_all(touch, settings, &totals);
	assert_true(totals.faults > 1000);
	assert_int_equal(totals.direct, 0);
	assert_true(totals.causes[CAUSE_injected] == totals.faults);
}

static void oldest(void **state)
{
	const char *settings[] = {"mmu", "kvm-2.6.20", NULL};
	struct totals totals;

	(void)state;
	replay_all(touch, settings, &totals);
	assert_true(totals.causes[CAUSE_hidden_fill] > 1000);
}

/* A second level that takes long, of a geometry of its own. */
static void second_level(void **state)
{
	const char *settings[] = {"machine", "skylake", "mmu", "kvm-2.6.25",
				  NULL};
	struct totals totals;

	(void)state;
	replay_all(touch, settings, &totals);
	assert_true(totals.rest > 900);
}

/* Out of sync, reserved bits for MMIO, magic entries. */
static void later_generations(void **state)
{
	const char *const later[] = {"kvm-2.6.28", "kvm-3.1", "xen"};
	struct totals totals;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(later); i++) {
		const char *settings[] = {"mmu", later[i], NULL};

		replay_all(touch, settings, &totals);
		assert_true(totals.faults > 1000);
		assert_true(!totals.direct == (i > 0));
	}
}

static void seed_and_forks(void **state)
{
	const char *settings[] = {"mmu", "seed", NULL};
	struct totals totals;

	(void)state;
	replay_all("mini-fork.ntr", settings, &totals);
	assert_true(totals.direct && totals.direct < totals.faults);
}

static void deliveries_cut_short(void **state)
{
	const char *settings[] = {"mmu", "kvm-2.6.24", "shadow-pages", "64",
				  NULL};
	struct totals totals;

	(void)state;
	replay_all("mini-switch.ntr", settings, &totals);
	assert_true(totals.exits > 0);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bypass_on),
		cmocka_unit_test(bypass_off),
		cmocka_unit_test(oldest),
		cmocka_unit_test(second_level),
		cmocka_unit_test(later_generations),
		cmocka_unit_test(seed_and_forks),
		cmocka_unit_test(deliveries_cut_short),
	};

	if (argc != 2)
		return 2;
	traces = argv[1];
	return cmocka_run_group_tests(tests, NULL, NULL);
}
