/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <inttypes.h>

#include "explain/internal.h"

int create_lane(const struct config *config, const struct pass *pass,
		struct replay_lane **ret, struct diag *diag)
{
	return replay_lane_create(config, trace_reader_info(pass->reader), ret,
				  diag);
}

/* --- In the trace alone -------------------------------------------------- */

static int find_fault(const struct explain_request *request, uint64_t *ret,
		      struct diag *diag)
{
	struct trace_item item;
	struct pass pass;
	uint64_t faults = 0;
	int got = pass_begin(&pass, request, diag);

	if (got)
		return got;
	while ((got = pass_read(&pass, UINT64_MAX, &item, diag)) > 0)
		if (item.kind == TRACE_ITEM_FAULT && ++faults == request->n)
			break;
	*ret = pass.next - 1;
	if (!got)
		got = pass_lacks(&pass, diag,
				 "guest page fault %" PRIu64 " (of %" PRIu64
				 ")",
				 request->n, faults);
	pass_end(&pass);
	return got < 0 ? got : 0;
}

/* --- By a replay --------------------------------------------------------- */

struct finder {
	const struct explain_request *request;
	struct replay_lane *lane;
	uint64_t exits;
	bool found;
	uint64_t item;
};

static void look_at(void *context, const struct sim_step *step)
{
	struct finder *finder = context;
	const struct explain_request *request = finder->request;
	bool is_it = false;

	if (finder->found)
		return;
	if (step->kind == SIM_STEP_EXIT)
		is_it = ++finder->exits == request->n &&
			request->by == EXPLAIN_EXIT;
	else if (step->kind == SIM_STEP_FAULT)
		is_it = request->by == EXPLAIN_GVA &&
			step->gva >> PAGE_SHIFT == request->n >> PAGE_SHIFT;
	if (!is_it)
		return;
	finder->found = true;
	finder->item = replay_lane_position(finder->lane);
}

static int not_found(const struct finder *finder, const struct pass *pass,
		     struct diag *diag)
{
	const struct explain_request *request = finder->request;
	const char *line = replay_lane_line(finder->lane);

	if (*line)
		return diag_set(diag, -EPROTO, "%.200s: %.300s", request->path,
				line);
	if (request->by == EXPLAIN_EXIT)
		return pass_lacks(pass, diag,
				  "VM exit %" PRIu64 " under this "
				  "configuration (of %" PRIu64 ")",
				  request->n, finder->exits);
	return pass_lacks(pass, diag,
			  "page fault in the page of 0x%" PRIx64
			  " under this configuration",
			  request->n);
}

static int find_by_replay(const struct explain_request *request, uint64_t *ret,
			  struct diag *diag)
{
	struct finder finder = {.request = request};
	const struct sim_probe probe = {look_at, &finder};
	struct trace_item item;
	struct pass pass;
	int got = pass_begin(&pass, request, diag);

	if (got)
		return got;
	got = create_lane(request->config, &pass, &finder.lane, diag);
	if (!got)
		sim_set_probe(replay_lane_sim(finder.lane), &probe);
	while (!got && !finder.found &&
	       replay_lane_status(finder.lane) == REPLAY_RUNNING) {
		got = pass_read(&pass, UINT64_MAX, &item, diag);
		if (got <= 0)
			break;
		replay_lane_item(finder.lane, &item);
		got = 0;
	}
	*ret = finder.item;
	if (!got && !finder.found)
		got = not_found(&finder, &pass, diag);
	replay_lane_destroy(finder.lane);
	pass_end(&pass);
	return got;
}

int find_item(const struct explain_request *request, uint64_t *ret,
	      struct diag *diag)
{
	switch (request->by) {
	case EXPLAIN_ITEM:
		*ret = request->n;
		return 0;
	case EXPLAIN_FAULT:
		return find_fault(request, ret, diag);
	case EXPLAIN_EXIT:
	case EXPLAIN_GVA:
		return find_by_replay(request, ret, diag);
	}
	BUG("what to find");
}
