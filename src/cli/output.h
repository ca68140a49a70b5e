/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where data goes: standard output, or a file that is there whole or not at
 * all.  A regular file is written under another name in its directory and
 * renamed when every byte is on the disk; anything else (a pipe, /dev/full) is
 * written to directly.
 */
#ifndef NOTRAP_CLI_OUTPUT_H
#define NOTRAP_CLI_OUTPUT_H

#include <stdio.h>

#include "base/diag.h"

struct output {
	FILE *file;
	char *path; /* what the user sees; NULL: standard output */
	char *target, *temporary;
};

/* path NULL or "-": standard output.  -errno with a line. */
int output_open(const char *path, struct output *ret, struct diag *diag);

/*
 * Make what was written stay.  -errno with a line: the file is as it was
 * before.  Ends the output either way.
 */
int output_commit(struct output *output, struct diag *diag);

/* As if it had never been opened; fine after a failed open or a commit. */
void output_abandon(struct output *output);

#endif
