/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Replays up to the item, records it, and goes on until it is known what became
 * of a fault it made.  An item that only tells how an earlier one ended (a
 * fault as delivered, the bytes of an emulated store) leads back to that one.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "explain/internal.h"
#include "trace/line.h"

#define LANES 2 /* as asked, and with the bypass the other way */

struct run {
	const struct explain_request *request;
	struct pass pass;
	struct replay_lane *lane[LANES];
	struct story story[LANES];
	struct recorder recorder[LANES];
	size_t nr;
	uint64_t target;
	uint64_t last_ref; /* number of the last reference fed */
	bool has_ref;
	char line[LINE_BYTES_MAX];
};

static void ignore_exit(void *context, uint64_t position,
			const struct sim_exit_record *record)
{
	(void)context;
	(void)position;
	(void)record;
}

static int create_lanes(struct run *run, struct diag *diag)
{
	/* A lane that is watched knows which exit is still open. */
	static const struct replay_watch watch = {.exit = ignore_exit};
	const struct config *config[LANES] = {run->request->config,
					      run->request->other};
	int err = 0;

	for (size_t i = 0; i < LANES && config[i] && !err; i++) {
		err = create_lane(config[i], &run->pass, &run->lane[i], diag);
		if (err)
			break;
		replay_lane_watch(run->lane[i], &watch);
		run->nr++;
	}
	return err;
}

static void feed(struct run *run, const struct trace_item *item)
{
	for (size_t i = 0; i < run->nr; i++)
		replay_lane_item(run->lane[i], item);
	if (item_is_ref(item)) {
		run->last_ref = run->pass.next - 1;
		run->has_ref = true;
	}
}

/* --- Up to the item ------------------------------------------------------ */

static int ended_early(const struct run *run, struct diag *diag)
{
	const char *line = replay_lane_line(run->lane[0]);

	return diag_set(
		diag, -EPROTO,
		"the replay of %.200s ends before item %" PRIu64 "%s%.300s",
		run->request->path, run->target, *line ? ": " : "", line);
}

/* *ret is the item itself, not fed yet. */
static int read_up_to(struct run *run, struct trace_item *ret,
		      struct diag *diag)
{
	for (;;) {
		bool at_it = run->pass.next == run->target;
		int got = pass_read(&run->pass, run->target, ret, diag);

		if (got < 0)
			return got;
		if (!got)
			return pass_lacks(&run->pass, diag, "item %" PRIu64,
					  run->target);
		if (replay_lane_status(run->lane[0]) != REPLAY_RUNNING)
			return ended_early(run, diag);
		if (at_it)
			return 0;
		feed(run, ret);
	}
}

static bool is_exit_open(const struct run *run)
{
	return replay_lane_settled(run->lane[0]) < run->target;
}

/* The item that this one belongs to; itself, if it stands for itself. */
static uint64_t owner_of(const struct run *run, const struct trace_item *item)
{
	switch (item->kind) {
	case TRACE_ITEM_FAULT:
		return run->has_ref ? run->last_ref : run->target;
	case TRACE_ITEM_TABLE_WRITE:
	case TRACE_ITEM_TABLE_END:
		break;
	case TRACE_ITEM_EVENT:
		if (event_is_answer(&item->event))
			break;
		return run->target;
	default:
		return run->target;
	}
	return is_exit_open(run) ? replay_lane_settled(run->lane[0])
				 : run->target;
}

static int check_item(const struct run *run, const struct trace_item *item,
		      struct diag *diag)
{
	const char *why = NULL;

	switch (item->kind) {
	case TRACE_ITEM_REFS:
	case TRACE_ITEM_EVENT:
		if (item->event.kind == GE_EMULATE_FAILED)
			why = "says that a hypervisor could not emulate a "
			      "write; under this configuration none has to";
		else if (item->event.kind == GE_COMPARE_FAILED)
			why = "says that a comparison failed, so that a page "
			      "table is as it was; under this configuration "
			      "no hypervisor is asked";
		break;
	case TRACE_ITEM_TABLE:
		why = "tells what a page table holds; nothing happens";
		break;
	case TRACE_ITEM_TABLE_WRITE:
		why = "tells the bytes of a store to a page table that this "
		      "hypervisor does not shadow now; nothing happens";
		break;
	case TRACE_ITEM_TABLE_END:
		why = "says that a frame is a page table no more; nothing "
		      "happens";
		break;
	case TRACE_ITEM_FAULT:
		why = "is a page fault without a reference that met it";
		break;
	case TRACE_ITEM_VCPU:
		why = "says which processor the next items are of; nothing "
		      "happens";
		break;
	case TRACE_ITEM_MARK:
		why = "is a mark; nothing happens";
		break;
	}
	if (!why)
		return 0;
	return diag_set(diag, -EINVAL, "item %" PRIu64 " (%s) %s", run->target,
			trace_item_name(item->kind), why);
}

