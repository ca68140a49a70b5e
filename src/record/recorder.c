/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "record/recorder.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "record/internal.h"

void recorder_lose(struct recorder *r, const char *fmt, ...)
{
	va_list ap;

	if (r->line[0])
		return;
	va_start(ap, fmt);
	vsnprintf(r->line, sizeof(r->line), fmt, ap);
	va_end(ap);
}

static void free_recorder(struct recorder *r)
{
	trace_writer_abort(r->writer);
	free(r->table);
	free(r);
}

int recorder_create(const char *path, struct trace_info *info,
		    struct event_sink *next, struct mem *mem,
		    struct recorder **ret, struct diag *diag)
{
	const struct guest_view *view = next->view;
	struct recorder *r = calloc(1, sizeof(*r));
	int err;

	if (!r)
		return diag_set(diag, -ENOMEM, "no memory for the recorder");
	r->next = next;
	r->mem = mem;
	push_init(r);
	insn_init(&r->observer);
	info->memory = mem->ram_size;
	info->cr0 = view->cr0;
	info->cr3 = view->cr3;
	info->cr4 = view->cr4;
	info->efer = view->efer;
	info->features = view->features;
	if (tables_init(r))
		err = diag_set(diag, -ENOMEM, "no memory for the recorder");
	else
		err = trace_writer_create(path, info, &r->writer, diag);
	if (err) {
		free_recorder(r);
		return err;
	}
	r->merge = trace_writer_merge(r->writer);
	*ret = r;
	return 0;
}

void recorder_listen(struct recorder *recorder,
		     const struct trace_listener *listener)
{
	trace_writer_listen(recorder->writer, listener);
}

struct event_sink *recorder_sink(struct recorder *recorder)
{
	return &recorder->sink;
}

struct insn_observer *recorder_observer(struct recorder *recorder)
{
	return &recorder->observer;
}

int recorder_finish(struct recorder *recorder, uint64_t insns,
		    struct diag *diag)
{
	struct recorder *r = recorder;
	int err = 0;

	insn_clock(r, insns);
	insn_give_up(r);
	if (r->line[0])
		err = diag_set(diag, -EIO, "the recording is of no use: %.300s",
			       r->line);
	if (!err) {
		err = trace_writer_close(r->writer, NULL, diag);
		r->writer = NULL;
	}
	free_recorder(r);
	return err;
}

void recorder_abort(struct recorder *recorder)
{
	if (recorder)
		free_recorder(recorder);
}
