/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "import/import.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "import/formats.h"

/* Between two looks at *attention: a fault in each takes milliseconds. */
#define LOOK_INTERVAL 1024

static const struct import_format *const formats[] = {
	&import_champsim,   &import_champsim_cloudsuite,
	&import_drmemtrace, &import_lackey,
	&import_perf,       NULL,
};

const struct import_format *const *import_formats(void)
{
	return formats;
}

const struct import_format *import_format_find(const char *name)
{
	for (size_t i = 0; formats[i]; i++)
		if (!strcmp(formats[i]->name, name))
			return formats[i];
	return NULL;
}

static bool look(const struct import_request *request,
		 const struct import *import)
{
	uint64_t done, total;

	text_progress(import->text, &done, &total);
	if (request->progress)
		request->progress(request->context, done, total);
	return request->attention && *request->attention;
}

/* 1, 0 at the end, or -errno. */
static int take_line(const struct import_format *format, struct import *import,
		     struct diag *diag)
{
	const char *line;
	size_t len;
	int got = text_line(import->text, &line, &len, diag);
	int err = got > 0 ? format->line(import, line, len, diag) : 0;

	return err ? err : got;
}

static int take_record(const struct import_format *format,
		       struct import *import, struct diag *diag)
{
	const uint8_t *record;
	int got = text_record(import->text, format->record_size, &record, diag);
	int err = got > 0 ? format->record(import, record, diag) : 0;

	return err ? err : got;
}

/* What can be taken the short way, and one more. */
static int take_some(const struct import_format *format, struct import *import,
		     struct diag *diag)
{
	int err = format->block ? format->block(import, diag) : 0;

	if (err)
		return err;
	return format->record_size ? take_record(format, import, diag)
				   : take_line(format, import, diag);
}

static int take_all(const struct import_request *request, struct import *import,
		    struct import_result *ret, struct diag *diag)
{
	const struct import_format *format = request->format;
	uint64_t turns = 0;
	int got;

	do {
		got = take_some(format, import, diag);
		if (got < 0)
			return got;
		if ((++turns % LOOK_INTERVAL == 0 || format->block) &&
		    look(request, import))
			ret->interrupted = true;
	} while (got && !ret->interrupted);
	return format->end ? format->end(import, diag) : 0;
}

static int take_input(const struct import_request *request,
		      struct import *import, struct import_result *ret,
		      struct diag *diag)
{
	/* The one task of formats that know of none. */
	int err = request->format->has_tasks
			  ? 0
			  : guest_switch(import->guest, 1, 1, diag);

	if (!err)
		err = take_all(request, import, ret, diag);
	if (err)
		return err;
	if (!import->records && !ret->interrupted)
		return diag_set(diag, -EINVAL, "%.300s: no record of %s in it",
				request->path, request->format->name);
	return guest_end(import->guest, diag);
}

static int fill_trace(const struct import_request *request,
		      struct trace_writer *writer, struct import_result *ret,
		      struct diag *diag)
{
	struct import import = {0};
	int err;

	err = text_open(request->path, request->lenient, &import.text, diag);
	if (err)
		return err;
	err = guest_create(&request->options, writer, &import.guest, diag);
	if (!err)
		err = take_input(request, &import, ret, diag);
	if (!err) {
		ret->records = import.records;
		ret->others = import.others;
		ret->skipped = text_skipped(import.text);
		ret->guest = *guest_stats(import.guest);
	}
	guest_destroy(import.guest);
	text_close(import.text);
	return err;
}

int import_run(const struct import_request *request, struct import_result *ret,
	       struct diag *diag)
{
	struct trace_info info = {0};
	struct trace_writer *writer;
	int err;

	*ret = (struct import_result){0};
	snprintf(info.source, sizeof(info.source), "%s", request->format->name);
	snprintf(info.origin, sizeof(info.origin), "%s", request->origin);
	snprintf(info.tool, sizeof(info.tool), "%s", request->tool);
	guest_trace_info(&request->options, &info);
	err = trace_writer_create(request->output, &info, &writer, diag);
	if (err)
		return err;
	err = fill_trace(request, writer, ret, diag);
	if (err) {
		trace_writer_abort(writer);
		return err;
	}
	return trace_writer_close(writer, &ret->totals, diag);
}
