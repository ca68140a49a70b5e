/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * JSON: {"schema", "title", "part": [...], "section": [{"title", "part": [...]}
 * ...]}, a part being {"text"}, {"code"}, {"verdict"}, {"fact", "value"} or
 * {"column": [...], "row": [[...]...]}.
 */
#include <errno.h>

#include <jansson.h>

#include "explain/prose_internal.h"

static json_t *table_rows(const struct block *block)
{
	json_t *rows = json_array();

	for (size_t row = 0; row < block_rows(block); row++) {
		json_t *cells = json_array();

		for (unsigned int i = 0; i < block->nr_columns; i++)
			json_array_append_new(
				cells, json_string(block_cell(block, row, i)));
		json_array_append_new(rows, cells);
	}
	return rows;
}

static json_t *table_part(const struct block *block)
{
	json_t *columns = json_array();

	for (unsigned int i = 0; i < block->nr_columns; i++)
		json_array_append_new(columns,
				      json_string(block->column[i].title));
	return json_pack("{s:o, s:o}", "column", columns, "row",
			 table_rows(block));
}

static json_t *part_of(const struct block *block)
{
	switch (block->kind) {
	case BLOCK_PARA:
		return json_pack("{s:s}", "text", block->text);
	case BLOCK_CODE:
		return json_pack("{s:s}", "code", block->text);
	case BLOCK_VERDICT:
		return json_pack("{s:s}", "verdict", block->text);
	case BLOCK_FACT:
		return json_pack("{s:s, s:s}", "fact", block->name, "value",
				 block->text);
	case BLOCK_TABLE:
		return table_part(block);
	case BLOCK_SECTION:
		break;
	}
	return NULL;
}

int prose_print_json(const struct prose *prose, FILE *out)
{
	json_t *sections = json_array(), *parts = json_array();
	json_t *doc = json_pack("{s:s, s:s, s:o, s:o}", "schema", prose->schema,
				"title", prose->title ? prose->title : "",
				"part", parts, "section", sections);
	bool ok = doc;

	for (size_t i = 0; i < prose->nr && ok; i++) {
		const struct block *block = &prose->block[i];

		if (block->kind == BLOCK_SECTION) {
			parts = json_array();
			ok = !json_array_append_new(
				sections,
				json_pack("{s:s, s:o}", "title", block->text,
					  "part", parts));
		} else {
			ok = !json_array_append_new(parts, part_of(block));
		}
	}
	if (ok && !json_dumpf(doc, out, JSON_COMPACT))
		fputc('\n', out);
	json_decref(doc);
	return ok ? 0 : -ENOMEM;
}
