/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Traces of two processors: the tape on the first, woven with user code of the
 * second in the same space, which runs wherever the first stands between two
 * instructions.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "lanes.h"
#include "replay/cut.h"
#include "seq.h"
#include "tape.h"
#include "trace/check.h"
#include "trace/flow.h"

/* The second's, after its CR3 was written: a bit that is no address. */
#define OTHER_CR3 (TAPE_PML4 | BIT(3))

static struct trace_info two_info(void)
{
	struct trace_info info = tape_info();

	info.nr_others = 1;
	info.other[0] = trace_vcpu_of(&info, 0);
	return info;
}

static struct trace_item *add(struct seq *seq, enum trace_item_kind kind)
{
	struct trace_item *item = &seq->item[seq->nr++];

	assert_true(seq->nr <= ITEMS_MAX);
	*item = (struct trace_item){.kind = kind};
	return item;
}

static void add_turn(struct seq *seq, uint32_t vcpu)
{
	add(seq, TRACE_ITEM_VCPU)->id = vcpu;
}

static void add_ref(struct seq *seq, enum trace_kind kind, gva_t gva)
{
	struct trace_ref *ref = &seq->ref[seq->nr];
	struct trace_item *item = add(seq, TRACE_ITEM_REFS);

	*ref = (struct trace_ref){.gva = gva,
				  .count = 1,
				  .kind = (uint8_t)kind,
				  .size = 4,
				  .user = true};
	item->refs = ref;
	item->nr = 1;
	seq->totals.insns += kind == TRACE_FETCH;
}

/* What the second does in one turn; `mapped`: there is data by now. */
static void add_other(struct seq *seq, unsigned int turn, bool mapped)
{
	struct guest_event *ev;

	add_turn(seq, 1);
	add_ref(seq, TRACE_FETCH, TAPE_CODE + 0x100);
	if (mapped) {
		add_ref(seq, TRACE_FETCH, TAPE_CODE + 0x104);
		add_ref(seq, turn & 1 ? TRACE_WRITE : TRACE_READ,
			TAPE_DATA + 0x20);
	}
	if (turn == 1) {
		ev = &add(seq, TRACE_ITEM_EVENT)->event;
		*ev = (struct guest_event){.kind = GE_CR_WRITE,
					   .cr = 3,
					   .size = 8,
					   .value = OTHER_CR3,
					   .insns = seq->totals.insns - 1};
	}
	add_turn(seq, 0);
}

static bool is_between(const struct trace_flow *flow,
		       const struct trace_item *item)
{
	return item->kind == TRACE_ITEM_REFS ? flow_begins_ref(flow, item->refs)
					     : flow_begins_item(flow, item);
}

static void follow(struct trace_flow *flow, const struct trace_item *item)
{
	if (item->kind == TRACE_ITEM_REFS)
		flow_ref(flow, item->refs);
	else
		flow_item(flow, item);
}

/* free() it. */
static struct seq *weave(void)
{
	struct seq *seq = calloc(1, sizeof(*seq));
	unsigned int turns = 0;
	struct trace_flow flow;
	struct tape tape;

	assert_non_null(seq);
	tape_init(&tape);
	seq->info = two_info();
	flow_init(&flow, TRACE_FULL);
	for (uint32_t i = 0; i < tape.nr; i++) {
		struct trace_item *item = &tape.item[i];
		uint64_t others = seq->totals.insns - flow.insns;

		if (item->kind == TRACE_ITEM_REFS)
			item->refs = &tape.ref[i];
		if (is_between(&flow, item)) {
			add_other(seq, turns++, i > tape.at_value);
			others = seq->totals.insns - flow.insns;
		}
		follow(&flow, item);
		seq->ref[seq->nr] = tape.ref[i];
		*add(seq, item->kind) = *item;
		item = &seq->item[seq->nr - 1];
		if (item->kind == TRACE_ITEM_REFS)
			item->refs = &seq->ref[seq->nr - 1];
		if (item->kind == TRACE_ITEM_TABLE) {
			memcpy(seq->table[seq->nr - 1], item->table, PAGE_SIZE);
			item->table = seq->table[seq->nr - 1];
		}
		if (item->kind == TRACE_ITEM_EVENT)
			item->event.insns += others;
		seq->totals.insns = flow.insns + others;
	}
	assert_true(turns > 4);
	return seq;
}

static struct replay_lane *play(const struct seq *seq,
				const struct lane_kind *kind)
{
	struct replay_lane *lane = lane_of(kind->mmu, kind->bypass, &seq->info);

	for (uint32_t i = 0; i < seq->nr; i++)
		replay_lane_item(lane, &seq->item[i]);
	replay_lane_finish(lane);
	assert_string_equal(replay_lane_line(lane), "");
	assert_int_equal(replay_lane_status(lane), REPLAY_DONE);
	assert_int_equal(sim_audit(replay_lane_sim(lane)).violations, 0);
	assert_null(sim_check(replay_lane_sim(lane)));
	return lane;
}

