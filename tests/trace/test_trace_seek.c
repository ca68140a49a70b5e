/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Going to a reference: the chunk that holds it comes next, with or without an
 * index, whatever the index says.
 */
#include "forge.h"
#include "random.h"
#include "tape.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trace/le.h"

#define PARTS 9

static unsigned int runs_of(unsigned int part)
{
	return part == 5 ? 0 : part;
}

/* Chunk n holds n runs of 10 references; the first and some more hold none. */
static void make(struct forge *f)
{
	struct trace_info info = {.granularity = TRACE_PAGES};

	forge_begin(f, &info);
	for (unsigned int part = 0; part < PARTS; part++) {
		struct trace_item item = {.kind = TRACE_ITEM_MARK, .id = part};
		struct tape tape;

		tape_init(&tape);
		tape_add_item(&tape, &item);
		for (unsigned int i = 0; i < runs_of(part); i++) {
			struct trace_ref ref = {.gva = (gva_t)(100 * part + i)
						       << PAGE_SHIFT,
						.count = 10,
						.size = 1};

			tape_add_ref(&tape, &ref);
		}
		forge_tape(f, &tape, TRACE_PAGES);
		tape_finish(&tape);
	}
	forge_end(f, true);
}

static void no_index(struct forge *f)
{
	f->len = f->footer.index;
}

static void no_footer(struct forge *f)
{
	f->len -= FOOTER_LEN;
}

static void index_of_nothing(struct forge *f)
{
	memset(f->data + f->footer.index + INDEX_HEADER, 0,
	       (size_t)f->chunks * INDEX_ENTRY);
}

static void index_off_by_one(struct forge *f)
{
	for (uint64_t i = 0; i + 1 < f->chunks; i++)
		put_le64(f->data + f->footer.index + INDEX_HEADER +
				 i * INDEX_ENTRY,
			 f->index[i + 1].offset);
}

static void index_to_nowhere(struct forge *f)
{
	for (uint64_t i = 0; i < f->chunks; i++)
		put_le64(f->data + f->footer.index + INDEX_HEADER +
				 i * INDEX_ENTRY,
			 f->index[i].offset + 1);
}

static const struct {
	const char *name;
	void (*change)(struct forge *f);
} files[] = {
	{"with an index", NULL},
	{"without an index", no_index},
	{"without a footer", no_footer},
	{"all entries 0", index_of_nothing},
	{"entries off by one", index_off_by_one},
	{"entries to nowhere", index_to_nowhere},
};

/* What follows a seek to ref is a mark, then the runs of that chunk. */
static void check_seek(const char *name, struct trace_reader *r, uint64_t ref)
{
	const struct trace_totals *t = trace_reader_totals(r);
	struct trace_item item;
	struct diag diag;
	uint64_t first;

	if (trace_reader_seek(r, ref, &diag))
		fail_msg("%s: to %" PRIu64 ": %s", name, ref, diag.msg);
	first = t->refs;
	assert_int_equal(t->insns, first);
	assert_int_equal(t->records, first / 10);
	assert_int_equal(trace_read(r, &item, &diag), 1);
	assert_int_equal(item.kind, TRACE_ITEM_MARK);
	assert_int_equal(trace_read(r, &item, &diag), 1);
	assert_int_equal(item.kind, TRACE_ITEM_REFS);
	if (ref < first || ref >= first + 10 * item.nr)
		fail_msg("%s: to %" PRIu64 ": got %" PRIu64 " and %u after",
			 name, ref, first, 10 * item.nr);
	assert_int_equal(t->refs, first + 10 * item.nr);
}

/* The first item of a chunk is a mark with its number. */
static void check_seek_items(const char *name, struct trace_reader *r)
{
	uint64_t n = 0, want = 0, first;
	struct trace_item item;
	struct diag diag;

	for (unsigned int part = 0; part < PARTS; part++, want = n) {
		for (; n <= want + runs_of(part); n++) {
			if (trace_reader_seek_item(r, n, &first, &diag))
				fail_msg("%s: item %" PRIu64 ": %s", name, n,
					 diag.msg);
			assert_int_equal(first, want);
			assert_int_equal(trace_read(r, &item, &diag), 1);
			assert_int_equal(item.kind, TRACE_ITEM_MARK);
			assert_int_equal(item.id, part);
		}
	}
	assert_int_equal(trace_reader_seek_item(r, n, &first, &diag), -ERANGE);
}

