/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Exits by page as lists in a result: the pages with most exits, then "other".
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "report/internal.h"

#define TOP 32 /* pages a list */

/* Code by the address of its page, as a symbol table has it; frames by gfn. */
static const struct {
	const char *name, *key;
	unsigned int shift;
} lists[NR_WHERE] = {
	[WHERE_RIP] = {"by_rip", "page", PAGE_SHIFT},
	[WHERE_GFN] = {"by_gfn", "gfn", 0},
};

static json_t *row_object(enum where_kind kind, const struct where_row *row)
{
	json_t *object = json_object();
	char page[24] = "other";
	int err;

	if (row->page != WHERE_OTHER)
		snprintf(page, sizeof(page), "0x%" PRIx64,
			 row->page << lists[kind].shift);
	err = json_object_set_new(object, lists[kind].key, json_string(page));
	err |= json_object_set_new(object, "exits",
				   json_integer((json_int_t)row->exits));
	err |= json_object_set_new(object, "user",
				   json_integer((json_int_t)row->user));
	err |= json_object_set_new(object, "cycles",
				   json_integer((json_int_t)row->cycles));
	for (unsigned int i = 0; i < NR_CAUSES; i++)
		if (row->cause[i])
			err |= json_object_set_new(
				object, cause_name((enum pf_cause)i),
				json_integer((json_int_t)row->cause[i]));
	if (!err)
		return object;
	json_decref(object);
	return NULL;
}

int where_put(json_t *exits, const struct where *where)
{
	struct where_row *rows = calloc(TOP + 1, sizeof(*rows));
	int err = rows ? 0 : -ENOMEM;

	for (int k = 0; k < NR_WHERE && !err; k++) {
		enum where_kind kind = (enum where_kind)k;
		size_t nr = where_top(where, kind, TOP, rows);
		json_t *list = json_array();

		if (json_object_set_new(exits, lists[kind].name, list))
			err = -ENOMEM;
		for (size_t i = 0; i < nr && !err; i++)
			if (json_array_append_new(list,
						  row_object(kind, &rows[i])))
				err = -ENOMEM;
	}
	free(rows);
	return err;
}

static bool is_row(const json_t *row, const char *page)
{
	const char *key;
	json_t *val;

	if (!json_is_string(json_object_get(row, page)))
		return false;
	json_object_foreach((json_t *)row, key, val)
	{
		if (strcmp(key, page) != 0 && !json_is_integer(val))
			return false;
		if (json_integer_value(val) < 0)
			return false;
	}
	return true;
}

bool where_is_valid(const json_t *doc)
{
	const json_t *exits = json_object_get(doc, "exits");

	for (int kind = 0; kind < NR_WHERE; kind++) {
		const json_t *list = json_object_get(exits, lists[kind].name);
		const json_t *row;
		size_t i;

		if (list && !json_is_array(list))
			return false;
		json_array_foreach(list, i, row)
		{
			if (!is_row(row, lists[kind].key))
				return false;
		}
	}
	return true;
}
