/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of blocks, the clock on it, instruction shapes: no Unicorn. */
#include "check.h"

#include "live/blocks.h"
#include "live/clock.h"
#include "live/shape.h"

static const uint8_t lengths_a[] = {1, 2, 3, 4};
static const uint8_t lengths_b[] = {4, 3, 2, 1};

static struct block_shape shape(gva_t pc, const uint8_t *lengths, bool rep)
{
	return (struct block_shape){.key = {.pc = pc,
					    .size = 10,
					    .mode = CODE_64,
					    .hash = lengths[0]},
				    .nr = 4,
				    .rep = rep,
				    .lengths = lengths};
}

static struct blocks blocks;

static const struct block *add_shape(const struct block_shape *s)
{
	const struct block *block = blocks_add(&blocks, s);

	assert_non_null(block);
	return block;
}

static const struct block *add(struct blocks *to, gva_t pc,
			       const uint8_t *lengths, bool rep)
{
	const struct block_shape s = shape(pc, lengths, rep);
	const struct block *block = blocks_add(to, &s);

	assert_non_null(block);
	return block;
}

static const struct block *add_at(const uint8_t *lengths, gfn_t frame,
				  enum code_mode mode)
{
	struct block_shape s = shape(0x1000, lengths, false);

	s.key.place = (struct block_place){frame, frame};
	s.key.mode = mode;
	return add_shape(&s);
}

static void test_lookup(void **state)
{
	(void)state;
	assert_int_equal(blocks_create(&blocks), 0);
	/* Far more than the index begins with; many share a cache slot. */
	for (gva_t i = 0; i < 100000; i++)
		add(&blocks, i << 12, lengths_a, false);
	for (gva_t i = 0; i < 100000; i++) {
		const struct block *block = blocks_find(&blocks, i << 12, 10);

		if (!block || block->pc != i << 12)
			fail_msg("block 0x%" PRIx64 " not found", i << 12);
		if (blocks_recent(&blocks, i << 12, 10) != block)
			fail_msg("block 0x%" PRIx64 " not recent", i << 12);
	}
	assert_null(blocks_find(&blocks, 0x1001, 10));
	assert_null(blocks_find(&blocks, 0x1000, 9));
	assert_null(blocks_recent(&blocks, UINT64_MAX, 0xffff));
	blocks_clear(&blocks);
	assert_null(blocks_find(&blocks, 0x1000, 10));
	assert_null(blocks_recent(&blocks, 0x1000, 10));
	blocks_destroy(&blocks);
}

static void test_watch(void **state)
{
	(void)state;
	assert_int_equal(blocks_create(&blocks), 0);
	add(&blocks, 0x1000, lengths_a, false);
	assert_non_null(blocks_recent(&blocks, 0x1000, 10));
	blocks_watch(&blocks, 0x1000);
	assert_null(blocks_recent(&blocks, 0x1000, 10));
	assert_non_null(blocks_find(&blocks, 0x1000, 10));
	assert_null(blocks_recent(&blocks, 0x1000, 10));
	blocks_watch(&blocks, UINT64_MAX);
	assert_non_null(blocks_find(&blocks, 0x1000, 10));
	assert_non_null(blocks_recent(&blocks, 0x1000, 10));
	blocks_watch_all(&blocks);
	assert_non_null(blocks_find(&blocks, 0x1000, 10));
	assert_null(blocks_recent(&blocks, 0x1000, 10));
	blocks_destroy(&blocks);
}

static const struct block *known(const uint8_t *lengths, gfn_t frame,
				 enum code_mode mode)
{
	struct block_key key = shape(0x1000, lengths, false).key;

	key.place = (struct block_place){frame, frame};
	key.mode = mode;
	return blocks_known(&blocks, &key);
}

