/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Scenes recorded and replayed.  Under the policy it was recorded with a replay
 * has the same counts; under another it either tells the same story or stops
 * where the guest would have seen something else.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "../share.h"
#include "play.h"
#include "replay/replay.h"

static char path[] = "/tmp/notrap-deliver-XXXXXX";
static unsigned int same, other;

/* What a replay must agree in with the run that was recorded. */
struct counts {
	uint64_t digest, exits, direct, injected, doubles, reinjections, window;
};

static struct counts counts_of(const struct sim *sim)
{
	const struct account *acct = sim_account(sim);

	return (struct counts){
		.digest = sim_fault_digest(sim),
		.exits = account_exits_total(acct),
		.direct = account_faults_direct(acct),
		.injected = account_faults_injected(acct),
		.doubles = acct->counter[CNT_double_faults],
		.reinjections = acct->counter[CNT_reinjections],
		.window = acct->counter[CNT_irq_window],
	};
}

static struct counts record(const struct scene *scene,
			    const struct policy *policy)
{
	struct counts counts;
	struct live_end end;
	struct machine m;
	struct diag diag;

	machine_start(&m, scene, policy, path);
	live_run(m.live, UINT64_MAX, NULL, &end);
	sim_finish(m.sim, live_insns(m.live));
	counts = counts_of(m.sim);
	if (recorder_finish(m.recorder, live_insns(m.live), &diag))
		fail_msg("%s", diag.msg);
	m.recorder = NULL;
	machine_end(&m);
	return counts;
}

static struct replay_lane *replay(const struct policy *policy)
{
	struct replay_lane *lane;
	struct trace_reader *reader;
	struct replay_pass pass;
	struct config config;
	struct diag diag;

	play_config(&config, policy->config);
	config = config_effective(&config);
	if (trace_reader_open(path, &reader, &diag) ||
	    replay_lane_create(&config, trace_reader_info(reader), &lane,
			       &diag))
		fail_msg("%s", diag.msg);
	pass = (struct replay_pass){
		.reader = reader, .lane = &lane, .nr_lanes = 1};
	if (replay_run(&pass, &diag))
		fail_msg("%s", diag.msg);
	trace_reader_close(reader);
	return lane;
}

static enum replay_status status_of(enum story_end end)
{
	return end == STORY_DONE ? REPLAY_DONE : REPLAY_SHUTDOWN;
}

static void check_same(const char *name, const struct replay_lane *lane,
		       const struct counts *live, enum story_end end)
{
	struct replay_lane *l = (struct replay_lane *)lane;
	struct counts got = counts_of(replay_lane_sim(l));

	if (replay_lane_status(lane) != status_of(end))
		fail_msg("%s: replay ends with %d: %s", name,
			 (int)replay_lane_status(lane), replay_lane_line(lane));
	if (memcmp(&got, live, sizeof(got)))
		fail_msg("%s: counts differ: exits %llu and %llu, faults %llu "
			 "and %llu, double faults %llu and %llu",
			 name, (unsigned long long)got.exits,
			 (unsigned long long)live->exits,
			 (unsigned long long)(got.direct + got.injected),
			 (unsigned long long)(live->direct + live->injected),
			 (unsigned long long)got.doubles,
			 (unsigned long long)live->doubles);
}

/*
 * As far as a replay can tell.  A trace has the CR2 of a #PF, not what the
 * guest reads after a #DF.
 */
static bool same_story(const struct story *a, const struct story *b)
{
	if (a->end != b->end || a->nr != b->nr || a->nr_begun != b->nr_begun ||
	    memcmp(a->begun, b->begun, a->nr_begun))
		return false;
	for (unsigned int i = 0; i < a->nr; i++) {
		struct log_record x = a->record[i], y = b->record[i];

		if (x.vector != 14)
			x.cr2 = y.cr2;
		/*
		 * The trace of a guest that lost its interrupt has no window
		 * in which the model could give it back; nobody notices.
		 */
		if (x.vector == VECTOR_DONE && y.vector == VECTOR_IRQ)
			return true;
		if (memcmp(&x, &y, sizeof(x)))
			return false;
	}
	return true;
}

static void check_other(const char *name, const struct replay_lane *lane,
			bool is_same, enum story_end end)
{
	enum replay_status status = replay_lane_status(lane);

	if (is_same ? status != status_of(end) : status == status_of(end))
		fail_msg("%s: replay ends with %d: %s", name, (int)status,
			 replay_lane_line(lane));
	same += is_same;
	other += !is_same;
}

static void play(const struct scene *scene, const struct policy *policy)
{
	struct story story, its_story;
	struct counts counts;
	char name[80];

	story_tell(scene, policy, &story);
	/* A run that is given up leaves half a delivery behind. */
	if (story.end == STORY_ENDLESS)
		return;
	counts = record(scene, policy);
	for (unsigned int i = 0; i < NR_POLICIES; i++) {
		struct replay_lane *lane = replay(&policies[i]);
		char what[200];

		scene_name(scene, name);
		snprintf(what, sizeof(what), "%s, recorded %s, replayed %s",
			 name, policy->name, policies[i].name);
		story_tell(scene, &policies[i], &its_story);
		if (policy == &policies[i])
			check_same(what, lane, &counts, story.end);
		else
			check_other(what, lane, same_story(&story, &its_story),
				    story.end);
		replay_lane_destroy(lane);
	}
}

static unsigned int share = 24;

static void play_mode(enum guest_mode mode)
{
	unsigned int nr;

	same = other = 0;
	/* Each is replayed under all policies: it takes two to see both. */
	nr = play_scenes(mode, share * (1 + one_of_cases() / 2), play);
	print_message("# %u scenes; elsewhere %u tell the same, %u differ\n",
		      nr, same, other);
	assert_true(same && other);
}

static void long_mode(void **state)
{
	(void)state;
	play_mode(GUEST_LONG);
}

static void pae_mode(void **state)
{
	(void)state;
	play_mode(GUEST_PAE);
}

static void non_pae_mode(void **state)
{
	(void)state;
	play_mode(GUEST_32);
}

/*
 * 2.6.25 puts a trapped #PF in the place of a bypassed one of the same code:
 * recorder and replay must not take it for the first started over.
 */
static void a_replaced_fault(void **state)
{
	const struct scene scene = {.mode = GUEST_LONG,
				    .first = FIRST_PF,
				    .obstacle = MEETS_COLD_STACK};

	(void)state;
	other = 0;
	for (unsigned int i = 0; i < NR_POLICIES; i++)
		play(&scene, &policies[i]);
	/* One policy has the fault, the others stop where it is, or not. */
	assert_int_equal(other, 2 * (NR_POLICIES - 1));
}

/* Any argument: all scenes under all policies. */
int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_replaced_fault),
		cmocka_unit_test(long_mode),
		cmocka_unit_test(pae_mode),
		cmocka_unit_test(non_pae_mode),
	};
	int fd = mkstemp(path);
	int failed;

	(void)argv;
	if (argc > 1)
		share = 1;
	assert_true(fd >= 0);
	close(fd);
	failed = cmocka_run_group_tests_name("deliver_replay", tests, NULL,
					     NULL);
	unlink(path);
	return failed;
}
