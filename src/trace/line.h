/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Items as text, a line each, for people and scripts: words separated by a
 * space, the same words for ever.  docs/trace-format.md, "Looking at a trace".
 */
#ifndef NOTRAP_TRACE_LINE_H
#define NOTRAP_TRACE_LINE_H

#include "trace/trace.h"

/* No line is longer, its newline included. */
#define LINE_BYTES_MAX 512

/*
 * n: number of the item, each reference being one; insns: sum of the counts of
 * fetches before it.  Both write to p and return the end, behind a newline.
 */
char *line_ref(char *p, uint64_t n, uint64_t insns,
	       const struct trace_ref *ref);
char *line_item(char *p, uint64_t n, uint64_t insns,
		const struct trace_item *item);

/* An entry of a table: "  511 0x8000000000003067". */
char *line_entry(char *p, unsigned int index, uint64_t entry);

#endif
