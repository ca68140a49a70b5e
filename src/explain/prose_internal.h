/* SPDX-License-Identifier: GPL-2.0-or-later */
/* prose.c keeps what was said, prose_text.c, _md.c and _json.c show it. */
#ifndef NOTRAP_EXPLAIN_PROSE_INTERNAL_H
#define NOTRAP_EXPLAIN_PROSE_INTERNAL_H

#include "explain/prose.h"

enum block_kind {
	BLOCK_SECTION,
	BLOCK_PARA,
	BLOCK_CODE,
	BLOCK_VERDICT,
	BLOCK_FACT, /* name, text */
	BLOCK_TABLE,
};

#define COLUMNS_MAX 8

struct block {
	enum block_kind kind;
	const char *name;
	char *text;
	/* Tables: cell[row * nr_columns + column]. */
	unsigned int nr_columns;
	struct {
		const char *title;
		bool right;
	} column[COLUMNS_MAX];
	char **cell;
	size_t nr_cells, max_cells;
};

struct prose {
	const char *schema;
	char *title;
	struct block *block;
	size_t nr, max;
	bool failed; /* out of memory */
};

static inline const char *block_cell(const struct block *block, size_t row,
				     unsigned int column)
{
	size_t at = row * block->nr_columns + column;

	return at < block->nr_cells && block->cell[at] ? block->cell[at] : "";
}

static inline size_t block_rows(const struct block *block)
{
	return (block->nr_cells + block->nr_columns - 1) / block->nr_columns;
}

/* The block before this one is of this kind. */
static inline bool prose_follows(const struct prose *prose, size_t i,
				 enum block_kind kind)
{
	return i > 0 && prose->block[i - 1].kind == kind;
}

void prose_print_text(const struct prose *prose, FILE *out);
void prose_print_md(const struct prose *prose, FILE *out);
int prose_print_json(const struct prose *prose, FILE *out);

#endif
