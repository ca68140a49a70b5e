/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rules by which references become runs, one by one. */
#include "random.h"
#include "tape.h"

#include <stdio.h>
#include <string.h>

#include "trace/merge.h"

/*
 * A reference is a word: kind F, R, W (small letter: supervisor; with !:
 * implicit, with @: RFLAGS.AC), page, and +count if that is not 1 (in what
 * comes out, or already in what goes in).  "|" is an item that is no reference.
 * What comes out with a ? has lost its place on the page, with a > too, and
 * says that the next page has the rest of its last one.  < is the page's
 * beginning.
 */
static const struct {
	const char *name, *in, *out;
} cases[] = {
	{"fetches of one page", "F1 F1 F1", "F1+3"},
	{"fetches of two pages", "F1 F2 F1", "F1? F2? F1"},
	{"reads of one page", "R1 R1", "R1+2"},
	{"a write takes later reads", "W1 R1 R1 W1", "W1+4"},
	{"a write ends a run of reads", "R1 R1 W1 R1", "R1?+2 W1+2"},
	{"fetches and data apart", "F1 R2 F1 R2 F1", "F1+3 R2+2"},
	{"the same page in both", "F1 R1 F1 W1", "F1+2 R1? W1"},
	{"first references in order", "F1 R5 F1 F2 R5 F2", "F1?+2 R5+2 F2+2"},
	{"an open run holds others", "R5 F1 F2 F3 R5 R6",
	 "R5?+2 F1? F2? F3 R6"},
	{"user and supervisor", "F1 f1 F1 R1 r1 r1", "F1? f1? F1 R1? r1+2"},
	{"implicit or not", "W1 W1! W1! W1 R1!", "W1? W1!?+2 W1? R1!"},
	{"an item ends all runs", "F1 R2 F1 | F1 R2", "F1+2 R2 | F1 R2"},
	{"and leaves them their place", "F1 R2 F3 R4 |", "F1? R2? F3 R4 |"},
	{"items side by side", "| | F1 |", "| | F1 |"},
	{"counted ones", "F1+3 F1+4 R1+2 W1+5 R1", "F1+7 R1?+2 W1+6"},
	{"with and without RFLAGS.AC", "r1 r1@ r1@ r1", "r1? r1@?+2 r1"},
	{"the rest of a reference", "F1 F2+0 F2 R8+0 R8", "F1? F2+1 R8+1"},
	{"which is told of fetches", "F1 F1 R1 F2<+0 F2 F3",
	 "F1>+2 R1 F2?+1 F3"},
	{"of the next page", "F1 F3<+0 | R1 R2<+0", "F1? F3<+0 | R1? R2<+0"},
	{"told already", "F1>+7 F2?+5 F3", "F1>+7 F2?+5 F3"},
	{"no count beyond the limit", "F1+16777215 F1 F1", "F1?+16777216 F1"},
	{"nor by much", "F1+16777216 F1+16777216", "F1?+16777216 F1+16777216"},
};

static unsigned int place_of(const char *word)
{
	return strpbrk(word, "?<>") ? 0 : 8;
}

static uint8_t size_of(const char *word)
{
	if (strchr(word, '>'))
		return TRACE_SIZE_GOES_ON;
	if (strchr(word, '?'))
		return word[0] == 'F' || word[0] == 'f' ? TRACE_SIZE_SOMEWHERE
							: 1;
	return 4;
}

static bool parse_word(const char *word, struct trace_ref *ref)
{
	static const char kinds[] = "FRWfrw";
	unsigned int page, count = 1;
	const char *kind = strchr(kinds, word[0]), *plus = strchr(word, '+');

	if (word[0] == '|')
		return false;
	assert_non_null(kind);
	assert_int_equal(sscanf(word + 1, "%u", &page), 1);
	if (plus)
		assert_int_equal(sscanf(plus, "+%u", &count), 1);
	*ref = (struct trace_ref){
		.gva = page * PAGE_SIZE + place_of(word),
		.count = count,
		.kind = (uint8_t)((kind - kinds) % 3),
		.size = size_of(word),
		.user = kind - kinds < 3,
		.implicit = strchr(word, '!') != NULL,
		.ac = strchr(word, '@') != NULL,
	};
	return true;
}

static void parse(const char *text, struct tape *t)
{
	struct trace_item item = {.kind = TRACE_ITEM_MARK};
	char copy[256], *save, *word;

	tape_init(t);
	assert_true(strlen(text) < sizeof(copy));
	strcpy(copy, text);
	for (word = strtok_r(copy, " ", &save); word;
	     word = strtok_r(NULL, " ", &save)) {
		struct trace_ref ref;

		if (parse_word(word, &ref))
			tape_add_ref(t, &ref);
		else
			tape_add_item(t, &item);
	}
}

static void rules(void **state)
{
	const char *path = scratch_path("merge");
	struct trace_info info = {.granularity = TRACE_PAGES};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct tape_reading how;
		struct tape in, want, got, model;
		struct diag diag;

		parse(cases[i].in, &in);
		parse(cases[i].out, &want);
		tape_write(&in, path, &info, NULL);
		assert_int_equal(tape_read(&got, path, &how, &diag), 0);
		tape_check_equal(cases[i].name, &got, &want);
		tape_merge(&in, &model);
		tape_check_equal(cases[i].name, &model, &want);
		tape_finish(&in);
		tape_finish(&want);
		tape_finish(&got);
		tape_finish(&model);
	}
	scratch_remove();
}

