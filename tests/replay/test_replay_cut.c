/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Parts of the tape, from every place to every other: they are the items of
 * the whole, they replay in every generation, and parts of parts are parts.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "../share.h"
#include "base/hash.h"
#include "lanes.h"
#include "replay/cut.h"
#include "seq.h"

/*
 * Where it can be cut: before the first table, 12 fetches that begin an
 * instruction, two interrupts and retry.
 */
#define PLACES 16

/* --- Cutting -------------------------------------------------------------- */

static int cut(const char *from, const char *to, struct cut_point begin,
	       struct cut_point end, struct cut_result *result)
{
	const struct cut_request request = {.path = from,
					    .output = to,
					    .from = begin,
					    .to = end,
					    .tool = "test"};
	struct diag diag;
	int err = cut_run(&request, result, &diag);

	if (err && err != -ERANGE)
		fail_msg("%s", diag.msg);
	assert_int_equal(access(to, F_OK), err ? -1 : 0);
	return err;
}

static int cut_items(const char *from, const char *to, uint64_t begin,
		     uint64_t end, struct cut_result *result)
{
	return cut(from, to, (struct cut_point){CUT_ITEM, begin},
		   (struct cut_point){CUT_ITEM, end}, result);
}

/* Told tables, then the items of the whole with an earlier clock. */
static void check_items(const struct seq *all, const struct seq *part,
			const struct cut_result *r)
{
	assert_int_equal(part->nr, r->tables + r->to.item - r->from.item);
	for (uint64_t i = 0; i < r->tables; i++) {
		assert_int_equal(part->item[i].kind, TRACE_ITEM_TABLE);
		if (i)
			assert_true(part->item[i].gpa > part->item[i - 1].gpa);
	}
	for (uint64_t i = r->from.item; i < r->to.item; i++) {
		uint64_t k = r->tables + i - r->from.item;
		struct trace_item want = all->item[i];

		if (want.kind == TRACE_ITEM_EVENT)
			want.event.insns -= r->from.insn;
		if (!seq_item_is_equal(&part->item[k], &want))
			fail_msg("from %d: item %d is another",
				 (int)r->from.item, (int)i);
	}
}

/* Tables as a loop over all earlier items has them. */
static void check_tables(const struct seq *all, const struct seq *part,
			 const struct cut_result *r)
{
	static uint64_t table[6][PT_ENTRIES];
	bool known[6] = {false};
	uint32_t n = 0;

	for (uint64_t i = 0; i < r->from.item; i++) {
		const struct trace_item *item = &all->item[i];
		gfn_t gfn = item->gpa >> PAGE_SHIFT;

		if (item->kind == TRACE_ITEM_TABLE)
			memcpy(table[gfn], item->table, PAGE_SIZE);
		if (item->kind == TRACE_ITEM_TABLE_WRITE)
			memcpy((uint8_t *)table[gfn] + (item->gpa & PAGE_MASK),
			       item->bytes, item->size);
		if (item->kind == TRACE_ITEM_TABLE ||
		    item->kind == TRACE_ITEM_TABLE_END)
			known[gfn] = item->kind == TRACE_ITEM_TABLE;
	}
	for (gfn_t gfn = 0; gfn < 6; gfn++) {
		if (!known[gfn])
			continue;
		assert_true(n < r->tables);
		assert_int_equal(part->item[n].gpa, gfn << PAGE_SHIFT);
		assert_memory_equal(part->item[n].table, table[gfn], PAGE_SIZE);
		n++;
	}
	assert_int_equal(n, r->tables);
}

/* What a simulator is to find: delivered faults, in order. */
static uint64_t fault_digest(const struct seq *seq)
{
	uint64_t digest = FNV64_INIT;
	const struct trace_item *fault = NULL;

	for (uint32_t i = 0; i < seq->nr; i++) {
		const struct trace_item *item = &seq->item[i];

		if (item->kind == TRACE_ITEM_FAULT)
			fault = item;
		if (!fault || item->kind != TRACE_ITEM_EVENT ||
		    item->event.kind != GE_DELIVERED)
			continue;
		digest = fnv64(digest, &fault->gva, sizeof(fault->gva));
		digest = fnv64(digest, &fault->error, sizeof(fault->error));
		fault = NULL;
	}
	return digest;
}

