/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Random lives: what the model guest writes has the faults that a slow model
 * predicts, replays in every generation, and is the same whether runs are
 * merged by the guest or one by one.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../share.h"
#include "import/internal.h"
#include "model.h"
#include "random.h"
#include "rig.h"
#include "trace/check.h"

#define SEEDS 8
#define CALLS 90

static struct model model;

struct life {
	struct rig *rig;
	struct rng rng;
	uint32_t vcpus;
};

static uint64_t below(struct life *life, uint64_t limit)
{
	return rng_below(&life->rng, limit);
}

/* Mostly a few pages, so that they meet again. */
static gva_t random_page(struct life *life)
{
	uint64_t page = below(life, 2) ? below(life, REGION_PAGES)
				       : 60 + below(life, 4);

	return region_base[below(life, NR_REGIONS)] + page * PAGE_SIZE;
}

/* Somewhere that is in the region with all its bytes. */
static gva_t random_address(struct life *life, uint32_t size)
{
	gva_t page = random_page(life);
	bool is_last = ((page >> PAGE_SHIFT) & 63) == 63;

	if (!is_last && !below(life, 4))
		return page + PAGE_SIZE - 1 - below(life, size);
	return page + below(life, PAGE_SIZE + 1 - size);
}

static void random_insn(struct life *life, struct insn *insn)
{
	uint32_t length = 1 + (uint32_t)below(life, 15);

	*insn = insn_of(random_address(life, length), length);
	for (uint64_t n = below(life, 4); n; n--) {
		uint32_t size =
			1 + (uint32_t)below(life, below(life, 8) ? 8 : 4096);

		insn_add(insn, random_address(life, size), size,
			 below(life, 2));
	}
}

static void do_execute(struct life *life)
{
	struct insn insn;

	random_insn(life, &insn);
	rig_execute(life->rig, &insn);
	model_execute(&model, &insn);
}

/* Some more, at once; the last one again and again. */
static void do_execute_many(struct life *life)
{
	struct guest_ref refs[GUEST_REFS_MAX];
	uint32_t nr = 0, insns = 1 + (uint32_t)below(life, 12);
	struct insn insn;
	struct diag diag;

	for (uint32_t i = 0; i < insns; i++) {
		if (!i || below(life, 2))
			random_insn(life, &insn);
		for (uint32_t k = 0; k < insn.nr; k++)
			refs[nr++] = insn.ref[k];
		model_execute(&model, &insn);
	}
	assert_int_equal(guest_execute(life->rig->guest, refs, nr, &diag), 0);
}

static void do_fault(struct life *life)
{
	static const uint32_t errors[] = {0, 2, 3, 4, 6, 7, 0x14};
	gva_t gva = random_address(life, 1), rip = random_address(life, 1);
	uint32_t error = below(life, 8) ? errors[below(life, 7)]
					: (uint32_t)below(life, 64);

	rig_fault(life->rig, gva, error, rip);
	model_fault(&model, gva, error, rip);
}

static void do_switch(struct life *life)
{
	uint32_t thread = 1 + (uint32_t)below(life, NR_TASKS - 1);
	uint32_t process = below(life, 3)
				   ? thread
				   : 1 + (uint32_t)below(life, NR_TASKS - 1);

	if (life->vcpus > 1 && below(life, 2))
		guest_on_cpu(life->rig->guest, (uint32_t)below(life, 8));
	rig_switch(life->rig, process, thread);
	model_switch(&model, process, thread);
}

static void do_clone(struct life *life)
{
	uint32_t thread = 1 + (uint32_t)below(life, NR_TASKS - 1);
	bool shares = !below(life, 3);

	rig_clone(life->rig, thread, shares);
	model_clone(&model, thread, shares);
}

static void do_exec(struct life *life)
{
	rig_exec(life->rig);
	model_exec(&model);
}

static void do_exit(struct life *life)
{
	uint32_t thread = 1 + (uint32_t)below(life, NR_TASKS - 1);

	rig_exit(life->rig, thread);
	model_exit(&model, thread);
}

static void do_unmap(struct life *life)
{
	gva_t gva = random_address(life, 1);
	uint64_t size = below(life, 2) ? below(life, 8 * PAGE_SIZE)
				       : below(life, 80 * PAGE_SIZE);

	if (!below(life, 20)) {
		gva = below(life, 2) ? 0 : GUEST_USER_END + gva;
		size = UINT64_MAX >> 1;
	}
	rig_unmap(life->rig, gva, size);
	model_unmap(&model, gva, size);
}

