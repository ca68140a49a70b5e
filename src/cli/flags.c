/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A command's table of flags, given to getopt_long(). */
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <string.h>

#include "base/bug.h"
#include "base/suggest.h"
#include "cli/cli.h"
#include "cli/help.h"

#define FLAGS_MAX 24

void cli_say(const char *fmt, ...)
{
	va_list ap;

	fputs("notrap: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}

int cli_status_of(int err)
{
	switch (-err) {
	case EINVAL:
	case ENOENT:
	case ENOTDIR:
	case EISDIR:
	case EACCES:
	case EPERM:
	case ENOEXEC:
	case EFBIG:
	case ERANGE:
		return STATUS_USAGE;
	default:
		return STATUS_HOST;
	}
}

int cli_fail(int err, const struct diag *diag)
{
	cli_say("%s", diag->msg);
	return cli_status_of(err);
}

struct parser {
	struct option longs[FLAGS_MAX + 1];
	char shorts[2 * FLAGS_MAX + 2];
};

static void make_parser(const struct cli_command *command,
			struct parser *parser)
{
	size_t nr_longs = 0, nr_shorts = 0;

	*parser = (struct parser){0};
	parser->shorts[nr_shorts++] = ':';
	for (size_t i = 0; command->flags[i].letter; i++) {
		const struct cli_flag *flag = &command->flags[i];

		BUG_ON(i == FLAGS_MAX);
		if (flag->name)
			parser->longs[nr_longs++] = (struct option){
				.name = flag->name,
				.has_arg = flag->arg ? required_argument
						     : no_argument,
				.val = flag->letter,
			};
		if (flag->letter < ' ')
			continue;
		parser->shorts[nr_shorts++] = flag->letter;
		if (flag->arg)
			parser->shorts[nr_shorts++] = ':';
	}
}

static int complain(const struct cli_command *command, const char *fmt,
		    const char *word)
{
	char text[200];

	snprintf(text, sizeof(text), fmt, word);
	cli_say("%s (notrap help %s)", text, command->name);
	return STATUS_USAGE;
}

static int complain_unknown(const struct cli_command *command, const char *word)
{
	char name[64];
	struct suggest near;

	snprintf(name, sizeof(name), "%.*s", (int)strcspn(word, "="), word);
	suggest_init(&near, name + strspn(name, "-"));
	for (size_t i = 0; command->flags[i].letter; i++)
		if (command->flags[i].name)
			suggest_offer(&near, command->flags[i].name);
	if (strncmp(word, "--", 2) != 0 || !suggest_best(&near))
		return complain(command, "there is no option %.60s", name);
	cli_say("there is no option %s; did you mean --%s?", name,
		suggest_best(&near));
	return STATUS_USAGE;
}

int cli_parse(const struct cli_command *command, int argc, char **argv,
	      int (*take)(void *context, int flag, const char *arg),
	      void *context, int *operand)
{
	struct parser parser;
	char letters[] = "-?";
	int flag, status;

	make_parser(command, &parser);
	opterr = 0;
	optind = 0;
	while ((flag = getopt_long(argc, argv, parser.shorts, parser.longs,
				   NULL)) != -1) {
		letters[1] = (char)optopt;
		if (flag == '?')
			return complain_unknown(
				command,
				optopt > ' ' ? letters : argv[optind - 1]);
		if (flag == ':')
			return complain(command, "%.60s wants an argument",
					argv[optind - 1]);
		if (flag == FLAG_HELP) {
			help_print_command(command, stdout);
			return STATUS_OK;
		}
		status = take(context, flag, optarg);
		if (status)
			return status;
	}
	*operand = optind;
	return -1;
}