static void test_variants(void **state)
{
	const struct block *a, *b;

	(void)state;
	assert_int_equal(blocks_create(&blocks), 0);
	a = add_at(lengths_a, 1, CODE_64);
	assert_false(a->ambiguous);
	/* The same lengths from other bytes: the same entry. */
	assert_ptr_equal(add_at(lengths_a, 2, CODE_64), a);
	assert_false(a->ambiguous);
	assert_null(known(lengths_a, 1, CODE_64));
	b = add_at(lengths_b, 3, CODE_64);
	assert_ptr_not_equal(a, b);
	assert_true(a->ambiguous && b->ambiguous);
	assert_null(blocks_recent(&blocks, 0x1000, 10));
	assert_ptr_equal(known(lengths_a, 2, CODE_64), a);
	assert_ptr_equal(known(lengths_b, 3, CODE_64), b);
	assert_null(known(lengths_b, 2, CODE_64));
	assert_null(known(lengths_b, 3, CODE_32));
	blocks_destroy(&blocks);
}

/* What was written over makes way; what may lie elsewhere, too, stays. */
static void test_places(void **state)
{
	static const struct {
		const char *name;
		gfn_t frame;
		enum code_mode mode;
		gfn_t shared_with; /* 0: with nobody */
		bool ambiguous;
	} cases[] = {
		{"written over", 1, CODE_64, 0, false},
		{"another frame", 2, CODE_64, 0, true},
		{"another mode", 1, CODE_32, 0, true},
		{"written over in one of two", 1, CODE_64, 2, true},
		{"written over in the last of two", 2, CODE_64, 2, true},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct block *block;

		assert_int_equal(blocks_create(&blocks), 0);
		add_at(lengths_a, 1, CODE_64);
		if (cases[i].shared_with)
			add_at(lengths_a, cases[i].shared_with, CODE_64);
		block = add_at(lengths_b, cases[i].frame, cases[i].mode);
		check_eq(cases[i].name, block->ambiguous, cases[i].ambiguous);
		check_eq(cases[i].name, blocks.nr, cases[i].ambiguous ? 2 : 1);
		check_eq(cases[i].name, block_length(&blocks, block, 0),
			 lengths_b[0]);
		blocks_destroy(&blocks);
	}
}

/* Code that never stops changing must not grow the table for ever. */
static void test_bounded_variants(void **state)
{
	uint8_t lengths[4] = {1, 1, 1, 1};

	(void)state;
	assert_int_equal(blocks_create(&blocks), 0);
	for (unsigned int i = 0; i < 1000; i++) {
		const struct block *block;

		lengths[0] = (uint8_t)(i % 15 + 1);
		lengths[1] = (uint8_t)(i / 15 % 15 + 1);
		block = add_at(lengths, i, CODE_64);
		check_eq("length", block_length(&blocks, block, 0), lengths[0]);
		check_eq("length", block_length(&blocks, block, 1), lengths[1]);
	}
	assert_true(blocks.nr <= 16);
	blocks_destroy(&blocks);
}

static void test_offsets(void **state)
{
	static const struct {
		uint64_t offset;
		bool exact;
		uint16_t before;
	} cases[] = {{0, true, 0},   {1, true, 1},
		     {2, false, 2},  {3, true, 2},
		     {6, true, 3},   {10, true, 4},
		     {11, false, 4}, {~UINT64_C(0), false, 4}};
	const struct block *block;

	(void)state;
	assert_int_equal(blocks_create(&blocks), 0);
	block = add(&blocks, 0x1000, lengths_a, false);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		uint16_t before;

		check_eq("exact",
			 block_insns_before(&blocks, block, cases[i].offset,
					    &before),
			 cases[i].exact);
		check_eq("before", before, cases[i].before);
	}
	blocks_destroy(&blocks);
}

