/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Batches that a thread of the queue's own consumes in the order in which they
 * were put, while the next ones are filled.  There are QUEUE_BATCHES of them:
 * who is faster waits for the other.
 *
 * The thread begins with the first batch and takes no signals.  Where none can
 * be had, queue_put() consumes.  What comes out is the same.
 */
#ifndef NOTRAP_TRACE_QUEUE_H
#define NOTRAP_TRACE_QUEUE_H

#include "trace/batch.h"

#define QUEUE_BATCHES 3u

struct queue;

struct queue_consumer {
	/* After an error it is not called again. */
	int (*consume)(void *context, const struct batch *batch);
	void *context;
};

struct queue *queue_create(const struct queue_consumer *consumer);

/* The one to be filled: empty after each queue_put(). */
struct batch *queue_batch(struct queue *queue);

/*
 * queue_batch() is full enough.  Returns the first error of consume(), perhaps
 * of a batch that was put long ago; 0: none so far.
 */
int queue_put(struct queue *queue);

/*
 * All that was put is consumed when it returns, and the thread has ended;
 * queue_put() is over.  Returns as that.
 */
int queue_finish(struct queue *queue);

/* What has not been consumed is not; NULL is fine. */
void queue_destroy(struct queue *queue);

#endif
