/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "replay/cut.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "replay/track.h"
#include "trace/flow.h"

/* Items between two looks at *attention: less than a tenth of a second. */
#define LOOK_INTERVAL 64

struct cut {
	const struct cut_request *request;
	struct cut_result *result;
	struct cut_point from, to;
	struct trace_reader *reader;
	struct track *track;
	struct trace_flow flow;
	const uint64_t *at_from, *at_to; /* into flow */
	struct trace_writer *writer;     /* NULL: not yet there */
	bool done;
};

static const uint64_t *place_of(const struct trace_flow *flow,
				enum cut_unit unit)
{
	switch (unit) {
	case CUT_ITEM:
		return &flow->items;
	case CUT_REF:
		return &flow->refs;
	case CUT_INSN:
		break;
	}
	return &flow->insns;
}

static const char *unit_name(enum cut_unit unit)
{
	static const char *const names[] = {
		[CUT_ITEM] = "item",
		[CUT_REF] = "reference",
		[CUT_INSN] = "instruction",
	};

	return names[unit];
}

static struct cut_place place(const struct cut *cut)
{
	const struct trace_flow *flow = &cut->flow;

	return (struct cut_place){flow->items, flow->refs, flow->insns};
}

/* --- The region ---------------------------------------------------------- */

/* Behind the first begin marker, up to the instruction of its end marker. */
struct region {
	uint64_t items;
	struct cut_point from, to;
	bool begun, ended;
};

static void look_for_markers(struct region *region,
			     const struct trace_item *item)
{
	const struct guest_event *ev = &item->event;

	region->items += item->kind == TRACE_ITEM_REFS ? item->nr : 1;
	if (item->kind != TRACE_ITEM_EVENT)
		return;
	if (!region->begun && event_is_marker(ev, GUEST_REGION_BEGINS)) {
		region->from = (struct cut_point){CUT_ITEM, region->items};
		region->begun = true;
	} else if (region->begun && event_is_marker(ev, GUEST_REGION_ENDS)) {
		region->to = (struct cut_point){CUT_INSN, ev->insns};
		region->ended = true;
	}
}

static bool look(struct cut *cut)
{
	const struct cut_request *request = cut->request;
	uint64_t done, total;

	trace_reader_progress(cut->reader, &done, &total);
	if (request->progress)
		request->progress(request->context, done, total);
	cut->result->interrupted = request->attention && *request->attention;
	return cut->result->interrupted;
}

static int interrupted(const struct cut *cut, struct diag *diag)
{
	return diag_set(diag, -EINTR, "%s: interrupted", cut->request->path);
}

static int read_region(struct cut *cut, struct region *region,
		       struct diag *diag)
{
	struct trace_item item;
	uint64_t n = 0;
	int got;

	do {
		if (n++ % LOOK_INTERVAL == 0 && look(cut))
			return interrupted(cut, diag);
		got = trace_read(cut->reader, &item, diag);
		if (got > 0)
			look_for_markers(region, &item);
	} while (got > 0 && !region->ended);
	return got < 0 ? got : 0;
}

/* A first pass; what it finds is where the second one cuts. */
static int find_region(struct cut *cut, struct diag *diag)
{
	struct region region = {.to = {CUT_INSN, CUT_END}};
	const char *path = cut->request->path;
	int err = trace_reader_open(path, &cut->reader, diag);

	if (err)
		return err;
	err = read_region(cut, &region, diag);
	trace_reader_close(cut->reader);
	cut->reader = NULL;
	if (err)
		return err;
	if (!region.begun)
		return diag_set(diag, -ENOENT,
				"%s: no region of interest begins in it (an "
				"OUT of 0x%x to port 0x%x)",
				path, GUEST_REGION_BEGINS, GUEST_MARKER_PORT);
	cut->from = region.from;
	cut->to = region.to;
	return 0;
}

/* --- The part ------------------------------------------------------------ */

