/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/sweep_tell.h"

#include <errno.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/sweep_dir.h"
#include "report/sheet.h"

/* The others are swept, but the status tells. */
int sweep_tell_traces(const struct sweep *sweep)
{
	int status = STATUS_OK;

	for (size_t i = 0; i < sweep->nr_traces; i++) {
		const struct sweep_trace *trace = &sweep->trace[i];

		if (trace->err || trace->is_repeated)
			cli_say("%s", trace->why.msg);
		if (trace->err)
			status = cli_worse(status, cli_status_of(trace->err));
	}
	if (status && sweep->nr_points)
		return STATUS_FAILED;
	return status;
}

/* --- Listing ------------------------------------------------------------- */

static void list_points(const struct sweep_job *job, struct sheet *sheet)
{
	const struct sweep *sweep = &job->sweep;
	size_t next = 0;

	for (size_t i = 0; i < sweep->nr_points; i++) {
		const struct sweep_point *point = &sweep->point[i];
		bool is_todo = next < job->nr_todo && job->todo[next] == i;

		if (!sweep_slice_has(&job->slice, point))
			continue;
		next += is_todo;
		sheet_text(sheet, "%016llx", (unsigned long long)point->id);
		sheet_text(sheet, "%s", is_todo ? "to do" : "done");
		sheet_text(sheet, "%s", sweep->trace[point->trace].path);
		sheet_text(sheet, "%s", sweep->config[point->config].label);
	}
}

static int print_sheet(const struct sheet *sheet, enum format format,
		       struct diag *diag)
{
	struct output output;
	int err = output_open(NULL, &output, diag);

	if (err)
		return err;
	err = sheet_print(sheet, format_of_sheet(format), output.file);
	return output_end(&output, err, diag);
}

int sweep_tell_list(const struct sweep_job *job, struct diag *diag)
{
	struct sheet *sheet = sheet_create("notrap-sweep/1", "Points");
	int err;

	if (!sheet)
		return diag_set(diag, -ENOMEM, "no memory for the list");
	sheet_table(sheet, "points", "Points");
	sheet_column(sheet, "id", "point");
	sheet_column(sheet, "state", "state");
	sheet_column(sheet, "trace", "trace");
	sheet_column(sheet, "settings", "settings");
	list_points(job, sheet);
	sheet_note(sheet, "%zu of %zu points are done.", job->nr - job->nr_todo,
		   job->nr);
	err = print_sheet(sheet, job->format, diag);
	sheet_destroy(sheet);
	return err;
}

static size_t count_state(const struct sweep_job *job, enum sweep_state state)
{
	size_t nr = 0;

	for (size_t i = 0; i < job->nr_todo; i++)
		nr += job->end[i].state == state;
	return nr;
}

/* Failed points from i on that failed alike: what a trace has, all have. */
static size_t count_alike(const struct sweep_job *job, size_t i)
{
	const struct sweep_point *point = job->sweep.point;
	const char *line = job->end[i].line;
	size_t nr = 1;

	for (; i + nr < job->nr_todo; nr++) {
		const struct sweep_end *end = &job->end[i + nr];

		if (!line || !end->line || strcmp(end->line, line) != 0 ||
		    point[job->todo[i + nr]].trace != point[job->todo[i]].trace)
			break;
	}
	return nr;
}

static void say_failure(const struct sweep_job *job, size_t i, size_t alike)
{
	const struct sweep *sweep = &job->sweep;
	const struct sweep_point *point = &sweep->point[job->todo[i]];
	const char *path = sweep->trace[point->trace].path;
	const char *label = sweep->config[point->config].label;
	const char *line = job->end[i].line ? job->end[i].line : "failed";
	char more[64] = "";

	if (alike > 1)
		snprintf(more, sizeof(more), " (%zu points)", alike);
	/* What is wrong with the file is told with its name. */
	if (!strncmp(line, path, strlen(path)))
		cli_say("%s%s", line, more);
	else
		cli_say("%s%s%s: %s%s", path, *label ? ", " : "", label, line,
			more);
}

int sweep_tell_failures(const struct sweep_job *job)
{
	size_t failed = count_state(job, SWEEP_FAILED), unread = 0;
	int status = failed ? STATUS_FAILED : STATUS_OK;

	for (size_t i = 0; i < job->sweep.nr_traces; i++)
		unread += job->sweep.trace[i].err != 0;
	for (size_t i = 0, alike; i < job->nr_todo; i += alike) {
		const struct sweep_end *end = &job->end[i];

		alike = 1;
		if (end->state != SWEEP_FAILED)
			continue;
		alike = count_alike(job, i);
		say_failure(job, i, alike);
		if (end->err && cli_status_of(end->err) == STATUS_HOST)
			status = STATUS_HOST;
	}
	if (unread)
		cli_say("%zu of %zu traces cannot be swept", unread,
			job->sweep.nr_traces);
	if (failed)
		cli_say("%zu of %zu points failed", failed, job->nr);
	return status;
}

int sweep_tell_interruption(const struct sweep_job *job)
{
	size_t left = count_state(job, SWEEP_TO_DO);

	if (!left)
		return STATUS_OK;
	cli_say("interrupted: %zu of %zu points are left; the same command "
		"goes on from here",
		left, job->nr);
	return STATUS_FAILED;
}

int sweep_tell_summary(const struct sweep_job *job, struct diag *diag)
{
	struct report *report = report_create();
	struct output output;
	int err = 0;

	if (!report)
		return diag_set(diag, -ENOMEM, "no memory for the summary");
	err = sweep_dir_load_all(job->dir, &job->sweep, &job->slice, report,
				 diag);
	if (err || !report_nr(report))
		goto destroy_report;
	err = output_open(NULL, &output, diag);
	if (err)
		goto destroy_report;
	if (job->uncertainty)
		report_tell_uncertainty(report);
	err = report_print_by(report, REPORT_BY_POINT,
			      format_of_sheet(job->format), output.file);
	err = output_end(&output, err, diag);
destroy_report:
	report_destroy(report);
	return err;
}
