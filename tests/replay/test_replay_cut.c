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

#include "base/hash.h"
#include "lanes.h"
#include "replay/cut.h"
#include "tape.h"

#define ITEMS_MAX 160

/* In memory where there is such a place: hundreds of files go to the disk. */
static char box[64];

static const char *file(const char *name)
{
	static char path[4][96];
	static unsigned int n;
	char *p = path[n++ % 4];

	snprintf(p, sizeof(path[0]), "%s/%s", box, name);
	return p;
}

/* --- A trace in memory ---------------------------------------------------- */

struct seq {
	struct trace_info info;
	struct trace_totals totals;
	struct trace_item item[ITEMS_MAX]; /* a reference: nr is 1 */
	struct trace_ref ref[ITEMS_MAX];
	uint64_t table[ITEMS_MAX][PT_ENTRIES];
	uint32_t nr;
};

static void add(struct seq *seq, const struct trace_item *item,
		const struct trace_ref *ref)
{
	uint32_t i = seq->nr++;

	assert_in_range(i, 0, ITEMS_MAX - 1);
	seq->item[i] = *item;
	if (ref) {
		seq->ref[i] = *ref;
		seq->item[i].refs = &seq->ref[i];
		seq->item[i].nr = 1;
	}
	if (item->kind == TRACE_ITEM_TABLE) {
		memcpy(seq->table[i], item->table, sizeof(seq->table[i]));
		seq->item[i].table = seq->table[i];
	}
}

static struct seq *load(const char *path)
{
	struct seq *seq = calloc(1, sizeof(*seq));
	struct trace_reader *reader;
	struct trace_item item;
	struct diag diag;

	if (trace_reader_open(path, &reader, &diag))
		fail_msg("%s", diag.msg);
	seq->info = *trace_reader_info(reader);
	while (trace_read(reader, &item, &diag) > 0) {
		for (uint32_t i = 0; i < item.nr; i++)
			add(seq, &item, &item.refs[i]);
		if (item.kind != TRACE_ITEM_REFS)
			add(seq, &item, NULL);
	}
	if (trace_reader_damage(reader))
		fail_msg("%s", trace_reader_damage(reader));
	seq->totals = *trace_reader_totals(reader);
	trace_reader_close(reader);
	return seq;
}

static bool is_equal(const struct trace_item *a, const struct trace_item *b)
{
	if (a->kind != b->kind)
		return false;
	if (a->kind == TRACE_ITEM_REFS)
		return !memcmp(a->refs, b->refs, sizeof(*a->refs));
	if (a->kind == TRACE_ITEM_EVENT)
		return !memcmp(&a->event, &b->event, sizeof(a->event));
	if (a->kind == TRACE_ITEM_TABLE)
		return a->gpa == b->gpa &&
		       !memcmp(a->table, b->table, PAGE_SIZE);
	return a->gpa == b->gpa && a->gva == b->gva && a->size == b->size &&
	       a->error == b->error && a->id == b->id &&
	       !memcmp(a->bytes, b->bytes, sizeof(a->bytes));
}

static void write_seq(const struct seq *seq, const char *path)
{
	struct trace_writer *writer;
	struct diag diag;

	if (trace_writer_create(path, &seq->info, &writer, &diag))
		fail_msg("%s", diag.msg);
	for (uint32_t i = 0; i < seq->nr; i++)
		trace_write_item(writer, &seq->item[i]);
	if (trace_writer_close(writer, NULL, &diag))
		fail_msg("%s", diag.msg);
}

/* --- The whole ------------------------------------------------------------ */

static struct trace_item event(enum guest_event_kind kind, uint64_t insns)
{
	return (struct trace_item){.kind = TRACE_ITEM_EVENT,
				   .event = {.kind = kind, .insns = insns}};
}