/* Whose part it is: the end of a text that may be too long. */
static void note_origin(const struct cut *cut, struct trace_info *info)
{
	char what[64], origin[sizeof(info->origin)];
	int len;

	if (!cut->from.n && cut->to.n == CUT_END)
		return;
	len = snprintf(what, sizeof(what), " (from instruction %" PRIu64 ")",
		       cut->flow.insns);
	snprintf(origin, sizeof(origin), "%.*s%s",
		 (int)sizeof(origin) - 1 - len, info->origin, what);
	memcpy(info->origin, origin, sizeof(origin));
}

static void end(struct cut *cut)
{
	cut->done = true;
	cut->result->to = place(cut);
}

/* What a write fails of, the writer tells when it is closed. */
static void write_item(struct cut *cut, const struct trace_item *item)
{
	if (trace_write_item(cut->writer, item))
		end(cut);
}

static void tell_tables(struct cut *cut)
{
	struct trace_item item = {.kind = TRACE_ITEM_TABLE};

	while (track_table(cut->track, &item.gpa, &item.table)) {
		write_item(cut, &item);
		cut->result->tables++;
		item.gpa += PAGE_SIZE;
	}
}

/* A trace begins with processor 0's turn. */
static void tell_vcpu(struct cut *cut)
{
	const struct trace_item item = {.kind = TRACE_ITEM_VCPU,
					.id = cut->flow.vcpu};

	if (item.id)
		write_item(cut, &item);
}

static int begin(struct cut *cut, struct diag *diag)
{
	struct trace_info info = *trace_reader_info(cut->reader);
	int err;

	if (*cut->at_to >= cut->to.n)
		return diag_set(diag, -ERANGE,
				"%s: no part of it begins at %s %" PRIu64
				" or later and ends at %s %" PRIu64
				": the first that can begins at %s %" PRIu64,
				cut->request->path, unit_name(cut->from.unit),
				cut->from.n, unit_name(cut->to.unit), cut->to.n,
				unit_name(cut->from.unit), *cut->at_from);
	if (cut->request->has_granularity)
		info.granularity = cut->request->granularity;
	snprintf(info.tool, sizeof(info.tool), "%s", cut->request->tool);
	note_origin(cut, &info);
	if (cut->track)
		track_registers(cut->track, &info);
	err = trace_writer_create(cut->request->output, &info, &cut->writer,
				  diag);
	if (err)
		return err;
	cut->result->from = place(cut);
	if (cut->track)
		tell_tables(cut);
	tell_vcpu(cut);
	return 0;
}

/* Between two instructions: the part may begin or end before what comes. */
static int stop_over(struct cut *cut, struct diag *diag)
{
	if (!cut->writer && *cut->at_from >= cut->from.n)
		return begin(cut, diag);
	if (cut->writer && *cut->at_to >= cut->to.n)
		end(cut);
	return 0;
}

static int take_refs(struct cut *cut, const struct trace_ref *refs, uint32_t nr,
		     struct diag *diag)
{
	for (uint32_t i = 0; i < nr; i++) {
		int err = 0;

		if (flow_begins_ref(&cut->flow, &refs[i]))
			err = stop_over(cut, diag);
		if (err || cut->done)
			return err;
		if (cut->writer && trace_write_ref(cut->writer, &refs[i]))
			end(cut);
		flow_ref(&cut->flow, &refs[i]);
	}
	return 0;
}

/* The part's clock begins with it. */
static void write_part(struct cut *cut, const struct trace_item *item)
{
	struct trace_item part = *item;

	if (item->kind == TRACE_ITEM_EVENT)
		part.event.insns -=
			min_u64(part.event.insns, cut->result->from.insn);
	write_item(cut, &part);
}

static int take_item(struct cut *cut, const struct trace_item *item,
		     struct diag *diag)
{
	int err = 0;

