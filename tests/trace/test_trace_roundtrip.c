/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is read is what was written: items of all kinds with extreme values, in
 * both granularities, over chunk borders; totals and digest agree; the same
 * items are the same bytes.
 */
#include "../share.h"
#include "random.h"
#include "tape.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void check_totals(const char *name, struct trace_totals got,
			 struct trace_totals want)
{
	if (got.refs != want.refs || got.records != want.records ||
	    got.insns != want.insns || got.events != want.events ||
	    got.tables != want.tables || got.faults != want.faults ||
	    got.table_writes != want.table_writes)
		fail_msg("%s: totals differ: got %" PRIu64 " refs, %" PRIu64
			 " records, %" PRIu64 " insns, %" PRIu64
			 " events; want %" PRIu64 ", %" PRIu64 ", %" PRIu64
			 ", %" PRIu64,
			 name, got.refs, got.records, got.insns, got.events,
			 want.refs, want.records, want.insns, want.events);
}

static void check_info(const char *name, const struct trace_info *got,
		       const struct trace_info *want)
{
	if (got->granularity != want->granularity ||
	    got->memory != want->memory || got->cr0 != want->cr0 ||
	    got->cr3 != want->cr3 || got->cr4 != want->cr4 ||
	    got->efer != want->efer || strcmp(got->source, want->source) ||
	    strcmp(got->origin, want->origin) ||
	    strcmp(got->tool, want->tool) ||
	    memcmp(got->pdpte, want->pdpte, sizeof(got->pdpte)) ||
	    got->nr_others != want->nr_others ||
	    memcmp(got->other, want->other, sizeof(got->other)) ||
	    got->pkru != want->pkru || got->features != want->features ||
	    got->image_digest != want->image_digest ||
	    got->initrd_digest != want->initrd_digest)
		fail_msg("%s: header differs", name);
}

static void check_footer(const char *path, const struct trace_totals *want)
{
	struct trace_totals totals;
	struct trace_reader *r;
	struct diag diag;

	assert_int_equal(trace_reader_open(path, &r, &diag), 0);
	assert_int_equal(trace_reader_footer(r, &totals), 0);
	assert_memory_equal(&totals, want, sizeof(totals));
	trace_reader_close(r);
}

static void hear(void *context, const struct trace_item *item)
{
	tape_add_item(context, item);
}

static void write_to(struct trace_writer *w, const struct tape *from,
		     struct trace_totals *totals)
{
	struct diag diag;

	for (size_t i = 0; i < from->nr; i++) {
		const struct tape_entry *e = &from->entries[i];

		if (e->is_ref)
			trace_write_ref(w, &e->ref);
		else
			trace_write_item(w, &e->item);
	}
	assert_int_equal(trace_writer_close(w, totals, &diag), 0);
}

/* A listener is told what a reader is, with a file beside it or without. */
static void check_listener(const char *name, const struct tape *from,
			   const struct tape *want,
			   const struct trace_info *info, const char *path,
			   const struct trace_totals *written)
{
	struct trace_totals totals;
	struct trace_writer *w;
	struct tape got;
	const struct trace_listener listener = {hear, &got};
	struct diag diag;

	tape_init(&got);
	assert_int_equal(trace_writer_create(path, info, &w, &diag), 0);
	trace_writer_listen(w, &listener);
	write_to(w, from, &totals);
	tape_check_equal(name, &got, want);
	assert_memory_equal(&totals, written, sizeof(totals));
	tape_finish(&got);
}

