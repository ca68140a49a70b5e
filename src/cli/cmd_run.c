/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * notrap run: a guest under each configuration that was asked for, then the
 * report.  The guest is meant to see no difference between configurations; it
 * is looked at, and said loudly if it does.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/attention.h"
#include "cli/cli.h"
#include "cli/formats.h"
#include "cli/machine.h"
#include "cli/number.h"
#include "cli/plan.h"
#include "cli/progress.h"

static const struct cli_flag flags[] = {
	{FLAG_APPEND, "append", "ARGS", "the guest's command line"},
	{FLAG_INITRD, "initrd", "FILE[ ARGS]",
	 "load FILE beside the guest: Linux' initrd, or a multiboot module "
	 "whose command line is ARGS; may be given again"},
	{FLAG_MAX_INSNS, "max-insns", "N",
	 "end the guest after N instructions; short for -D max-insns=N"},
	{FLAG_MODEL, "model", "WORD",
	 "exits (default) or full: also every reference, TLBs and page walks; "
	 "short for -D model=WORD"},
	{FLAG_TIMEOUT, "timeout", "SECONDS",
	 "end the guest after so much of the host's time, each configuration "
	 "anew; where it has come to then is not the same twice"},
	{'D', NULL, "KEY=VALUE[,VALUE...]",
	 "a setting (see notrap config); with several values, each is run"},
	{'c', "config", "FILE",
	 "settings from a file: lines KEY=VALUE, # comments"},
	{FLAG_UNCERTAINTY, "uncertainty", NULL,
	 "also show how far the ranges of the costs leave cycles open"},
	{FLAG_FORMAT, "format", "FORMAT", FORMATS_TEXT " (default: table)"},
	{'o', "output", "FILE",
	 "write the report to FILE, whole or not at all"},
	{FLAG_CONSOLE, "console", "FILE",
	 "where the guest's serial output goes: a file, none, or - for "
	 "standard output (default: standard error); that of the first "
	 "configuration only"},
	{FLAG_RECORD, "record", "FILE",
	 "record the guest as a trace for notrap replay; of one configuration"},
	{FLAG_GRANULARITY, "granularity", "WORD",
	 "of the trace, and of what --model full is fed with: pages "
	 "(default), runs of references to a page as one, or full, every "
	 "reference"},
	VIEWS_FLAGS,
	{FLAG_HELP, "help", NULL, "this text"},
	{0},
};

struct run_options {
	struct plan *plan;
	struct guest_request guest;
	const char *output;
	const char *console;
	const char *record;
	unsigned int timeout; /* seconds; 0: none */
	enum trace_granularity granularity;
	struct views_request views;
	enum format format;
	bool uncertainty;
};

#define TIMEOUT_MAX 1000000

static int take_timeout(struct run_options *options, const char *arg,
			struct diag *diag)
{
	uint64_t seconds;
	int err = number_parse("--timeout", arg, TIMEOUT_MAX, &seconds, diag);

	if (!err && !seconds)
		err = diag_set(diag, -EINVAL, "--timeout 0: want a second");
	if (!err)
		options->timeout = (unsigned int)seconds;
	return err;
}

static int take_setting(struct plan *plan, const char *key, const char *arg,
			struct diag *diag)
{
	char setting[64];

	snprintf(setting, sizeof(setting), "%s=%.40s", key, arg);
	return plan_set(plan, setting, diag);
}