	if (item->kind == TRACE_ITEM_REFS)
		return take_refs(cut, item->refs, item->nr, diag);
	if (flow_begins_item(&cut->flow, item))
		err = stop_over(cut, diag);
	if (err || cut->done)
		return err;
	if (cut->writer)
		write_part(cut, item);
	else
		track_item(cut->track, item);
	flow_item(&cut->flow, item);
	return 0;
}

static int copy(struct cut *cut, struct diag *diag)
{
	struct trace_item item;
	uint64_t n = 0;
	int err = 0;

	if (!cut->from.n)
		err = begin(cut, diag);
	while (!err && !cut->done) {
		int got;

		if (n++ % LOOK_INTERVAL == 0 && look(cut))
			break;
		got = trace_read(cut->reader, &item, diag);
		if (got <= 0) {
			err = got;
			break;
		}
		err = take_item(cut, &item, diag);
	}
	if (!cut->done)
		end(cut);
	return err;
}

/* --- All of it ----------------------------------------------------------- */

/* `notrap trace cut F.tmp -o F`, after a recording was killed. */
static bool is_written_over(const char *path, const char *output)
{
	size_t size = strlen(output) + sizeof(".tmp");
	char *temp = malloc(size);
	struct stat in, out;
	bool same;

	if (!temp)
		return false;
	snprintf(temp, size, "%s.tmp", output);
	same = !stat(path, &in) && !stat(temp, &out) &&
	       in.st_dev == out.st_dev && in.st_ino == out.st_ino;
	free(temp);
	return same;
}

static int check_request(const struct cut *cut, struct diag *diag)
{
	const struct cut_request *request = cut->request;
	const struct trace_info *info = trace_reader_info(cut->reader);

	if (request->has_granularity && request->granularity == TRACE_FULL &&
	    info->granularity == TRACE_PAGES)
		return diag_set(diag, -EINVAL,
				"%s: has granularity pages, of which none that "
				"is full can be made",
				request->path);
	if (is_written_over(request->path, request->output))
		return diag_set(diag, -EINVAL,
				"%s: is the name under which %s would be "
				"written: give the output another name",
				request->path, request->output);
	return 0;
}

static int open_input(struct cut *cut, struct diag *diag)
{
	int err = trace_reader_open(cut->request->path, &cut->reader, diag);

	if (!err)
		err = check_request(cut, diag);
	if (err)
		return err;
	flow_init(&cut->flow, trace_reader_info(cut->reader)->granularity);
	cut->at_from = place_of(&cut->flow, cut->from.unit);
	cut->at_to = place_of(&cut->flow, cut->to.unit);
	return cut->from.n ? track_create(trace_reader_info(cut->reader),
					  &cut->track, diag)
			   : 0;
}

static int finish(struct cut *cut, struct diag *diag)
{
	const char *damage = trace_reader_damage(cut->reader);
	struct trace_writer *writer = cut->writer;

	if (damage)
		snprintf(cut->result->damage, sizeof(cut->result->damage), "%s",
			 damage);
	if (!writer && cut->result->interrupted)
		return interrupted(cut, diag);
	if (!writer)
		return diag_set(diag, -ERANGE,
				"%s: no part of it begins at %s %" PRIu64
				" or later: it has %" PRIu64 " of them",
				cut->request->path, unit_name(cut->from.unit),
				cut->from.n, *cut->at_from);
	cut->writer = NULL;
	return trace_writer_close(writer, &cut->result->totals, diag);
}

int cut_run(const struct cut_request *request, struct cut_result *ret,
	    struct diag *diag)
{
	struct cut cut = {.request = request,
			  .result = ret,
			  .from = request->from,
			  .to = request->to};
	int err = 0;

	*ret = (struct cut_result){0};
	if (request->region)
		err = find_region(&cut, diag);
	if (!err)
		err = open_input(&cut, diag);
	if (!err)
		err = copy(&cut, diag);
	if (!err)
		err = finish(&cut, diag);
	trace_writer_abort(cut.writer);
	trace_reader_close(cut.reader);
	track_destroy(cut.track);
	return err;
}
