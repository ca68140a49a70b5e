/* SPDX-License-Identifier: GPL-2.0-or-later */
/* notrap trace cut: a part of a trace, or what is left of a damaged one. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "cli/attention.h"
#include "cli/cmd_trace.h"
#include "cli/formats.h"
#include "cli/number.h"
#include "cli/progress.h"
#include "replay/cut.h"
#include "report/version.h"

enum {
	FLAG_FROM_INSN = 16,
	FLAG_TO_INSN,
	FLAG_FROM_REF,
	FLAG_TO_REF,
	FLAG_FROM_ITEM,
	FLAG_TO_ITEM,
	FLAG_ROI,
	FLAG_GRAIN,
};

static const struct cli_flag flags[] = {
	{'o', "output", "FILE", "the part; must be given"},
	{FLAG_FROM_INSN, "from-insn", "N",
	 "begin when N instructions are complete (default: 0)"},
	{FLAG_TO_INSN, "to-insn", "N",
	 "end when N instructions are complete (default: at the end)"},
	{FLAG_FROM_REF, "from-ref", "N", "begin after N references"},
	{FLAG_TO_REF, "to-ref", "N", "end after N references"},
	{FLAG_FROM_ITEM, "from-item", "N",
	 "begin with item N, as notrap trace dump counts"},
	{FLAG_TO_ITEM, "to-item", "N", "end before item N"},
	{FLAG_ROI, "roi", NULL,
	 "what lies between the guest's markers, the first OUT of 0x10 to port "
	 "0xf5 and the next of 0x11"},
	{FLAG_GRAIN, "granularity", "WORD",
	 "of the part: pages makes runs of the references of a full trace "
	 "(default: as the trace is)"},
	{FLAG_HELP, "help", NULL, "this text"},
	{0},
};

/* By flag, from FLAG_FROM_INSN on. */
static const struct {
	const char *name;
	enum cut_unit unit;
	bool is_end;
} points[] = {
	{"--from-insn", CUT_INSN, false}, {"--to-insn", CUT_INSN, true},
	{"--from-ref", CUT_REF, false},   {"--to-ref", CUT_REF, true},
	{"--from-item", CUT_ITEM, false}, {"--to-item", CUT_ITEM, true},
};

struct cut_options {
	struct cut_request request;
	bool given[2]; /* where to begin, where to end */
};

static int take_point(struct cut_options *options, int flag, const char *arg,
		      struct diag *diag)
{
	int i = flag - FLAG_FROM_INSN;
	bool is_end = points[i].is_end;
	struct cut_point *point =
		is_end ? &options->request.to : &options->request.from;

	if (options->given[is_end])
		return diag_set(diag, -EINVAL,
				"%s: where to %s is given already",
				points[i].name, is_end ? "end" : "begin");
	options->given[is_end] = true;
	point->unit = points[i].unit;
	return number_parse(points[i].name, arg, CUT_END - 1, &point->n, diag);
}

static int take_flag(void *context, int flag, const char *arg)
{
	struct cut_options *options = context;
	struct cut_request *request = &options->request;
	struct diag diag;
	int err = 0;

	switch (flag) {
	case 'o':
		request->output = arg;
		break;
	case FLAG_ROI:
		request->region = true;
		break;
	case FLAG_GRAIN:
		request->has_granularity = true;
		err = granularity_parse(arg, &request->granularity, &diag);
		break;
	default:
		err = take_point(options, flag, arg, &diag);
		break;
	}
	return err ? cli_fail(err, &diag) : 0;
}

static void say_result(const struct cut_request *request,
		       const struct cut_result *r)
{
	cli_say("%s: items %" PRIu64 " to %" PRIu64 " of %s, instructions "
		"%" PRIu64 " to %" PRIu64 ": %" PRIu64 " references, %" PRIu64
		" guest page faults; %" PRIu64 " tables told at its beginning",
		request->output, r->from.item, r->to.item, request->path,
		r->from.insn, r->to.insn, r->totals.refs, r->totals.faults,
		r->tables);
}

static int cut(struct cut_request *request)
{
	struct progress progress;
	struct cut_result result;
	struct diag diag;
	int err;

	request->progress = progress_show;
	request->context = &progress;
	request->attention = attention_begin();
	progress_begin(&progress, stderr, request->path, 0);
	progress.unit = "bytes";
	err = cut_run(request, &result, &diag);
	progress_hide(&progress);
	if (result.damage[0])
		cli_say("%s", result.damage);
	if (err == -EINTR)
		return STATUS_FAILED;
	if (err)
		return cli_fail(err, &diag);
	if (result.interrupted)
		cli_say("interrupted");
	say_result(request, &result);
	return result.damage[0] || result.interrupted ? STATUS_FAILED
						      : STATUS_OK;
}

static int run(const struct cli_command *command, int argc, char **argv)
{
	struct cut_options options = {
		.request = {.from = {CUT_INSN, 0}, .to = {CUT_INSN, CUT_END}}};
	struct cut_request *request = &options.request;
	char tool[64];
	int operand, status;

	status = cli_parse(command, argc, argv, take_flag, &options, &operand);
	if (status >= 0)
		return status;
	if (operand + 1 != argc || !request->output) {
		cli_say("want TRACE -o FILE (notrap help trace cut)");
		return STATUS_USAGE;
	}
	if (request->region && (options.given[0] || options.given[1])) {
		cli_say("--roi says where to begin and end; so do the others");
		return STATUS_USAGE;
	}
	snprintf(tool, sizeof(tool), "notrap %s", notrap_version());
	request->path = argv[operand];
	request->tool = tool;
	return cut(request);
}

const struct cli_command cmd_trace_cut = {
	.name = "trace cut",
	.operands = "[OPTION...] TRACE -o FILE",
	.summary = "make a trace of a part, or of what a damage has left",
	.about = "Writes a part of TRACE as a trace that replays by itself: it "
		 "begins with the control registers and page tables that the "
		 "guest has come to there. It begins and ends at the first "
		 "place at or behind the one asked for that is between two "
		 "instructions, in no delivery and with no interrupt "
		 "waiting; in a trace of granularity pages, where a run of "
		 "fetches begins. What came of it is told.\n"
		 "Without a place all of TRACE is copied. Of a damaged trace "
		 "the part ends where the damage begins; the status is 1 "
		 "then, and FILE is good.\n",
	.flags = flags,
	.run = run,
};
