/* SPDX-License-Identifier: GPL-2.0-or-later */
/* notrap(1) in roff's man macros, made by the build: notrap --man. */
#include <string.h>

#include "cli/help.h"
#include "cli/settings.h"
#include "report/version.h"

/* Plain text, one paragraph; nothing in it is roff. */
static void put_text(FILE *out, const char *text)
{
	bool line_start = true;

	for (; *text; text++) {
		if (line_start && (*text == '.' || *text == '\''))
			fputs("\\&", out);
		line_start = false;
		if (*text == '\\')
			fputs("\\e", out);
		else if (*text == '-')
			fputs("\\-", out);
		else
			fputc(*text, out);
	}
	fputc('\n', out);
}

static void put_term(FILE *out, const char *term)
{
	fputs(".TP\n.B ", out);
	put_text(out, term);
}

static void put_paragraphs(FILE *out, const char *text)
{
	while (*text) {
		size_t len = strcspn(text, "\n");
		char paragraph[1024];

		snprintf(paragraph, sizeof(paragraph), "%.*s", (int)len, text);
		fputs(".PP\n", out);
		put_text(out, paragraph);
		text += len + (text[len] == '\n');
	}
}

static void put_command(FILE *out, const struct cli_command *command)
{
	fputs(".SS ", out);
	fprintf(out, "notrap %s ", command->name);
	put_text(out, command->operands);
	put_paragraphs(out, command->about);
	for (size_t i = 0; command->flags && command->flags[i].letter; i++) {
		char term[80];

		help_flag_text(&command->flags[i], term, sizeof(term));
		put_term(out, term);
		put_text(out, command->flags[i].help);
	}
}

/* A group comes before its commands. */
static void each_command(const struct cli_command *const *list,
			 void (*put)(FILE *out,
				     const struct cli_command *command),
			 FILE *out)
{
	for (size_t i = 0; list[i]; i++) {
		put(out, list[i]);
		if (list[i]->group)
			each_command(list[i]->group, put, out);
	}
}

static void put_setting(void *context, const struct setting *setting)
{
	put_term(context, setting->term);
	put_text(context, setting->text);
}

static void put_examples(FILE *out)
{
	static const struct {
		const char *what;
		const char *line;
	} examples[] = {
		{"What does the bypass save a guest that touches 1024 pages?",
		 "notrap run mini.elf --append \"touch pages=1024\" "
		 "-D bypass=off,on"},
		{"From three exits a page fault to one, over KVM's history:",
		 "notrap run mini.elf --append \"touch pages=1024\" "
		 "-D mmu=kvm-2.6.20,kvm-2.6.24,kvm-2.6.25 --format json "
		 "-o ladder.json"},
		{"The same as a picture:",
		 "notrap plot ladder.json -o ladder.svg"},
		{"One page fault of a trace, told step by step:",
		 "notrap explain touch.ntr --fault 10"},
		{"On a machine whose exits cost 1000 cycles:",
		 "notrap run mini.elf -D cost.exit=1000"},
	};

	fputs(".SH EXAMPLES\n", out);
	for (size_t i = 0; i < ARRAY_LEN(examples); i++) {
		fputs(".PP\n", out);
		put_text(out, examples[i].what);
		fputs(".PP\n.RS 4\n.nf\n", out);
		put_text(out, examples[i].line);
		fputs(".fi\n.RE\n", out);
	}
}

static void put_synopsis(FILE *out, const struct cli_command *command)
{
	if (command->group)
		return;
	fprintf(out, "%s.B notrap %s\n",
		command == cli_commands()[0] ? "" : ".br\n", command->name);
	put_text(out, command->operands);
}

static void put_head(FILE *out)
{
	fprintf(out,
		".TH NOTRAP 1 \"\" \"notrap %s\" \"User Commands\"\n"
		".SH NAME\n"
		"notrap \\- count the VM exits of a guest under a modelled "
		"shadow MMU\n"
		".SH SYNOPSIS\n",
		notrap_version());
	each_command(cli_commands(), put_synopsis, out);
	fputs(".SH DESCRIPTION\n", out);
	put_text(out,
		 "Runs real guest code on a modelled VMX processor under "
		 "KVM's shadow MMU of 2007 and counts every VM exit and "
		 "its cycles, with and without the guest page-fault "
		 "bypass. Data goes to standard output; progress, messages "
		 "and the guest's console go to standard error.");
}

void man_print(FILE *out)
{
	put_head(out);
	fputs(".SH COMMANDS\n", out);
	each_command(cli_commands(), put_command, out);
	fputs(".SH SETTINGS\n", out);
	put_text(out, "Given with -D or in a file with -c; shown with their "
		      "defaults. KEY=A,B runs both.");
	settings_each(put_setting, out);
	fputs(".SH EXIT STATUS\n", out);
	for (int i = 0; help_status(i); i++) {
		char term[16];

		snprintf(term, sizeof(term), "%d", i);
		put_term(out, term);
		put_text(out, help_status(i));
	}
	put_examples(out);
}
