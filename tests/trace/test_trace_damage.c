/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A trace cut off at any byte gives all its whole chunks and says what is
 * missing; a trace with any bit changed is never taken for a good one.
 */
#include "../share.h"
#include "forge.h"
#include "random.h"
#include "tape.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PARTS 4

/* A file of some small chunks, and what is in it. */
struct sample {
	struct forge forge;
	struct tape tape;
	size_t parts[PARTS + 1]; /* entries of the tape before each chunk */
};

static void add_part(struct sample *s, struct rng *rng)
{
	static uint64_t table[PT_ENTRIES];
	struct tape part;

	tape_init(&part);
	for (int i = 0; i < 12; i++) {
		struct trace_item item;
		struct trace_ref ref;

		random_program_ref(rng, &ref);
		tape_add_ref(&part, &ref);
		if (i % 4)
			continue;
		do {
			random_item(rng, &item, table);
		} while (item.kind == TRACE_ITEM_TABLE);
		tape_add_item(&part, &item);
	}
	forge_tape(&s->forge, &part, TRACE_FULL);
	for (size_t i = 0; i < part.nr; i++) {
		const struct tape_entry *e = &part.entries[i];

		if (e->is_ref)
			tape_add_ref(&s->tape, &e->ref);
		else
			tape_add_item(&s->tape, &e->item);
	}
	tape_finish(&part);
}

static void make_sample(struct sample *s)
{
	struct trace_info info = {.granularity = TRACE_FULL, .source = "test"};
	struct rng rng;

	rng_init(&rng, 5);
	tape_init(&s->tape);
	forge_begin(&s->forge, &info);
	s->parts[0] = 0;
	for (int i = 0; i < PARTS; i++) {
		add_part(s, &rng);
		s->parts[i + 1] = s->tape.nr;
	}
	forge_end(&s->forge, true);
}

static void free_sample(struct sample *s)
{
	tape_finish(&s->tape);
	forge_finish(&s->forge);
}

/* Entries in chunks that end within the first len bytes. */
static size_t whole_entries(const struct sample *s, size_t len)
{
	size_t whole = 0;

	for (int i = 0; i < PARTS; i++) {
		uint64_t end = i + 1 < PARTS ? s->forge.index[i + 1].offset
					     : s->forge.footer.index;

		if (end <= len)
			whole = s->parts[i + 1];
	}
	return whole;
}

/* The digest of the first nr entries. */
static uint64_t part_digest(const struct sample *s, size_t nr)
{
	struct trace_sum sum;

	trace_sum_init(&sum);
	for (size_t i = 0; i < nr; i++) {
		const struct tape_entry *e = &s->tape.entries[i];

		if (e->is_ref)
			trace_sum_refs(&sum, &e->ref, 1);
		else
			trace_sum_item(&sum, &e->item);
	}
	return trace_sum_digest(&sum);
}

static void intact(void **state)
{
	const char *path = scratch_path("intact");
	struct tape_reading how;
	struct sample s;
	struct tape got;
	struct diag diag;

	(void)state;
	make_sample(&s);
	file_store(path, s.forge.data, s.forge.len);
	assert_int_equal(tape_read(&got, path, &how, &diag), 0);
	assert_string_equal(how.damage, "");
	tape_check_equal("intact", &got, &s.tape);
	tape_finish(&got);
	free_sample(&s);
	scratch_remove();
}

