/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The window of the seed: a new shadow table is filled from the guest's (absent
 * entries become notrap) before the guest's is write-protected.  A store that
 * another processor makes in between, through a mapping that is still writable,
 * is neither read nor seen: a stale notrap stays, and the guest gets faults for
 * an entry that is present, as often as it tries.  Write-protecting first, as
 * since 2.6.28, leaves no such store.
 *
 * The scene: page table T of two pages, FIRST present, SECOND not.  Processor
 * 0's access to FIRST makes the shadow of T; in the window processor 1 maps
 * SECOND, then uses it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "arch/exception.h"
#include "sim/internal.h"
#include "synth.h"

#define FIRST  SYNTH_USER
#define SECOND (SYNTH_USER + PAGE_SIZE)

#define INVARIANT "notrap stands for an absent guest entry"

struct scene {
	struct synth s;
	gfn_t table; /* T */
	gpa_t entry; /* of SECOND */
	uint64_t pte;
	unsigned int opened;
	bool stored; /* in the window, by processor 1 */
};

/* Processor 1's MOV, as its hardware has it at this moment. */
static void store_in_window(void *context, gfn_t gfn)
{
	struct scene *scene = context;
	const struct sim_vcpu *other = &scene->s.sim->vcpu[1];
	struct walk w;

	if (gfn != scene->table)
		return;
	scene->opened++;
	cpu_translate(&other->hardware, scene->s.mem,
		      SYNTH_DIRECT + scene->entry, PFEC_W, &w);
	if (w.fault)
		return; /* it exits, and waits for the MMU's lock */
	assert_int_equal(w.pa, scene->entry);
	mem_write_u64(scene->s.mem, w.pa, scene->pte);
	scene->stored = true;
}

static struct guest_outcome access_user(struct synth *s, gva_t gva)
{
	return synth_push(s, (struct guest_event){.kind = GE_ACCESS,
						  .gva = gva,
						  .size = 8,
						  .cpl = 3,
						  .access = PFEC_U});
}

static void set_scene(struct scene *scene, const char *config)
{
	const struct smmu_window window = {store_in_window, scene};
	struct synth *s = &scene->s;
	gpa_t space, pte;

	synth_start(s, config);
	space = synth_new_space(s);
	synth_load_cr3(s, space);
	synth_use_vcpu(s, 1);
	synth_load_cr3(s, space);

	/* All by processor 1; nobody has used what is below the root yet. */
	pte = synth_pte(s, FIRST);
	scene->table = pte >> PAGE_SHIFT;
	scene->entry = synth_pte(s, SECOND);
	scene->pte = synth_frame(s) | SYNTH_PTE_RW;
	scene->opened = 0;
	scene->stored = false;
	synth_store(s, pte, synth_frame(s) | SYNTH_PTE_RW);
	smmu_watch_window(s->sim->smmu, &window);
}

/* FIRST by processor 0, and processor 1's store at last. */
static void race(struct scene *scene)
{
	struct synth *s = &scene->s;

	synth_use_vcpu(s, 0);
	assert_int_equal(access_user(s, FIRST).verdict, GO_DONE);
	assert_int_equal(scene->opened, 1);
	synth_use_vcpu(s, 1);
	if (!scene->stored)
		synth_store(s, scene->entry, scene->pte);
	/* The exit of an emulation ends with the next event. */
	synth_push(s, (struct guest_event){.kind = GE_RDTSC});
	/* Whoever looks at the guest's tables sees it. */
	assert_int_equal(mem_read_u64(s->mem, scene->entry), scene->pte);
}

