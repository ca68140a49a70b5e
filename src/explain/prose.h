/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A text for a person: numbered sections of paragraphs, facts (a name and a
 * value), tables and verdicts, shown as plain text of 79 columns, as Markdown,
 * or as JSON with the same parts.
 *
 * Memory that runs out is kept quiet until prose_print(), which tells.
 */
#ifndef NOTRAP_EXPLAIN_PROSE_H
#define NOTRAP_EXPLAIN_PROSE_H

#include <stdio.h>

#include "base/types.h"

enum prose_format {
	PROSE_TEXT,
	PROSE_MD,
	PROSE_JSON,
};

struct prose;

#define PROSE_PRINTF __attribute__((format(printf, 2, 3)))

/* schema: "notrap-explain/1", for JSON.  NULL: out of memory. */
struct prose *prose_create(const char *schema);
void prose_destroy(struct prose *prose); /* NULL is fine */

PROSE_PRINTF void prose_title(struct prose *prose, const char *fmt, ...);
PROSE_PRINTF void prose_section(struct prose *prose, const char *fmt, ...);
PROSE_PRINTF void prose_para(struct prose *prose, const char *fmt, ...);
/* As it is, in a fixed font. */
PROSE_PRINTF void prose_code(struct prose *prose, const char *fmt, ...);
/* What a section comes to. */
PROSE_PRINTF void prose_verdict(struct prose *prose, const char *fmt, ...);

/* One of a list whose values stand below each other. */
__attribute__((format(printf, 3, 4))) void
prose_fact(struct prose *prose, const char *name, const char *fmt, ...);

/*
 * A table: its columns, then cells from left to right, row after row.  What is
 * too long for a line is broken in the last column.
 */
void prose_table(struct prose *prose);
/* title must outlive the prose. */
void prose_column(struct prose *prose, const char *title, bool right);
PROSE_PRINTF void prose_cell(struct prose *prose, const char *fmt, ...);

/* 0, -ENOMEM, or -EIO: look at the stream. */
int prose_print(const struct prose *prose, enum prose_format format, FILE *out);

#endif
