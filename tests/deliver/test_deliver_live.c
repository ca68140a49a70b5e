/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guest code that provokes what is hard to deliver, under Unicorn and the
 * whole simulator: what its handlers logged against a story worked out by
 * hand (story.c), for each policy.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../share.h"
#include "play.h"

static const char *end_name(enum story_end end)
{
	static const char *const names[] = {"done", "shutdown", "endless"};

	return names[end];
}

static void print_log(const char *what, const struct log_record *log,
		      unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++)
		print_message("  %s: vector %llu error 0x%llx cr2 0x%llx "
			      "rip 0x%llx\n",
			      what, (unsigned long long)log[i].vector,
			      (unsigned long long)log[i].error,
			      (unsigned long long)log[i].cr2,
			      (unsigned long long)log[i].rip);
}

static bool same_log(const struct story *want, const struct log_record *got,
		     unsigned int nr)
{
	if (nr != want->nr)
		return false;
	for (unsigned int i = 0; i < nr; i++) {
		struct log_record wanted = want->record[i];

		if (!wanted.rip)
			wanted.rip = got[i].rip;
		if (memcmp(&wanted, &got[i], sizeof(wanted)))
			return false;
	}
	return true;
}

/* Counters that the log pins. */
static void check_counts(const char *name, const struct machine *m,
			 const struct story *story)
{
	const struct account *acct = sim_account(m->sim);
	uint64_t doubles = 0, faults = 0;

	for (unsigned int i = 0; i < story->nr; i++) {
		doubles += story->record[i].vector == 8;
		faults += story->record[i].vector == 14;
	}
	if (acct->counter[CNT_double_faults] != doubles ||
	    account_faults_direct(acct) + account_faults_injected(acct) !=
		    faults)
		fail_msg("%s: double faults or guest faults differ", name);
}

static void play(const struct scene *scene, const struct policy *policy)
{
	struct log_record log[STORY_MAX];
	struct story story;
	struct live_end end;
	struct machine m;
	char name[128];
	unsigned int nr;

	scene_name(scene, name);
	snprintf(name + strlen(name), sizeof(name) - strlen(name), ", %s",
		 policy->name);
	story_tell(scene, policy, &story);
	machine_start(&m, scene, policy, NULL);
	live_run(m.live, UINT64_MAX, NULL, &end);
	sim_finish(m.sim, live_insns(m.live));
	nr = scene_log(mem_ram(m.mem, 0), log, STORY_MAX);
	if (!play_ends_so(&end, story.end) || !same_log(&story, log, nr)) {
		print_log("want", story.record, story.nr);
		print_log("got", log, nr < STORY_MAX ? nr : STORY_MAX);
		fail_msg("%s: want %s, got status %d: %s", name,
			 end_name(story.end), (int)end.status, end.line);
	}
	if (sim_check(m.sim) || sim_audit(m.sim).violations)
		fail_msg("%s: %s", name, sim_check(m.sim));
	check_counts(name, &m, &story);
	machine_end(&m);
}

static unsigned int share = 3;

static void play_mode(enum guest_mode mode)
{
	print_message("# %u scenes\n",
		      play_scenes(mode, share * one_of_cases(), play));
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

/* Any argument: all scenes under all policies. */
int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(long_mode),
		cmocka_unit_test(pae_mode),
		cmocka_unit_test(non_pae_mode),
	};

	(void)argv;
	if (argc > 1)
		share = 1;
	return cmocka_run_group_tests_name("deliver_live", tests, NULL, NULL);
}
