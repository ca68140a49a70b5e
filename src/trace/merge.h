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

#include "trace/le.h"
#include "trace/trace.h"

#define MERGE_MAX 32u

struct merge {
	struct trace_ref runs[MERGE_MAX]; /* in the order of their first */
	uint32_t nr;
	struct trace_ref *open[2]; /* into runs: fetches, data; or NULL */
};

void merge_init(struct merge *m);

/* The last four bytes of a reference as one number. */
static inline uint32_t merge_tail(enum trace_kind kind, unsigned int size,
				  bool user, bool ac)
{
	return (uint32_t)kind | size << 8 | (uint32_t)user << 16 |
	       (uint32_t)ac << 25;
}

static inline uint32_t merge_tail_of(const struct trace_ref *ref)
{
	return get_le32((const uint8_t *)ref +
			offsetof(struct trace_ref, kind));
}

/* References of these go on with the run: same kind and rights, any size. */
static inline bool merge_fits(const struct trace_ref *run, gva_t gva,
			      uint32_t count, uint32_t tail)
{
	uint32_t other = (merge_tail_of(run) ^ tail) & ~UINT32_C(0xff00);

	return run->gva >> PAGE_SHIFT == gva >> PAGE_SHIFT &&
	       count <= TRACE_COUNT_MAX - run->count &&
	       (!other || (other == (TRACE_READ ^ TRACE_WRITE) &&
			   run->kind == TRACE_WRITE));
}

/*
 * The hit of merge_add(): the open run of its kind goes on.  False: nothing has
 * been done.
 */
static inline bool merge_join(struct merge *m, const struct trace_ref *ref)
{
	struct trace_ref *run = m->open[ref->kind != TRACE_FETCH];

	if (!run || !merge_fits(run, ref->gva, ref->count, merge_tail_of(ref)))
		return false;
	run->count += ref->count;
	return true;
}

/* Would so many fetches make the open run longer? */
static inline bool merge_holds(const struct merge *m, gva_t gva, uint32_t count,
			       bool user)
{
	const struct trace_ref *run = m->open[0];

	return run && merge_fits(run, gva, count,
				 merge_tail(TRACE_FETCH, 0, user, false));
}

/* Nobody will ask where on its page a run began that no item ends. */
static inline void merge_forget_data(struct trace_ref *run)
{
	run->gva &= ~(gva_t)PAGE_MASK;
	run->size = 1;
}

/*
 * merge_add() of one reference to data, when nothing comes out by it.  False:
 * nothing has been done.
 */
static inline bool merge_data(struct merge *m, gva_t gva, uint32_t tail)
{
	struct trace_ref *run = m->open[1];

	if (run && merge_fits(run, gva, 1, tail)) {
		run->count++;
		return true;
	}
	if (m->open[0] != m->runs || m->nr == MERGE_MAX)
		return false;
	if (run)
		merge_forget_data(run);
	run = &m->runs[m->nr++];
	run->gva = gva;
	run->count = 1;
	put_le32((uint8_t *)run + offsetof(struct trace_ref, kind), tail);
	m->open[1] = run;
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
