/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The pool and its two views: a twin never outlives the rights of its modelled
 * entry, and every change is on the list that src/live drains.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "mem/mem.h"

static struct mem *make(uint32_t pages)
{
	struct diag diag;
	struct mem *mem;

	assert_int_equal(mem_create(1 << 20, pages, true, &mem, &diag), 0);
	return mem;
}

/* As src/live does: let the twin be what the model allows. */
static void install(struct pool *pool, hpa_t table, unsigned int i)
{
	uint64_t model = pool_get(pool, table, i);

	pool->installed[pool_page(table)][i] = model & ~(PTE_A | PTE_D);
}

static uint64_t twin(struct pool *pool, hpa_t table, unsigned int i)
{
	return pool->installed[pool_page(table)][i];
}

#define LEAF (UINT64_C(0x5000) | PTE_P)

static const struct {
	const char *name;
	uint64_t from, used, to;
	bool keeps, flushes;
} changes[] = {
	{"read-only to writable", LEAF, PTE_A, LEAF | PTE_W, true, false},
	{"used, writable to read-only", LEAF | PTE_W, PTE_A, LEAF, false, true},
	{"unused, to read-only", LEAF | PTE_W, 0, LEAF, false, false},
	{"used, to not present", LEAF, PTE_A, 0, false, true},
	{"used, to another frame", LEAF, PTE_A, 0x6001, false, true},
	{"used, to no-execute", LEAF, PTE_A, LEAF | PTE_NX, false, true},
	{"used, from no-execute", LEAF | PTE_NX, PTE_A, LEAF, true, false},
	{"used, user to supervisor", LEAF | PTE_U, PTE_A, LEAF, false, true},
	/* Under SMEP or SMAP this is a loss, too. */
	{"used, supervisor to user", LEAF, PTE_A, LEAF | PTE_U, false, true},
	{"used, another protection key", LEAF | PTE_U, PTE_A,
	 LEAF | PTE_U | BIT(62), false, true},
	{"A seen by hardware, cleared", LEAF, PTE_A, LEAF | PTE_W, false, true},
};

static void twin_loses_rights(void **state)
{
	(void)state;
	for (size_t k = 0; k < ARRAY_LEN(changes); k++) {
		struct mem *mem = make(2);
		struct pool *pool = &mem->pool;
		hpa_t table = pool_alloc(pool, 1);
		/* The modelled entries carry A unless the case is about it. */
		uint64_t a = changes[k].to & PTE_A ? PTE_A : 0;
		uint64_t to = changes[k].to;

		if (k != ARRAY_LEN(changes) - 1 && (to & PTE_P))
			to |= PTE_A;
		pool_set(pool, table, 7, changes[k].from | a);
		install(pool, table, 7);
		pool->installed[pool_page(table)][7] |= changes[k].used;
		pool_changes_clear(pool);

		pool_set(pool, table, 7, to);
		if ((twin(pool, table, 7) != 0) != changes[k].keeps)
			fail_msg("%s: twin is %llx", changes[k].name,
				 (unsigned long long)twin(pool, table, 7));
		if (pool->changes.flush != changes[k].flushes)
			fail_msg("%s: flush is %d", changes[k].name,
				 pool->changes.flush);
		assert_int_equal(pool->changes.nr, 1);
		assert_int_equal(pool->changes.entry[0],
				 pool_page(table) * PT_ENTRIES + 7);
		mem_destroy(mem);
	}
}

static void same_value_is_no_change(void **state)
{
	struct mem *mem = make(2);
	hpa_t table = pool_alloc(&mem->pool, 1);

	(void)state;
	pool_set(&mem->pool, table, 0, LEAF);
	pool_changes_clear(&mem->pool);
	pool_set(&mem->pool, table, 0, LEAF);
	assert_false(pool_has_changes(&mem->pool));
	mem_destroy(mem);
}

static void accessed_and_dirty_come_back(void **state)
{
	struct mem *mem = make(2);
	struct pool *pool = &mem->pool;
	hpa_t table = pool_alloc(pool, 1);

	(void)state;
	pool_set(pool, table, 3, LEAF | PTE_W);
	assert_int_equal(pool_pull_ad(pool, table, 3), LEAF | PTE_W);
	install(pool, table, 3);
	pool->installed[pool_page(table)][3] |= PTE_A;
	assert_int_equal(pool_pull_ad(pool, table, 3), LEAF | PTE_W | PTE_A);
	pool->installed[pool_page(table)][3] |= PTE_D;
	assert_int_equal(pool_pull_ad(pool, table, 3),
			 LEAF | PTE_W | PTE_A | PTE_D);
	/* A revoked twin has nothing more to say. */
	pool_set(pool, table, 3, 0);
	assert_int_equal(pool_pull_ad(pool, table, 3), 0);
	mem_destroy(mem);
}

static void long_lists_become_pages(void **state)
{
	struct mem *mem = make(8);
	struct pool *pool = &mem->pool;

	(void)state;
	for (int t = 0; t < 4; t++) {
		hpa_t table = pool_alloc(pool, 1);

		for (unsigned int i = 0; i < PT_ENTRIES; i++)
			pool_set(pool, table, i, LEAF);
	}
	assert_int_equal(pool->changes.nr, POOL_CHANGES_MAX);
	assert_int_equal(pool->changes.nr_pages, 2);
	pool_changes_clear(pool);
	assert_false(pool_has_changes(pool));
	pool_set(pool, pool_page_hpa(3), 1, 0);
	assert_int_equal(pool->changes.nr, 1);
	mem_destroy(mem);
}