static void check_rules(const struct seq *seq)
{
	struct trace_check *check = trace_check_create(TRACE_FULL);
	const char *first;

	for (uint32_t i = 0; i < seq->nr; i++)
		assert_int_equal(trace_check_item(check, &seq->item[i]), 0);
	for (int rule = 0; rule < NR_TRACE_RULES; rule++)
		if (trace_check_broken(check, (enum trace_rule)rule, &first))
			fail_msg("%s: %s",
				 trace_rule_name((enum trace_rule)rule), first);
	trace_check_destroy(check);
}

static void replays_in_every_generation(void **state)
{
	struct seq *seq = weave();

	(void)state;
	check_rules(seq);
	for (unsigned int i = 0; i < NR_LANE_KINDS; i++) {
		struct replay_lane *lane = play(seq, &lane_kinds[i]);
		const struct account *acct = sim_account(replay_lane_sim(lane));
		bool shrinking = !strcmp(lane_kinds[i].mmu, "kvm-2.6.25") ||
				 !strcmp(lane_kinds[i].mmu, "kvm-2.6.20-rc3");

		assert_int_equal(replay_lane_insns(lane), seq->totals.insns);
		assert_int_equal(account_faults_direct(acct) +
					 account_faults_injected(acct),
				 1);
		/* The second never meets the page before it is mapped. */
		assert_int_equal(acct->fault_latency->typ.count, 1);
		/* One PT write, which takes nothing away: until 2.6.25 KVM
		 * flushed all the same, and before 2.6.20 it saw none. */
		assert_int_equal(acct->counter[CNT_remote_tlb_ipi], !shrinking);
		assert_int_equal(
			account_exits(acct, EXIT_REASON_EXTERNAL_INTERRUPT),
			!shrinking);
		replay_lane_destroy(lane);
	}
	free(seq);
}

/* What each has in CR3 at the end. */
static void keeps_registers_apart(void **state)
{
	static const uint64_t want[] = {TAPE_PML4, OTHER_CR3};
	struct seq *seq = weave();
	struct replay_lane *lane = play(seq, &lane_kinds[0]);
	struct sim *sim = replay_lane_sim(lane);

	(void)state;
	for (unsigned int i = 0; i < ARRAY_LEN(want); i++) {
		sim_select(sim, i);
		assert_int_equal(sim_sink(sim)->view->cr3, want[i]);
	}
	replay_lane_destroy(lane);
	free(seq);
}

/* The page of code is new to each, and to each but once. */
static void looks_up_its_own_tlb(void **state)
{
	const struct trace_info info = two_info();
	struct replay_lane *lane = lane_of("kvm-2.6.25", "on", &info);
	const struct account *acct = sim_account(replay_lane_sim(lane));
	struct trace_ref ref = {.gva = TAPE_CODE,
				.count = 1,
				.kind = TRACE_FETCH,
				.size = 4,
				.user = true};
	const struct trace_item fetch = {
		.kind = TRACE_ITEM_REFS, .refs = &ref, .nr = 1};
	struct tape tape;

	(void)state;
	tape_init(&tape);
	tape_play_to(&tape, lane, 5); /* tables */
	for (uint32_t turn = 0; turn < 6; turn++) {
		const struct trace_item vcpu = {.kind = TRACE_ITEM_VCPU,
						.id = turn & 1};

		replay_lane_item(lane, &vcpu);
		replay_lane_item(lane, &fetch);
		assert_int_equal(replay_lane_status(lane), REPLAY_RUNNING);
		assert_int_equal(acct->tlb[TLB_l1i_misses], turn ? 2 : 1);
	}
	replay_lane_destroy(lane);
}

/* Whatever the configuration says: the trace knows. */
static void brings_its_processors(void **state)
{
	struct seq *seq = weave();
	struct replay_lane *lane;
	struct config config;
	struct diag diag;

	(void)state;
	for (unsigned int vcpus = 1; vcpus <= 4; vcpus += 3) {
		config_init(&config);
		config.value[OPT_vcpus] = vcpus;
		assert_int_equal(
			replay_lane_create(&config, &seq->info, &lane, &diag),
			0);
		for (uint32_t i = 0; i < seq->nr; i++)
			replay_lane_item(lane, &seq->item[i]);
		replay_lane_finish(lane);
		assert_int_equal(replay_lane_status(lane), REPLAY_DONE);
		replay_lane_destroy(lane);
	}
	free(seq);
}

/* A part begins with whose turn it is. */
static void check_turn(const struct seq *seq, uint64_t from,
		       const struct seq *part)
{
	const struct trace_item *first = part->item;
	uint32_t vcpu = 0;

	for (uint64_t i = 0; i < from; i++)
		if (seq->item[i].kind == TRACE_ITEM_VCPU)
			vcpu = seq->item[i].id;
	while (first->kind == TRACE_ITEM_TABLE)
		first++;
	assert_true(!vcpu ||
		    (first->kind == TRACE_ITEM_VCPU && first->id == vcpu));
}