/* Each part in two generations, and the next in the next two. */
static void check_replay(const struct seq *part)
{
	static unsigned int turn;

	for (int k = 0; k < 2; k++) {
		const struct lane_kind *kind =
			&lane_kinds[turn++ % NR_LANE_KINDS];
		struct replay_lane *lane =
			lane_of(kind->mmu, kind->bypass, &part->info);
		struct sim *sim = replay_lane_sim(lane);

		for (uint32_t i = 0; i < part->nr; i++)
			replay_lane_item(lane, &part->item[i]);
		replay_lane_finish(lane);
		assert_string_equal(replay_lane_line(lane), "");
		assert_int_equal(replay_lane_status(lane), REPLAY_DONE);
		assert_int_equal(replay_lane_insns(lane), part->totals.insns);
		assert_int_equal(sim_fault_digest(sim), fault_digest(part));
		assert_int_equal(sim_audit(sim).violations, 0);
		assert_null(sim_check(sim));
		replay_lane_destroy(lane);
	}
}

/* Begins and ends where it was asked to, or at the next place behind. */
static void check_place(const struct seq *all, uint64_t from, uint64_t to,
			const struct cut_result *r)
{
	uint64_t insns = 0;

	assert_true(r->from.item >= from && r->to.item >= min_u64(to, all->nr));
	for (uint64_t i = 0; i < r->to.item; i++) {
		if (i == r->from.item)
			assert_int_equal(insns, r->from.insn);
		if (all->item[i].kind == TRACE_ITEM_REFS &&
		    all->item[i].refs->kind == TRACE_FETCH)
			insns += all->item[i].refs->count;
	}
	assert_int_equal(insns, r->to.insn);
	assert_int_equal(r->totals.insns, r->to.insn - r->from.insn);
}

/* Parts of [from, the end) are parts of the whole. */
static void check_part_of_part(const char *rest,
			       const struct cut_result *rest_result,
			       const struct seq *part,
			       const struct cut_result *r)
{
	uint64_t shift = rest_result->tables - rest_result->from.item;
	struct cut_result again;
	uint64_t digest = part->totals.digest;

	assert_int_equal(cut_items(rest, box_file("again"), 0,
				   r->to.item + shift, &again),
			 0);
	assert_int_equal(again.totals.digest, digest);
	assert_int_equal(cut_items(box_file("part"), box_file("twice"), 0,
				   CUT_END, &again),
			 0);
	assert_int_equal(again.totals.digest, digest);
	unlink(box_file("again"));
	unlink(box_file("twice"));
}

/* Returns where a part from there on begins, or 0: nowhere. */
static uint64_t cut_from(const struct seq *all, uint64_t from)
{
	struct cut_result rest, r = {0};

	if (cut_items(box_file("whole"), box_file("rest"), from, CUT_END,
		      &rest))
		return 0;
	for (uint64_t to = rest.from.item + 1; to <= all->nr;
	     to = r.to.item + 1) {
		static unsigned int nr;
		struct seq *part;

		assert_int_equal(cut_items(box_file("whole"), box_file("part"),
					   from, to, &r),
				 0);
		if (nr++ % one_of_cases())
			continue;
		part = seq_load(box_file("part"));
		check_place(all, from, to, &r);
		check_items(all, part, &r);
		check_tables(all, part, &r);
		check_replay(part);
		check_part_of_part(box_file("rest"), &rest, part, &r);
		free(part);
	}
	unlink(box_file("part"));
	unlink(box_file("rest"));
	return rest.from.item;
}

/* From each place to each other; none begins behind the last. */
static void parts_are_parts(void **state)
{
	struct seq *all = seq_whole();
	uint64_t from = 0, found;
	unsigned int places = 0;

	(void)state;
	seq_write(all, box_file("whole"));
	do {
		found = cut_from(all, from);
		from = found + 1;
		places++;
	} while (found || places == 1);
	assert_int_equal(places, PLACES + 1);
	unlink(box_file("whole"));
	free(all);
}

/* --- Where it is cut ------------------------------------------------------ */

