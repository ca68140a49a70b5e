/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Items in, checked and merged, on to a listener and into batches for
 * store.c, which makes a file of them in a thread of its own (queue.h).  The
 * first error stays: whatever comes after it is refused, and
 * trace_writer_close() tells it and leaves no file.
 */
#include "trace/trace.h"

#include <errno.h>
#include <stdlib.h>

#include "trace/item.h"
#include "trace/merge.h"
#include "trace/queue.h"
#include "trace/store.h"

/* References told at a time. */
#define TOLD_MAX 4096

_Static_assert(BATCH_ROOM >= MERGE_MAX, "what comes out at once goes in");

struct trace_writer {
	enum trace_granularity granularity;
	struct trace_listener listener;
	struct trace_ref told[TOLD_MAX]; /* not told yet */
	uint32_t nr_told;
	struct merge merge;
	struct store *store;
	struct queue *queue;
	struct batch *batch; /* the queue's, being filled */
	int err;
	struct diag diag;
};

static int consume(void *context, const struct batch *batch)
{
	return store_batch(context, batch);
}

int trace_writer_create(const char *path, const struct trace_info *info,
			struct trace_writer **ret, struct diag *diag)
{
	struct trace_writer *w = calloc(1, sizeof(*w));
	struct queue_consumer consumer = {.consume = consume};
	int err;

	if (!w)
		return diag_set(diag, -ENOMEM, "no memory to write a trace");
	w->granularity = info->granularity;
	merge_init(&w->merge);
	err = store_create(path, info, &w->store, diag);
	if (err) {
		free(w);
		return err;
	}
	consumer.context = w->store;
	w->queue = queue_create(&consumer);
	if (!w->queue) {
		trace_writer_abort(w);
		return diag_set(diag, -ENOMEM, "no memory to write a trace");
	}
	w->batch = queue_batch(w->queue);
	*ret = w;
	return 0;
}

void trace_writer_listen(struct trace_writer *w,
			 const struct trace_listener *listener)
{
	w->listener = *listener;
}

static void tell_rest(struct trace_writer *w)
{
	const struct trace_item item = {
		.kind = TRACE_ITEM_REFS, .refs = w->told, .nr = w->nr_told};

	if (!w->nr_told)
		return;
	w->nr_told = 0;
	w->listener.item(w->listener.context, &item);
}

static void tell_refs(struct trace_writer *w, const struct trace_ref *refs,
		      uint32_t nr)
{
	for (uint32_t i = 0; i < nr; i++) {
		if (w->nr_told == TOLD_MAX)
			tell_rest(w);
		w->told[w->nr_told++] = refs[i];
	}
}

static void tell_item(struct trace_writer *w, const struct trace_item *item)
{
	tell_rest(w);
	w->listener.item(w->listener.context, item);
}

static int hand_over(struct trace_writer *w)
{
	int err = queue_put(w->queue);

	w->batch = queue_batch(w->queue);
	if (err)
		w->diag = *store_line(w->store);
	return err;
}

static inline int hand_over_full(struct trace_writer *w)
{
	return unlikely(batch_is_full(w->batch)) ? hand_over(w) : 0;
}

/* Where the next references of the batch go: BATCH_ROOM at least. */
static inline struct trace_ref *room(struct trace_writer *w)
{
	return w->batch->ref + w->batch->nr_refs;
}

/* They are in room(). */
static inline int put_refs(struct trace_writer *w, uint32_t nr)
{
	if (w->listener.item)
		tell_refs(w, room(w), nr);
	w->batch->nr_refs += nr;
	return hand_over_full(w);
}

static int flush_runs(struct trace_writer *w)
{
	return put_refs(w, merge_flush(&w->merge, room(w)));
}

static const char *ref_flaw(const struct trace_writer *w,
			    const struct trace_ref *ref)
{
	if (ref->kind > TRACE_WRITE)
		return "a reference of no kind";
	if (!ref->size || (ref->gva & PAGE_MASK) + ref->size > PAGE_SIZE)
		return "a reference of no size, or that leaves its page";
	if (ref->count > (w->granularity == TRACE_FULL ? 1 : TRACE_COUNT_MAX))
		return "a reference with a wrong count";
	return NULL;
}

static int refuse(struct trace_writer *w, const char *flaw)
{
	w->err = diag_set(&w->diag, -EINVAL, "%s: cannot hold %s",
			  store_name(w->store), flaw);
	return w->err;
}

static int put_one(struct trace_writer *w, const struct trace_ref *ref)
{
	*room(w) = *ref;
	return put_refs(w, 1);
}

/* Begins a run. */
static int put_run(struct trace_writer *w, const struct trace_ref *ref)
{
	return put_refs(w, merge_begin(&w->merge, ref, room(w)));
}

static inline int write_ref(struct trace_writer *w, const struct trace_ref *ref)
{
	const char *flaw = ref_flaw(w, ref);

	if (unlikely(flaw))
		return refuse(w, flaw);
	if (w->granularity == TRACE_FULL)
		return put_one(w, ref);
	return merge_join(&w->merge, ref) ? 0 : put_run(w, ref);
}

int trace_write_ref(struct trace_writer *w, const struct trace_ref *ref)
{
	if (likely(!w->err))
		w->err = write_ref(w, ref);
	return w->err;
}

struct merge *trace_writer_merge(struct trace_writer *w)
{
	return w->granularity == TRACE_FULL ? NULL : &w->merge;
}

static int write_refs(struct trace_writer *w, const struct trace_ref *refs,
		      uint32_t nr)
{
	for (uint32_t i = 0; i < nr && !w->err; i++)
		w->err = write_ref(w, &refs[i]);
	return w->err;
}

static int put_item(struct trace_writer *w, const struct trace_item *item)
{
	int err = flush_runs(w);

	if (err)
		return err;
	if (w->listener.item)
		tell_item(w, item);
	batch_item(w->batch, item);
	return hand_over_full(w);
}

int trace_write_item(struct trace_writer *w, const struct trace_item *item)
{
	const char *flaw;

	if (item->kind == TRACE_ITEM_REFS)
		return write_refs(w, item->refs, item->nr);
	flaw = trace_item_flaw(item);
	if (!w->err && flaw)
		return refuse(w, flaw);
	if (!w->err)
		w->err = put_item(w, item);
	return w->err;
}

int trace_writer_error(const struct trace_writer *w, struct diag *diag)
{
	if (w->err)
		*diag = w->diag;
	return w->err;
}

/* All that was taken is stored; an error of that came before one in w->err. */
static int finish(struct trace_writer *w)
{
	int err;

	if (!w->err)
		w->err = flush_runs(w);
	if (!w->err)
		tell_rest(w);
	if (!batch_is_empty(w->batch))
		queue_put(w->queue);
	err = queue_finish(w->queue);
	if (!err)
		return w->err;
	w->diag = *store_line(w->store);
	return err;
}

int trace_writer_close(struct trace_writer *w, struct trace_totals *totals,
		       struct diag *diag)
{
	struct trace_totals all;
	int err = finish(w);

	if (err) {
		*diag = w->diag;
		trace_writer_abort(w);
		return err;
	}
	err = store_commit(w->store, &all, diag);
	w->store = NULL;
	if (!err && totals)
		*totals = all;
	trace_writer_abort(w);
	return err;
}

void trace_writer_abort(struct trace_writer *w)
{
	if (!w)
		return;
	queue_destroy(w->queue);
	store_abort(w->store);
	free(w);
}
