/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * notrap diff: one trace under two configurations, in step, so that it is
 * known of every exit what became of it.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "cli/attention.h"
#include "cli/cli.h"
#include "cli/formats.h"
#include "cli/is_trace.h"
#include "cli/number.h"
#include "cli/pair.h"
#include "cli/progress.h"
#include "cli/rerun.h"
#include "cli/results.h"
#include "report/diff.h"

#define LIMIT 100

enum {
	FLAG_LIST = 16,
	FLAG_ALL,
	FLAG_FROM,
	FLAG_COUNT,
	FLAG_LIMIT,
};

static const struct cli_flag flags[] = {
	{'D', NULL, "KEY=A,B",
	 "a setting (see notrap config) with the two values to compare; those "
	 "with one value hold for both"},
	{'c', "config", "FILE",
	 "settings from a file: lines KEY=VALUE, # comments"},
	{FLAG_LIST, "list", NULL, "list single exits, too: those that differ"},
	{FLAG_ALL, "all", NULL, "list those that do not differ as well"},
	{FLAG_FROM, "from", "POSITION", "list from there on (default: 0)"},
	{FLAG_COUNT, "count", "N", "list N positions (default: to the end)"},
	{FLAG_LIMIT, "limit", "N", "list at most N exits (default: 100)"},
	{FLAG_FORMAT, "format", "FORMAT", FORMATS_TEXT " (default: table)"},
	{'o', "output", "FILE",
	 "write the report to FILE, whole or not at all"},
	{FLAG_HELP, "help", NULL, "this text"},
	{0},
};

struct diff_options {
	struct plan *plan;
	bool has_settings;
	struct diff_window window;
	const char *output;
	enum format format;
};

/* All of these are about the list. */
static int take_window(struct diff_window *window, int flag, const char *arg,
		       struct diag *diag)
{
	window->list = true;
	switch (flag) {
	case FLAG_ALL:
		window->all = true;
		return 0;
	case FLAG_FROM:
		return number_parse("--from", arg, UINT64_MAX, &window->from,
				    diag);
	case FLAG_COUNT:
		return number_parse("--count", arg, UINT64_MAX, &window->count,
				    diag);
	case FLAG_LIMIT:
		return number_parse("--limit", arg, UINT64_MAX, &window->limit,
				    diag);
	default:
		return 0;
	}
}

static int take_flag(void *context, int flag, const char *arg)
{
	struct diff_options *options = context;
	struct diag diag;
	int err = 0;

	switch (flag) {
	case 'D':
		options->has_settings = true;
		err = plan_set(options->plan, arg, &diag);
		break;
	case 'c':
		options->has_settings = true;
		err = plan_read_file(options->plan, arg, &diag);
		break;
	case 'o':
		options->output = arg;
		break;
	case FLAG_FORMAT:
		err = format_parse(arg, &options->format, &diag);
		break;
	default:
		err = take_window(&options->window, flag, arg, &diag);
	}
	return err ? cli_fail(err, &diag) : 0;
}

/* --- What to compare ----------------------------------------------------- */

static int read_pair(const struct diff_options *options,
		     const struct cli_command *command, char **paths,
		     struct pair *ret, struct diag *diag)
{
	struct report *results;
	size_t nr, traces = 0;
	int err;

	for (nr = 0; paths[nr]; nr++)
		traces += is_trace(paths[nr]);
	if (traces == 1 && nr == 1)
		return pair_of_plan(options->plan, paths[0], ret, diag);
	if (traces)
		return diag_set(diag, -EINVAL,
				"want one TRACE with -D KEY=A,B, or two "
				"RESULTs (notrap help %s)",
				command->name);
	err = results_read(command, paths, &results, diag);
	if (err)
		return err;
	if (options->has_settings)
		err = diag_set(diag, -EINVAL,
			       "-D and -c go with a TRACE; results have their "
			       "settings");
	else
		err = pair_of_results(results, ret, diag);
	report_destroy(results);
	return err;
}

static int check_digest(const struct pair *pair, const char *digest,
			struct diag *diag)
{
	if (!pair->digest[0] || !strcmp(pair->digest, digest))
		return 0;
	return diag_set(diag, -EINVAL,
			"%.300s is not the trace of these results (its digest "
			"is %s, not %s): replay it again",
			pair->path, digest, pair->digest);
}

/* Before a long replay, if the file tells. */
static int check_footer(const struct pair *pair, struct diag *diag)
{
	struct trace_reader *reader;
	struct trace_totals footer;
	char digest[24];
	int err = trace_reader_open(pair->path, &reader, diag);

	if (err)
		return err;
	if (!trace_reader_footer(reader, &footer)) {
		snprintf(digest, sizeof(digest), "0x%016" PRIx64,
			 footer.digest);
		err = check_digest(pair, digest, diag);
	}
	trace_reader_close(reader);
	return err;
}

/* --- Comparing ----------------------------------------------------------- */

struct differ {
	const struct diff_options *options;
	struct pair pair;
	struct diff *diff;
	struct report *report;
	struct progress progress;
};

static void show_progress(void *context, uint64_t insns, uint64_t total)
{
	struct differ *differ = context;

	differ->progress.total = total;
	progress_update(&differ->progress, insns);
}

