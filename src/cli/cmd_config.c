/* SPDX-License-Identifier: GPL-2.0-or-later */
/* notrap config: every setting there is, or what a choice of them comes to. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/help.h"
#include "cli/output.h"
#include "cli/plan.h"
#include "cli/settings.h"

static const struct cli_flag flags[] = {
	{'D', NULL, "KEY=VALUE[,VALUE...]", "a setting"},
	{'c', "config", "FILE", "settings from a file"},
	{'o', "output", "FILE", "write to FILE, whole or not at all"},
	{FLAG_HELP, "help", NULL, "this text"},
	{0},
};

struct config_options {
	struct plan *plan;
	const char *output;
	bool given;
};

static int take_flag(void *context, int flag, const char *arg)
{
	struct config_options *options = context;
	struct diag diag;
	int err = 0;

	if (flag == 'o') {
		options->output = arg;
		return 0;
	}
	options->given = true;
	if (flag == 'D')
		err = plan_set(options->plan, arg, &diag);
	else
		err = plan_read_file(options->plan, arg, &diag);
	return err ? cli_fail(err, &diag) : 0;
}

static void print_setting(void *context, const struct setting *setting)
{
	FILE *out = context;

	help_print_entry(out, setting->term, 30, setting->text);
}

static void print_settings(FILE *out)
{
	fputs("Settings (-D KEY=VALUE), with their defaults:\n", out);
	settings_each(print_setting, out);
}

/* Lines that -c takes. */
static void print_point(const struct plan_point *point, FILE *out)
{
	char value[CONFIG_TEXT_MAX];

	for (unsigned int i = 0; i < config_nr_keys(); i++) {
		config_text(&point->config, i, value, sizeof(value));
		fprintf(out, "%s=%s\n", config_key_name(i), value);
	}
}

static int print_points(const struct plan *plan, FILE *out, struct diag *diag)
{
	struct plan_point *point;
	struct plan_note *notes;
	size_t nr, nr_notes;
	int err;

	err = plan_expand(plan, &point, &nr, &notes, &nr_notes, diag);
	if (err)
		return err;
	for (size_t i = 0; i < nr_notes; i++)
		cli_say("%s", notes[i].line);
	for (size_t i = 0; i < nr; i++) {
		if (nr > 1)
			fprintf(out, "%s# %zu/%zu %s\n", i ? "\n" : "", i + 1,
				nr, point[i].label);
		print_point(&point[i], out);
	}
	free(point);
	free(notes);
	return 0;
}

static int print_config(const struct config_options *options)
{
	struct output output;
	struct diag diag;
	int err;

	err = output_open(options->output, &output, &diag);
	if (err)
		return cli_fail(err, &diag);
	if (options->given)
		err = print_points(options->plan, output.file, &diag);
	else
		print_settings(output.file);
	if (!err)
		err = output_commit(&output, &diag);
	else
		output_abandon(&output);
	return err ? cli_fail(err, &diag) : STATUS_OK;
}

static int run(const struct cli_command *command, int argc, char **argv)
{
	struct config_options options = {.plan = plan_create()};
	int operand, status;

	if (!options.plan) {
		cli_say("no memory");
		return STATUS_HOST;
	}
	status = cli_parse(command, argc, argv, take_flag, &options, &operand);
	if (status < 0 && operand != argc) {
		cli_say("%.60s: notrap config takes settings as -D KEY=VALUE",
			argv[operand]);
		status = STATUS_USAGE;
	}
	if (status < 0)
		status = print_config(&options);
	plan_destroy(options.plan);
	return status;
}

const struct cli_command cmd_config = {
	.name = "config",
	.operands = "[OPTION...]",
	.summary = "list every setting, or what a choice of them comes to",
	.about =
		"Without options lists every setting with its default, what it "
		"accepts and what it means. With -D or -c prints the "
		"configurations that notrap run would run, in the form that "
		"-c takes.\n",
	.flags = flags,
	.run = run,
};