static void add_fetch(struct seq *seq, gva_t gva, uint32_t count)
{
	const struct trace_item refs = {.kind = TRACE_ITEM_REFS};
	const struct trace_ref ref = {
		.gva = gva, .count = count, .size = 2, .kind = TRACE_FETCH};

	add(seq, &refs, &ref);
}

static void add_deliver(struct seq *seq, uint64_t insns)
{
	const struct trace_item refs = {.kind = TRACE_ITEM_REFS};
	const struct trace_ref push = {.gva = TAPE_STACK + 0xff0,
				       .count = 1,
				       .size = 8,
				       .kind = TRACE_WRITE,
				       .implicit = true};
	struct trace_item item = event(GE_DELIVER, insns);

	item.event.vector = 32;
	add(seq, &item, NULL);
	add(seq, &refs, &push);
	item.event.kind = GE_DELIVERED;
	add(seq, &item, NULL);
}

/*
 * Where it can be cut: before the first table, 12 fetches that begin an
 * instruction, two interrupts and retry.
 */
#define PLACES 16

/* The tape, then what else happens to a kernel; the clock is 5 by then. */
static struct seq *whole(void)
{
	const struct trace_item mark = {.kind = TRACE_ITEM_MARK, .id = 9};
	const struct trace_item gone = {.kind = TRACE_ITEM_TABLE_END,
					.gpa = TAPE_PT2};
	struct seq *seq = calloc(1, sizeof(*seq));
	struct trace_item item;
	struct tape tape;

	tape_init(&tape);
	seq->info = tape_info();
	for (uint32_t i = 0; i < tape.nr; i++)
		add(seq, &tape.item[i],
		    tape.item[i].kind == TRACE_ITEM_REFS ? &tape.ref[i] : NULL);
	/* Within the instruction of the tape's last write. */
	add(seq, &mark, NULL);

	item = event(GE_IRQ, 5);
	item.event.if_open = true;
	add(seq, &item, NULL);
	add_deliver(seq, 5);
	add_fetch(seq, TAPE_HANDLER, 1);
	item = event(GE_CR_WRITE, 5);
	item.event.cr = 0;
	item.event.value = seq->info.cr0 | UINT64_C(2);
	item.event.size = 8;
	add(seq, &item, NULL);
	add_fetch(seq, TAPE_HANDLER + 2, 1);

	item = event(GE_IRQ, 7);
	add(seq, &item, NULL);
	add_fetch(seq, TAPE_HANDLER + 4, 1);
	item = event(GE_IRQ_WINDOW, 8);
	add(seq, &item, NULL);
	add_deliver(seq, 8);
	add_fetch(seq, TAPE_HANDLER, 1);
	item = event(GE_IO, 8);
	item.event.access = PFEC_W;
	item.event.error = GUEST_MARKER_PORT;
	item.event.size = 1;
	item.event.value = GUEST_REGION_BEGINS;
	add(seq, &item, NULL);
	add_fetch(seq, TAPE_HANDLER + 6, 1);
	add(seq, &gone, NULL);
	add_fetch(seq, TAPE_HANDLER + 8, 1);
	add_fetch(seq, TAPE_HANDLER + 10, 1);
	item.event.insns = 11;
	item.event.value = GUEST_REGION_ENDS;
	add(seq, &item, NULL);
	add_fetch(seq, TAPE_HANDLER + 12, 1);
	return seq;
}

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
		if (!is_equal(&part->item[k], &want))
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
		assert_int_equal(sim_audit(sim)->violations, 0);
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

	assert_int_equal(
		cut_items(rest, file("again"), 0, r->to.item + shift, &again),
		0);
	assert_int_equal(again.totals.digest, digest);
	assert_int_equal(
		cut_items(file("part"), file("twice"), 0, CUT_END, &again), 0);
	assert_int_equal(again.totals.digest, digest);
	unlink(file("again"));
	unlink(file("twice"));
}

