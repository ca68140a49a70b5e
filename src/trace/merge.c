/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Why it is exact: what a run leaves out are references that hit the entry its
 * first one brought into the TLB of its class, and that set no A or D bit that
 * is not set.  Hence a write ends a run of reads, and nothing else of the same
 * class may come between.
 */
#include "trace/merge.h"

#include <string.h>

void merge_init(struct merge *m)
{
	*m = (struct merge){0};
}

/* Runs before the oldest open one. */
static uint32_t take_closed(struct merge *m, struct trace_ref *out)
{
	uint32_t nr = m->nr, left;

	for (int i = 0; i < 2; i++) {
		if (m->open[i] && m->open[i] < m->runs + nr)
			nr = (uint32_t)(m->open[i] - m->runs);
	}
	if (!nr)
		return 0;
	/* A few: calls of memcpy() would take longer. */
	left = m->nr - nr;
	for (uint32_t i = 0; i < nr; i++)
		out[i] = m->runs[i];
	for (uint32_t i = 0; i < left; i++)
		m->runs[i] = m->runs[nr + i];
	for (int i = 0; i < 2; i++) {
		if (m->open[i])
			m->open[i] -= nr;
	}
	m->nr = left;
	return nr;
}

static void forget_place(struct trace_ref *run)
{
	if (run->kind != TRACE_FETCH) {
		merge_forget_data(run);
		return;
	}
	run->gva &= ~(gva_t)PAGE_MASK;
	if (run->size < TRACE_SIZE_GOES_ON)
		run->size = TRACE_SIZE_SOMEWHERE;
}

/* The next run of its class begins. */
static void close_run(struct trace_ref **open, const struct trace_ref *next)
{
	struct trace_ref *run = *open;

	*open = NULL;
	if (!run)
		return;
	if (next->kind == TRACE_FETCH && !next->count &&
	    run->size < TRACE_SIZE_GOES_ON &&
	    next->gva == (run->gva | PAGE_MASK) + 1)
		run->size = TRACE_SIZE_GOES_ON;
	forget_place(run);
}

uint32_t merge_begin(struct merge *m, const struct trace_ref *ref,
		     struct trace_ref out[MERGE_MAX])
{
	struct trace_ref **run = &m->open[ref->kind != TRACE_FETCH];
	uint32_t nr;

	close_run(run, ref);
	nr = take_closed(m, out);
	if (m->nr == MERGE_MAX) {
		forget_place(m->open[ref->kind == TRACE_FETCH]);
		nr += merge_flush(m, out + nr);
	}
	*run = &m->runs[m->nr++];
	**run = *ref;
	return nr;
}

uint32_t merge_add(struct merge *m, const struct trace_ref *ref,
		   struct trace_ref out[MERGE_MAX])
{
	return merge_join(m, ref) ? 0 : merge_begin(m, ref, out);
}

uint32_t merge_flush(struct merge *m, struct trace_ref out[MERGE_MAX])
{
	m->open[0] = m->open[1] = NULL;
	return take_closed(m, out);
}