/* Through a file, and in parts that begin at every place there is. */
static void parts_are_parts(void **state)
{
	char path[64], part_path[64];
	struct seq *seq = weave();
	uint64_t last = 0, cr_write = 0;

	(void)state;
	while (seq->item[cr_write].event.kind != GE_CR_WRITE)
		cr_write++;
	snprintf(path, sizeof(path), "%s", box_file("woven"));
	snprintf(part_path, sizeof(part_path), "%s", box_file("part"));
	seq_write(seq, path);
	for (uint32_t from = 0; from < seq->nr; from++) {
		const struct cut_request request = {
			.path = path,
			.output = part_path,
			.from = {CUT_ITEM, from},
			.to = {CUT_ITEM, CUT_END},
			.tool = "test",
		};
		struct cut_result result;
		struct diag diag;
		struct seq *part;
		uint64_t cr3;

		if (cut_run(&request, &result, &diag))
			break;
		last = result.from.item;
		part = seq_load(part_path);
		assert_int_equal(part->info.nr_others, 1);
		cr3 = part->info.other[0].cr3;
		assert_int_equal(cr3, result.from.item > cr_write ? OTHER_CR3
								  : TAPE_PML4);
		check_turn(seq, result.from.item, part);
		check_rules(part);
		replay_lane_destroy(
			play(part, &lane_kinds[from % NR_LANE_KINDS]));
		free(part);
	}
	/* The tape ends with instructions of the first. */
	assert_true(last + 4 >= seq->nr);
	unlink(path);
	unlink(part_path);
	free(seq);
}

/* --- What is wrong -------------------------------------------------------- */

static bool first(const struct tape *tape, uint32_t i)
{
	return tape->item[i].kind == TRACE_ITEM_REFS;
}

static bool before_fault(const struct tape *tape, uint32_t i)
{
	return i == tape->at_fault;
}

static bool before_delivery(const struct tape *tape, uint32_t i)
{
	return i == tape->at_deliver;
}

static bool in_delivery(const struct tape *tape, uint32_t i)
{
	return i == tape->at_push;
}

static const struct {
	const char *name, *says;
	bool (*at)(const struct tape *tape, uint32_t i);
	uint32_t vcpu;
} wrongs[] = {
	{"not told of", "processor 2", first, 2},
	{"before a fault", "the model has page fault", before_fault, 1},
	{"before its delivery", "the model has exception 14", before_delivery,
	 1},
	{"in a delivery", "in the midst of", in_delivery, 1},
};

static void says_what_differs(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(wrongs); i++) {
		const struct trace_info info = two_info();
		const struct trace_item turn = {.kind = TRACE_ITEM_VCPU,
						.id = wrongs[i].vcpu};
		struct replay_lane *lane = lane_of("kvm-2.6.25", "on", &info);
		struct tape tape;
		uint32_t at = 0;

		tape_init(&tape);
		while (!wrongs[i].at(&tape, at))
			at++;
		tape_play_to(&tape, lane, at);
		assert_int_equal(replay_lane_status(lane), REPLAY_RUNNING);
		replay_lane_item(lane, &turn);
		assert_int_equal(replay_lane_status(lane), REPLAY_DIFFERS);
		if (!strstr(replay_lane_line(lane), wrongs[i].says))
			fail_msg("%s: %s", wrongs[i].name,
				 replay_lane_line(lane));
		replay_lane_destroy(lane);
	}
}

/* A write to a table whose value never comes: the table is given up. */
static void leaves_after_a_write(void **state)
{
	const struct trace_info info = two_info();
	const struct trace_item turn = {.kind = TRACE_ITEM_VCPU, .id = 1};
	struct replay_lane *lane = lane_of("kvm-2.6.25", "on", &info);
	struct tape tape;

	(void)state;
	tape_init(&tape);
	tape_play_to(&tape, lane, tape.at_value);
	replay_lane_item(lane, &turn);
	assert_string_equal(replay_lane_line(lane), "");
	assert_int_equal(replay_lane_status(lane), REPLAY_RUNNING);
	assert_int_equal(sim_account(replay_lane_sim(lane))
				 ->counter[CNT_insn_emulation_fail],
			 1);
	replay_lane_destroy(lane);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(replays_in_every_generation),
		cmocka_unit_test(keeps_registers_apart),
		cmocka_unit_test(looks_up_its_own_tlb),
		cmocka_unit_test(brings_its_processors),
		cmocka_unit_test(parts_are_parts),
		cmocka_unit_test(says_what_differs),
		cmocka_unit_test(leaves_after_a_write),
	};

	return cmocka_run_group_tests(tests, box_make, box_remove);
}