/* Returns where a part from there on begins, or 0: nowhere. */
static uint64_t cut_from(const struct seq *all, uint64_t from)
{
	struct cut_result rest, r = {0};

	if (cut_items(file("whole"), file("rest"), from, CUT_END, &rest))
		return 0;
	for (uint64_t to = rest.from.item + 1; to <= all->nr;
	     to = r.to.item + 1) {
		struct seq *part;

		assert_int_equal(
			cut_items(file("whole"), file("part"), from, to, &r),
			0);
		part = load(file("part"));
		check_place(all, from, to, &r);
		check_items(all, part, &r);
		check_tables(all, part, &r);
		check_replay(part);
		check_part_of_part(file("rest"), &rest, part, &r);
		free(part);
		unlink(file("part"));
	}
	unlink(file("rest"));
	return rest.from.item;
}

/* From each place to each other; none begins behind the last. */
static void parts_are_parts(void **state)
{
	struct seq *all = whole();
	uint64_t from = 0, found;
	unsigned int places = 0;

	(void)state;
	write_seq(all, file("whole"));
	do {
		found = cut_from(all, from);
		from = found + 1;
		places++;
	} while (found || places == 1);
	assert_int_equal(places, PLACES + 1);
	unlink(file("whole"));
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
	struct seq *all = whole();

	(void)state;
	write_seq(all, file("whole"));
	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		struct cut_result r;

		assert_int_equal(cut(file("whole"), file("part"),
				     places[i].from, places[i].to, &r),
				 0);
		if (r.from.insn != places[i].from_insn ||
		    r.to.insn != places[i].to_insn)
			fail_msg("%s: got %d to %d", places[i].name,
				 (int)r.from.insn, (int)r.to.insn);
		unlink(file("part"));
	}
	unlink(file("whole"));
	free(all);
}

static void cuts_the_region(void **state)
{
	struct cut_request request = {.region = true, .tool = "test"};
	struct seq *all = whole(), *part;
	struct cut_result r;
	struct diag diag;

	(void)state;
	write_seq(all, file("whole"));
	request.path = file("whole");
	request.output = file("part");
	assert_int_equal(cut_run(&request, &r, &diag), 0);
	assert_int_equal(r.from.insn, 9);
	assert_int_equal(r.to.insn, 11);
	part = load(file("part"));
	check_items(all, part, &r);
	assert_int_equal(part->totals.events, 0);
	assert_non_null(strstr(part->info.origin, "(from instruction 9)"));
	free(part);
	unlink(file("part"));

	/* Up to the end, where no marker ends it. */
	all->nr -= 2;
	write_seq(all, file("whole"));
	assert_int_equal(cut_run(&request, &r, &diag), 0);
	assert_int_equal(r.to.insn, 12);
	unlink(file("part"));
	all->nr = 5;
	write_seq(all, file("whole"));
	assert_int_equal(cut_run(&request, &r, &diag), -ENOENT);
	assert_int_equal(access(file("part"), F_OK), -1);
	unlink(file("whole"));
	free(all);
}

/* --- Headers, granularity, and what cannot be ----------------------------- */

static void says_what_it_is(void **state)
{
	struct seq *all = whole(), *part;
	struct cut_result r;

	(void)state;
	memset(all->info.origin, 'x', sizeof(all->info.origin) - 1);
	snprintf(all->info.source, sizeof(all->info.source), "live");
	write_seq(all, file("whole"));
	/* The write of CR0 is behind it. */
	cut(file("whole"), file("part"), (struct cut_point){CUT_INSN, 7},
	    (struct cut_point){CUT_INSN, CUT_END}, &r);
	part = load(file("part"));
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
	cut_items(file("whole"), file("part"), 0, CUT_END, &r);
	part = load(file("part"));
	assert_string_equal(part->info.origin, all->info.origin);
	free(part);
	unlink(file("part"));
	unlink(file("whole"));
	free(all);
}

