/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>

#include "base/bug.h"
#include "explain/prose_internal.h"

struct prose *prose_create(const char *schema)
{
	struct prose *prose = calloc(1, sizeof(*prose));

	if (prose)
		prose->schema = schema;
	return prose;
}

void prose_destroy(struct prose *prose)
{
	if (!prose)
		return;
	for (size_t i = 0; i < prose->nr; i++) {
		struct block *block = &prose->block[i];

		for (size_t k = 0; k < block->nr_cells; k++)
			free(block->cell[k]);
		free(block->cell);
		free(block->text);
	}
	free(prose->block);
	free(prose->title);
	free(prose);
}

/* NULL: out of memory, and it is noted. */
static char *format(struct prose *prose, const char *fmt, va_list ap)
{
	char *text;

	if (vasprintf(&text, fmt, ap) >= 0)
		return text;
	prose->failed = true;
	return NULL;
}

/* False: there is no room, and none will come. */
static bool grow(struct prose *prose, void **array, size_t nr, size_t *max,
		 size_t size)
{
	size_t want = *max ? 2 * *max : 16;
	void *more;

	if (nr < *max)
		return true;
	more = realloc(*array, want * size);
	if (!more) {
		prose->failed = true;
		return false;
	}
	*array = more;
	*max = want;
	return true;
}

static void add(struct prose *prose, struct block block)
{
	void *array = prose->block;

	if (!grow(prose, &array, prose->nr, &prose->max, sizeof(block))) {
		free(block.text);
		return;
	}
	prose->block = array;
	prose->block[prose->nr++] = block;
}

void prose_title(struct prose *prose, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	free(prose->title);
	prose->title = format(prose, fmt, ap);
	va_end(ap);
}

#define DEFINE_BLOCK(function, of_kind)                          \
	void function(struct prose *prose, const char *fmt, ...) \
	{                                                        \
		struct block block = {.kind = (of_kind)};        \
		va_list ap;                                      \
                                                                 \
		va_start(ap, fmt);                               \
		block.text = format(prose, fmt, ap);             \
		va_end(ap);                                      \
		add(prose, block);                               \
	}

DEFINE_BLOCK(prose_section, BLOCK_SECTION)
DEFINE_BLOCK(prose_para, BLOCK_PARA)
DEFINE_BLOCK(prose_code, BLOCK_CODE)
DEFINE_BLOCK(prose_verdict, BLOCK_VERDICT)

void prose_fact(struct prose *prose, const char *name, const char *fmt, ...)
{
	struct block block = {.kind = BLOCK_FACT, .name = name};
	va_list ap;

	va_start(ap, fmt);
	block.text = format(prose, fmt, ap);
	va_end(ap);
	add(prose, block);
}

void prose_table(struct prose *prose)
{
	add(prose, (struct block){.kind = BLOCK_TABLE});
}

/* NULL: it got lost for want of memory. */
static struct block *last_table(struct prose *prose)
{
	struct block *block = prose->nr ? &prose->block[prose->nr - 1] : NULL;

	if (prose->failed)
		return NULL;
	BUG_ON(!block || block->kind != BLOCK_TABLE);
	return block;
}

void prose_column(struct prose *prose, const char *title, bool right)
{
	struct block *block = last_table(prose);

	if (!block)
		return;
	BUG_ON(block->nr_columns == COLUMNS_MAX || block->nr_cells);
	block->column[block->nr_columns].title = title;
	block->column[block->nr_columns++].right = right;
}

void prose_cell(struct prose *prose, const char *fmt, ...)
{
	struct block *block = last_table(prose);
	void *array;
	va_list ap;

	if (!block)
		return;
	array = block->cell;
	if (!grow(prose, &array, block->nr_cells, &block->max_cells,
		  sizeof(*block->cell)))
		return;
	block->cell = array;
	va_start(ap, fmt);
	block->cell[block->nr_cells++] = format(prose, fmt, ap);
	va_end(ap);
}

int prose_print(const struct prose *prose, enum prose_format format, FILE *out)
{
	if (prose->failed)
		return -ENOMEM;
	switch (format) {
	case PROSE_TEXT:
		prose_print_text(prose, out);
		return 0;
	case PROSE_MD:
		prose_print_md(prose, out);
		return 0;
	case PROSE_JSON:
		return prose_print_json(prose, out);
	}
	BUG("format");
}