static void take_exit(void *context, size_t lane, uint64_t position,
		      const struct sim_exit_record *record)
{
	const struct differ *differ = context;
	const struct align_exit exit = {
		.position = position,
		.insns = record->insns,
		.rip = record->rip,
		.gva = record->gva,
		.pfec = record->pfec,
		.reason = record->reason,
		.cause = record->is_page_fault ? (int)record->cause
					       : ALIGN_NO_CAUSE,
		.cycles = record->cycles,
	};

	diff_add(differ->diff, (enum align_side)lane, &exit);
}

static void forget_exits(void *context, size_t lane)
{
	const struct differ *differ = context;

	diff_forget(differ->diff, (enum align_side)lane);
}

static void settle_exits(void *context, uint64_t position)
{
	const struct differ *differ = context;

	diff_settle(differ->diff, position);
}

/* One that was left behind, as the other could not go on, says nothing. */
static int say_end(const struct differ *differ,
		   const struct rerun_result *result)
{
	static const char *const sides[] = {"A", "B"};
	bool said = result->damage[0];

	if (said)
		cli_say("%s", result->damage);
	for (size_t i = 0; i < 2; i++) {
		const char *line = result->end[i].line;

		if (!*line || !strcmp(line, "interrupted"))
			continue;
		cli_say("%s, %s: %s", differ->pair.path, sides[i], line);
		said = true;
	}
	if (result->interrupted && !said)
		cli_say("interrupted");
	return result->end[0].ok && result->end[1].ok ? STATUS_OK
						      : STATUS_FAILED;
}

static int replay_both(struct differ *differ, struct rerun_result *result,
		       struct diag *diag)
{
	static const struct rerun_watch watch = {take_exit, forget_exits,
						 settle_exits};
	const struct config *config[2] = {&differ->pair.config[0],
					  &differ->pair.config[1]};
	struct rerun_request request = {
		.path = differ->pair.path,
		.config = config,
		.nr = 2,
		.attention = attention_begin(),
		.progress = show_progress,
		.watch = &watch,
		.context = differ,
	};
	int err = check_footer(&differ->pair, diag);

	if (err)
		return err;
	progress_begin(&differ->progress, stderr, differ->pair.path, 0);
	err = rerun(&request, differ->report, result, diag);
	progress_hide(&differ->progress);
	if (err)
		return err;
	return check_digest(&differ->pair,
			    report_origin(differ->report, 0).digest, diag);
}

static int compare(struct differ *differ)
{
	struct rerun_result result;
	struct output output;
	struct diag diag;
	int status, err;

	err = output_open(differ->options->output, &output, &diag);
	if (err)
		return cli_fail(err, &diag);
	err = replay_both(differ, &result, &diag);
	if (err) {
		output_abandon(&output);
		return cli_fail(err, &diag);
	}
	status = say_end(differ, &result);
	err = diff_print(differ->diff, differ->report,
			 format_of_sheet(differ->options->format), output.file);
	err = output_end(&output, err, &diag);
	return err ? cli_fail(err, &diag) : status;
}

static int diff(const struct diff_options *options,
		const struct cli_command *command, char **paths)
{
	struct differ differ = {.options = options};
	struct diag diag;
	int err, status;

	err = read_pair(options, command, paths, &differ.pair, &diag);
	if (err)
		return cli_fail(err, &diag);
	differ.diff = diff_create(&options->window);
	differ.report = report_create();
	if (!differ.diff || !differ.report)
		err = diag_set(&diag, -ENOMEM, "no memory for the comparison");
	status = err ? cli_fail(err, &diag) : compare(&differ);
	report_destroy(differ.report);
	diff_destroy(differ.diff);
	return status;
}

static int run(const struct cli_command *command, int argc, char **argv)
{
	struct diff_options options = {.plan = plan_create(),
				       .window.limit = LIMIT};
	int operand, status;

	if (!options.plan) {
		cli_say("no memory");
		return STATUS_HOST;
	}
	status = cli_parse(command, argc, argv, take_flag, &options, &operand);
	if (status < 0 && operand == argc) {
		cli_say("want a TRACE, or two RESULTs (notrap help diff)");
		status = STATUS_USAGE;
	}
	if (status < 0)
		status = diff(&options, command, argv + operand);
	plan_destroy(options.plan);
	return status;
}

const struct cli_command cmd_diff = {
	.name = "diff",
	.operands = "[OPTION...] TRACE | RESULT...",
	.summary = "compare two configurations over one trace, exit by exit",
	.about = "Replays a trace under two configurations, A and B, in step, "
		 "and tells of every exit what became of it: removed, added, "
		 "unchanged, or changed to one of another cause. Then where "
		 "the cycles go, and at which cost of an exit (or of any other "
		 "thing that counts differently) A and B are equal.\n"
		 "The two come from a TRACE and settings, -D KEY=A,B, or from "
		 "two results of notrap replay --format json, in one file or "
		 "two, whose trace is replayed again.\n"
		 "--list shows single exits by their position: the number of "
		 "the item or reference in the trace.\n",
	.flags = flags,
	.run = run,
};