static void cut_anywhere(void **state)
{
	const char *path = scratch_path("cut");
	struct sample s;

	(void)state;
	make_sample(&s);
	for (size_t len = 0; len < s.forge.len; len += one_of_cases()) {
		struct tape_reading how;
		struct tape got;
		struct diag diag;
		char name[32];
		int err;

		snprintf(name, sizeof(name), "cut at %zu", len);
		file_store(path, s.forge.data, len);
		err = tape_read(&got, path, &how, &diag);
		if ((err < 0) != (len < s.forge.index[0].offset))
			fail_msg("%s: got %d", name, err);
		if (!err) {
			tape_check_prefix(name, &got, &s.tape);
			if (got.nr != whole_entries(&s, len))
				fail_msg("%s: got %zu entries, want %zu", name,
					 got.nr, whole_entries(&s, len));
			if (!strstr(how.damage, len < s.forge.footer.index + 4
							? "ends early"
							: "footer is missing"))
				fail_msg("%s: got \"%s\"", name, how.damage);
			if (how.totals.digest != part_digest(&s, got.nr))
				fail_msg("%s: digest differs", name);
		}
		tape_finish(&got);
	}
	free_sample(&s);
	scratch_remove();
}

/* What comes before the damage is right; the damage itself is never missed. */
static void change_any_bit(void **state)
{
	const char *path = scratch_path("flip");
	struct sample s;

	(void)state;
	make_sample(&s);
	for (size_t bit = 0; bit < 8 * s.forge.len; bit += one_of_cases()) {
		uint8_t *byte = &s.forge.data[bit / 8];
		struct tape_reading how;
		struct tape got;
		struct diag diag;
		char name[64];

		snprintf(name, sizeof(name), "bit %zu of byte %zu", bit % 8,
			 bit / 8);
		*byte = (uint8_t)(*byte ^ 1u << bit % 8);
		file_store(path, s.forge.data, s.forge.len);
		*byte = (uint8_t)(*byte ^ 1u << bit % 8);
		if (!tape_read(&got, path, &how, &diag)) {
			tape_check_prefix(name, &got, &s.tape);
			if (!how.damage[0])
				fail_msg("%s: not noticed", name);
		}
		tape_finish(&got);
	}
	free_sample(&s);
	scratch_remove();
}

/* A chunk left out, doubled, or in another's place. */
static void chunks_out_of_order(void **state)
{
	static const struct {
		const char *name;
		int order[PARTS + 1];
		size_t good; /* chunks that can be read */
	} cases[] = {
		{"one missing", {0, 2, 3, -1}, 1},
		{"first missing", {1, 2, 3, -1}, 0},
		{"last missing", {0, 1, 2, -1}, 3},
		{"doubled", {0, 1, 1, 2, 3}, 2},
		{"swapped", {0, 2, 1, 3, -1}, 1},
	};
	const char *path = scratch_path("order");
	struct sample s;

	(void)state;
	make_sample(&s);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		size_t len = s.forge.index[0].offset;
		uint8_t *data = malloc(2 * s.forge.len);
		struct tape_reading how;
		struct tape got;
		struct diag diag;

		assert_non_null(data);
		memcpy(data, s.forge.data, len);
		for (int n = 0; n <= PARTS && cases[i].order[n] >= 0; n++) {
			int part = cases[i].order[n];
			size_t from = s.forge.index[part].offset;
			size_t to = part + 1 < PARTS
					    ? s.forge.index[part + 1].offset
					    : s.forge.footer.index;

			memcpy(data + len, s.forge.data + from, to - from);
			len += to - from;
		}
		memcpy(data + len, s.forge.data + s.forge.footer.index,
		       s.forge.len - s.forge.footer.index);
		len += s.forge.len - s.forge.footer.index;
		file_store(path, data, len);
		assert_int_equal(tape_read(&got, path, &how, &diag), 0);
		tape_check_prefix(cases[i].name, &got, &s.tape);
		if (got.nr != s.parts[cases[i].good] || !how.damage[0])
			fail_msg("%s: got %zu entries, want %zu, \"%s\"",
				 cases[i].name, got.nr, s.parts[cases[i].good],
				 how.damage);
		tape_finish(&got);
		free(data);
	}
	free_sample(&s);
	scratch_remove();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(intact),
		cmocka_unit_test(cut_anywhere),
		cmocka_unit_test(change_any_bit),
		cmocka_unit_test(chunks_out_of_order),
	};

	return cmocka_run_group_tests_name("trace_damage", tests, NULL, NULL);
}
