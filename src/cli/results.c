/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/results.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/sweep_read.h"

static int read_file(struct report *report, const char *path, struct diag *diag)
{
	FILE *file;
	int err;

	if (!strcmp(path, "-"))
		return report_read(report, stdin, "standard input", diag);
	file = fopen(path, "r");
	if (!file)
		return diag_set(diag, -errno, "%.300s: %s", path,
				strerror(errno));
	err = report_read(report, file, path, diag);
	fclose(file);
	return err;
}

static bool is_directory(const char *path)
{
	struct stat st;

	return !stat(path, &st) && S_ISDIR(st.st_mode);
}

static void tell_count(const struct sweep_count *count)
{
	if (count->damaged)
		cli_say("%s%s", count->first_damaged.msg,
			count->damaged > 1 ? ", and others like it" : "");
	if (count->there < count->planned)
		cli_say("%zu of %zu points are not there",
			count->planned - count->there, count->planned);
}

/* All directories together, as they may be parts of one sweep. */
static int read_sweeps(struct report *report, char **files, struct diag *diag)
{
	struct sweep_count count;
	size_t nr = 0, all = 0;
	char **dirs;
	int err;

	while (files[all])
		all++;
	dirs = calloc(all + 1, sizeof(*dirs));
	if (!dirs)
		return diag_set(diag, -ENOMEM, "no memory for the results");
	for (size_t i = 0; i < all; i++)
		if (is_directory(files[i]))
			dirs[nr++] = files[i];
	err = sweep_read(dirs, nr, report, &count, diag);
	if (!err && count.there)
		tell_count(&count);
	else if (!err)
		err = diag_set(diag, -EINVAL,
			       "%.300s: no point of the sweep is there",
			       dirs[0]);
	free(dirs);
	return err;
}

int results_read(const struct cli_command *command, char **files,
		 struct report **ret, struct diag *diag)
{
	struct report *report;
	bool had_sweeps = false;
	int err = 0;

	if (!*files)
		return diag_set(diag, -EINVAL, "want a RESULT (notrap help %s)",
				command->name);
	report = report_create();
	if (!report)
		return diag_set(diag, -ENOMEM, "no memory for the results");
	for (; *files && !err; files++) {
		if (!is_directory(*files))
			err = read_file(report, *files, diag);
		else if (!had_sweeps)
			err = read_sweeps(report, files, diag);
		had_sweeps |= is_directory(*files);
	}
	if (err)
		report_destroy(report);
	else
		*ret = report;
	return err;
}

int results_only_add(struct results_only *only, const char *text,
		     struct diag *diag)
{
	if (only->nr == RESULTS_ONLY_MAX)
		return diag_set(diag, -EINVAL, "more than %d --only",
				RESULTS_ONLY_MAX);
	only->text[only->nr++] = text;
	return 0;
}

int results_only_apply(const struct results_only *only, struct report *report,
		       struct diag *diag)
{
	int err = 0;

	for (size_t i = 0; i < only->nr && !err; i++)
		err = report_keep(report, only->text[i], diag);
	return err;
}
