/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Help as plain text, 79 columns wide. */
#include "cli/help.h"

#include <string.h>

#include "base/words.h"

static const char *const statuses[] = {
	[STATUS_OK] = "done",
	[STATUS_FAILED] = "the guest or a check failed, or the run was "
			  "interrupted",
	[STATUS_USAGE] = "usage or bad input",
	[STATUS_HOST] = "trouble of the host's: memory, disk, a missing "
			"program",
};

const char *help_status(int status)
{
	return status < (int)ARRAY_LEN(statuses) ? statuses[status] : NULL;
}

void help_print_entry(FILE *out, const char *term, int column, const char *text)
{
	int len = (int)strlen(term);

	if (2 + len + 2 > column)
		fprintf(out, "  %s\n%*s", term, column, "");
	else
		fprintf(out, "  %-*s", column - 2, term);
	words_print(out, text, column, column);
}

void help_flag_text(const struct cli_flag *flag, char *buf, size_t size)
{
	char letter[8] = "";

	if (flag->letter > ' ')
		snprintf(letter, sizeof(letter), "-%c%s", flag->letter,
			 flag->name ? ", " : "");
	snprintf(buf, size, "%s%s%s%s%s", letter, flag->name ? "--" : "",
		 flag->name ? flag->name : "", flag->arg ? " " : "",
		 flag->arg ? flag->arg : "");
}

static void print_paragraphs(FILE *out, const char *text)
{
	while (*text) {
		size_t len = strcspn(text, "\n");
		char paragraph[1024];

		snprintf(paragraph, sizeof(paragraph), "%.*s", (int)len, text);
		words_print(out, paragraph, 0, 0);
		fputc('\n', out);
		text += len + (text[len] == '\n');
	}
}

static void print_commands(FILE *out, const struct cli_command *const *list)
{
	fputs("Commands:\n", out);
	for (size_t i = 0; list[i]; i++)
		help_print_entry(out, cli_command_word(list[i]), 12,
				 list[i]->summary);
}

void help_print_command(const struct cli_command *command, FILE *out)
{
	char term[80];

	fprintf(out, "Usage: notrap %s %s\n\n", command->name,
		command->operands);
	print_paragraphs(out, command->about);
	if (command->group) {
		print_commands(out, command->group);
		fprintf(out, "\n  notrap help %s COMMAND\n", command->name);
		return;
	}
	if (command->flags[0].letter)
		fputs("Options:\n", out);
	for (size_t i = 0; command->flags[i].letter; i++) {
		help_flag_text(&command->flags[i], term, sizeof(term));
		help_print_entry(out, term, 26, command->flags[i].help);
	}
}

void help_print_overview(FILE *out)
{
	fputs("Usage: notrap COMMAND [ARGUMENTS]\n\n", out);
	print_paragraphs(out,
			 "Runs real guest code on a modelled VMX processor "
			 "under KVM's shadow MMU of 2007 and counts every VM "
			 "exit and its cycles, with and without the guest "
			 "page-fault bypass.");
	print_commands(out, cli_commands());
	fputs("\n  notrap help COMMAND, notrap --version\n\nExit status:\n",
	      out);
	for (int i = 0; help_status(i); i++) {
		char term[16];

		snprintf(term, sizeof(term), "%d", i);
		help_print_entry(out, term, 12, help_status(i));
	}
}
