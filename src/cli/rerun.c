/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/rerun.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/describe.h"

struct lane_watch {
	const struct rerun_request *request;
	size_t lane;
	struct where *where;
};

struct rerun {
	const struct rerun_request *request;
	struct trace_reader *reader;
	struct replay_lane *lane[RERUN_LANES_MAX];
	struct lane_watch watch[RERUN_LANES_MAX];
	uint64_t digest; /* of the trace, or of what could be read */
	uint64_t insns;  /* as the footer tells; 0: not known */
	struct views views;
	int stop; /* asked for, or a view cannot be written */
};

static const char *status_word(enum replay_status status, bool interrupted)
{
	static const char *const words[] = {
		[REPLAY_RUNNING] = "interrupted",
		[REPLAY_DONE] = "replayed",
		[REPLAY_SHUTDOWN] = "triple fault",
		[REPLAY_ABSENT] = "absent memory",
		[REPLAY_DIFFERS] = "differs",
		[REPLAY_STOPPED] = "stopped",
	};

	return words[interrupted && status == REPLAY_DONE ? REPLAY_RUNNING
							  : status];
}

/* Damage of the file is told once, not for every lane. */
static void fill_line(struct rerun_end *end, const struct rerun_result *ret,
		      const struct result *result)
{
	const char *why = result->guest_line;

	if (!*why && !ret->damage[0] && !result->guest_ok)
		why = result->guest_status;
	snprintf(end->line, sizeof(end->line), "%s%s%s", why,
		 *why && result->check[0] ? "; " : "", result->check);
}

static int add_result(const struct rerun *rr, size_t i, struct report *report,
		      struct rerun_result *ret, struct diag *diag)
{
	struct replay_lane *lane = rr->lane[i];
	const struct sim *sim = replay_lane_sim(lane);
	const struct trace_info *info = trace_reader_info(rr->reader);
	enum replay_status status = replay_lane_status(lane);
	struct rerun_end *end = &ret->end[i];
	char check[400];
	struct result result = {
		.source_kind = "trace",
		.source_path = rr->request->path,
		.source_args = info->origin,
		.source_digest = rr->digest,
		.guest_status = status_word(status, ret->interrupted),
		.guest_line = replay_lane_line(lane),
		.guest_ok = status == REPLAY_DONE && !ret->interrupted &&
			    !ret->damage[0],
		.guest_insns = replay_lane_insns(lane),
		.guest_fault_digest = sim_fault_digest(sim),
		.audit_violations = sim_audit(sim).violations,
		.check = check,
		.acct = sim_account(sim),
		.where = rr->watch[i].where,
	};

	describe_config(rr->request->config[i], &result);
	describe_costs(rr->request->config[i], &result);
	describe_strays(sim, &result, end->strays, sizeof(end->strays));
	describe_check(sim, rr->watch[i].where, check, sizeof(check));
	end->ok = result.guest_ok && !check[0];
	fill_line(end, ret, &result);
	return report_add(report, &result, diag);
}

static void tell_exit(void *context, uint64_t position,
		      const struct sim_exit_record *record)
{
	const struct lane_watch *watch = context;
	const struct rerun_request *request = watch->request;

	describe_exit(watch->where, record);
	if (request->watch)
		request->watch->exit(request->context, watch->lane, position,
				     record);
}

static void forget_exits(void *context)
{
	const struct lane_watch *watch = context;
	const struct rerun_request *request = watch->request;

	where_reset(watch->where);
	if (request->watch)
		request->watch->region(request->context, watch->lane);
}

static void tell_settled(void *context)
{
	const struct rerun *rr = context;
	uint64_t position = UINT64_MAX;

	for (size_t i = 0; i < rr->request->nr; i++)
		position = min_u64(position, replay_lane_settled(rr->lane[i]));
	rr->request->watch->settled(rr->request->context, position);
}

static void show(void *context, uint64_t done, uint64_t total)
{
	struct rerun *rr = context;

	(void)done;
	(void)total;
	rr->stop = (rr->request->attention && *rr->request->attention) ||
		   views_have_failed(&rr->views);
	if (rr->request->progress)
		rr->request->progress(rr->request->context,
				      replay_lane_insns(rr->lane[0]),
				      rr->insns);
}

static int replay_all(struct rerun *rr, struct rerun_result *ret,
		      struct diag *diag)
{
	struct replay_pass pass = {
		.reader = rr->reader,
		.lane = rr->lane,
		.nr_lanes = rr->request->nr,
		.attention = &rr->stop,
		.item = rr->request->watch ? tell_settled : NULL,
		.in_step = rr->request->watch,
		.progress = show,
		.context = rr,
	};
	struct trace_totals footer;
	const char *damage;
	int err;

	if (!trace_reader_footer(rr->reader, &footer))
		rr->insns = footer.insns;
	err = replay_run(&pass, diag);
	if (err)
		return err;
	if (rr->request->watch)
		rr->request->watch->settled(rr->request->context, UINT64_MAX);
	ret->interrupted = pass.interrupted;
	damage = trace_reader_damage(rr->reader);
	if (damage)
		snprintf(ret->damage, sizeof(ret->damage), "%s", damage);
	rr->digest = rr->insns ? footer.digest
			       : trace_reader_totals(rr->reader)->digest;
	return 0;
}

static int create_lane(struct rerun *rr, size_t i, struct diag *diag)
{
	struct lane_watch *watch = &rr->watch[i];
	struct replay_watch to = {tell_exit, forget_exits, watch};
	int err;

	err = replay_lane_create(rr->request->config[i],
				 trace_reader_info(rr->reader), &rr->lane[i],
				 diag);
	if (err)
		return err;
	*watch = (struct lane_watch){rr->request, i, where_create()};
	if (!watch->where)
		return diag_set(diag, -ENOMEM, "no memory for the exits");
	replay_lane_watch(rr->lane[i], &to);
	return 0;
}

int rerun(const struct rerun_request *request, struct report *report,
	  struct rerun_result *ret, struct diag *diag)
{
	struct rerun rr = {.request = request};
	int err;

	*ret = (struct rerun_result){0};
	err = trace_reader_open(request->path, &rr.reader, diag);
	if (err)
		return err;
	for (size_t i = 0; i < request->nr && !err; i++)
		err = create_lane(&rr, i, diag);
	if (!err && request->views)
		err = views_begin(request->views, replay_lane_sim(rr.lane[0]),
				  request->config[0], &rr.views, diag);
	if (!err)
		err = replay_all(&rr, ret, diag);
	if (!err)
		err = views_end(&rr.views, diag);
	for (size_t i = 0; i < request->nr && !err; i++)
		err = add_result(&rr, i, report, ret, diag);
	views_abandon(&rr.views);
	for (size_t i = 0; i < request->nr; i++) {
		replay_lane_destroy(rr.lane[i]);
		where_destroy(rr.watch[i].where);
	}
	trace_reader_close(rr.reader);
	return err;
}