/* Write `from`, read it, and find `want`. */
static void check_trip(const char *name, const struct tape *from,
		       const struct tape *want, const struct trace_info *info)
{
	const char *path = scratch_path("trip.trace");
	struct tape_reading how;
	struct trace_totals written;
	struct tape got;
	struct diag diag;

	tape_write(from, path, info, &written);
	if (tape_read(&got, path, &how, &diag))
		fail_msg("%s: %s", name, diag.msg);
	if (how.damage[0])
		fail_msg("%s: %s", name, how.damage);
	tape_check_equal(name, &got, want);
	check_totals(name, written, tape_totals(want));
	check_info(name, &how.info, info);
	assert_memory_equal(&how.totals, &written, sizeof(written));
	check_footer(path, &written);
	tape_finish(&got);
	check_listener(name, from, want, info, NULL, &written);
	check_listener(name, from, want, info, path, &written);
	check_footer(path, &written);
}

static void random_tape(struct rng *rng, struct tape *t, unsigned int nr,
			bool counted)
{
	static uint64_t table[PT_ENTRIES];
	uint64_t program = rng_below(rng, 101), items = rng_below(rng, 4);

	tape_init(t);
	for (unsigned int i = 0; i < nr; i++) {
		struct trace_item item;
		struct trace_ref ref;

		if (rng_below(rng, 40) < items) {
			random_item(rng, &item, table);
			tape_add_item(t, &item);
			continue;
		}
		if (rng_below(rng, 100) < program)
			random_program_ref(rng, &ref);
		else
			random_ref(rng, counted, &ref);
		tape_add_ref(t, &ref);
	}
}

static void random_trips(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < 60; seed += one_of_cases()) {
		struct tape tape, merged;
		struct trace_info info;
		struct rng rng;
		char name[64];

		rng_init(&rng, seed);
		random_tape(&rng, &tape, (unsigned int)rng_below(&rng, 4000),
			    false);
		snprintf(name, sizeof(name), "full, seed %" PRIu64, seed);
		info = random_info(&rng, TRACE_FULL);
		check_trip(name, &tape, &tape, &info);

		tape_merge(&tape, &merged);
		snprintf(name, sizeof(name), "pages, seed %" PRIu64, seed);
		info = random_info(&rng, TRACE_PAGES);
		check_trip(name, &tape, &merged, &info);
		snprintf(name, sizeof(name), "merged, seed %" PRIu64, seed);
		check_trip(name, &merged, &merged, &info);
		tape_finish(&merged);
		tape_finish(&tape);

		random_tape(&rng, &tape, 1000, true);
		tape_merge(&tape, &merged);
		snprintf(name, sizeof(name), "counted, seed %" PRIu64, seed);
		check_trip(name, &tape, &merged, &info);
		tape_finish(&merged);
		tape_finish(&tape);
	}
	scratch_remove();
}

/* Chunks end by the number of records, and by that of op kinds. */
static void long_trips(void **state)
{
	static const enum trace_granularity granularities[] = {TRACE_FULL,
							       TRACE_PAGES};

	(void)state;
	for (unsigned int i = 0; i < 4; i++) {
		struct trace_info info = {.granularity = granularities[i % 2]};
		struct tape tape, merged;
		struct rng rng;

		rng_init(&rng, i);
		tape_init(&tape);
		for (int n = 0; n < (i < 2 ? 700000 : 40000); n++) {
			struct trace_ref ref;

			if (i < 2)
				random_program_ref(&rng, &ref);
			else
				random_ref(&rng, i % 2, &ref);
			tape_add_ref(&tape, &ref);
		}
		tape_merge(&tape, &merged);
		check_trip("long", &tape, i % 2 ? &merged : &tape, &info);
		tape_finish(&merged);
		tape_finish(&tape);
	}
	scratch_remove();
}

/* Chunks end by bytes when there are tables and nothing else. */
static void table_trips(void **state)
{
	struct trace_info info = {.granularity = TRACE_FULL};
	struct tape tape;
	struct rng rng;

	(void)state;
	rng_init(&rng, 7);
	tape_init(&tape);
	for (int i = 0; i < 2500; i++) {
		uint64_t table[PT_ENTRIES];
		struct trace_item item = {.kind = TRACE_ITEM_TABLE,
					  .gpa = (gpa_t)i << PAGE_SHIFT,
					  .table = table};

		for (int n = 0; n < PT_ENTRIES; n++)
			table[n] = rng_next(&rng);
		tape_add_item(&tape, &item);
	}
	check_trip("tables", &tape, &tape, &info);
	tape_finish(&tape);
	scratch_remove();
}

