/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Plain text for a terminal of 80 columns. */
#include <string.h>

#include "base/words.h"
#include "explain/prose_internal.h"

#define INDENT 3
#define GAP    2

static void put_paragraph(FILE *out, const char *text)
{
	fprintf(out, "%*s", INDENT, "");
	words_print(out, text, INDENT, INDENT);
}

static int fact_width(const struct prose *prose, size_t i)
{
	size_t width = 0;

	while (prose_follows(prose, i, BLOCK_FACT))
		i--;
	for (; i < prose->nr && prose->block[i].kind == BLOCK_FACT; i++)
		if (strlen(prose->block[i].name) > width)
			width = strlen(prose->block[i].name);
	return (int)width;
}

static void put_fact(FILE *out, const struct prose *prose, size_t i)
{
	const struct block *block = &prose->block[i];
	int width = fact_width(prose, i);
	int column = INDENT + width + GAP;

	fprintf(out, "%*s%-*s%*s", INDENT, "", width, block->name, GAP, "");
	words_print(out, block->text, column, column);
}

static int column_width(const struct block *block, unsigned int column)
{
	size_t width = strlen(block->column[column].title);

	for (size_t row = 0; row < block_rows(block); row++)
		if (strlen(block_cell(block, row, column)) > width)
			width = strlen(block_cell(block, row, column));
	return (int)width;
}

static bool is_last(const struct block *block, unsigned int column)
{
	return column + 1 == block->nr_columns;
}

/* row -1: the titles. */
static void put_row(FILE *out, const struct block *block, const int *width,
		    long row)
{
	int column = INDENT;

	fprintf(out, "%*s", INDENT, "");
	for (unsigned int i = 0; i < block->nr_columns; i++) {
		const char *cell = row < 0 ? block->column[i].title
					   : block_cell(block, (size_t)row, i);

		if (is_last(block, i) && !block->column[i].right) {
			words_print(out, cell, column, column);
			return;
		}
		fprintf(out, block->column[i].right ? "%*s" : "%-*s", width[i],
			cell);
		column += width[i] + GAP;
		if (!is_last(block, i))
			fprintf(out, "%*s", GAP, "");
	}
	fputc('\n', out);
}

static void put_table(FILE *out, const struct block *block)
{
	int width[COLUMNS_MAX];

	for (unsigned int i = 0; i < block->nr_columns; i++)
		width[i] = column_width(block, i);
	for (long row = -1; row < (long)block_rows(block); row++)
		put_row(out, block, width, row);
}

void prose_print_text(const struct prose *prose, FILE *out)
{
	unsigned int section = 0;

	fprintf(out, "%s\n", prose->title ? prose->title : "");
	for (size_t i = 0; i < prose->nr; i++) {
		const struct block *block = &prose->block[i];

		if (block->kind == BLOCK_SECTION) {
			fprintf(out, "\n%u. %s\n", ++section, block->text);
			continue;
		}
		if (!prose_follows(prose, i, BLOCK_SECTION) &&
		    !(block->kind == BLOCK_FACT &&
		      prose_follows(prose, i, BLOCK_FACT)))
			fputc('\n', out);
		switch (block->kind) {
		case BLOCK_PARA:
			put_paragraph(out, block->text);
			break;
		case BLOCK_VERDICT:
			fprintf(out, "=> ");
			words_print(out, block->text, INDENT, INDENT);
			break;
		case BLOCK_CODE:
			fprintf(out, "%*s%s\n", INDENT, "", block->text);
			break;
		case BLOCK_FACT:
			put_fact(out, prose, i);
			break;
		case BLOCK_TABLE:
			put_table(out, block);
			break;
		case BLOCK_SECTION:
			break;
		}
	}
}
