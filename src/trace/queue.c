/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * put and done count batches; number n is in batch[n % QUEUE_BATCHES].  Those
 * of [done, put) are the thread's, the next one is the caller's.
 */
#include "trace/queue.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

struct queue {
	struct queue_consumer consumer;
	struct batch *batch[QUEUE_BATCHES];
	pthread_t thread;
	bool has_thread, alone; /* neither before the first batch */

	pthread_mutex_t lock; /* of all below */
	pthread_cond_t has_put, has_done;
	uint64_t put, done;
	bool ended; /* no more will be put */
	int err;    /* the first */
};

static void free_queue(struct queue *q)
{
	for (unsigned int i = 0; i < QUEUE_BATCHES; i++)
		free(q->batch[i]);
	pthread_cond_destroy(&q->has_put);
	pthread_cond_destroy(&q->has_done);
	pthread_mutex_destroy(&q->lock);
	free(q);
}

struct queue *queue_create(const struct queue_consumer *consumer)
{
	struct queue *q = calloc(1, sizeof(*q));
	bool has_all = true;

	if (!q)
		return NULL;
	q->consumer = *consumer;
	pthread_mutex_init(&q->lock, NULL);
	pthread_cond_init(&q->has_put, NULL);
	pthread_cond_init(&q->has_done, NULL);
	for (unsigned int i = 0; i < QUEUE_BATCHES; i++) {
		q->batch[i] = malloc(sizeof(*q->batch[i]));
		has_all = has_all && q->batch[i];
	}
	if (!has_all) {
		free_queue(q);
		return NULL;
	}
	batch_clear(q->batch[0]);
	return q;
}

struct batch *queue_batch(struct queue *queue)
{
	return queue->batch[queue->put % QUEUE_BATCHES];
}

/* With the lock held: not while it is at work. */
static void consume_next(struct queue *q)
{
	const struct batch *batch = q->batch[q->done % QUEUE_BATCHES];
	int err = q->err;

	if (!err) {
		pthread_mutex_unlock(&q->lock);
		err = q->consumer.consume(q->consumer.context, batch);
		pthread_mutex_lock(&q->lock);
	}
	if (!q->err)
		q->err = err;
	q->done++;
	pthread_cond_signal(&q->has_done);
}

static void *consume_all(void *data)
{
	struct queue *q = data;

	pthread_mutex_lock(&q->lock);
	for (;;) {
		while (q->done == q->put && !q->ended)
			pthread_cond_wait(&q->has_put, &q->lock);
		if (q->done == q->put)
			break;
		consume_next(q);
	}
	pthread_mutex_unlock(&q->lock);
	return NULL;
}

/* Signals are for whoever waits for them; a thread inherits what is blocked. */
static void start(struct queue *q)
{
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	q->has_thread = !pthread_create(&q->thread, NULL, consume_all, q);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	q->alone = !q->has_thread;
}

int queue_put(struct queue *queue)
{
	struct queue *q = queue;
	int err;

	if (!q->has_thread && !q->alone)
		start(q);
	pthread_mutex_lock(&q->lock);
	q->put++;
	if (q->alone)
		consume_next(q);
	pthread_cond_signal(&q->has_put);
	while (q->put - q->done == QUEUE_BATCHES)
		pthread_cond_wait(&q->has_done, &q->lock);
	err = q->err;
	pthread_mutex_unlock(&q->lock);
	batch_clear(queue_batch(q));
	return err;
}

int queue_finish(struct queue *queue)
{
	struct queue *q = queue;

	pthread_mutex_lock(&q->lock);
	q->ended = true;
	pthread_cond_signal(&q->has_put);
	pthread_mutex_unlock(&q->lock);
	if (q->has_thread)
		pthread_join(q->thread, NULL);
	q->has_thread = false;
	return q->err;
}

void queue_destroy(struct queue *queue)
{
	struct queue *q = queue;

	if (!q)
		return;
	pthread_mutex_lock(&q->lock);
	if (!q->err)
		q->err = -ECANCELED; /* what is left is passed over */
	pthread_mutex_unlock(&q->lock);
	queue_finish(q);
	free_queue(q);
}