/* In the whole above, by the three units; 0: nothing is left. */
static const struct {
	const char *name;
	struct cut_point from, to;
	uint64_t from_insn, to_insn;
} places[] = {
	{"all", {CUT_INSN, 0}, {CUT_INSN, CUT_END}, 0, 13},
	{"one instruction", {CUT_INSN, 3}, {CUT_INSN, 4}, 3, 4},
	{"the fault and all it needs", {CUT_INSN, 1}, {CUT_INSN, 2}, 1, 2},
	{"no interrupt waits", {CUT_INSN, 8}, {CUT_INSN, 10}, 8, 10},
	{"the end moves, too", {CUT_INSN, 6}, {CUT_INSN, 7}, 6, 7},
	{"references", {CUT_REF, 6}, {CUT_REF, 9}, 3, 5},
	{"mixed", {CUT_REF, 1}, {CUT_INSN, 5}, 1, 5},
};

static void cuts_where_it_is_asked(void **state)
{
	struct seq *all = seq_whole();

	(void)state;
	seq_write(all, box_file("whole"));
	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		struct cut_result r;

		assert_int_equal(cut(box_file("whole"), box_file("part"),
				     places[i].from, places[i].to, &r),
				 0);
		if (r.from.insn != places[i].from_insn ||
		    r.to.insn != places[i].to_insn)
			fail_msg("%s: got %d to %d", places[i].name,
				 (int)r.from.insn, (int)r.to.insn);
		unlink(box_file("part"));
	}
	unlink(box_file("whole"));
	free(all);
}

static void cuts_the_region(void **state)
{
	struct cut_request request = {.region = true, .tool = "test"};
	struct seq *all = seq_whole(), *part;
	struct cut_result r;
	struct diag diag;

	(void)state;
	seq_write(all, box_file("whole"));
	request.path = box_file("whole");
	request.output = box_file("part");
	assert_int_equal(cut_run(&request, &r, &diag), 0);
	assert_int_equal(r.from.insn, 9);
	assert_int_equal(r.to.insn, 11);
	part = seq_load(box_file("part"));
	check_items(all, part, &r);
	assert_int_equal(part->totals.events, 0);
	assert_non_null(strstr(part->info.origin, "(from instruction 9)"));
	free(part);
	unlink(box_file("part"));

	/* Up to the end, where no marker ends it. */
	all->nr -= 2;
	seq_write(all, box_file("whole"));
	assert_int_equal(cut_run(&request, &r, &diag), 0);
	assert_int_equal(r.to.insn, 12);
	unlink(box_file("part"));
	all->nr = 5;
	seq_write(all, box_file("whole"));
	assert_int_equal(cut_run(&request, &r, &diag), -ENOENT);
	assert_int_equal(access(box_file("part"), F_OK), -1);
	unlink(box_file("whole"));
	free(all);
}

/* --- Headers, granularity, and what cannot be ----------------------------- */

static void says_what_it_is(void **state)
{
	struct seq *all = seq_whole(), *part;
	struct cut_result r;

	(void)state;
	memset(all->info.origin, 'x', sizeof(all->info.origin) - 1);
	snprintf(all->info.source, sizeof(all->info.source), "live");
	seq_write(all, box_file("whole"));
	/* The write of CR0 is behind it. */
	cut(box_file("whole"), box_file("part"),
	    (struct cut_point){CUT_INSN, 7},
	    (struct cut_point){CUT_INSN, CUT_END}, &r);
	part = seq_load(box_file("part"));
	assert_string_equal(part->info.source, "live");
	assert_string_equal(part->info.tool, "test");
	assert_int_equal(strlen(part->info.origin), 255);
	assert_string_equal(part->info.origin + 255 - 22,
			    "x (from instruction 7)");
	assert_int_equal(part->info.cr0, all->info.cr0 | 2);
	assert_int_equal(part->info.cr3, all->info.cr3);
	assert_int_equal(part->info.memory, all->info.memory);
	free(part);

	/* All of it says the same as before. */
	cut_items(box_file("whole"), box_file("part"), 0, CUT_END, &r);
	part = seq_load(box_file("part"));
	assert_string_equal(part->info.origin, all->info.origin);
	free(part);
	unlink(box_file("part"));
	unlink(box_file("whole"));
	free(all);
}

