/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Wrong translations (unsafe-trap=force), to a document and out of it. */
#include <errno.h>
#include <inttypes.h>

#include "report/internal.h"

static int put_hex(json_t *row, const char *key, uint64_t val)
{
	return json_object_set_new(row, key, json_sprintf("0x%" PRIx64, val));
}

static json_t *row_of(const struct result_stray *stray)
{
	json_t *row = json_object();
	int err = put_hex(row, "gva", stray->gva);

	err |= put_hex(row, "hpa", stray->hpa);
	if (stray->gpa == UINT64_MAX)
		err |= json_object_set_new(row, "gpa", json_null());
	else
		err |= put_hex(row, "gpa", stray->gpa);
	err |= put_hex(row, "rip", stray->rip);
	err |= json_object_set_new(row, "user", json_boolean(stray->user));
	err |= json_object_set_new(row, "use", json_string(stray->use));
	if (!err)
		return row;
	json_decref(row);
	return NULL;
}

int stray_put(json_t *check, const struct result *result)
{
	json_t *list = json_array();

	if (json_object_set_new(check, "wrong_translations", list))
		return -ENOMEM;
	for (unsigned int i = 0; i < result->nr_strays; i++)
		if (json_array_append_new(list, row_of(&result->stray[i])))
			return -ENOMEM;
	return 0;
}

static void text_cell(struct grid *grid, const json_t *row, const char *key,
		      const char *otherwise)
{
	const char *text = json_string_value(json_object_get(row, key));

	grid_cell(grid, "%s", text ? text : otherwise);
}

int stray_print(const json_t *doc, enum report_markup markup, FILE *out)
{
	const json_t *list = doc_at(doc, "check/wrong_translations");
	struct grid *grid = grid_create();
	const json_t *row;
	size_t i;

	grid_column(grid, "wrong translation of", GRID_RIGHT, 20);
	grid_column(grid, "goes to", GRID_RIGHT, 0);
	grid_column(grid, "the guest's tables", GRID_RIGHT, 0);
	grid_column(grid, "rip", GRID_RIGHT, 0);
	grid_column(grid, "use", GRID_LEFT, 0);
	json_array_foreach(list, i, row)
	{
		const char *who = json_is_true(json_object_get(row, "user"))
					  ? "user"
					  : "kernel";
		const char *use =
			json_string_value(json_object_get(row, "use"));

		text_cell(grid, row, "gva", "?");
		text_cell(grid, row, "hpa", "?");
		text_cell(grid, row, "gpa", "nothing");
		text_cell(grid, row, "rip", "?");
		grid_cell(grid, "%s %s", who, use ? use : "?");
	}
	return grid_print(grid, markup, out);
}
