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

#include "live/live.h"
#include "sim/sim.h"
#include "story.h"

/* Unicorn 2.1.1 itself loses 32 bytes for each engine. */
const char *__lsan_default_suppressions(void);

const char *__lsan_default_suppressions(void)
{
	return "leak:libunicorn.so";
}

#define MAX_INSNS 200000

static const struct policy policies[] = {
	{"2.6.24", "mmu=kvm-2.6.24", .exits = true, .repeats_id = true,
	 .keeps_irq = true, .rule = PF_ON_ANY_PF},
	{"seed, on", "mmu=seed", .exits = true, .bypass = true,
	 .repeats_id = true, .keeps_irq = true, .rule = PF_ON_ANY_PF},
	{"2.6.25, off", "mmu=kvm-2.6.25 bypass=off", .exits = true,
	 .repeats_id = true, .keeps_irq = true, .rule = PF_ON_OWN_PF},
	{"2.6.25, on", "mmu=kvm-2.6.25", .exits = true, .bypass = true,
	 .bypass_in_32 = true, .repeats_id = true, .keeps_irq = true,
	 .rule = PF_ON_OWN_PF},
	{"2.6.28, on", "mmu=kvm-2.6.28", .exits = true, .bypass = true,
	 .bypass_in_32 = true, .repeats_id = true, .keeps_irq = true,
	 .rule = PF_QUEUE},
	{"table, off", "mmu=kvm-2.6.25 bypass=off switch.df_by_table=on",
	 .exits = true, .repeats_id = true, .keeps_irq = true,
	 .rule = PF_HARDWARE},
};

struct machine {
	struct mem *mem;
	struct sim *sim;
	struct platform *platform;
	struct live *live;
};

static void configure(struct config *config, const char *text)
{
	char buf[128], *save = NULL;
	struct diag diag;

	config_init(config);
	snprintf(buf, sizeof(buf), "%s audit=table", text);
	for (char *word = strtok_r(buf, " ", &save); word;
	     word = strtok_r(NULL, " ", &save)) {
		char *eq = strchr(word, '=');

		*eq = '\0';
		if (config_set(config, word, eq + 1, &diag))
			fail_msg("%s", diag.msg);
	}
	if (config_check(config, &diag))
		fail_msg("%s", diag.msg);
}

/* IRQ0 once, in the midst of the loop that waits for it. */
static void arm_timer(struct platform *platform)
{
	static const struct {
		uint16_t port;
		uint8_t val;
	} init[] = {
		{0x20, 0x11}, {0x21, VECTOR_IRQ}, {0x21, 0x04}, {0x21, 0x01},
		{0xa0, 0x11}, {0xa1, 0x28},       {0xa1, 0x02}, {0xa1, 0x01},
		{0x21, 0xfe}, {0xa1, 0xff},       {0x43, 0x30}, {0x40, 24},
		{0x40, 0},
	};

	for (size_t i = 0; i < ARRAY_LEN(init); i++)
		platform_io_write(platform, init[i].port, 1, init[i].val, 0);
}

static void machine_start(struct machine *m, const struct scene *scene,
			  const struct policy *policy)
{
	struct live_config live = {.boot = {.entry = BOOT_AT},
				   .maxphyaddr = 40,
				   .max_insns = MAX_INSNS,
				   .check_stale = true};
	struct config config;
	struct diag diag;

	configure(&config, policy->config);
	if (mem_create(GUEST_RAM, sim_pool_pages(&config), true, &m->mem,
		       &diag) ||
	    sim_create(&config, m->mem, &m->sim, &diag))
		fail_msg("%s", diag.msg);
	m->platform = platform_create(NULL);
	assert_non_null(m->platform);
	scene_build(scene, mem_ram(m->mem, 0));
	if (scene->first == FIRST_IRQ)
		arm_timer(m->platform);
	if (live_create(&live, m->mem, m->platform, sim_sink(m->sim), &m->live,
			&diag))
		fail_msg("%s", diag.msg);
}

static void machine_end(struct machine *m)
{
	live_destroy(m->live);
	platform_destroy(m->platform);
	sim_destroy(m->sim);
	mem_destroy(m->mem);
}

static const char *end_name(enum story_end end)
{
	static const char *const names[] = {"done", "shutdown", "endless"};

	return names[end];
}

static bool ends_so(const struct live_end *end, enum story_end want)
{
	switch (want) {
	case STORY_DONE:
		return end->status == LIVE_EXIT;
	case STORY_SHUTDOWN:
		return end->status == LIVE_SHUTDOWN;
	case STORY_ENDLESS:
		return end->status == LIVE_STOPPED &&
		       strstr(end->line, "starts over without end");
	}
	return false;
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
	machine_start(&m, scene, policy);
	live_run(m.live, UINT64_MAX, NULL, &end);
	sim_finish(m.sim, live_insns(m.live));
	nr = scene_log(mem_ram(m.mem, 0), log, STORY_MAX);
	if (!ends_so(&end, story.end) || !same_log(&story, log, nr)) {
		print_log("want", story.record, story.nr);
		print_log("got", log, nr < STORY_MAX ? nr : STORY_MAX);
		fail_msg("%s: want %s, got status %d: %s", name,
			 end_name(story.end), (int)end.status, end.line);
	}
	if (sim_check(m.sim) || sim_audit(m.sim)->violations)
		fail_msg("%s: %s", name, sim_check(m.sim));
	check_counts(name, &m, &story);
	machine_end(&m);
}

/* Every so many scenes, another third of them for each policy; 1: all. */
static unsigned int share = 3;

static unsigned int play_all(enum guest_mode mode, unsigned int policy)
{
	unsigned int nr = 0, played = 0;

	for (unsigned int i = 0; i < NR_FIRSTS * NR_OBSTACLES * 2; i++) {
		struct scene scene = {
			.mode = mode,
			.first = (enum first_event)(i / 2 / NR_OBSTACLES),
			.obstacle = (enum obstacle)(i / 2 % NR_OBSTACLES),
			.user = i & 1,
		};

		if (!scene_exists(&scene) || nr++ % share != policy % share)
			continue;
		play(&scene, &policies[policy]);
		played++;
	}
	return played;
}

static void play_mode(enum guest_mode mode)
{
	unsigned int nr = 0;

	for (unsigned int i = 0; i < ARRAY_LEN(policies); i++)
		nr += play_all(mode, i);
	print_message("# %u scenes\n", nr);
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

/* Any argument: all scenes under all policies. */
int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(long_mode),
		cmocka_unit_test(pae_mode),
	};

	(void)argv;
	if (argc > 1)
		share = 1;
	return cmocka_run_group_tests_name("deliver_live", tests, NULL, NULL);
}
