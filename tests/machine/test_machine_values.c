/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What stands behind '=': what it comes to, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "machine/value.h"

static const struct ini file = {.name = "x.ini"};

static struct ini_entry entry_of(const char *value, const char *range)
{
	return (struct ini_entry){.section = "s",
				  .key = "k",
				  .value = value,
				  .range = range,
				  .line = 7};
}

static const struct {
	const char *value, *range;
	uint64_t typ, min, max;
	bool bad;
} ranges[] = {
	{"0", NULL, 0, 0, 0, false},
	{"1000", NULL, 1000, 1000, 1000, false},
	{"10", "5..20", 10, 5, 20, false},
	{"10", "10 .. 10", 10, 10, 10, false},
	{"1001", NULL, .bad = true},
	{"10", "11..20", .bad = true},
	{"10", "5..9", .bad = true},
	{"10", "5..1001", .bad = true},
	{"10", "5-20", .bad = true},
	{"10", "5..20x", .bad = true},
	{"10", "5..", .bad = true},
	{"10", "..20", .bad = true},
	{"10", "", .bad = true},
	{"-1", NULL, .bad = true},
	{"1.5", NULL, .bad = true},
	{"0x10", NULL, .bad = true},
	{"", NULL, .bad = true},
	{"18446744073709551616", NULL, .bad = true},
	{"99999999999999999999999999", NULL, .bad = true},
};

static void test_ranges(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(ranges); i++) {
		struct ini_entry entry =
			entry_of(ranges[i].value, ranges[i].range);
		struct cost_range got = {1, 2, 3};
		struct diag diag = {""};
		int err = value_range(&file, &entry, 0, 1000, &got, &diag);

		if (ranges[i].bad) {
			assert_int_equal(err, -EINVAL);
			assert_int_equal(strncmp(diag.msg, "x.ini:7: k = ", 13),
					 0);
			assert_int_equal(got.typ, 1);
			continue;
		}
		if (err || got.typ != ranges[i].typ ||
		    got.min != ranges[i].min || got.max != ranges[i].max)
			fail_msg("%s [%s]: %s", ranges[i].value,
				 ranges[i].range, diag.msg);
	}
}

static void test_words(void **state)
{
	struct ini_entry yes = entry_of("yes", NULL), no = entry_of("no", NULL),
			 ranged = entry_of("yes", "1..2"),
			 other = entry_of("Yes", NULL);
	struct diag diag;
	char text[4];
	bool got = false;

	(void)state;
	assert_int_equal(value_yes_no(&file, &yes, &got, &diag), 0);
	assert_true(got);
	assert_int_equal(value_yes_no(&file, &no, &got, &diag), 0);
	assert_false(got);
	assert_int_equal(value_yes_no(&file, &ranged, &got, &diag), -EINVAL);
	assert_string_equal(diag.msg, "x.ini:7: k takes no [MIN..MAX]");
	assert_int_equal(value_yes_no(&file, &other, &got, &diag), -EINVAL);
	assert_string_equal(diag.msg, "x.ini:7: k = Yes: want yes or no");
	assert_int_equal(value_text(&file, &yes, text, sizeof(text), &diag), 0);
	assert_string_equal(text, "yes");
	assert_int_equal(value_text(&file, &yes, text, 3, &diag), -EINVAL);
}

static const struct {
	const char *value;
	uint32_t sets;
	uint16_t ways;
	enum cpu_policy policy;
} arrays[] = {
	{"0", 0, 0, CPU_LRU},
	{"64/4", 16, 4, CPU_LRU},
	{"64/full", 1, 64, CPU_LRU},
	{"1536/12", 128, 12, CPU_LRU},
	{"96/6 plru", 16, 6, CPU_PLRU},
	{"256/full fifo", 1, 256, CPU_FIFO},
	{"7/full random", 1, 7, CPU_RANDOM},
	{"48/1 lru", 48, 1, CPU_LRU},
};

static const char *const bad_arrays[] = {
	"",      "64",       "64/",     "64/0",          "0/4",      "0/full",
	"64/5",  "64/x",     "64/4 no", "64/4 lru lru",  "257/full", "64 / 4",
	"0 lru", "64/full4", "-4/4",    "99999999999/4",
};

