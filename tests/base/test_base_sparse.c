/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Arrays that are all zeros, and take memory only where they are touched. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "base/sparse.h"
#include "base/types.h"

#define NR    (UINT64_C(8) << 20)
#define BYTES (NR * sizeof(uint64_t))

enum { SIZE, RESIDENT };

/* Of this process, in bytes. */
static uint64_t memory(int which)
{
	FILE *file = fopen("/proc/self/statm", "r");
	unsigned long pages[2];

	if (!file)
		skip();
	assert_int_equal(fscanf(file, "%lu %lu", &pages[0], &pages[1]), 2);
	fclose(file);
	return (uint64_t)pages[which] * PAGE_SIZE;
}

static void test_zeros(void **state)
{
	uint64_t *array = sparse_alloc(NR, sizeof(*array));

	(void)state;
	assert_non_null(array);
	for (size_t i = 0; i < NR; i += 511)
		assert_int_equal(array[i], 0);
	array[0] = array[NR - 1] = UINT64_MAX;
	assert_int_equal(array[1], 0);
	assert_int_equal(array[NR - 2], 0);
	sparse_free(array, NR, sizeof(*array));
	sparse_free(NULL, NR, sizeof(*array));
}

/* AddressSanitizer stops at what is too big, and finds what is not freed. */
#ifndef __SANITIZE_ADDRESS__
static void test_too_big(void **state)
{
	(void)state;
	assert_null(sparse_alloc((SIZE_MAX >> 4) + 2, 16));
	assert_null(sparse_alloc(SIZE_MAX / 4096, 4096));
}

static void test_untouched(void **state)
{
	uint64_t before = memory(RESIDENT);
	uint64_t *array = sparse_alloc(NR, sizeof(*array));

	(void)state;
	assert_non_null(array);
	array[NR / 2] = 1;
	assert_true(memory(RESIDENT) < before + BYTES / 4);
	sparse_free(array, NR, sizeof(*array));
}

static void test_freed(void **state)
{
	uint64_t before = memory(SIZE);

	(void)state;
	for (int i = 0; i < 8; i++) {
		void *array = sparse_alloc(NR, sizeof(uint64_t));

		assert_non_null(array);
		sparse_free(array, NR, sizeof(uint64_t));
	}
	assert_true(memory(SIZE) < before + BYTES / 4);
}
#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_zeros),
#ifndef __SANITIZE_ADDRESS__
		cmocka_unit_test(test_too_big),
		cmocka_unit_test(test_untouched),
		cmocka_unit_test(test_freed),
#endif
	};

	return cmocka_run_group_tests_name("sparse", tests, NULL, NULL);
}
