/* SPDX-License-Identifier: GPL-2.0-or-later */
/* --help and the manual page, both from the tables of commands and settings. */
#ifndef NOTRAP_CLI_HELP_H
#define NOTRAP_CLI_HELP_H

#include <stdio.h>

#include "cli/cli.h"

void help_print_overview(FILE *out);
void help_print_command(const struct cli_command *command, FILE *out);

/* Two columns: a term, and text broken at 79 columns. */
void help_print_entry(FILE *out, const char *term, int column,
		      const char *text);

/* "-o, --output FILE" */
void help_flag_text(const struct cli_flag *flag, char *buf, size_t size);

/* What each exit status means; NULL ends the list. */
const char *help_status(int status);

/* man.c: roff, section 1. */
void man_print(FILE *out);

#endif
