/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "explain/internal.h"

/* Items between two looks at the clock and the flag. */
#define LOOK_INTERVAL 64

int pass_begin(struct pass *pass, const struct explain_request *request,
	       struct diag *diag)
{
	*pass = (struct pass){.request = request};
	return trace_reader_open(request->path, &pass->reader, diag);
}

void pass_end(struct pass *pass)
{
	trace_reader_close(pass->reader);
}

static int look(struct pass *pass, struct diag *diag)
{
	const struct explain_request *request = pass->request;
	uint64_t done, total;

	if (pass->looks++ % LOOK_INTERVAL)
		return 0;
	if (request->progress) {
		trace_reader_progress(pass->reader, &done, &total);
		request->progress(request->context, done, total);
	}
	if (request->attention && *request->attention)
		return diag_set(diag, -EINTR, "interrupted");
	return 0;
}

static void take_refs(struct pass *pass, uint64_t alone,
		      struct trace_item *item)
{
	uint64_t to_it = alone - pass->next;
	uint64_t nr = pass->nr_refs;

	if (alone == pass->next)
		nr = 1;
	else if (alone > pass->next && to_it < nr)
		nr = to_it;
	*item = (struct trace_item){
		.kind = TRACE_ITEM_REFS,
		.refs = pass->refs,
		.nr = (uint32_t)nr,
	};
	pass->refs += nr;
	pass->nr_refs -= (uint32_t)nr;
	pass->next += nr;
	for (uint64_t i = 0; i < nr; i++)
		if (item->refs[i].kind == TRACE_FETCH)
			pass->insns += item->refs[i].count;
}

int pass_read(struct pass *pass, uint64_t alone, struct trace_item *item,
	      struct diag *diag)
{
	int got;

	if (!pass->nr_refs) {
		got = look(pass, diag);
		if (got)
			return got;
		got = trace_read(pass->reader, item, diag);
		if (got <= 0)
			return got;
		if (!item_is_ref(item)) {
			pass->next++;
			return 1;
		}
		pass->refs = item->refs;
		pass->nr_refs = item->nr;
	}
	take_refs(pass, alone, item);
	return 1;
}

int pass_lacks(const struct pass *pass, struct diag *diag, const char *fmt, ...)
{
	const char *damage = trace_reader_damage(pass->reader);
	char what[160];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	if (damage)
		return diag_set(diag, -EINVAL, "%.300s; there is no %s before",
				damage, what);
	return diag_set(diag, -EINVAL,
			"%.300s has no %s: it has %" PRIu64 " items, from 0",
			pass->request->path, what, pass->next);
}
