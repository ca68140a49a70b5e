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
	&cmd_run,    &cmd_replay,   &cmd_sweep,       &cmd_trace, &cmd_import,
	&cmd_report, &cmd_diff,     &cmd_explain,     &cmd_bound, &cmd_plot,
	&cmd_config, &cmd_machines, &cmd_trap_safety, NULL,
};

const struct cli_command *const *cli_commands(void)
{
	return commands;
}

const char *cli_command_word(const struct cli_command *command)
{
	const char *space = strrchr(command->name, ' ');

	return space ? space + 1 : command->name;
}

/* NULL, and complained. */
static const struct cli_command *
find_command(const struct cli_command *const *list, const char *word)
{
	const struct cli_command *best = NULL;
	struct suggest near;

	suggest_init(&near, word);
	for (size_t i = 0; list[i]; i++) {
		if (!strcmp(cli_command_word(list[i]), word))
			return list[i];
		suggest_offer(&near, cli_command_word(list[i]));
		if (suggest_best(&near) == cli_command_word(list[i]))
			best = list[i];
	}
	if (best)
		cli_say("there is no command \"%.60s\"; did you mean \"%s\"?",
			word, best->name);
	else
		cli_say("there is no command \"%.60s\" (notrap help)", word);
	return NULL;
}

static int help(int nr_words, char **words)
{
	const struct cli_command *command = NULL;

	for (int i = 0; i < nr_words && (!command || command->group); i++) {
		command = find_command(command ? command->group : commands,
				       words[i]);
		if (!command)
			return STATUS_USAGE;
	}
	if (command)
		help_print_command(command, stdout);
	else
		help_print_overview(stdout);
	return STATUS_OK;
}

static bool is_help(const char *word)
{
	return !strcmp(word, "help") || !strcmp(word, "--help") ||
	       !strcmp(word, "-h");
}

int cli_run_group(const struct cli_command *command, int argc, char **argv)
{
	const struct cli_command *chosen;

	if (argc < 2) {
		help_print_command(command, stderr);
		return STATUS_USAGE;
	}
	if (is_help(argv[1])) {
		help_print_command(command, stdout);
		return STATUS_OK;
	}
	chosen = find_command(command->group, argv[1]);
	return chosen ? chosen->run(chosen, argc - 1, argv + 1) : STATUS_USAGE;
}

static int run(int argc, char **argv)
{
	const struct cli_command *command;
	const char *word = argc > 1 ? argv[1] : NULL;

	if (!word) {
		help_print_overview(stderr);
		return STATUS_USAGE;
	}
	if (is_help(word))
		return help(argc - 2, argv + 2);
	if (!strcmp(word, "--version")) {
		printf("notrap %s\n", notrap_version());
		return STATUS_OK;
	}
	if (!strcmp(word, "--man")) { /* for the build */
		man_print(stdout);
		return STATUS_OK;
	}
	command = find_command(commands, word);
	return command ? command->run(command, argc - 1, argv + 1)
		       : STATUS_USAGE;
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
