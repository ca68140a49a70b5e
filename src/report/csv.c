/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Results as CSV (RFC 4180, lines end in LF): one row a result, members by
 * their dotted names.  The columns are all that any result has, each in the
 * place it has in the result that has it; a result without it leaves it empty.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "report/internal.h"

#define NAME_MAX_LEN 256

struct names {
	char **name;
	size_t nr;
};

static int insert_name(struct names *names, size_t at, const char *name)
{
	char *copy = strdup(name);
	char **grown = realloc(names->name, (names->nr + 1) * sizeof(char *));

	if (grown)
		names->name = grown;
	if (!copy || !grown) {
		free(copy);
		return -ENOMEM;
	}
	memmove(&grown[at + 1], &grown[at], (names->nr - at) * sizeof(char *));
	grown[at] = copy;
	names->nr++;
	return 0;
}

static bool find_name(const struct names *names, const char *name, size_t *ret)
{
	for (size_t i = 0; i < names->nr; i++) {
		if (!strcmp(names->name[i], name)) {
			*ret = i;
			return true;
		}
	}
	return false;
}

/* Paths are joined by '/' inside, where names have dots of their own. */
static int collect(struct names *names, const json_t *object, const char *path,
		   size_t *at)
{
	const char *key;
	json_t *val;

	json_object_foreach((json_t *)object, key, val)
	{
		char name[NAME_MAX_LEN];
		int err = 0;
		size_t i;

		snprintf(name, sizeof(name), "%s%s%s", path, *path ? "/" : "",
			 key);
		/* Lists of pages and sentences have no place in a row a result.
		 */
		if ((json_is_array(val) &&
		     json_is_object(json_array_get(val, 0))) ||
		    !strcmp(name, "cost_sources"))
			continue;
		if (json_is_object(val)) {
			err = collect(names, val, name, at);
		} else if (find_name(names, name, &i)) {
			*at = i + 1;
		} else {
			err = insert_name(names, *at, name);
			++*at;
		}
		if (err)
			return err;
	}
	return 0;
}

void csv_print_text(const char *text, FILE *out)
{
	if (!text[strcspn(text, ",\"\r\n")]) {
		fputs(text, out);
		return;
	}
	fputc('"', out);
	for (; *text; text++) {
		if (*text == '"')
			fputc('"', out);
		fputc(*text, out);
	}
	fputc('"', out);
}

static void print_list(const json_t *list, FILE *out)
{
	const json_t *item;
	size_t i;

	json_array_foreach(list, i, item)
	{
		const char *text = json_string_value(item);

		if (i)
			fputc(' ', out);
		if (text)
			csv_print_text(text, out);
	}
}

static void print_value(const json_t *val, FILE *out)
{
	if (json_is_string(val))
		csv_print_text(json_string_value(val), out);
	else if (json_is_integer(val))
		fprintf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(val));
	else if (json_is_real(val))
		fprintf(out, "%.6f", json_real_value(val));
	else if (json_is_boolean(val))
		fputs(json_is_true(val) ? "true" : "false", out);
	else if (json_is_array(val))
		print_list(val, out);
}

/* In a map of what was seen, what is not there was not seen. */
static bool is_count(const char *name)
{
	static const char *const maps[] = {
		"exits/by_reason/",
		"guest_faults/by_error_code/",
		"guest_faults/direct_by_error_code/",
		"guest_faults/injected_by_error_code/",
		"guest_faults/by_exits/",
	};

	for (size_t i = 0; i < ARRAY_LEN(maps); i++)
		if (!strncmp(name, maps[i], strlen(maps[i])))
			return true;
	return false;
}

static void print_field(const json_t *doc, const char *name, FILE *out)
{
	const json_t *val = doc_at(doc, name);

	if (val)
		print_value(val, out);
	else if (is_count(name))
		fputc('0', out);
}

static void print_name(const char *name, FILE *out)
{
	char dotted[NAME_MAX_LEN];
	size_t i;

	for (i = 0; name[i] && i + 1 < sizeof(dotted); i++)
		dotted[i] = name[i] == '/' ? '.' : name[i];
	dotted[i] = 0;
	csv_print_text(dotted, out);
}

int report_print_csv(const struct report *report, FILE *out)
{
	struct names names = {0};
	int err = 0;

	for (size_t i = 0; i < report->nr && !err; i++) {
		size_t at = 0;

		err = collect(&names, report->doc[i], "", &at);
	}
	for (size_t c = 0; c < names.nr && !err; c++) {
		print_name(names.name[c], out);
		fputc(c + 1 < names.nr ? ',' : '\n', out);
	}
	for (size_t i = 0; i < report->nr && !err; i++) {
		for (size_t c = 0; c < names.nr; c++) {
			print_field(report->doc[i], names.name[c], out);
			fputc(c + 1 < names.nr ? ',' : '\n', out);
		}
	}
	for (size_t c = 0; c < names.nr; c++)
		free(names.name[c]);
	free(names.name);
	return err;
}
