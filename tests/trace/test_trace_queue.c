/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Batches through another thread: all of them, whole, in order, once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "trace/queue.h"

#define NR 500u

struct got {
	unsigned int nr;
	unsigned int wrong;
	unsigned int fails_at; /* 0: never */
	unsigned int slow;     /* every so many are; 0: none */
	pthread_t by;
	sigset_t blocked;
};

static void fill(struct batch *batch, unsigned int n)
{
	batch->nr_refs = n % BATCH_REFS + 1;
	for (uint32_t i = 0; i < batch->nr_refs; i++)
		batch->ref[i].gva = n;
}

static bool is_filled(const struct batch *batch, unsigned int n)
{
	bool ret = batch->nr_refs == n % BATCH_REFS + 1 && !batch->nr_items;

	for (uint32_t i = 0; i < batch->nr_refs; i++)
		ret = ret && batch->ref[i].gva == n;
	return ret;
}

static int consume(void *context, const struct batch *batch)
{
	struct got *got = context;

	got->by = pthread_self();
	pthread_sigmask(SIG_BLOCK, NULL, &got->blocked);
	if (got->slow && got->nr % got->slow == 0)
		usleep(500);
	got->wrong += !is_filled(batch, got->nr++);
	return got->fails_at && got->nr == got->fails_at ? -ENOSPC : 0;
}

static struct queue *create(struct got *got)
{
	struct queue *q = queue_create(
		&(struct queue_consumer){.consume = consume, .context = got});

	assert_non_null(q);
	return q;
}

static int put(struct queue *q, unsigned int n)
{
	assert_true(batch_is_empty(queue_batch(q)));
	fill(queue_batch(q), n);
	return queue_put(q);
}

/* Who fills them is the faster one, the slower one, or both in turns. */
static void in_order(void **state)
{
	static const unsigned int slow[] = {0, 1, 7};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(slow); i++) {
		struct got got = {.slow = slow[i]};
		struct queue *q = create(&got);

		for (unsigned int n = 0; n < NR; n++) {
			assert_int_equal(put(q, n), 0);
			if (n % 50 == 49)
				usleep(1000);
		}
		assert_int_equal(queue_finish(q), 0);
		assert_int_equal(got.nr, NR);
		assert_int_equal(got.wrong, 0);
		queue_destroy(q);
	}
}

static void nothing_put(void **state)
{
	struct got got = {0};
	struct queue *q = create(&got);

	(void)state;
	assert_int_equal(queue_finish(q), 0);
	queue_destroy(q);
	queue_destroy(create(&got));
	queue_destroy(NULL);
	assert_int_equal(got.nr, 0);
}

/* It is told soon, again and at the end; nothing is consumed after it. */
static void first_error(void **state)
{
	struct got got = {.fails_at = 5};
	struct queue *q = create(&got);
	unsigned int n = 0;

	(void)state;
	while (!put(q, n))
		n++;
	assert_in_range(n, got.fails_at - 1, got.fails_at + QUEUE_BATCHES);
	for (n = 0; n < 2 * QUEUE_BATCHES; n++)
		assert_int_equal(put(q, n), -ENOSPC);
	assert_int_equal(queue_finish(q), -ENOSPC);
	assert_int_equal(got.nr, got.fails_at);
	assert_int_equal(got.wrong, 0);
	queue_destroy(q);
}

/* In the very last batch. */
static void last_error(void **state)
{
	struct got got = {.fails_at = 1, .slow = 1};
	struct queue *q = create(&got);

	(void)state;
	put(q, 0);
	assert_int_equal(queue_finish(q), -ENOSPC);
	queue_destroy(q);
}

/* What interrupts a program comes to the thread that it is meant for. */
static void takes_no_signals(void **state)
{
	struct got got = {0};
	struct queue *q = create(&got);
	sigset_t before, after;

	(void)state;
	pthread_sigmask(SIG_BLOCK, NULL, &before);
	put(q, 0);
	pthread_sigmask(SIG_BLOCK, NULL, &after);
	queue_finish(q);
	queue_destroy(q);
	assert_false(pthread_equal(got.by, pthread_self()));
	assert_true(sigismember(&got.blocked, SIGINT));
	assert_true(sigismember(&got.blocked, SIGXFSZ));
	for (int sig = 1; sig < NSIG; sig++)
		assert_int_equal(sigismember(&before, sig),
				 sigismember(&after, sig));
	assert_false(sigismember(&after, SIGINT));
}

/* A sanitizer needs memory of its own for a thread. */
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define CAN_LIMIT_MEMORY 1
#else
#define CAN_LIMIT_MEMORY 0
#endif

/* A thread's stack does not fit into what memory may be had. */
static void without_a_thread(void **state)
{
	struct got got = {.fails_at = NR};
	struct queue *q = create(&got);
	struct rlimit old, none;

	(void)state;
	if (!CAN_LIMIT_MEMORY) {
		queue_destroy(q);
		skip();
	}
	getrlimit(RLIMIT_AS, &old);
	none = (struct rlimit){1, old.rlim_max};
	setrlimit(RLIMIT_AS, &none);
	put(q, 0);
	setrlimit(RLIMIT_AS, &old);
	assert_true(pthread_equal(got.by, pthread_self()));
	for (unsigned int n = 1; n < NR - 1; n++)
		assert_int_equal(put(q, n), 0);
	assert_int_equal(put(q, NR - 1), -ENOSPC);
	assert_int_equal(queue_finish(q), -ENOSPC);
	assert_int_equal(got.nr, NR);
	assert_int_equal(got.wrong, 0);
	queue_destroy(q);
}

/* What an item points to is the caller's again. */
static void items_are_copied(void **state)
{
	struct batch *batch = malloc(sizeof(*batch));
	uint64_t table[PT_ENTRIES] = {0};
	struct trace_item item = {.kind = TRACE_ITEM_TABLE, .table = table};

	(void)state;
	batch_clear(batch);
	for (unsigned int i = 0; i < BATCH_TABLES; i++) {
		assert_false(batch_is_full(batch));
		table[i] = i + 1;
		item.gpa = i * PAGE_SIZE;
		batch->nr_refs = i;
		batch_item(batch, &item);
		memset(table, 0, sizeof(table));
	}
	assert_true(batch_is_full(batch));
	for (unsigned int i = 0; i < BATCH_TABLES; i++) {
		assert_int_equal(batch->item[i].refs, i);
		assert_int_equal(batch->item[i].item.gpa, i * PAGE_SIZE);
		assert_int_equal(batch->item[i].item.table[i], i + 1);
	}
	free(batch);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		/* Before the stack of a thread is kept for the next one. */
		cmocka_unit_test(without_a_thread),
		cmocka_unit_test(in_order),
		cmocka_unit_test(nothing_put),
		cmocka_unit_test(first_error),
		cmocka_unit_test(last_error),
		cmocka_unit_test(takes_no_signals),
		cmocka_unit_test(items_are_copied),
	};

	return cmocka_run_group_tests_name("trace_queue", tests, NULL, NULL);
}