static void test_clock(void **state)
{
	const struct block *plain, *rep, *loop;
	struct clock clock;

	(void)state;
	assert_int_equal(blocks_create(&blocks), 0);
	add(&blocks, 0x1000, lengths_a, false);
	add(&blocks, 0x2000, lengths_a, true); /* at 0x2006 */
	blocks_add(&blocks,
		   &(struct block_shape){.key = {.pc = 0x2006, .size = 4},
					 .nr = 1,
					 .rep = true,
					 .lengths = lengths_b});
	plain = blocks_find(&blocks, 0x1000, 10);
	rep = blocks_find(&blocks, 0x2000, 10);
	loop = blocks_find(&blocks, 0x2006, 4);

	clock_init(&clock);
	clock.deadline = 8;
	assert_false(clock_enter(&clock, plain, 0x1000));
	check_eq("base", clock_base(&clock), 0);
	check_eq("at", clock_at(&clock, &blocks, 0x1003), 2);
	assert_true(clock_enter(&clock, plain, 0x1000));
	check_eq("base", clock_base(&clock), 4);
	clock_leave(&clock, &blocks, 0x1006);
	check_eq("left", clock_base(&clock), 7);
	clock_retire(&clock);

	/* Three iterations, then on: one instruction. */
	clock_enter(&clock, rep, 0x2000);
	clock_enter(&clock, loop, 0x2006);
	clock_enter(&clock, loop, 0x2006);
	check_eq("under way", clock_base(&clock), 11);
	clock_enter(&clock, plain, 0x1000);
	check_eq("complete", clock_base(&clock), 12);
	clock_undo(&clock);
	check_eq("undone", clock_base(&clock), 12);

	/* Left at the string instruction, which goes on later. */
	clock_enter(&clock, loop, 0x2006);
	clock_leave(&clock, &blocks, 0x2006);
	check_eq("left", clock_base(&clock), 12);
	clock_enter(&clock, loop, 0x2006);
	clock_complete(&clock, 0x2006);
	check_eq("between iterations", clock_base(&clock), 12);
	clock_complete(&clock, 0x1000);
	check_eq("complete", clock_base(&clock), 13);
	clock_complete(&clock, 0x1000);
	check_eq("twice", clock_base(&clock), 13);
	blocks_destroy(&blocks);
}

static void test_shapes(void **state)
{
	static const struct {
		const char *name;
		enum code_mode mode;
		uint8_t bytes[6];
		size_t n;
		struct shape want;
	} cases[] = {
		{"rep movsb", CODE_64, {0xf3, 0xa4}, 2, {true, false, false}},
		{"rep movsq",
		 CODE_64,
		 {0xf3, 0x48, 0xa5},
		 3,
		 {true, false, false}},
		{"repne scasb",
		 CODE_32,
		 {0xf2, 0x66, 0xae},
		 3,
		 {true, false, false}},
		{"rep insb", CODE_16, {0xf3, 0x6c}, 2, {true, false, false}},
		{"movsb", CODE_64, {0xa4}, 1, {false, false, false}},
		{"repz ret", CODE_64, {0xf3, 0xc3}, 2, {false, false, false}},
		{"inc, not REX",
		 CODE_32,
		 {0xf3, 0x48, 0xa5},
		 3,
		 {false, false, false}},
		{"test is no string",
		 CODE_64,
		 {0xf3, 0xa8},
		 2,
		 {false, false, false}},
		{"pushf", CODE_64, {0x66, 0x9c}, 2, {false, true, false}},
		{"popf", CODE_16, {0x9d}, 1, {false, false, true}},
		{"iretq", CODE_64, {0x48, 0xcf}, 2, {false, false, true}},
		{"nothing", CODE_64, {0xf3}, 1, {false, false, false}},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct shape got =
			shape_of(cases[i].mode, cases[i].bytes, cases[i].n);

		check_part(cases[i].name, "rep", got.rep_string,
			   cases[i].want.rep_string);
		check_part(cases[i].name, "pushes", got.pushes_flags,
			   cases[i].want.pushes_flags);
		check_part(cases[i].name, "pops", got.pops_flags,
			   cases[i].want.pops_flags);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lookup),
		cmocka_unit_test(test_watch),
		cmocka_unit_test(test_variants),
		cmocka_unit_test(test_places),
		cmocka_unit_test(test_bounded_variants),
		cmocka_unit_test(test_offsets),
		cmocka_unit_test(test_clock),
		cmocka_unit_test(test_shapes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
