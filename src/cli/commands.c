/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The list of commands, and the words that are no command: help, --version. */
#include "cli/commands.h"

#include <string.h>

#include "base/suggest.h"
#include "cli/cli.h"
#include "cli/help.h"
#include "cli/output.h"
#include "report/version.h"

static const struct cli_command *const commands[] = {
	&cmd_run,  &cmd_replay, &cmd_import, &cmd_report,
	&cmd_plot, &cmd_config, NULL,
};

const struct cli_command *const *cli_commands(void)
{
	return commands;
}

const struct cli_command *cli_command_find(const char *name)
{
	for (size_t i = 0; commands[i]; i++)
		if (!strcmp(commands[i]->name, name))
			return commands[i];
	return NULL;
}

static int unknown_command(const char *name)
{
	struct suggest near;

	suggest_init(&near, name);
	for (size_t i = 0; commands[i]; i++)
		suggest_offer(&near, commands[i]->name);
	if (suggest_best(&near))
		cli_say("there is no command \"%.60s\"; did you mean \"%s\"?",
			name, suggest_best(&near));
	else
		cli_say("there is no command \"%.60s\" (notrap help)", name);
	return STATUS_USAGE;
}

static int help(const char *name)
{
	const struct cli_command *command;

	if (!name) {
		help_print_overview(stdout);
		return STATUS_OK;
	}
	command = cli_command_find(name);
	if (!command)
		return unknown_command(name);
	help_print_command(command, stdout);
	return STATUS_OK;
}

static int run(int argc, char **argv)
{
	const struct cli_command *command;
	const char *word = argc > 1 ? argv[1] : NULL;

	if (!word) {
		help_print_overview(stderr);
		return STATUS_USAGE;
	}
	if (!strcmp(word, "help") || !strcmp(word, "--help") ||
	    !strcmp(word, "-h"))
		return help(argc > 2 ? argv[2] : NULL);
	if (!strcmp(word, "--version")) {
		printf("notrap %s\n", notrap_version());
		return STATUS_OK;
	}
	if (!strcmp(word, "--man")) { /* for the build */
		man_print(stdout);
		return STATUS_OK;
	}
	command = cli_command_find(word);
	if (!command)
		return unknown_command(word);
	return command->run(command, argc - 1, argv + 1);
}

/* Help and version have not looked at what became of their text. */
int commands_main(int argc, char **argv)
{
	int status = run(argc, argv);
	struct output out = {.file = stdout};
	struct diag diag;
	int err = output_commit(&out, &diag);

	return err && status != STATUS_HOST ? cli_fail(err, &diag) : status;
}
