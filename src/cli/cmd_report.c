/* SPDX-License-Identifier: GPL-2.0-or-later */
/* notrap report: saved results, in any of the formats of notrap run. */
#include <errno.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/formats.h"
#include "cli/results.h"

#define BY_TEXT "reason, cause, error-code, rip, gfn, chain, cost or point"

enum {
	FLAG_BY = 16,
	FLAG_ONLY,
};

static const struct cli_flag flags[] = {
	{FLAG_BY, "by", "WHAT",
	 "exits by reason, cause, error-code, rip or gfn; chain: "
	 "what guest faults went through; cost: cycles, each number with its "
	 "source; or point: "
	 "a row for each result"},
	{FLAG_ONLY, "only", "KEY=VALUE[,VALUE...]",
	 "leave out results with other values of a setting, or of guest"},
	{FLAG_UNCERTAINTY, "uncertainty", NULL,
	 "also show how far the ranges of the costs leave cycles open"},
	{FLAG_FORMAT, "format", "FORMAT", FORMATS_TEXT " (default: table)"},
	{'o', "output", "FILE", "write to FILE, whole or not at all"},
	{FLAG_HELP, "help", NULL, "this text"},
	{0},
};

struct report_options {
	const char *output;
	enum format format;
	bool has_by, uncertainty;
	enum report_by by;
	struct results_only only;
};

static int parse_by(const char *name, struct report_options *options,
		    struct diag *diag)
{
	options->has_by = report_by_find(name, &options->by);
	if (options->has_by)
		return 0;
	return diag_set(diag, -EINVAL, "--by %.60s: want " BY_TEXT, name);
}

static int take_flag(void *context, int flag, const char *arg)
{
	struct report_options *options = context;
	struct diag diag;
	int err = 0;

	if (flag == 'o')
		options->output = arg;
	else if (flag == FLAG_BY)
		err = parse_by(arg, options, &diag);
	else if (flag == FLAG_UNCERTAINTY)
		options->uncertainty = true;
	else if (flag == FLAG_ONLY)
		err = results_only_add(&options->only, arg, &diag);
	else
		err = format_parse(arg, &options->format, &diag);
	return err ? cli_fail(err, &diag) : 0;
}

static int print_by(const struct report_options *options,
		    const struct report *report, struct output *output,
		    struct diag *diag)
{
	int err =
		report_print_by(report, options->by,
				format_of_sheet(options->format), output->file);

	return output_end(output, err, diag);
}

static int print_report(const struct report_options *options,
			struct report *report)
{
	struct output output;
	struct diag diag;
	int err;

	if (options->uncertainty)
		report_tell_uncertainty(report);
	err = output_open(options->output, &output, &diag);
	if (!err && options->has_by)
		err = print_by(options, report, &output, &diag);
	else if (!err)
		err = format_print(report, options->format, &output, &diag);
	return err ? cli_fail(err, &diag) : STATUS_OK;
}

static int run(const struct cli_command *command, int argc, char **argv)
{
	struct report_options options = {0};
	struct report *report;
	struct diag diag;
	int operand, status, err;

	status = cli_parse(command, argc, argv, take_flag, &options, &operand);
	if (status >= 0)
		return status;
	err = results_read(command, argv + operand, &report, &diag);
	if (err)
		return cli_fail(err, &diag);
	err = results_only_apply(&options.only, report, &diag);
	status = err ? cli_fail(err, &diag) : print_report(&options, report);
	report_destroy(report);
	return status;
}

const struct cli_command cmd_report = {
	.name = "report",
	.operands = "[OPTION...] RESULT...",
	.summary = "show saved results as tables, CSV, JSON or Markdown",
	.about = "Reads results that notrap run or notrap replay wrote with "
		 "--format json, each RESULT a file, the directory of a notrap "
		 "sweep, or - for standard input, and shows them as these do. "
		 "Results of the same guest are compared.\n"
		 "--by asks one question of all of them: exits by reason, "
		 "page-fault exits by cause, guest faults by error code, "
		 "exits by page of guest code (rip), page-fault exits by "
		 "guest frame (gfn), guest faults by all that happened from "
		 "their access to its retry (chain), cycles by what they are "
		 "paid for, "
		 "with the source of each number (cost); or it shows each as a "
		 "row "
		 "(point), as "
		 "notrap sweep does at its end.\n",
	.flags = flags,
	.run = run,
};
