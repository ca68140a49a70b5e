/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * notrap sweep: recorded traces under many configurations, a directory of
 * results that can be interrupted, continued, shared out and merged.
 */
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "cli/attention.h"
#include "cli/cli.h"
#include "cli/formats.h"
#include "cli/sweep_dir.h"
#include "cli/sweep_tell.h"
#include "cli/sweep_units.h"

#define NOTES_SHOWN 3

enum {
	FLAG_JOB = 16,
	FLAG_DRY_RUN,
};

static const struct cli_flag flags[] = {
	{'o', "output", "DIR", "the directory of results; must be given"},
	{'D', NULL, "KEY=VALUE[,VALUE...]",
	 "a setting (see notrap config); of several values, all combinations "
	 "are swept"},
	{'c', "config", "FILE",
	 "settings from a file: lines KEY=VALUE[,VALUE...], trace=PATH, # "
	 "comments"},
	{'j', "workers", "N", "processes (default: one a processor)"},
	{FLAG_JOB, "job", "I/N",
	 "sweep the Ith of N slices; the others are for other jobs"},
	{FLAG_DRY_RUN, "dry-run", NULL, "list the points and which are done"},
	{FLAG_UNCERTAINTY, "uncertainty", NULL,
	 "also show how far the ranges of the costs leave cycles open"},
	{FLAG_FORMAT, "format", "FORMAT",
	 "of the summary: " FORMATS_TEXT " (default: table)"},
	{'v', "verbose", NULL, "tell on stderr what has ended, for a log"},
	{FLAG_HELP, "help", NULL, "this text"},
	{0},
};

struct sweep_options {
	struct plan *plan;
	unsigned int workers;
	bool dry_run, verbose;
	const volatile int *attention;
	struct sweep_job job;
};

static int parse_workers(const char *text, unsigned int *ret, struct diag *diag)
{
	char *end;
	unsigned long n;

	errno = 0;
	n = strtoul(text, &end, 10);
	if (errno || *end || !n || n > SWEEP_WORKERS_MAX ||
	    strspn(text, "0123456789") != strlen(text))
		return diag_set(diag, -EINVAL, "-j %.60s: want 1..%d", text,
				SWEEP_WORKERS_MAX);
	*ret = (unsigned int)n;
	return 0;
}

static int take_flag(void *context, int flag, const char *arg)
{
	struct sweep_options *options = context;
	struct diag diag;
	int err = 0;

	switch (flag) {
	case 'o':
		options->job.dir = arg;
		break;
	case 'D':
		err = plan_set(options->plan, arg, &diag);
		break;
	case 'c':
		err = plan_read_file(options->plan, arg, &diag);
		break;
	case 'j':
		err = parse_workers(arg, &options->workers, &diag);
		break;
	case 'v':
		options->verbose = true;
		break;
	case FLAG_JOB:
		err = sweep_slice_parse(arg, &options->job.slice, &diag);
		break;
	case FLAG_UNCERTAINTY:
		options->job.uncertainty = true;
		break;
	case FLAG_DRY_RUN:
		options->dry_run = true;
		break;
	case FLAG_FORMAT:
		err = format_parse(arg, &options->job.format, &diag);
		break;
	}
	return err ? cli_fail(err, &diag) : 0;
}

/* Those this process may use: a batch system may have given it only some. */
static unsigned int nr_processors(void)
{
	cpu_set_t set;
	int nr = 1;

	if (!sched_getaffinity(0, sizeof(set), &set))
		nr = CPU_COUNT(&set);
	return nr < 1                   ? 1
	       : nr > SWEEP_WORKERS_MAX ? SWEEP_WORKERS_MAX
					: (unsigned int)nr;
}

/* --- Steps --------------------------------------------------------------- */

static int find_todo(struct sweep_job *job, struct diag *diag)
{
	const struct sweep *sweep = &job->sweep;
	struct report *report = report_create();
	int err = 0;

	job->todo = calloc(sweep->nr_points + 1, sizeof(*job->todo));
	job->end = calloc(sweep->nr_points + 1, sizeof(*job->end));
	if (!report || !job->todo || !job->end)
		err = diag_set(diag, -ENOMEM, "no memory for the sweep");
	for (size_t i = 0; i < sweep->nr_points && !err; i++) {
		const struct sweep_point *point = &sweep->point[i];

		if (!sweep_slice_has(&job->slice, point))
			continue;
		job->nr++;
		err = sweep_dir_load(job->dir, sweep, point, report, diag);
		if (err)
			job->todo[job->nr_todo++] = i;
		err = err == -ENOMEM ? err : 0;
	}
	report_destroy(report);
	return err;
}

static int run_points(const struct sweep_options *options, struct diag *diag)
{
	const struct sweep_job *job = &options->job;
	const struct sweep_request request = {
		.sweep = &job->sweep,
		.dir = job->dir,
		.todo = job->todo,
		.nr = job->nr_todo,
		.workers = options->workers,
		.verbose = options->verbose,
		.attention = options->attention,
	};
	int err;

	if (job->nr_todo < job->nr)
		cli_say("%s: %zu of %zu points were done before", job->dir,
			job->nr - job->nr_todo, job->nr);
	err = sweep_run(&request, job->end, diag);
	sweep_dir_clean(job->dir, &job->sweep, &job->slice);
	return err;
}