static void test_arrays(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(arrays); i++) {
		struct ini_entry entry = entry_of(arrays[i].value, NULL);
		struct cpu_array got = {9, 9, 9};
		struct diag diag = {""};

		if (value_array(&file, &entry, &got, &diag) ||
		    got.sets != arrays[i].sets || got.ways != arrays[i].ways ||
		    got.policy != arrays[i].policy)
			fail_msg("%s: got %u sets, %u ways; %s",
				 arrays[i].value, got.sets, got.ways, diag.msg);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad_arrays); i++) {
		struct ini_entry entry = entry_of(bad_arrays[i], NULL);
		struct cpu_array got;
		struct diag diag = {""};

		if (value_array(&file, &entry, &got, &diag) != -EINVAL)
			fail_msg("%s: not refused", bad_arrays[i]);
	}
}

static const struct {
	const char *value;
	uint32_t sets; /* UINT32_MAX: refused */
	uint16_t ways;
} caches[] = {
	{"0", 0, 0},
	{"32K/8", 64, 8},
	{"4M/16", 4096, 16},
	{"4096/2", 32, 2},
	{"48K/12", 64, 12},
	{"105M/15", 114688, 15},
	{"100/2", UINT32_MAX, 0},  /* no whole lines */
	{"32k/8", UINT32_MAX, 0},  /* K is 1024 */
	{"32K", UINT32_MAX, 0},    /* no ways */
	{"32K/7", UINT32_MAX, 0},  /* sets would differ */
	{"4096M/4", UINT32_MAX, 0} /* more than 32 bits */
};

static void test_caches(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(caches); i++) {
		struct ini_entry entry = entry_of(caches[i].value, NULL);
		struct cpu_array got = {9, 9, 9};
		struct diag diag = {""};
		int err = value_cache(&file, &entry, &got, &diag);
		bool bad = caches[i].sets == UINT32_MAX;

		if (bad != (err == -EINVAL) ||
		    (!bad && (got.sets != caches[i].sets ||
			      got.ways != caches[i].ways)))
			fail_msg("%s: got %d, %u sets, %u ways; %s",
				 caches[i].value, err, got.sets, got.ways,
				 diag.msg);
	}
}

static void test_tlbs(void **state)
{
	static const char *const bad[] = {
		"",
		"1",
		"1 load",
		"1 load 4k",
		"3 load 4k 64/4",
		"0 load 4k 64/4",
		"1 read 4k 64/4",
		"1 load+load 4k 64/4",
		"1 load+ 4k 64/4",
		"1 +load 4k 64/4",
		"1 load 8k 64/4",
		"1 load 4k 0",
		"1 load 4k 64/4 mru",
		"1 load 4k 64/4 lru x",
	};
	struct ini_entry good = entry_of("2 fetch+load+store 4k+2m 1536/6 plru",
					 NULL),
			 long_name = good;
	struct tlb_array_desc got;
	struct diag diag;

	(void)state;
	assert_int_equal(value_tlb(&file, &good, &got, &diag), 0);
	assert_string_equal(got.name, "k");
	assert_int_equal(got.level, 2);
	assert_int_equal(got.kinds,
			 TLB_KIND_FETCH | TLB_KIND_LOAD | TLB_KIND_STORE);
	assert_int_equal(got.sizes, TLB_SIZE_4K | TLB_SIZE_2M);
	assert_int_equal(got.array.sets, 256);
	assert_int_equal(got.array.ways, 6);
	assert_int_equal(got.array.policy, CPU_PLRU);
	long_name.key = "sixteen-letters.";
	assert_int_equal(value_tlb(&file, &long_name, &got, &diag), -EINVAL);
	assert_non_null(strstr(diag.msg, "a name of more than 15 letters"));
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct ini_entry entry = entry_of(bad[i], NULL);

		if (value_tlb(&file, &entry, &got, &diag) != -EINVAL)
			fail_msg("%s: not refused", bad[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ranges), cmocka_unit_test(test_words),
		cmocka_unit_test(test_arrays), cmocka_unit_test(test_caches),
		cmocka_unit_test(test_tlbs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
