/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A recording of pages is the one of every reference, merged: whatever short
 * ways a recorder takes where references are merged, it takes none where they
 * are not.  The guest is made up: blocks on a few pages and across their ends,
 * left midway now and then, with instructions that access nothing, one thing
 * or several, or cause an event.
 */
#include "tape.h"

#include <string.h>

#include "mem/mem.h"
#include "random.h"
#include "record/recorder.h"

#define CODE_AT    UINT64_C(0x400000)
#define DATA_AT    UINT64_C(0x800000)
#define CODE_PAGES 3
#define DATA_PAGES 5
#define BLOCKS     20000

struct guest {
	struct event_sink sink; /* what a simulator would be */
	struct guest_view view;
	struct mem *mem;
	struct recorder *recorder;
	struct rng rng;
	uint64_t insns, accesses;
};

static void push(struct event_sink *sink, const struct guest_event *ev,
		 struct guest_outcome *out)
{
	(void)sink;
	(void)ev;
	*out = (struct guest_outcome){.verdict = GO_DONE};
}

static bool translate(struct event_sink *sink, gva_t gva, hpa_t *ret)
{
	(void)sink;
	*ret = gva;
	return true;
}

static bool one_in(struct guest *g, uint64_t n)
{
	return rng_below(&g->rng, n) == 0;
}

static struct insn_access random_access(struct guest *g, bool user)
{
	gva_t page = DATA_AT + rng_below(&g->rng, DATA_PAGES) * PAGE_SIZE;

	return (struct insn_access){
		.gva = page + rng_below(&g->rng, PAGE_SIZE - 8),
		.gpa = UINT64_MAX - PAGE_MASK, /* no table */
		.size = (uint8_t)(1 + rng_below(&g->rng, 8)),
		.write = one_in(g, 3),
		.user = user,
		.ac = one_in(g, 50),
	};
}

static void access_once(struct guest *g, const struct insn_begin *insn)
{
	struct insn_observer *to = recorder_observer(g->recorder);
	struct insn_access access = random_access(g, insn->user);

	g->accesses++;
	to->single(to, &(struct insn_single){.pc = insn->pc,
					     .length = insn->length,
					     .gva = access.gva,
					     .gpa = access.gpa,
					     .size = access.size,
					     .write = access.write,
					     .user = access.user,
					     .ac = access.ac});
}

/* Of its page the last two bytes, and two of the next one: one access. */
static void access_across(struct insn_observer *to, struct insn_access access)
{
	access.gva = (access.gva | PAGE_MASK) - 1;
	access.size = 2;
	to->access(to, &access);
	access.gva += 2;
	access.rest = true;
	to->access(to, &access);
}

static void access_often(struct guest *g, const struct insn_begin *insn)
{
	struct insn_observer *to = recorder_observer(g->recorder);
	uint64_t nr = 1 + rng_below(&g->rng, 3);

	to->begin(to, insn);
	while (nr--) {
		struct insn_access access = random_access(g, insn->user);

		g->accesses++;
		if (one_in(g, 10)) {
			access_across(to, access);
			continue;
		}
		to->access(to, &access);
	}
}

static void cause_event(struct guest *g, const struct insn_begin *insn,
			uint64_t insns)
{
	struct insn_observer *to = recorder_observer(g->recorder);
	struct event_sink *sink = recorder_sink(g->recorder);
	struct guest_event ev = {
		.kind = GE_CPUID, .rip = insn->pc, .insns = insns};
	struct guest_outcome out;

	to->begin(to, insn);
	event_push(sink, &ev, &out);
}

static void execute(struct guest *g, const struct insn_begin *insn,
		    uint64_t insns)
{
	uint64_t what = rng_below(&g->rng, 40);

	if (what < 20)
		access_once(g, insn);
	else if (what < 23)
		access_often(g, insn);
	else if (what == 23 && one_in(g, 10))
		cause_event(g, insn, insns);
}

static void run_block(struct guest *g)
{
	struct insn_observer *to = recorder_observer(g->recorder);
	uint8_t length[INSN_BLOCK_MAX + INSN_BLOCK_SLACK] = {0};
	struct insn_begin insn = {.user = !one_in(g, 30)};
	struct insn_block block = {
		.pc = CODE_AT + rng_below(&g->rng, CODE_PAGES * PAGE_SIZE),
		.insns = g->insns,
		.nr = (uint16_t)(1 + rng_below(&g->rng, 20)),
		.user = insn.user,
		.length = length,
	};
	unsigned int bytes = 0, nr = block.nr;

	for (unsigned int i = 0; i < block.nr; i++)
		bytes += length[i] = (uint8_t)(1 + rng_below(&g->rng, 8));
	block.on_one_page = (block.pc & PAGE_MASK) + bytes <= PAGE_SIZE;
	if (one_in(g, 20))
		nr = (unsigned int)rng_below(&g->rng, nr);
	to->block(to, &block);
	insn.pc = block.pc;
	for (unsigned int i = 0; i < nr; i++) {
		insn.length = length[i];
		execute(g, &insn, g->insns + i);
		insn.pc += length[i];
	}
	g->insns += nr;
}

static void record(const char *path, enum trace_granularity granularity,
		   uint64_t seed, struct tape *ret)
{
	struct trace_info info = {.granularity = granularity};
	struct guest g = {.sink = {.push = push, .translate = translate}};
	struct tape_reading how;
	struct diag diag;

	g.sink.view = &g.view;
	rng_init(&g.rng, seed);
	assert_int_equal(mem_create(1 << 20, 16, false, &g.mem, &diag), 0);
	assert_int_equal(recorder_create(path, &info, &g.sink, g.mem,
					 &g.recorder, &diag),
			 0);
	for (unsigned int i = 0; i < BLOCKS; i++)
		run_block(&g);
	if (recorder_finish(g.recorder, g.insns, &diag))
		fail_msg("%s", diag.msg);
	mem_destroy(g.mem);
	assert_int_equal(tape_read(ret, path, &how, &diag), 0);
	assert_int_equal(how.totals.insns, g.insns);
	assert_int_equal(how.totals.refs, g.insns + g.accesses);
}

static void merged(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 3; seed++) {
		struct tape all, pages, want;

		record(scratch_path("full"), TRACE_FULL, seed, &all);
		record(scratch_path("pages"), TRACE_PAGES, seed, &pages);
		tape_merge(&all, &want);
		tape_check_equal("pages", &pages, &want);
		assert_true(pages.nr < all.nr / 2);
		tape_finish(&all);
		tape_finish(&pages);
		tape_finish(&want);
	}
	scratch_remove();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(merged),
	};

	return cmocka_run_group_tests_name("record_pages", tests, NULL, NULL);
}