/* The run is that of its first reference, to the byte. */
static void first_reference_stays(void **state)
{
	const char *path = scratch_path("first");
	struct trace_info info = {.granularity = TRACE_PAGES};
	struct trace_ref first = {
		.gva = 0x1ffe, .count = 1, .size = 2, .kind = TRACE_READ};
	struct trace_ref other = {
		.gva = 0x1008, .count = 1, .size = 8, .kind = TRACE_READ};
	struct tape_reading how;
	struct tape in, got;
	struct diag diag;

	(void)state;
	tape_init(&in);
	tape_add_ref(&in, &first);
	tape_add_ref(&in, &other);
	tape_write(&in, path, &info, NULL);
	assert_int_equal(tape_read(&got, path, &how, &diag), 0);
	assert_int_equal(got.nr, 1);
	assert_int_equal(got.entries[0].ref.gva, 0x1ffe);
	assert_int_equal(got.entries[0].ref.size, 2);
	assert_int_equal(got.entries[0].ref.count, 2);
	tape_finish(&in);
	tape_finish(&got);
	scratch_remove();
}

/* However long a run stays open, no more than 32 wait for it. */
static void bounded_wait(void **state)
{
	const char *path = scratch_path("wait");
	struct trace_info info = {.granularity = TRACE_PAGES};
	struct tape_reading how;
	struct tape in, got;
	struct diag diag;

	(void)state;
	tape_init(&in);
	for (uint64_t i = 0; i < 100; i++) {
		struct trace_ref data = {.gva = 0x5000,
					 .count = 1,
					 .size = 1,
					 .kind = TRACE_READ};
		struct trace_ref fetch = {.gva = (8 + i % 2) << PAGE_SHIFT,
					  .count = 1,
					  .size = 1};

		tape_add_ref(&in, &data);
		tape_add_ref(&in, &fetch);
	}
	tape_write(&in, path, &info, NULL);
	assert_int_equal(tape_read(&got, path, &how, &diag), 0);
	/* A run of reads and 31 of fetches; then the 32nd fetch closes all. */
	assert_int_equal(got.nr, 104);
	for (size_t i = 0; i < got.nr; i++) {
		const struct trace_ref *ref = &got.entries[i].ref;
		uint32_t want = ref->kind == TRACE_FETCH ? 1 : i < 96 ? 32 : 4;

		assert_int_equal(ref->count, want);
	}
	tape_finish(&in);
	tape_finish(&got);
	scratch_remove();
}

/* Now and then all runs are ended, as by an item. */
static uint32_t add(struct merge *m, const struct trace_ref *ref, bool end,
		    struct trace_ref *out)
{
	uint32_t nr = merge_add(m, ref, out);

	return end ? nr + merge_flush(m, out + nr) : nr;
}

static uint32_t add_data(struct merge *m, const struct trace_ref *ref, bool end,
			 struct trace_ref *out, unsigned int *taken)
{
	if (ref->kind == TRACE_FETCH || ref->count != 1 || ref->implicit ||
	    !merge_data(m, ref->gva,
			merge_tail((enum trace_kind)ref->kind, ref->size,
				   ref->user, ref->ac)))
		return add(m, ref, end, out);
	++*taken;
	return end ? merge_flush(m, out) : 0;
}

/* Fetches go on with the open run on the same page and of the same CPL. */
static void check_holds(const struct merge *m, const struct trace_ref *ref)
{
	const struct trace_ref *run = m->open[0];

	assert_int_equal(
		merge_holds(m, ref->gva, 7, ref->user),
		run && !run->ac && !run->implicit && run->user == ref->user &&
			run->gva >> PAGE_SHIFT == ref->gva >> PAGE_SHIFT);
}

/* The short way for data does what the long one does. */
static void data_alike(void **state)
{
	struct trace_ref all[2][2 * MERGE_MAX];
	struct merge m[2];
	unsigned int taken = 0;
	struct rng rng;

	(void)state;
	rng_init(&rng, 4);
	merge_init(&m[0]);
	merge_init(&m[1]);
	for (int i = 0; i < 200000; i++) {
		struct trace_ref ref;
		bool end = rng_below(&rng, 50) == 0;
		uint32_t nr;

		random_program_ref(&rng, &ref);
		ref.ac = rng_below(&rng, 40) == 0;
		ref.user = rng_below(&rng, 40) != 0;
		nr = add(&m[0], &ref, end, all[0]);
		assert_int_equal(add_data(&m[1], &ref, end, all[1], &taken),
				 nr);
		assert_memory_equal(all[0], all[1], nr * sizeof(ref));
		check_holds(&m[0], &ref);
	}
	assert_true(taken > 50000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rules),
		cmocka_unit_test(first_reference_stays),
		cmocka_unit_test(bounded_wait),
		cmocka_unit_test(data_alike),
	};

	return cmocka_run_group_tests_name("trace_merge", tests, NULL, NULL);
}
