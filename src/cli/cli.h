/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The command line: what every command shares.  Commands and their flags are
 * tables, from which parsing, --help and the manual page are made.
 *
 * stdout is data; everything for a person goes to stderr, each message one
 * line that begins with "notrap: ".
 */
#ifndef NOTRAP_CLI_CLI_H
#define NOTRAP_CLI_CLI_H

#include <stdio.h>

#include "base/diag.h"
#include "base/types.h"

enum cli_status {
	STATUS_OK,     /* done */
	STATUS_FAILED, /* the guest or a check failed, or it was interrupted */
	STATUS_USAGE,  /* usage or bad input */
	STATUS_HOST, /* trouble of the host's: memory, disk, missing program */
};

static inline int cli_worse(int a, int b)
{
	return a > b ? a : b;
}

/* One line to stderr. */
__attribute__((format(printf, 1, 2))) void cli_say(const char *fmt, ...);

/* The enum cli_status that goes with -errno. */
int cli_status_of(int err);

/* Say diag's line; the status that goes with -errno. */
int cli_fail(int err, const struct diag *diag);

struct cli_flag {
	char letter;      /* also what it is known by; 0 ends a table */
	const char *name; /* long; NULL: it has a letter only */
	const char *arg;  /* what its argument is called; NULL: it has none */
	const char *help;
};

/* Flags that have no letter to type. */
enum {
	FLAG_APPEND = 1,
	FLAG_INITRD,
	FLAG_MAX_INSNS,
	FLAG_MODEL,
	FLAG_TIMEOUT,
	FLAG_FORMAT,
	FLAG_CONSOLE,
	FLAG_KEEP_SCRIPT,
	FLAG_RECORD,
	FLAG_GRANULARITY,
	FLAG_TIMELINE,
	FLAG_LOG,
	FLAG_WINDOW,
	FLAG_HYPERVISORS,
	FLAG_UNCERTAINTY,
	FLAG_HELP = 'h',
};

struct cli_command {
	const char *name;     /* of one in a group: "trace cut" */
	const char *operands; /* "RESULT..." */
	const char *summary;  /* half a line */
	const char *about;    /* paragraphs, separated by '\n' */
	const struct cli_flag *flags;
	/* Its own name is argv[0]; an enum cli_status. */
	int (*run)(const struct cli_command *command, int argc, char **argv);
	/* A group: its commands, NULL ends them; run is cli_run_group(). */
	const struct cli_command *const *group;
};

/* NULL ends the list. */
const struct cli_command *const *cli_commands(void);

/* What is typed for it: the last word of its name. */
const char *cli_command_word(const struct cli_command *command);

/* The command of the group that argv[1] names. */
int cli_run_group(const struct cli_command *command, int argc, char **argv);

extern const struct cli_command cmd_run;
extern const struct cli_command cmd_replay;
extern const struct cli_command cmd_sweep;
extern const struct cli_command cmd_import;
extern const struct cli_command cmd_bound;
extern const struct cli_command cmd_diff;
extern const struct cli_command cmd_explain;
extern const struct cli_command cmd_report;
extern const struct cli_command cmd_plot;
extern const struct cli_command cmd_config;
extern const struct cli_command cmd_machines;
extern const struct cli_command cmd_trace;
extern const struct cli_command cmd_trap_safety;

/*
 * Parse a command's flags; take() is told each of them and returns 0 or an
 * enum cli_status to stop with.  Operands may stand anywhere; *operand is the
 * first of those that are left in argv.  Returns -1 to go on, or the status to
 * end with: --help has been answered, or a complaint made.
 */
int cli_parse(const struct cli_command *command, int argc, char **argv,
	      int (*take)(void *context, int flag, const char *arg),
	      void *context, int *operand);

#endif