static void seeks(void **state)
{
	const char *path = scratch_path("seek");

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		struct trace_reader *r;
		struct trace_item item;
		struct forge f;
		struct diag diag;
		uint64_t all;

		make(&f);
		all = f.footer.totals.refs;
		if (files[i].change)
			files[i].change(&f);
		file_store(path, f.data, f.len);
		assert_int_equal(trace_reader_open(path, &r, &diag), 0);
		for (uint64_t ref = 0; ref < all; ref++) {
			check_seek(files[i].name, r, ref);
			check_seek(files[i].name, r, all - 1 - ref);
		}
		check_seek_items(files[i].name, r);
		assert_int_equal(trace_reader_seek(r, all, &diag), -ERANGE);
		assert_int_equal(trace_reader_seek(r, UINT64_MAX, &diag),
				 -ERANGE);

		/* On to the end: nothing is said about what was skipped. */
		check_seek(files[i].name, r, all - 1);
		assert_int_equal(trace_read(r, &item, &diag), 0);
		assert_int_equal(trace_reader_totals(r)->refs, all);
		if (files[i].change != no_index)
			assert_null(trace_reader_damage(r));
		trace_reader_close(r);
		forge_finish(&f);
	}
	scratch_remove();
}

/* A chunk that is damaged stops reading, and seeking only without an index. */
static void over_damage(void **state)
{
	const char *path = scratch_path("over");
	struct trace_reader *r;
	struct trace_item item;
	struct diag diag;
	struct forge f;

	(void)state;
	make(&f);
	f.data[f.index[3].offset]++; /* its magic */
	file_store(path, f.data, f.len);
	assert_int_equal(trace_reader_open(path, &r, &diag), 0);
	while (trace_read(r, &item, &diag) > 0)
		;
	assert_non_null(trace_reader_damage(r));
	for (unsigned int part = 0; part < PARTS; part++) {
		uint64_t next = part + 1 < PARTS ? f.index[part + 1].first_ref
						 : f.footer.totals.refs;

		if (part == 3)
			assert_int_equal(trace_reader_seek(r, next - 1, &diag),
					 -ERANGE);
		for (uint64_t ref = f.index[part].first_ref;
		     ref < next && part != 3; ref++)
			check_seek("over damage", r, ref);
		if (part > 3)
			assert_null(trace_reader_damage(r));
	}
	trace_reader_close(r);
	forge_finish(&f);
	scratch_remove();
}

/* Back to the first chunk is a new start, and checked to the end. */
static void rewinds(void **state)
{
	const char *path = scratch_path("rewind");
	struct trace_info info = {.granularity = TRACE_FULL};
	struct trace_totals written, again;
	struct trace_reader *r;
	struct trace_item item;
	struct tape tape;
	struct diag diag;
	struct rng rng;

	(void)state;
	rng_init(&rng, 1);
	tape_init(&tape);
	for (int i = 0; i < 5000; i++) {
		struct trace_ref ref;

		random_program_ref(&rng, &ref);
		tape_add_ref(&tape, &ref);
	}
	tape_write(&tape, path, &info, &written);
	assert_int_equal(trace_reader_open(path, &r, &diag), 0);
	assert_int_equal(trace_read(r, &item, &diag), 1);
	assert_int_equal(trace_reader_seek(r, 0, &diag), 0);
	while (trace_read(r, &item, &diag) > 0)
		;
	assert_null(trace_reader_damage(r));
	again = *trace_reader_totals(r);
	assert_memory_equal(&again, &written, sizeof(again));
	assert_int_equal(trace_read(r, &item, &diag), 0);
	trace_reader_close(r);
	tape_finish(&tape);
	scratch_remove();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(seeks),
		cmocka_unit_test(over_damage),
		cmocka_unit_test(rewinds),
	};

	return cmocka_run_group_tests_name("trace_seek", tests, NULL, NULL);
}