static void do_something(struct life *life)
{
	uint64_t what = below(life, 40);

	if (!model.now || what < 4)
		do_switch(life);
	else if (what < 7)
		do_clone(life);
	else if (what < 8)
		do_exec(life);
	else if (what < 10)
		do_exit(life);
	else if (what < 13)
		do_unmap(life);
	else if (what < 20)
		do_fault(life);
	else if (what < 30)
		do_execute_many(life);
	else
		do_execute(life);
}

/* Nobody runs on two processors, and who runs has its space there. */
static void check_processors(const struct guest *g)
{
	for (uint32_t i = 0; i < nr_vcpus(g); i++) {
		uint32_t task = i == g->vcpu ? g->current : g->left[i].current;
		gpa_t root = i == g->vcpu ? g->root : g->left[i].root;

		if (!task)
			continue;
		assert_true(root == g->space[g->task[task].space].root);
		for (uint32_t k = 0; k < nr_vcpus(g); k++)
			assert_true(k == i ||
				    task != (k == g->vcpu
						     ? g->current
						     : g->left[k].current));
	}
}

/* At the end all have gone, and with them all memory. */
static void live(struct rig *rig, uint64_t seed, uint32_t calls,
		 enum trace_granularity granularity)
{
	struct guest_options options = rig_options(granularity);
	struct life life = {.rig = rig};
	struct guest_stats stats;

	rng_init(&life.rng, seed);
	options.fault_around = 1u << below(&life, 7);
	options.seed = below(&life, 2) ? seed + 1 : 0;
	options.vcpus = life.vcpus = 1 + (uint32_t)(seed % TRACE_VCPUS_MAX);
	model_init(&model, options.fault_around);
	rig_open(rig, granularity == TRACE_FULL ? "full" : "pages", &options);
	for (uint32_t i = 0; i < calls; i++) {
		if (seed & 1 && i == calls / 3) /* begins again soon */
			rig->guest->epoch = SEEN_EPOCH_MAX - 2;
		do_something(&life);
		check_processors(rig->guest);
		assert_true(rig->guest->epoch <= SEEN_EPOCH_MAX);
	}
	for (uint32_t thread = 1; thread < NR_TASKS; thread++)
		rig_exit(rig, thread);
	rig_close(rig, &stats);
	assert_int_equal(stats.frames, 0);
	assert_int_equal(stats.faults, model.nr);
}

static void check_faults(const char *name, const struct tape *tape)
{
	uint32_t n = 0;

	for (size_t i = 0; i < tape->nr; i++) {
		const struct trace_item *item = &tape->entries[i].item;
		const struct model_fault *want = &model.fault[n];

		if (tape->entries[i].is_ref || item->kind != TRACE_ITEM_FAULT)
			continue;
		if (n++ == model.nr)
			fail_msg("%s: more faults than %u", name, model.nr);
		if (item->gva != want->gva || item->error != want->error)
			fail_msg("%s: fault %u: got 0x%" PRIx64 " (0x%" PRIx32
				 "), want 0x%" PRIx64 " (0x%" PRIx32 ")",
				 name, n - 1, item->gva, item->error, want->gva,
				 want->error);
	}
	if (n != model.nr)
		fail_msg("%s: %u faults, want %u", name, n, model.nr);
}

/* The order of docs/trace-format.md, as far as a replay does not ask for it. */
static const char *order_flaw(const struct tape_entry *e,
			      const struct tape_entry *before, uint64_t insns)
{
	const struct guest_event *ev = &e->item.event;

	switch (e->item.kind) {
	case TRACE_ITEM_TABLE_WRITE:
		return before->is_ref && before->ref.kind == TRACE_WRITE &&
				       before->ref.gva == e->item.gva &&
				       before->ref.size == e->item.size
			       ? NULL
			       : "a table write behind no write";
	case TRACE_ITEM_FAULT:
		return before->is_ref && !((before->ref.gva ^ e->item.gva) &
					   ~PAGE_MASK)
			       ? NULL
			       : "a fault behind another reference";
	case TRACE_ITEM_EVENT:
		break;
	default:
		return NULL;
	}
	switch (ev->kind) {
	case GE_DELIVER:
		if (ev->type == EVENT_EXT_INT)
			return ev->insns == insns && !before->is_ref &&
					       before->item.event.kind == GE_IRQ
				       ? NULL
				       : "an interrupt from nowhere";
		return ev->insns == insns && !before->is_ref &&
				       before->item.kind == TRACE_ITEM_FAULT &&
				       before->item.error == ev->error
			       ? NULL
			       : "a delivery of no fault";
	case GE_DELIVERED:
	case GE_IRQ:
	case GE_RETRY:
		return ev->insns == insns ? NULL : "a clock that is wrong";
	default:
		return ev->insns == insns - 1 && before->is_ref &&
				       before->ref.kind == TRACE_FETCH &&
				       before->ref.gva == ev->rip &&
				       !before->ref.user
			       ? NULL
			       : "an event of no instruction";
	}
}