/* fills: exits by which SECOND becomes usable, where it does. */
static const struct {
	const char *config;
	bool stored, stale;
	uint64_t fills;
} cases[] = {
	{"mmu=seed bypass=on vcpus=2", true, true, 0},
	{"mmu=kvm-2.6.25 bypass=on vcpus=2", true, true, 0},
	/* Trap says nothing: the next access repairs it. */
	{"mmu=seed bypass=off vcpus=2", true, false, 1},
	{"mmu=kvm-2.6.25 bypass=off vcpus=2", true, false, 1},
	{"mmu=kvm-2.6.24 vcpus=2", true, false, 1},
	{"mmu=kvm-2.6.20 vcpus=2", true, false, 1},
	/* The later order, in each of those that prefetch. */
	{"mmu=seed bypass=on switch.protect_before_prefetch=on vcpus=2", false,
	 false, 0},
	{"mmu=kvm-2.6.25 bypass=on switch.protect_before_prefetch=on vcpus=2",
	 false, false, 0},
	/* The store takes the table out of sync, and notrap from it. */
	{"mmu=kvm-2.6.28 bypass=on vcpus=2", false, false, 1},
	{"mmu=kvm-2.6.38 bypass=on vcpus=2", false, false, 1},
	{"mmu=kvm-3.1 vcpus=2", false, false, 1},
	{"mmu=xen vcpus=2", false, false, 0},
	{"mmu=kvm-2.6.28 bypass=on switch.protect_before_prefetch=off vcpus=2",
	 true, true, 0},
	/* Without prefetch there is nothing to be stale. */
	{"mmu=kvm-2.6.25 bypass=on switch.notrap_entries=off vcpus=2", true,
	 false, 1},
};

static uint64_t violations(struct scene *scene, const char *name)
{
	struct smmu_audit_report report;

	smmu_run_audit(scene->s.sim->smmu, SMMU_AUDIT_ALL, &report);
	if (report.violations && !strstr(report.first, INVARIANT))
		fail_msg("%s: %s", name, report.first);
	return report.violations;
}

/* Both processors, twice each: what they get for an entry that is present. */
static void check_accesses(struct scene *scene, size_t i)
{
	struct synth *s = &scene->s;

	for (unsigned int n = 0; n < 4; n++) {
		struct guest_outcome out;

		synth_use_vcpu(s, !(n & 1));
		out = access_user(s, SECOND);
		if (out.verdict != (cases[i].stale ? GO_FAULT : GO_DONE))
			fail_msg("%s: access %u: verdict %d", cases[i].config,
				 n, (int)out.verdict);
		if (!cases[i].stale) {
			assert_int_equal(out.hpa & ~PAGE_MASK,
					 scene->pte & PTE_ADDR);
			continue;
		}
		/* Not present, by hardware: the hypervisor never knows. */
		assert_int_equal(out.vector, EXC_PF);
		assert_int_equal(out.error, PFEC_U);
		assert_true(out.direct);
		assert_int_equal(s->sink->view->cr2, SECOND);
	}
}

static void test_window(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct scene scene;
		struct synth *s = &scene.s;
		uint64_t exits, hidden;

		set_scene(&scene, cases[i].config);
		race(&scene);
		if (scene.stored != cases[i].stored)
			fail_msg("%s: stored %d", cases[i].config,
				 scene.stored);
		if (violations(&scene, cases[i].config) != cases[i].stale)
			fail_msg("%s: the audit", cases[i].config);

		exits = account_exits_total(sim_account(s->sim));
		hidden = synth_cause(s, CAUSE_hidden_fill);
		check_accesses(&scene, i);
		exits = account_exits_total(sim_account(s->sim)) - exits;
		hidden = synth_cause(s, CAUSE_hidden_fill) - hidden;
		if (exits != hidden || hidden != cases[i].fills)
			fail_msg("%s: %d exits, %d hidden fills",
				 cases[i].config, (int)exits, (int)hidden);

		/* A write that is seen heals it. */
		synth_store(s, scene.entry, scene.pte);
		assert_int_equal(access_user(s, SECOND).verdict, GO_DONE);
		assert_int_equal(violations(&scene, cases[i].config), 0);
		synth_end(s);
	}
}

/* The audit between the two exits sees it, too: audit=all of a run. */
static void test_audit_of_a_run(void **state)
{
	struct scene scene;
	struct synth *s = &scene.s;
	struct sim_audit report;

	(void)state;
	set_scene(&scene, "mmu=seed bypass=on vcpus=2 audit=all");
	race(&scene);
	assert_true(scene.stored);
	report = sim_audit(s->sim);
	assert_true(report.violations > 0);
	assert_non_null(strstr(report.first, INVARIANT));
	sim_destroy(s->sim);
	mem_destroy(s->mem);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_window),
		cmocka_unit_test(test_audit_of_a_run),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