static void empty_trip(void **state)
{
	struct trace_info info = {.granularity = TRACE_PAGES};
	struct tape tape;

	(void)state;
	tape_init(&tape);
	check_trip("empty", &tape, &tape, &info);
	scratch_remove();
}

/* Also when references come in batches, and one by one. */
static void same_items_same_bytes(void **state)
{
	const char *paths[] = {scratch_path("a"), scratch_path("b"),
			       scratch_path("c")};
	struct trace_info info = {.granularity = TRACE_PAGES};
	struct trace_writer *w;
	struct trace_reader *r;
	struct trace_item item;
	struct tape tape;
	struct diag diag;
	struct rng rng;
	size_t len[3];
	uint8_t *bytes[3];

	(void)state;
	rng_init(&rng, 3);
	random_tape(&rng, &tape, 20000, false);
	tape_write(&tape, paths[0], &info, NULL);
	tape_write(&tape, paths[1], &info, NULL);

	assert_int_equal(trace_reader_open(paths[0], &r, &diag), 0);
	assert_int_equal(
		trace_writer_create(paths[2], trace_reader_info(r), &w, &diag),
		0);
	while (trace_read(r, &item, &diag) > 0)
		assert_int_equal(trace_write_item(w, &item), 0);
	assert_int_equal(trace_writer_close(w, NULL, &diag), 0);
	trace_reader_close(r);

	for (int i = 0; i < 3; i++) {
		bytes[i] = file_load(paths[i], &len[i]);
		assert_int_equal(len[i], len[0]);
		assert_memory_equal(bytes[i], bytes[0], len[0]);
	}
	for (int i = 0; i < 3; i++)
		free(bytes[i]);
	tape_finish(&tape);
	scratch_remove();
}

/* Any change of any field of an entry, or a swap of two, changes the digest. */
static uint64_t digest_of(const struct tape *t)
{
	struct trace_info info = {.granularity = TRACE_FULL};
	struct trace_totals totals;

	tape_write(t, scratch_path("digest"), &info, &totals);
	return totals.digest;
}

static void digest_sees_all(void **state)
{
	struct tape tape;
	struct rng rng;
	uint64_t whole;

	(void)state;
	rng_init(&rng, 11);
	random_tape(&rng, &tape, 40, false);
	whole = digest_of(&tape);
	for (size_t i = 0; i + 1 < tape.nr; i += one_of_cases()) {
		struct tape_entry *e = &tape.entries[i], saved = *e;

		if (e->is_ref) {
			e->ref.gva ^= PAGE_SIZE;
			assert_int_not_equal(digest_of(&tape), whole);
			*e = saved;
			e->ref.kind = (uint8_t)((e->ref.kind + 1) % 3);
			assert_int_not_equal(digest_of(&tape), whole);
			*e = saved;
			e->ref.count = !e->ref.count;
			assert_int_not_equal(digest_of(&tape), whole);
			*e = saved;
			e->ref.user = !e->ref.user;
			assert_int_not_equal(digest_of(&tape), whole);
		}
		*e = tape.entries[i + 1];
		tape.entries[i + 1] = saved;
		assert_int_not_equal(digest_of(&tape), whole);
		tape.entries[i + 1] = *e;
		*e = saved;
	}
	assert_int_equal(digest_of(&tape), whole);
	tape_finish(&tape);
	scratch_remove();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_trips),
		cmocka_unit_test(long_trips),
		cmocka_unit_test(table_trips),
		cmocka_unit_test(empty_trip),
		cmocka_unit_test(same_items_same_bytes),
		cmocka_unit_test(digest_sees_all),
	};

	return cmocka_run_group_tests_name("trace_roundtrip", tests, NULL,
					   NULL);
}
