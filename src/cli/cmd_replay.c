/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * notrap replay: recorded traces under each configuration that was asked for.
 * A trace is decoded once for many configurations.
 */
#include <errno.h>
#include <stdlib.h>

#include "cli/attention.h"
#include "cli/cli.h"
#include "cli/formats.h"
#include "cli/plan.h"
#include "cli/progress.h"
#include "cli/rerun.h"

static const struct cli_flag flags[] = {
	{'D', NULL, "KEY=VALUE[,VALUE...]",
	 "a setting (see notrap config); with several values, each is run"},
	{'c', "config", "FILE",
	 "settings from a file: lines KEY=VALUE, # comments"},
	{FLAG_UNCERTAINTY, "uncertainty", NULL,
	 "also show how far the ranges of the costs leave cycles open"},
	{FLAG_FORMAT, "format", "FORMAT", FORMATS_TEXT " (default: table)"},
	{'o', "output", "FILE",
	 "write the report to FILE, whole or not at all"},
	VIEWS_FLAGS,
	{FLAG_HELP, "help", NULL, "this text"},
	{0},
};

struct replay_options {
	struct plan *plan;
	const char *output;
	struct views_request views;
	enum format format;
	bool uncertainty;
};

static int take_flag(void *context, int flag, const char *arg)
{
	struct replay_options *options = context;
	struct diag diag;
	int err = 0;

	switch (flag) {
	case 'D':
		err = plan_set(options->plan, arg, &diag);
		break;
	case 'c':
		err = plan_read_file(options->plan, arg, &diag);
		break;
	case 'o':
		options->output = arg;
		break;
	case FLAG_UNCERTAINTY:
		options->uncertainty = true;
		break;
	case FLAG_TIMELINE:
	case FLAG_LOG:
	case FLAG_WINDOW:
		err = views_take_flag(&options->views, flag, arg, &diag);
		break;
	case FLAG_FORMAT:
		err = format_parse(arg, &options->format, &diag);
		break;
	}
	return err ? cli_fail(err, &diag) : 0;
}

struct replayer {
	const struct replay_options *options;
	struct plan_point *point;
	size_t nr;
	const volatile int *attention;
	struct report *report;
	struct progress progress;
	bool interrupted;
};

static void show_progress(void *context, uint64_t insns, uint64_t total)
{
	struct replayer *replayer = context;

	replayer->progress.total = total;
	progress_update(&replayer->progress, insns);
}

static int say_ends(const struct replayer *replayer, const char *path,
		    size_t first, size_t nr, const struct rerun_result *result)
{
	int status = STATUS_OK;

	if (result->damage[0]) {
		cli_say("%s", result->damage);
		status = STATUS_FAILED;
	}
	for (size_t i = 0; i < nr; i++) {
		const char *label = replayer->point[first + i].label;

		if (result->end[i].strays[0])
			cli_say("%s%s%s: %s", path, *label ? ", " : "", label,
				result->end[i].strays);
		if (result->end[i].ok)
			continue;
		status = STATUS_FAILED;
		if (result->end[i].line[0])
			cli_say("%s%s%s: %s", path, *label ? ", " : "", label,
				result->end[i].line);
	}
	return status;
}

static int replay_points(struct replayer *replayer, const char *path,
			 size_t first, size_t nr)
{
	const struct config *config[RERUN_LANES_MAX];
	struct rerun_request request = {
		.path = path,
		.config = config,
		.nr = nr,
		.attention = replayer->attention,
		.progress = show_progress,
		.views = &replayer->options->views,
		.context = replayer,
	};
	struct rerun_result result;
	struct diag diag;
	int err;

	for (size_t i = 0; i < nr; i++)
		config[i] = &replayer->point[first + i].config;
	progress_begin(&replayer->progress, stderr, path, 0);
	err = rerun(&request, replayer->report, &result, &diag);
	progress_hide(&replayer->progress);
	if (err)
		return cli_fail(err, &diag);
	replayer->interrupted = result.interrupted;
	return say_ends(replayer, path, first, nr, &result);
}

static int replay_trace(struct replayer *replayer, const char *path)
{
	int status = STATUS_OK;

	for (size_t i = 0; i < replayer->nr && !replayer->interrupted;
	     i += RERUN_LANES_MAX) {
		size_t nr = (size_t)min_u64(replayer->nr - i, RERUN_LANES_MAX);

		status =
			cli_worse(status, replay_points(replayer, path, i, nr));
		if (status > STATUS_FAILED)
			return status;
	}
	return status;
}

static int replay_and_print(struct replayer *replayer, char **paths)
{
	struct output output;
	struct diag diag;
	int status = STATUS_OK, err;

	err = output_open(replayer->options->output, &output, &diag);
	if (err)
		return cli_fail(err, &diag);
	for (; *paths && !replayer->interrupted; paths++) {
		status = cli_worse(status, replay_trace(replayer, *paths));
		if (status > STATUS_FAILED) {
			output_abandon(&output);
			return status;
		}
	}
	if (replayer->options->uncertainty)
		report_tell_uncertainty(replayer->report);
	err = format_print(replayer->report, replayer->options->format, &output,
			   &diag);
	if (err)
		return cli_fail(err, &diag);
	return replayer->interrupted ? cli_worse(status, STATUS_FAILED)
				     : status;
}

static int replay(const struct replay_options *options, char **paths)
{
	struct replayer replayer = {.options = options,
				    .attention = attention_begin()};
	struct plan_note *notes;
	size_t nr_notes, nr_traces = 0;
	struct diag diag;
	int err, status;

	err = plan_expand(options->plan, &replayer.point, &replayer.nr, &notes,
			  &nr_notes, &diag);
	if (err)
		return cli_fail(err, &diag);
	for (size_t i = 0; i < nr_notes; i++)
		cli_say("%s", notes[i].line);
	free(notes);

	while (paths[nr_traces])
		nr_traces++;
	err = views_check(&options->views, options->output, replayer.nr,
			  nr_traces, &diag);
	if (!err)
		replayer.report = report_create();
	if (!err && !replayer.report)
		err = diag_set(&diag, -ENOMEM, "no memory for the report");
	status =
		err ? cli_fail(err, &diag) : replay_and_print(&replayer, paths);
	report_destroy(replayer.report);
	free(replayer.point);
	return status;
}

static int run(const struct cli_command *command, int argc, char **argv)
{
	struct replay_options options = {.plan = plan_create()};
	int operand, status;

	if (!options.plan) {
		cli_say("no memory");
		return STATUS_HOST;
	}
	status = cli_parse(command, argc, argv, take_flag, &options, &operand);
	if (status < 0 && operand == argc) {
		cli_say("want a TRACE (notrap help replay)");
		status = STATUS_USAGE;
	}
	if (status < 0)
		status = replay(&options, argv + operand);
	plan_destroy(options.plan);
	return status;
}

const struct cli_command cmd_replay = {
	.name = "replay",
	.operands = "[OPTION...] TRACE...",
	.summary = "replay recorded traces and report their VM exits",
	.about = "Replays each TRACE under every combination of the settings "
		 "given and prints the same report as notrap run. Each replay "
		 "compares the guest page faults it derives with those "
		 "recorded and stops at the first difference.\n"
		 "Traces come from notrap run --record and from notrap "
		 "import.\n",
	.flags = flags,
	.run = run,
};
