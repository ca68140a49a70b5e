/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Named tables of named columns, shown in any of the four formats: tables and
 * Markdown with headings, CSV (a block a table, the first column is its name)
 * and JSON (one object: "schema", then a list of rows a table).
 *
 * Memory that runs out is kept quiet until sheet_print(), which tells.
 */
#ifndef NOTRAP_REPORT_SHEET_H
#define NOTRAP_REPORT_SHEET_H

#include <stdio.h>

#include "base/types.h"

enum sheet_format {
	SHEET_TABLE,
	SHEET_JSON,
	SHEET_CSV,
	SHEET_MD,
};

struct sheet;

/* schema: "notrap-diff/1"; title: the heading of it all.  NULL: no memory. */
struct sheet *sheet_create(const char *schema, const char *title);
void sheet_destroy(struct sheet *sheet); /* NULL is fine */

/* A table: its name in JSON and CSV, and its heading, which is not shown if it
 * is the title.  Columns come next. */
void sheet_table(struct sheet *sheet, const char *name, const char *heading);
/*
 * key: in JSON and CSV; title: in tables, NULL: the column is not shown there.
 * Both must outlive the sheet.
 */
void sheet_column(struct sheet *sheet, const char *key, const char *title);
/* The first column, if rows come in groups: in tables a heading for each. */
void sheet_group_column(struct sheet *sheet, const char *key,
			const char *title);

/* Cells fill the columns from left to right, row after row.  Blanks before a
 * text indent it in tables. */
__attribute__((format(printf, 2, 3))) void sheet_text(struct sheet *sheet,
						      const char *fmt, ...);
void sheet_u64(struct sheet *sheet, uint64_t val);
/* Not a number: an empty cell. */
void sheet_real(struct sheet *sheet, double val, int decimals);
/* With its sign in tables; without decimals an integer. */
void sheet_change(struct sheet *sheet, double val, int decimals);
void sheet_none(struct sheet *sheet); /* empty, null */

/* A line for a person below the last table: not in CSV, "notes" in JSON. */
__attribute__((format(printf, 2, 3))) void sheet_note(struct sheet *sheet,
						      const char *fmt, ...);

/* 0 or -ENOMEM. */
int sheet_print(const struct sheet *sheet, enum sheet_format format, FILE *out);

#endif
