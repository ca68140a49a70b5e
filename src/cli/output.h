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
#include "base/types.h"

struct output {
	FILE *file;
	char *path; /* what the user sees; NULL: standard output */
	char *target, *temporary;
	/*
	 * Set after the opening: do not wait for the disk.  After a power cut
	 * the file may be damaged, which its reader must be able to see.
	 */
	bool is_checked;
};

/* path NULL or "-": standard output.  -errno with a line. */
int output_open(const char *path, struct output *ret, struct diag *diag);

/*
 * Make what was written stay.  -errno with a line: the file is as it was
 * before.  Ends the output either way.
 */
int output_commit(struct output *output, struct diag *diag);

/*
 * After printing, which has returned err: 0 commits, -ENOMEM abandons with a
 * line.  Returns what then is the error.
 */
int output_end(struct output *output, int err, struct diag *diag);

/* As if it had never been opened; fine after a failed open or a commit. */
void output_abandon(struct output *output);

#endif