/* Frames that are tables: told once, written after that, ended once. */
static const char *table_flaw(const struct trace_item *item, bool *known)
{
	bool was = known[item->gpa >> PAGE_SHIFT];

	switch (item->kind) {
	case TRACE_ITEM_TABLE:
		known[item->gpa >> PAGE_SHIFT] = true;
		return was ? "a table is told twice" : NULL;
	case TRACE_ITEM_TABLE_WRITE:
		return was ? NULL : "a write to no table";
	case TRACE_ITEM_TABLE_END:
		known[item->gpa >> PAGE_SHIFT] = false;
		return was ? NULL : "the end of no table";
	default:
		return NULL;
	}
}

static void check_order(const char *name, const struct tape *tape)
{
	static bool known[8192];
	bool delivering = false;
	uint64_t insns = 0;

	memset(known, 0, sizeof(known));
	for (size_t i = 0; i < tape->nr; i++) {
		const struct tape_entry *e = &tape->entries[i];
		const char *flaw = NULL;

		if (!e->is_ref && e->item.kind == TRACE_ITEM_EVENT)
			delivering = e->item.event.kind == GE_DELIVER;
		if (e->is_ref && e->ref.kind == TRACE_FETCH)
			insns += e->ref.count;
		if (e->is_ref && e->ref.implicit != delivering)
			flaw = "implicit, and no delivery, or the reverse";
		if (!e->is_ref && i)
			flaw = order_flaw(e, e - 1, insns);
		if (!e->is_ref && !flaw)
			flaw = table_flaw(&e->item, known);
		if (flaw)
			fail_msg("%s: entry %zu: %s", name, i, flaw);
	}
}

static void check_rules(const char *name, const struct tape *tape)
{
	struct trace_check *check = trace_check_create(TRACE_FULL);
	const char *first;

	for (size_t i = 0; i < tape->nr; i++) {
		const struct tape_entry *e = &tape->entries[i];
		const struct trace_item ref = {
			.kind = TRACE_ITEM_REFS, .refs = &e->ref, .nr = 1};

		assert_int_equal(
			trace_check_item(check, e->is_ref ? &ref : &e->item),
			0);
	}
	/* A part of more than 255 bytes does not reach to its rest. */
	for (int rule = 0; rule < NR_TRACE_RULES; rule++)
		if (rule != RULE_REST &&
		    trace_check_broken(check, (enum trace_rule)rule, &first))
			fail_msg("%s: rule %s: %s", name,
				 trace_rule_name((enum trace_rule)rule), first);
	trace_check_destroy(check);
}

static void random_life(uint64_t seed, uint32_t calls, uint32_t audited)
{
	struct rig full, pages;
	struct tape one_by_one, merged, got;
	char name[64];

	snprintf(name, sizeof(name), "seed %" PRIu64, seed);
	live(&full, seed, calls, TRACE_FULL);
	rig_read(full.path, &one_by_one);
	check_faults(name, &one_by_one);
	check_order(name, &one_by_one);
	check_rules(name, &one_by_one);
	live(&pages, seed, calls, TRACE_PAGES);
	rig_read(pages.path, &got);
	tape_merge(&one_by_one, &merged);
	tape_check_equal(name, &got, &merged);

	rig_replay(name, full.path, rig_digest(&one_by_one), 0);
	rig_replay(name, pages.path, rig_digest(&one_by_one), audited);
	tape_finish(&one_by_one);
	tape_finish(&merged);
	tape_finish(&got);
	scratch_remove();
}

static uint64_t first_seed, nr_seeds = SEEDS;
static uint32_t nr_calls = CALLS;

static void random_lives(void **state)
{
	(void)state;
	for (uint64_t i = 0; i < nr_seeds; i += one_of_cases())
		random_life(first_seed + i, nr_calls,
			    nr_seeds == SEEDS ? 1u << i : RIG_AUDIT_ALL);
}

/* Others, all of them audited: test_import_model FIRST-SEED SEEDS CALLS. */
int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(random_lives)};

	if (argc == 4) {
		first_seed = strtoull(argv[1], NULL, 0);
		nr_seeds = strtoull(argv[2], NULL, 0);
		nr_calls = (uint32_t)strtoul(argv[3], NULL, 0);
	}
	return cmocka_run_group_tests_name("import_model", tests, NULL, NULL);
}