static void frames_run_out_and_come_back(void **state)
{
	struct mem *mem = make(3);
	struct pool *pool = &mem->pool;
	hpa_t first = pool_alloc(pool, 2);

	(void)state;
	assert_int_equal(first, POOL_BASE);
	pool_set(pool, first, 1, LEAF);
	install(pool, first, 1);
	pool->installed[pool_page(first)][1] |= PTE_A;
	assert_true(pool_alloc(pool, 1));
	assert_true(pool_alloc(pool, 1));
	assert_int_equal(pool_alloc(pool, 1), 0);

	pool_changes_clear(pool);
	pool_free(pool, first);
	assert_true(pool->changes.flush);
	assert_int_equal(pool_alloc(pool, 1), first);
	assert_int_equal(pool_get(pool, first, 1), 0);
	assert_int_equal(twin(pool, first, 1), 0);
	mem_destroy(mem);
}

static void sizes_are_checked(void **state)
{
	struct diag diag;
	struct mem *mem = NULL;

	(void)state;
	assert_true(mem_create(0, 1, false, &mem, &diag) < 0);
	assert_true(mem_create(4097, 1, false, &mem, &diag) < 0);
	assert_true(mem_create(RAM_MAX + 4096, 1, false, &mem, &diag) < 0);
	assert_true(mem_create(4096, 0, false, &mem, &diag) < 0);
	assert_non_null(strstr(diag.msg, "shadow pool"));
	assert_null(mem);
	assert_int_equal(mem_create(4096, 1, false, &mem, &diag), 0);
	assert_true(mem_is_ram(mem, 4088, 8));
	assert_false(mem_is_ram(mem, 4089, 8));
	assert_false(mem_is_ram(mem, UINT64_MAX, 8));
	mem_destroy(mem);
	mem_destroy(NULL);
}

static void digest_sees_every_byte(void **state)
{
	struct diag diag;
	struct mem *mem;
	uint64_t zero;

	(void)state;
	assert_int_equal(mem_create(8192, 1, false, &mem, &diag), 0);
	zero = mem_ram_digest(mem);
	for (gpa_t gpa = 0; gpa < 8192; gpa++) {
		*mem_ram(mem, gpa) = 1;
		assert_true(mem_ram_digest(mem) != zero);
		*mem_ram(mem, gpa) = 0;
	}
	assert_true(mem_ram_digest(mem) == zero);
	mem_destroy(mem);
}

static void digest_sees_where(void **state)
{
	uint64_t seen[4];
	struct diag diag;
	struct mem *mem;

	(void)state;
	assert_int_equal(mem_create(4 * PAGE_SIZE, 1, false, &mem, &diag), 0);
	for (unsigned int i = 0; i < ARRAY_LEN(seen); i++) {
		*mem_ram(mem, i * PAGE_SIZE) = 1;
		seen[i] = mem_ram_digest(mem);
		*mem_ram(mem, i * PAGE_SIZE) = 0;
		for (unsigned int j = 0; j < i; j++)
			assert_true(seen[i] != seen[j]);
	}
	mem_destroy(mem);
}

static unsigned int resident(const struct mem *mem)
{
	unsigned char here[1030];
	unsigned int nr = 0;

	assert_int_equal(mem->ram_size, sizeof(here) * PAGE_SIZE);
	assert_int_equal(mincore(mem->ram, mem->ram_size, here), 0);
	for (size_t i = 0; i < sizeof(here); i++)
		nr += here[i] & 1;
	return nr;
}

/* The last page is in the last, shorter part of what the host is asked for. */
static void digest_leaves_pages_alone(void **state)
{
	struct diag diag;
	struct mem *mem;
	uint64_t digest, zero;

	(void)state;
	if (access("/proc/self/pagemap", R_OK))
		skip();
	assert_int_equal(mem_create(1030 * PAGE_SIZE, 1, false, &mem, &diag),
			 0);
	assert_int_equal(madvise(mem->ram, mem->ram_size, MADV_NOHUGEPAGE), 0);
	zero = mem_ram_digest(mem);
	assert_int_equal(resident(mem), 0);

	*mem_ram(mem, 1029 * PAGE_SIZE + 5) = 1;
	*mem_ram(mem, 511 * PAGE_SIZE) = 1;
	digest = mem_ram_digest(mem);
	assert_int_equal(resident(mem), 2);
	assert_true(digest != zero);

	/* Touched or not, zero is zero. */
	for (gpa_t gpa = 0; gpa < mem->ram_size; gpa += 2 * PAGE_SIZE)
		*mem_ram(mem, gpa) = 0;
	assert_int_equal(resident(mem), 517);
	assert_true(mem_ram_digest(mem) == digest);
	mem_destroy(mem);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(twin_loses_rights),
		cmocka_unit_test(same_value_is_no_change),
		cmocka_unit_test(accessed_and_dirty_come_back),
		cmocka_unit_test(long_lists_become_pages),
		cmocka_unit_test(frames_run_out_and_come_back),
		cmocka_unit_test(sizes_are_checked),
		cmocka_unit_test(digest_sees_every_byte),
		cmocka_unit_test(digest_sees_where),
		cmocka_unit_test(digest_leaves_pages_alone),
	};

	return cmocka_run_group_tests_name("mem_pool", tests, NULL, NULL);
}
