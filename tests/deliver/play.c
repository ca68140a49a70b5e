/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "play.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Unicorn 2.1.1 itself loses 32 bytes for each engine. */
const char *__lsan_default_suppressions(void);

const char *__lsan_default_suppressions(void)
{
	return "leak:libunicorn.so";
}

#define MAX_INSNS 200000

const struct policy policies[NR_POLICIES] = {
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
	{"2.6.38, on", "mmu=kvm-2.6.38", .exits = true, .bypass = true,
	 .bypass_in_32 = true, .keeps_irq = true, .rule = PF_HARDWARE},
	{"3.1", "mmu=kvm-3.1", .exits = true, .keeps_irq = true,
	 .rule = PF_HARDWARE},
	{"xen", "mmu=xen", .exits = true, .repeats_id = true, .keeps_irq = true,
	 .rule = PF_HARDWARE},
};

void play_config(struct config *config, const char *text)
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

static void start_recorder(struct machine *m, const char *path,
			   struct live_config *live)
{
	struct trace_info info = {.granularity = TRACE_FULL,
				  .source = "live",
				  .origin = "a scene",
				  .tool = "test_deliver"};
	struct diag diag;

	if (recorder_create(path, &info, sim_sink(m->sim), m->mem, &m->recorder,
			    &diag))
		fail_msg("%s", diag.msg);
	live->observer = recorder_observer(m->recorder);
}

void machine_start(struct machine *m, const struct scene *scene,
		   const struct policy *policy, const char *record)
{
	struct live_config live = {.boot = {.entry = BOOT_AT},
				   .maxphyaddr = 40,
				   .max_insns = MAX_INSNS,
				   .check_stale = true};
	struct config config;
	struct diag diag;

	*m = (struct machine){0};
	play_config(&config, policy->config);
	if (mem_create(GUEST_RAM, sim_pool_pages(&config), true, &m->mem,
		       &diag) ||
	    sim_create(&config, m->mem, &m->sim, &diag))
		fail_msg("%s", diag.msg);
	m->platform = platform_create(NULL);
	assert_non_null(m->platform);
	scene_build(scene, mem_ram(m->mem, 0));
	if (scene->first == FIRST_IRQ)
		arm_timer(m->platform);
	if (record)
		start_recorder(m, record, &live);
	if (live_create(&live, m->mem, m->platform,
			m->recorder ? recorder_sink(m->recorder)
				    : sim_sink(m->sim),
			&m->live, &diag))
		fail_msg("%s", diag.msg);
}

void machine_end(struct machine *m)
{
	live_destroy(m->live);
	recorder_abort(m->recorder);
	platform_destroy(m->platform);
	sim_destroy(m->sim);
	mem_destroy(m->mem);
}

bool play_ends_so(const struct live_end *end, enum story_end want)
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

unsigned int play_scenes(enum guest_mode mode, unsigned int share,
			 void (*body)(const struct scene *scene,
				      const struct policy *policy))
{
	const unsigned int all = NR_FIRSTS * NR_OBSTACLES * 2;
	unsigned int nr = 0, played = 0;

	for (unsigned int i = 0; i < NR_POLICIES * all; i++) {
		unsigned int n = i % all, policy = i / all;
		struct scene scene = {
			.mode = mode,
			.first = (enum first_event)(n / 2 / NR_OBSTACLES),
			.obstacle = (enum obstacle)(n / 2 % NR_OBSTACLES),
			.user = n & 1,
		};

		if (!scene_exists(&scene) || nr++ % share != policy % share)
			continue;
		body(&scene, &policies[policy]);
		played++;
	}
	return played;
}
