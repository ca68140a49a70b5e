/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * References into runs on one page, for a `pages` trace.
 *
 * One run of fetches and one of data can be open at a time.  A run that is
 * ended by an item (merge_flush()) tells where its first reference was, as that
 * one may have faulted; any other keeps its page only.  Runs come out in
 * the order of their first references, so a run that was closed waits while an
 * older one is open.  When one begins and MERGE_MAX are held, all are closed:
 * memory is bounded, and merging what was merged changes nothing.
 */
#ifndef NOTRAP_TRACE_MERGE_H
#define NOTRAP_TRACE_MERGE_H

#include "trace/trace.h"

#define MERGE_MAX 32u

struct merge {
	struct trace_ref runs[MERGE_MAX]; /* in the order of their first */
	uint32_t nr;
	struct trace_ref *open[2]; /* into runs: fetches, data; or NULL */
};

void merge_init(struct merge *m);

/*
 * The hit of merge_add(): the open run of its kind goes on.  False: nothing has
 * been done.
 */
static inline bool merge_join(struct merge *m, const struct trace_ref *ref)
{
	struct trace_ref *run = m->open[ref->kind != TRACE_FETCH];

	if (!run || run->gva >> PAGE_SHIFT != ref->gva >> PAGE_SHIFT ||
	    (run->kind != ref->kind && run->kind != TRACE_WRITE) ||
	    run->user != ref->user || run->implicit != ref->implicit ||
	    run->ac != ref->ac || ref->count > TRACE_COUNT_MAX - run->count)
		return false;
	run->count += ref->count;
	return true;
}

/*
 * All three put closed runs that wait for none in out and return how many.
 * merge_begin() is merge_add() where merge_join() has just said no.
 */
uint32_t merge_begin(struct merge *m, const struct trace_ref *ref,
		     struct trace_ref out[MERGE_MAX]);
uint32_t merge_add(struct merge *m, const struct trace_ref *ref,
		   struct trace_ref out[MERGE_MAX]);
uint32_t merge_flush(struct merge *m, struct trace_ref out[MERGE_MAX]);

#endif
