/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The file `plan` in the directory of a sweep: which points there are, in
 * order, as text.  It is what makes a directory one of a sweep.
 *
 *	notrap-sweep 1
 *	trace 0x0123456789abcdef traces/touch.trace
 *	point 0x0f1e2d3c4b5a6978 bypass=off
 *
 * A point belongs to the last trace before it; after its number stand the
 * settings with several values, for a reader.
 */
#ifndef NOTRAP_CLI_SWEEP_LIST_H
#define NOTRAP_CLI_SWEEP_LIST_H

#include <stdio.h>

#include "cli/sweep.h"

struct sweep_entry {
	uint64_t id;
	const char *path; /* of the trace */
};

struct sweep_list {
	char *text;
	struct sweep_entry *entry;
	size_t nr;
};

void sweep_list_write(const struct sweep *sweep, FILE *out);

/* The file there is says just that. */
bool sweep_list_is_text(const char *path, const char *text);

/* -EINVAL with a line: not such a file; other -errno: it cannot be read. */
int sweep_list_read(const char *path, struct sweep_list *ret,
		    struct diag *diag);
void sweep_list_finish(struct sweep_list *list);

#endif
