/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/results.h"

#include <errno.h>
#include <string.h>

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

int results_read(const struct cli_command *command, char **files,
		 struct report **ret, struct diag *diag)
{
	struct report *report;
	int err = 0;

	if (!*files)
		return diag_set(diag, -EINVAL, "want a RESULT (notrap help %s)",
				command->name);
	report = report_create();
	if (!report)
		return diag_set(diag, -ENOMEM, "no memory for the results");
	for (; *files && !err; files++)
		err = read_file(report, *files, diag);
	if (err)
		report_destroy(report);
	else
		*ret = report;
	return err;
}
