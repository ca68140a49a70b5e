/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The histogram against the values themselves: kept in an array, sorted, and
 * looked up by rank.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "account/histogram.h"

#define VALUES_MAX 5000

static const unsigned int permilles[] = {0,   1,   10,  100, 250, 500,
					 750, 900, 990, 999, 1000};

struct rng {
	uint64_t state;
};

static uint64_t rng_next(struct rng *rng)
{
	rng->state ^= rng->state << 13;
	rng->state ^= rng->state >> 7;
	rng->state ^= rng->state << 17;
	return rng->state;
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* The value of rank ceil(n * permille / 1000), counted from 1. */
static uint64_t exact_quantile(const uint64_t *sorted, size_t n,
			       unsigned int permille)
{
	size_t rank = (n * permille + 999) / 1000;

	return sorted[rank ? rank - 1 : 0];
}

static void check_values(const char *name, uint64_t *values, size_t n)
{
	static struct histogram h;
	uint64_t sum = 0;

	memset(&h, 0, sizeof(h));
	for (size_t i = 0; i < n; i++) {
		histogram_add(&h, values[i]);
		sum += values[i];
	}
	qsort(values, n, sizeof(*values), by_value);

	assert_int_equal(h.count, n);
	assert_true(h.sum == sum);
	assert_true(h.min == values[0]);
	assert_true(h.max == values[n - 1]);
	for (size_t i = 0; i < ARRAY_LEN(permilles); i++) {
		uint64_t got = histogram_quantile(&h, permilles[i]);
		uint64_t want = exact_quantile(values, n, permilles[i]);

		/* Never below, and above by less than a sixteenth. */
		if (got < want || got - want > want / 16)
			fail_msg("%s, %u permille of %zu: got %" PRIu64
				 ", want %" PRIu64 " or a little more",
				 name, permilles[i], n, got, want);
	}
}

static void test_small_values_are_exact(void **state)
{
	uint64_t values[100];
	static struct histogram h;

	(void)state;
	for (size_t i = 0; i < 100; i++) {
		values[i] = (i * 7) % 16;
		histogram_add(&h, values[i]);
	}
	qsort(values, 100, sizeof(*values), by_value);
	for (size_t i = 0; i < ARRAY_LEN(permilles); i++)
		assert_true(histogram_quantile(&h, permilles[i]) ==
			    exact_quantile(values, 100, permilles[i]));
}

static void test_against_sorted_values(void **state)
{
	static uint64_t values[VALUES_MAX];
	struct rng rng = {0x9e3779b97f4a7c15};

	(void)state;
	for (unsigned int bits = 1; bits <= 64; bits++) {
		for (size_t n = 1; n <= VALUES_MAX; n = n * 3 + 1) {
			for (size_t i = 0; i < n; i++)
				values[i] = rng_next(&rng) >> (64 - bits);
			check_values("uniform", values, n);
		}
	}
	for (size_t n = 1; n <= 2000; n += 7) {
		for (size_t i = 0; i < n; i++)
			values[i] = rng_next(&rng) >> (rng_next(&rng) % 64);
		check_values("all magnitudes", values, n);
	}
}

/* One value alone: each quantile is that value. */
static void test_each_power_of_two(void **state)
{
	(void)state;
	for (unsigned int bit = 0; bit < 64; bit++) {
		for (int off = -1; off <= 1; off++) {
			uint64_t values[1] = {BIT(bit) + (uint64_t)off};
			static struct histogram h;

			memset(&h, 0, sizeof(h));
			histogram_add(&h, values[0]);
			assert_true(histogram_quantile(&h, 500) == values[0]);
			check_values("power of two", values, 1);
		}
	}
}

static void test_empty(void **state)
{
	static struct histogram h;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(permilles); i++)
		assert_int_equal(histogram_quantile(&h, permilles[i]), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_small_values_are_exact),
		cmocka_unit_test(test_against_sorted_values),
		cmocka_unit_test(test_each_power_of_two),
		cmocka_unit_test(test_empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
