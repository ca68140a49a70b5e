/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Markdown, as GitHub and pandoc read it. */
#include "explain/prose_internal.h"

/* What would mean something else there. */
static void put(FILE *out, const char *text)
{
	for (; *text; text++) {
		if (*text == '|' || *text == '*' || *text == '_' ||
		    *text == '<' || *text == '`')
			fputc('\\', out);
		fputc(*text, out);
	}
}

static void put_table(FILE *out, const struct block *block)
{
	fputc('|', out);
	for (unsigned int i = 0; i < block->nr_columns; i++)
		fprintf(out, " %s |", block->column[i].title);
	fputs("\n|", out);
	for (unsigned int i = 0; i < block->nr_columns; i++)
		fputs(block->column[i].right ? "--:|" : "---|", out);
	fputc('\n', out);
	for (size_t row = 0; row < block_rows(block); row++) {
		fputc('|', out);
		for (unsigned int i = 0; i < block->nr_columns; i++) {
			fputc(' ', out);
			put(out, block_cell(block, row, i));
			fputs(" |", out);
		}
		fputc('\n', out);
	}
}

static void put_block(FILE *out, const struct block *block)
{
	switch (block->kind) {
	case BLOCK_SECTION:
		break;
	case BLOCK_PARA:
		put(out, block->text);
		fputc('\n', out);
		break;
	case BLOCK_CODE:
		fprintf(out, "    %s\n", block->text);
		break;
	case BLOCK_VERDICT:
		fputs("**", out);
		put(out, block->text);
		fputs("**\n", out);
		break;
	case BLOCK_FACT:
		fprintf(out, "- %s: ", block->name);
		put(out, block->text);
		fputc('\n', out);
		break;
	case BLOCK_TABLE:
		put_table(out, block);
		break;
	}
}

void prose_print_md(const struct prose *prose, FILE *out)
{
	unsigned int section = 0;

	fputs("# ", out);
	put(out, prose->title ? prose->title : "");
	fputc('\n', out);
	for (size_t i = 0; i < prose->nr; i++) {
		const struct block *block = &prose->block[i];

		if (block->kind != BLOCK_FACT ||
		    !prose_follows(prose, i, BLOCK_FACT))
			fputc('\n', out);
		if (block->kind == BLOCK_SECTION) {
			fprintf(out, "## %u. ", ++section);
			put(out, block->text);
			fputc('\n', out);
		}
		put_block(out, block);
	}
}