/* Of an event whose clock makes no sense. */
static void no_clock_is_below_0(void **state)
{
	struct seq *all = whole(), *part;
	struct cut_result r;

	(void)state;
	for (uint32_t i = 0; i < all->nr; i++)
		all->item[i].event.insns = 0;
	write_seq(all, file("whole"));
	cut(file("whole"), file("part"), (struct cut_point){CUT_INSN, 4},
	    (struct cut_point){CUT_INSN, CUT_END}, &r);
	part = load(file("part"));
	assert_true(part->totals.events > 3);
	for (uint32_t i = 0; i < part->nr; i++)
		assert_int_equal(part->item[i].event.insns, 0);
	free(part);
	unlink(file("part"));
	unlink(file("whole"));
	free(all);
}

static void merges_runs(void **state)
{
	struct cut_request request = {.tool = "test",
				      .to = {CUT_ITEM, CUT_END},
				      .has_granularity = true,
				      .granularity = TRACE_PAGES};
	struct seq *all = whole(), *part;
	struct trace_totals merged;
	struct cut_result r;
	struct diag diag;

	(void)state;
	write_seq(all, file("whole"));
	all->info.granularity = TRACE_PAGES;
	write_seq(all, file("pages"));
	part = load(file("pages"));
	merged = part->totals;
	free(part);

	request.path = file("whole");
	request.output = file("part");
	assert_int_equal(cut_run(&request, &r, &diag), 0);
	assert_int_equal(r.totals.digest, merged.digest);

	request.path = file("pages");
	assert_int_equal(cut_run(&request, &r, &diag), 0);
	assert_int_equal(r.totals.digest, merged.digest);
	request.granularity = TRACE_FULL;
	assert_int_equal(cut_run(&request, &r, &diag), -EINVAL);
	unlink(file("part"));
	unlink(file("pages"));
	unlink(file("whole"));
	free(all);
}

/* What a killed recording leaves is not written over. */
static void spares_its_input(void **state)
{
	struct cut_request request = {.tool = "test",
				      .to = {CUT_ITEM, CUT_END}};
	struct seq *all = whole(), *part;
	struct cut_result r;
	struct diag diag;

	(void)state;
	write_seq(all, file("x.tmp"));
	request.path = file("x.tmp");
	request.output = file("x");
	assert_int_equal(cut_run(&request, &r, &diag), -EINVAL);
	part = load(file("x.tmp"));
	free(part);
	/* Its own name is fine: what was there is whole until then. */
	request.output = file("x.tmp");
	assert_int_equal(cut_run(&request, &r, &diag), 0);
	part = load(file("x.tmp"));
	assert_int_equal(part->nr, all->nr);
	free(part);
	unlink(file("x.tmp"));
	free(all);
}

static void stops_when_asked(void **state)
{
	static volatile int attention = 1;
	struct cut_request request = {.tool = "test",
				      .to = {CUT_ITEM, CUT_END},
				      .attention = &attention};
	struct seq *all = whole();
	struct cut_result r;
	struct diag diag;

	(void)state;
	write_seq(all, file("whole"));
	request.path = file("whole");
	request.output = file("part");
	assert_int_equal(cut_run(&request, &r, &diag), 0);
	assert_true(r.interrupted);
	assert_int_equal(r.totals.refs, 0);
	unlink(file("part"));
	/* Before it has begun: nothing. */
	request.from.n = 5;
	assert_int_equal(cut_run(&request, &r, &diag), -EINTR);
	request.region = true;
	assert_int_equal(cut_run(&request, &r, &diag), -EINTR);
	assert_int_equal(access(file("part"), F_OK), -1);
	unlink(file("whole"));
	free(all);
}

static int make_box(void **state)
{
	(void)state;
	snprintf(box, sizeof(box), "%s/test_replay_cut.XXXXXX",
		 access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm");
	return !mkdtemp(box);
}

static int remove_box(void **state)
{
	(void)state;
	return rmdir(box);
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

	return cmocka_run_group_tests(tests, make_box, remove_box);
}