static int merge(const struct sweep_job *job, struct diag *diag)
{
	size_t nr;
	int err = sweep_dir_merge(job->dir, &job->sweep, &nr, diag);

	if (!err && nr < job->sweep.nr_points)
		cli_say("%s/sweep.csv has %zu of %zu points", job->dir, nr,
			job->sweep.nr_points);
	return err;
}

static int sweep_all(struct sweep_options *options)
{
	struct sweep_job *job = &options->job;
	struct diag diag;
	int status, err;

	err = sweep_dir_begin(job->dir, &job->sweep, &diag);
	if (err)
		return cli_fail(err, &diag);
	sweep_dir_clean(job->dir, &job->sweep, &job->slice);
	err = find_todo(job, &diag);
	if (!err)
		err = run_points(options, &diag);
	if (err)
		return cli_fail(err, &diag);
	status = sweep_tell_failures(job);
	status = cli_worse(status, sweep_tell_interruption(job));
	err = merge(job, &diag);
	if (!err)
		err = sweep_tell_summary(job, &diag);
	return err ? cli_fail(err, &diag) : status;
}

static int list_all(struct sweep_job *job)
{
	struct diag diag;
	int err = find_todo(job, &diag);

	if (!err)
		err = sweep_tell_list(job, &diag);
	return err ? cli_fail(err, &diag) : STATUS_OK;
}

static int sweep_points(struct sweep_options *options,
			const struct plan_point *point, size_t nr)
{
	struct sweep_job *job = &options->job;
	struct diag diag;
	int status, err;

	err = sweep_init(&job->sweep, options->plan, point, nr, &diag);
	if (err)
		return cli_fail(err, &diag);
	status = sweep_tell_traces(&job->sweep);
	if (job->sweep.nr_points)
		status = cli_worse(status, options->dry_run
						   ? list_all(job)
						   : sweep_all(options));
	for (size_t i = 0; i < job->nr_todo; i++)
		free(job->end[i].line);
	free(job->end);
	free(job->todo);
	sweep_finish(&job->sweep);
	return status;
}

/* Two settings that run alike do so in all combinations: a few tell. */
static void say_notes(const struct plan_note *note, size_t nr)
{
	size_t alike = 0;

	while (alike < nr && !note[alike].nr_left_out)
		alike++;
	for (size_t i = 0; i < alike && i < NOTES_SHOWN; i++)
		cli_say("%s", note[i].line);
	if (alike > NOTES_SHOWN)
		cli_say("and so are %zu others", alike - NOTES_SHOWN);
	for (size_t i = alike; i < nr; i++)
		cli_say("%s", note[i].line);
}

static int sweep(struct sweep_options *options)
{
	struct plan_point *point;
	struct plan_note *notes;
	size_t nr, nr_notes;
	struct diag diag;
	int err, status;

	err = plan_expand(options->plan, &point, &nr, &notes, &nr_notes, &diag);
	if (err)
		return cli_fail(err, &diag);
	say_notes(notes, nr_notes);
	free(notes);
	options->attention = attention_begin();
	status = sweep_points(options, point, nr);
	free(point);
	return status;
}

/* --- The command line ---------------------------------------------------- */

/* Operands come after the traces of files. */
static int take_operands(struct sweep_options *options, char **paths)
{
	struct diag diag;

	for (; *paths; paths++) {
		int err = plan_add_trace(options->plan, *paths, &diag);

		if (err)
			return cli_fail(err, &diag);
	}
	if (!plan_nr_traces(options->plan)) {
		cli_say("want a TRACE (notrap help sweep)");
		return STATUS_USAGE;
	}
	if (!options->job.dir) {
		cli_say("want -o DIR, for the results (notrap help sweep)");
		return STATUS_USAGE;
	}
	return STATUS_OK;
}

static int run(const struct cli_command *command, int argc, char **argv)
{
	struct sweep_options options = {
		.plan = plan_create(),
		.workers = nr_processors(),
		.job = {.slice = {1, 1}},
	};
	int operand, status;

	if (!options.plan) {
		cli_say("no memory");
		return STATUS_HOST;
	}
	plan_allow_traces(options.plan);
	status = cli_parse(command, argc, argv, take_flag, &options, &operand);
	if (status < 0) {
		status = take_operands(&options, argv + operand);
		if (!status)
			status = sweep(&options);
	}
	plan_destroy(options.plan);
	return status;
}

const struct cli_command cmd_sweep = {
	.name = "sweep",
	.operands = "[OPTION...] TRACE... -D KEY=VALUE,VALUE... -o DIR",
	.summary = "replay traces under many settings, into a directory",
	.about = "Replays each TRACE under every combination of the settings "
		 "given, in parallel and with one pass over a trace for many "
		 "of them. DIR gets a file for each point, sweep.json and "
		 "sweep.csv of all of them; the summary goes to standard "
		 "output.\n"
		 "The same command again runs only what is missing, so a sweep "
		 "may be interrupted at any moment, shared out with --job, or "
		 "given more values. notrap report and notrap plot take DIR as "
		 "a RESULT.\n",
	.flags = flags,
	.run = run,
};