/* Of an event whose clock makes no sense. */
static void no_clock_is_below_0(void **state)
{
	struct seq *all = seq_whole(), *part;
	struct cut_result r;

	(void)state;
	for (uint32_t i = 0; i < all->nr; i++)
		all->item[i].event.insns = 0;
	seq_write(all, box_file("whole"));
	cut(box_file("whole"), box_file("part"),
	    (struct cut_point){CUT_INSN, 4},
	    (struct cut_point){CUT_INSN, CUT_END}, &r);
	part = seq_load(box_file("part"));
	assert_true(part->totals.events > 3);
	for (uint32_t i = 0; i < part->nr; i++)
		assert_int_equal(part->item[i].event.insns, 0);
	free(part);
	unlink(box_file("part"));
	unlink(box_file("whole"));
	free(all);
}

static void merges_runs(void **state)
{
	struct cut_request request = {.tool = "test",
				      .to = {CUT_ITEM, CUT_END},
				      .has_granularity = true,
				      .granularity = TRACE_PAGES};
	struct seq *all = seq_whole(), *part;
	struct trace_totals merged;
	struct cut_result r;
	struct diag diag;

	(void)state;
	seq_write(all, box_file("whole"));
	all->info.granularity = TRACE_PAGES;
	seq_write(all, box_file("pages"));
	part = seq_load(box_file("pages"));
	merged = part->totals;
	free(part);

	request.path = box_file("whole");
	request.output = box_file("part");
	assert_int_equal(cut_run(&request, &r, &diag), 0);
	assert_int_equal(r.totals.digest, merged.digest);

	request.path = box_file("pages");
	assert_int_equal(cut_run(&request, &r, &diag), 0);
	assert_int_equal(r.totals.digest, merged.digest);
	request.granularity = TRACE_FULL;
	assert_int_equal(cut_run(&request, &r, &diag), -EINVAL);
	unlink(box_file("part"));
	unlink(box_file("pages"));
	unlink(box_file("whole"));
	free(all);
}

/* What a killed recording leaves is not written over. */
static void spares_its_input(void **state)
{
	struct cut_request request = {.tool = "test",
				      .to = {CUT_ITEM, CUT_END}};
	struct seq *all = seq_whole(), *part;
	struct cut_result r;
	struct diag diag;

	(void)state;
	seq_write(all, box_file("x.tmp"));
	request.path = box_file("x.tmp");
	request.output = box_file("x");
	assert_int_equal(cut_run(&request, &r, &diag), -EINVAL);
	part = seq_load(box_file("x.tmp"));
	free(part);
	/* Its own name is fine: what was there is whole until then. */
	request.output = box_file("x.tmp");
	assert_int_equal(cut_run(&request, &r, &diag), 0);
	part = seq_load(box_file("x.tmp"));
	assert_int_equal(part->nr, all->nr);
	free(part);
	unlink(box_file("x.tmp"));
	free(all);
}

static void stops_when_asked(void **state)
{
	static volatile int attention = 1;
	struct cut_request request = {.tool = "test",
				      .to = {CUT_ITEM, CUT_END},
				      .attention = &attention};
	struct seq *all = seq_whole();
	struct cut_result r;
	struct diag diag;

	(void)state;
	seq_write(all, box_file("whole"));
	request.path = box_file("whole");
	request.output = box_file("part");
	assert_int_equal(cut_run(&request, &r, &diag), 0);
	assert_true(r.interrupted);
	assert_int_equal(r.totals.refs, 0);
	unlink(box_file("part"));
	/* Before it has begun: nothing. */
	request.from.n = 5;
	assert_int_equal(cut_run(&request, &r, &diag), -EINTR);
	request.region = true;
	assert_int_equal(cut_run(&request, &r, &diag), -EINTR);
	assert_int_equal(access(box_file("part"), F_OK), -1);
	unlink(box_file("whole"));
	free(all);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parts_are_parts),
		cmocka_unit_test(cuts_where_it_is_asked),
		cmocka_unit_test(cuts_the_region),
		cmocka_unit_test(says_what_it_is),
		cmocka_unit_test(no_clock_is_below_0),
		cmocka_unit_test(merges_runs),
		cmocka_unit_test(spares_its_input),
		cmocka_unit_test(stops_when_asked),
	};

	return cmocka_run_group_tests(tests, box_make, box_remove);
}