/* --- The item, and on ---------------------------------------------------- */

static void begin_story(const struct run *run, struct story *story,
			const struct trace_item *item, uint64_t insns)
{
	story->item = run->target;
	story->insns = insns;
	if (item_is_ref(item)) {
		story->kind = STORY_REF;
		story->ref = item->refs[0];
	} else {
		story->kind = STORY_EVENT;
		story->event = item->event;
	}
}

static void write_line(struct run *run, const struct trace_item *item,
		       uint64_t insns)
{
	char *end =
		item_is_ref(item)
			? line_ref(run->line, run->target, insns, item->refs)
			: line_item(run->line, run->target, insns, item);

	end[-1] = 0; /* the newline */
}

static void record_item(struct run *run, const struct trace_item *item)
{
	uint64_t insns = run->pass.insns;

	if (item_is_ref(item) && item->refs[0].kind == TRACE_FETCH)
		insns -= item->refs[0].count;
	write_line(run, item, insns);
	for (size_t i = 0; i < run->nr; i++) {
		begin_story(run, &run->story[i], item, insns);
		run->story[i].config =
			i ? *run->request->other : *run->request->config;
		record_begin(&run->recorder[i], &run->story[i], run->lane[i]);
	}
	feed(run, item);
	for (size_t i = 0; i < run->nr; i++)
		record_item_over(&run->recorder[i]);
}

/* No more can become known. */
static bool is_known(const struct run *run)
{
	for (size_t i = 0; i < run->nr; i++)
		if (!record_is_done(&run->recorder[i]) &&
		    replay_lane_status(run->lane[i]) == REPLAY_RUNNING)
			return false;
	return true;
}

static int go_on(struct run *run, struct diag *diag)
{
	struct trace_item item;
	int got = 1;

	while (!is_known(run) && got > 0) {
		uint64_t next = run->pass.next;

		got = pass_read(&run->pass, next, &item, diag);
		for (size_t i = 0; i < run->nr; i++)
			run->recorder[i].item = next;
		if (got > 0)
			feed(run, &item);
	}
	for (size_t i = 0; i < run->nr; i++)
		record_end(&run->recorder[i]);
	for (size_t i = 0; i < run->nr && got >= 0; i++)
		if (run->story[i].failed)
			got = diag_set(diag, -ENOMEM,
				       "no memory for the steps "
				       "of the event");
	return got < 0 ? got : 0;
}

static int make_text(const struct run *run, uint64_t asked, struct prose **ret,
		     struct diag *diag)
{
	struct telling t = {
		.prose = prose_create("notrap-explain/1"),
		.path = run->request->path,
		.story = &run->story[0],
		.other = run->nr > 1 ? &run->story[1] : NULL,
		.asked = asked,
		.in = sim_inside(replay_lane_sim(run->lane[0])),
		.lane_line = replay_lane_line(run->lane[0]),
	};

	if (!t.prose)
		return diag_set(diag, -ENOMEM, "no memory for the text");
	memcpy(t.line, run->line, sizeof(t.line));
	tell(&t);
	*ret = t.prose;
	return 0;
}

/* *owner: the item that the target belongs to; then there is no text. */
static int run_once(struct run *run, uint64_t asked, uint64_t *owner,
		    struct prose **ret, struct diag *diag)
{
	struct trace_item item;
	int err = pass_begin(&run->pass, run->request, diag);

	if (err)
		return err;
	err = create_lanes(run, diag);
	if (!err)
		err = read_up_to(run, &item, diag);
	if (!err)
		*owner = owner_of(run, &item);
	if (!err && *owner == run->target)
		err = check_item(run, &item, diag);
	if (!err && *owner == run->target) {
		record_item(run, &item);
		err = go_on(run, diag);
		if (!err)
			err = make_text(run, asked, ret, diag);
	}
	for (size_t i = 0; i < LANES; i++) {
		replay_lane_destroy(run->lane[i]);
		story_finish(&run->story[i]);
	}
	pass_end(&run->pass);
	return err;
}

int explain(const struct explain_request *request, struct prose **ret,
	    struct diag *diag)
{
	uint64_t asked, owner, target;
	int err = find_item(request, &asked, diag);

	if (err)
		return err;
	*ret = NULL;
	for (target = asked; !*ret; target = owner) {
		struct run *run = calloc(1, sizeof(*run));

		if (!run)
			return diag_set(diag, -ENOMEM, "no memory");
		run->request = request;
		run->target = target;
		err = run_once(run, asked, &owner, ret, diag);
		free(run);
		if (err)
			return err;
	}
	return 0;
}