static int take_flag(void *context, int flag, const char *arg)
{
	struct run_options *options = context;
	struct diag diag;
	int err = 0;

	switch (flag) {
	case FLAG_MAX_INSNS:
		err = take_setting(options->plan, "max-insns", arg, &diag);
		break;
	case FLAG_MODEL:
		err = take_setting(options->plan, "model", arg, &diag);
		break;
	case FLAG_TIMEOUT:
		err = take_timeout(options, arg, &diag);
		break;
	case 'D':
		err = plan_set(options->plan, arg, &diag);
		break;
	case 'c':
		err = plan_read_file(options->plan, arg, &diag);
		break;
	case 'o':
		options->output = arg;
		break;
	case FLAG_APPEND:
		options->guest.args = arg;
		break;
	case FLAG_INITRD:
		err = guest_add_initrd(&options->guest, arg, &diag);
		break;
	case FLAG_CONSOLE:
		options->console = arg;
		break;
	case FLAG_UNCERTAINTY:
		options->uncertainty = true;
		break;
	case FLAG_RECORD:
		options->record = arg;
		break;
	case FLAG_GRANULARITY:
		err = granularity_parse(arg, &options->granularity, &diag);
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

/* --- The guest's console ------------------------------------------------- */

struct console_target {
	FILE *file; /* NULL: nowhere */
	FILE *terminal;
	struct progress *progress;
};

/* The progress line must not stand in the middle of the guest's. */
static ssize_t write_past_progress(void *cookie, const char *buf, size_t size)
{
	struct console_target *target = cookie;
	size_t n;

	progress_hide(target->progress);
	n = fwrite(buf, 1, size, target->terminal);
	fflush(target->terminal);
	return n == size ? (ssize_t)n : -1;
}

static int open_console(const char *name, struct progress *progress,
			struct console_target *ret, struct diag *diag)
{
	const cookie_io_functions_t io = {.write = write_past_progress};

	*ret = (struct console_target){.progress = progress};
	if (name && !strcmp(name, "none"))
		return 0;
	if (name && strcmp(name, "-") != 0) {
		ret->file = fopen(name, "w");
	} else {
		ret->terminal = name ? stdout : stderr;
		ret->file = fopencookie(ret, "w", io);
	}
	if (!ret->file)
		return diag_set(diag, -EIO, "cannot write %.300s: %s",
				name ? name : "the console", strerror(errno));
	setvbuf(ret->file, NULL, _IOLBF, BUFSIZ);
	return 0;
}

static int close_console(struct console_target *target, int console_errno)
{
	if (target->file && fclose(target->file) && !console_errno)
		console_errno = errno;
	target->file = NULL;
	if (!console_errno)
		return STATUS_OK;
	cli_say("cannot write the guest's console: %s",
		strerror(console_errno));
	return STATUS_HOST;
}

/* --- Running ------------------------------------------------------------- */

struct runner {
	const struct run_options *options;
	struct guest guest;
	struct plan_point *point;
	size_t nr;
	const volatile int *attention;
	struct report *report;
	struct console_target console;
	struct progress progress;
	uint64_t insns; /* of the first run: a guess at the others' */
	bool interrupted;
};

static void show_progress(void *context, uint64_t insns)
{
	progress_update(context, insns);
}

static int say_end(const struct runner *runner, size_t i,
		   const struct machine_end *end)
{
	const char *label = runner->point[i].label;

	if (end->strays[0])
		cli_say("%s%s%s", label, *label ? ": " : "", end->strays);
	if (end->ok)
		return STATUS_OK;
	if (end->timed_out)
		cli_say("%s%sthe guest had not ended after %u s", label,
			*label ? ": " : "", runner->options->timeout);
	else
		cli_say("%s%s%s%s", label, *label ? ": " : "",
			end->interrupted ? "" : "the guest failed: ",
			end->line);
	return STATUS_FAILED;
}

static int run_point(struct runner *runner, size_t i)
{
	const struct config *config = &runner->point[i].config;
	struct machine_request request = {
		.guest = &runner->guest,
		.config = config,
		.record = runner->options->record,
		.granularity = runner->options->granularity,
		.views = &runner->options->views,
		.console = i ? NULL : runner->console.file,
		.attention = runner->attention,
		.progress = show_progress,
		.context = &runner->progress,
	};
	struct machine_end end;
	struct diag diag;
	char label[300];
	int err, status = STATUS_OK;

	snprintf(label, sizeof(label), "%zu/%zu%s%s", i + 1, runner->nr,
		 *runner->point[i].label ? " " : "", runner->point[i].label);
	progress_begin(&runner->progress, stderr, label,
		       runner->insns ? runner->insns
				     : config_get(config, OPT_max_insns));
	attention_timeout(runner->options->timeout);
	err = machine_run(&request, runner->report, &end, &diag);
	attention_timeout(0);
	progress_hide(&runner->progress);
	if (!i)
		status = close_console(&runner->console,
				       err ? 0 : end.console_errno);
	if (err)
		return cli_fail(err, &diag);
	runner->insns = runner->insns ? runner->insns : end.insns;
	runner->interrupted = end.interrupted;
	return cli_worse(status, say_end(runner, i, &end));
}

/* Did the guest notice which configuration it ran under? */
static int check_transparency(const struct report *report)
{
	struct report_difference diff;
	char first[256], other[256];

	if (report_is_transparent(report, &diff))
		return STATUS_OK;
	report_label(report, diff.first, first, sizeof(first));
	report_label(report, diff.other, other, sizeof(other));
	cli_say("THE GUEST SAW A DIFFERENCE: its %s under %s is not that under "
		"%s",
		diff.what, other, first);
	return STATUS_FAILED;
}

static bool tells_time(const struct runner *runner)
{
	for (size_t i = 0; i < runner->nr; i++)
		if (config_get(&runner->point[i].config, OPT_clock) ==
		    CLOCK_CYCLES)
			return true;
	return false;
}

static int run_all(struct runner *runner)
{
	int status = STATUS_OK;

	for (size_t i = 0; i < runner->nr && !runner->interrupted; i++) {
		status = cli_worse(status, run_point(runner, i));
		if (status > STATUS_FAILED)
			return status;
	}
	if (runner->interrupted)
		return STATUS_FAILED;
	if (runner->nr > 1 && tells_time(runner))
		cli_say("clock=cycles: the guest sees how long exits take, so "
			"that it may behave differently is not checked");
	return cli_worse(status, check_transparency(runner->report));
}

static int run_and_print(struct runner *runner)
{
	const struct run_options *options = runner->options;
	struct output output;
	struct diag diag;
	int err, status;

	err = output_open(options->output, &output, &diag);
	if (err)
		return cli_fail(err, &diag);
	status = run_all(runner);
	if (status > STATUS_FAILED) {
		output_abandon(&output);
		return status;
	}
	if (options->uncertainty)
		report_tell_uncertainty(runner->report);
	err = format_print(runner->report, options->format, &output, &diag);
	return err ? cli_fail(err, &diag) : status;
}

static int run_guest(const struct run_options *options)
{
	struct runner runner = {.options = options,
				.attention = attention_begin()};
	struct plan_note *notes;
	size_t nr_notes;
	struct diag diag;
	int err, status;

	err = plan_expand(options->plan, &runner.point, &runner.nr, &notes,
			  &nr_notes, &diag);
	if (err)
		return cli_fail(err, &diag);
	for (size_t i = 0; i < nr_notes; i++)
		cli_say("%s", notes[i].line);
	free(notes);
	if (options->record && runner.nr > 1) {
		cli_say("--record is for one configuration, not %zu: what a "
			"trace holds does not depend on it",
			runner.nr);
		free(runner.point);
		return STATUS_USAGE;
	}

	err = views_check(&options->views, options->output, runner.nr, 1,
			  &diag);
	if (err) {
		free(runner.point);
		return cli_fail(err, &diag);
	}
	err = guest_read(&options->guest, &runner.guest, &diag);
	if (!err)
		err = open_console(options->console, &runner.progress,
				   &runner.console, &diag);
	runner.report = report_create();
	if (!err && !runner.report)
		err = diag_set(&diag, -ENOMEM, "no memory for the report");
	status = err ? cli_fail(err, &diag) : run_and_print(&runner);

	if (runner.console.file)
		fclose(runner.console.file);
	report_destroy(runner.report);
	guest_free(&runner.guest);
	free(runner.point);
	return status;
}

static int run(const struct cli_command *command, int argc, char **argv)
{
	struct run_options options = {.guest = {.args = ""},
				      .granularity = TRACE_PAGES,
				      .plan = plan_create()};
	int operand, status;

	if (!options.plan) {
		cli_say("no memory");
		return STATUS_HOST;
	}
	status = cli_parse(command, argc, argv, take_flag, &options, &operand);
	if (status < 0 && operand + 1 != argc) {
		cli_say("want one GUEST, got %d (notrap help run)",
			argc - operand);
		status = STATUS_USAGE;
	}
	if (status < 0) {
		options.guest.kernel = argv[operand];
		status = run_guest(&options);
	}
	plan_destroy(options.plan);
	return status;
}

const struct cli_command cmd_run = {
	.name = "run",
	.operands = "[OPTION...] GUEST",
	.summary = "run a guest image and report its VM exits",
	.about = "Runs GUEST, a Linux kernel (vmlinux or bzImage) or a "
		 "multiboot image, under every combination of the settings "
		 "given, and prints for each the exits by reason and cause, "
		 "the guest's faults and the cycles, then the comparison.\n"
		 "The guest ends its run by writing to port 0xf4; with 0 it "
		 "succeeds. Ctrl-C stops it and prints what was counted so "
		 "far; a second Ctrl-C ends notrap at once.\n",
	.flags = flags,
	.run = run,
};
