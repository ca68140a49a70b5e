/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rows and columns: aligned with spaces for a terminal, or as a Markdown
 * table.  Left out: text that is not ASCII is taken to be one column a byte.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/bug.h"
#include "report/internal.h"

#define COLUMNS_MAX 24

struct grid {
	struct {
		const char *name;
		enum grid_align align;
		int width;
	} column[COLUMNS_MAX];
	size_t nr_columns;
	char **cell;
	size_t nr_cells;
	bool failed;
};

struct grid *grid_create(void)
{
	return calloc(1, sizeof(struct grid));
}

void grid_column(struct grid *grid, const char *name, enum grid_align align,
		 int min_width)
{
	int width = (int)strlen(name);

	if (!grid)
		return;
	BUG_ON(grid->nr_columns == COLUMNS_MAX || grid->nr_cells);
	grid->column[grid->nr_columns].name = name;
	grid->column[grid->nr_columns].align = align;
	grid->column[grid->nr_columns].width =
		width > min_width ? width : min_width;
	grid->nr_columns++;
}

static void add_cell(struct grid *grid, char *text)
{
	size_t column = grid->nr_cells % grid->nr_columns;
	int width = (int)strlen(text);
	char **cells =
		realloc(grid->cell, (grid->nr_cells + 1) * sizeof(char *));

	if (!cells) {
		free(text);
		grid->failed = true;
		return;
	}
	grid->cell = cells;
	grid->cell[grid->nr_cells++] = text;
	if (width > grid->column[column].width)
		grid->column[column].width = width;
}

void grid_cell(struct grid *grid, const char *fmt, ...)
{
	va_list ap;
	char *text;
	int len;

	if (!grid || grid->failed)
		return;
	va_start(ap, fmt);
	len = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (len < 0)
		grid->failed = true;
	else
		add_cell(grid, text);
}

static void print_text_cell(const struct grid *grid, size_t column,
			    const char *text, FILE *out)
{
	bool last = column + 1 == grid->nr_columns;
	int width = grid->column[column].width;

	if (grid->column[column].align == GRID_RIGHT)
		fprintf(out, "%*s%s", width, text, last ? "" : "  ");
	else if (last)
		fputs(text, out);
	else
		fprintf(out, "%-*s  ", width, text);
}

/* A bar would end the cell. */
static void print_markdown_cell(const char *text, FILE *out)
{
	fputs(" ", out);
	for (; *text; text++) {
		if (*text == '|' || *text == '\\' || *text == '*' ||
		    *text == '_' || *text == '`' || *text == '<')
			fputc('\\', out);
		fputc(*text, out);
	}
	fputs(" |", out);
}

static void print_cell(const struct grid *grid, enum report_markup markup,
		       size_t column, const char *text, FILE *out)
{
	if (markup == REPORT_MARKDOWN) {
		if (!column)
			fputs("|", out);
		print_markdown_cell(text, out);
	} else {
		print_text_cell(grid, column, text, out);
	}
	if (column + 1 == grid->nr_columns)
		fputc('\n', out);
}

static void print_head(const struct grid *grid, enum report_markup markup,
		       FILE *out)
{
	for (size_t c = 0; c < grid->nr_columns; c++)
		print_cell(grid, markup, c, grid->column[c].name, out);
	if (markup == REPORT_TEXT)
		return;
	fputs("|", out);
	for (size_t c = 0; c < grid->nr_columns; c++)
		fputs(grid->column[c].align == GRID_RIGHT ? " ---: |"
							  : " --- |",
		      out);
	fputc('\n', out);
}

int grid_print(struct grid *grid, enum report_markup markup, FILE *out)
{
	int err = 0;

	if (!grid)
		return -ENOMEM;
	if (grid->failed) {
		err = -ENOMEM;
		goto free_grid;
	}
	BUG_ON(grid->nr_cells % grid->nr_columns);
	if (!grid->nr_cells)
		goto free_grid;
	print_head(grid, markup, out);
	for (size_t i = 0; i < grid->nr_cells; i++)
		print_cell(grid, markup, i % grid->nr_columns, grid->cell[i],
			   out);
	fputc('\n', out);

free_grid:
	for (size_t i = 0; i < grid->nr_cells; i++)
		free(grid->cell[i]);
	free(grid->cell);
	free(grid);
	return err;
}

void grid_heading(enum report_markup markup, int level, FILE *out,
		  const char *fmt, ...)
{
	bool markdown = markup == REPORT_MARKDOWN;
	const char *mark = markdown ? "######" : level < 3 ? "====" : "----";
	va_list ap;

	fprintf(out, "%.*s ", markdown ? level : 4, mark);
	va_start(ap, fmt);
	vfprintf(out, fmt, ap);
	va_end(ap);
	fprintf(out, "%s%s\n\n", markdown ? "" : " ", markdown ? "" : mark);
}
