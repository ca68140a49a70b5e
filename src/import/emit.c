/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * References wait here for the next item, so that the writer gets them in
 * batches.  The first error of the writer's is the guest's.
 */
#include "import/internal.h"

static void check(struct guest *g, int err)
{
	if (err && !g->err)
		g->err = trace_writer_error(g->writer, &g->diag);
}

void emit_flush(struct guest *g)
{
	const struct trace_item item = {
		.kind = TRACE_ITEM_REFS, .refs = g->refs, .nr = g->nr_refs};

	g->nr_refs = 0;
	check(g, trace_write_item(g->writer, &item));
}

void emit_item(struct guest *g, const struct trace_item *item)
{
	emit_flush(g);
	check(g, trace_write_item(g->writer, item));
}

void emit_event(struct guest *g, struct guest_event ev)
{
	const struct trace_item item = {.kind = TRACE_ITEM_EVENT, .event = ev};

	emit_item(g, &item);
}

void emit_parts(struct guest *g, enum trace_kind kind, gva_t gva, uint32_t size,
		bool user, uint32_t count)
{
	if (kind == TRACE_FETCH)
		g->stats.insns += count;
	while (size) {
		uint32_t room = (uint32_t)(PAGE_SIZE - (gva & PAGE_MASK));
		uint32_t part = size < room ? size : room;
		const struct trace_ref ref = {
			.gva = gva,
			.count = count,
			.kind = (uint8_t)kind,
			.size = (uint8_t)(part < 255 ? part : 255),
			.user = user,
		};

		emit(g, &ref);
		count = 0;
		gva += part;
		size -= part;
	}
}
