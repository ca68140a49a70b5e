/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/sweep_list.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_LINE "notrap-sweep 1"

void sweep_list_write(const struct sweep *sweep, FILE *out)
{
	size_t last = SIZE_MAX;

	fprintf(out, "%s\n", FIRST_LINE);
	for (size_t i = 0; i < sweep->nr_points; i++) {
		const struct sweep_point *point = &sweep->point[i];
		const struct sweep_trace *trace = &sweep->trace[point->trace];
		const char *label = sweep->config[point->config].label;

		if (point->trace != last)
			fprintf(out, "trace 0x%016" PRIx64 " %s\n",
				trace->digest, trace->path);
		last = point->trace;
		fprintf(out, "point 0x%016" PRIx64 "%s%s\n", point->id,
			*label ? " " : "", label);
	}
}

/* All of a file, ended by a 0; NULL: errno tells. */
static char *read_text(const char *path)
{
	FILE *file = fopen(path, "r");
	char *text = NULL;
	size_t size = 0;

	if (!file)
		return NULL;
	errno = 0;
	if (getdelim(&text, &size, 0, file) < 0) {
		free(text);
		text = errno ? NULL : strdup("");
	}
	fclose(file);
	return text;
}

bool sweep_list_is_text(const char *path, const char *text)
{
	char *old = read_text(path);
	bool ret = old && !strcmp(old, text);

	free(old);
	return ret;
}

/* "trace 0x... REST": past the number, to the blank or the end. */
static const char *number_of(const char *line, const char *word, uint64_t *ret)
{
	size_t len = strlen(word);
	char *end;

	if (strncmp(line, word, len) != 0 || strncmp(line + len, " 0x", 3) != 0)
		return NULL;
	line += len + 3;
	if (strspn(line, "0123456789abcdef") != 16)
		return NULL;
	*ret = strtoull(line, &end, 16);
	return *end == ' ' || !*end ? end : NULL;
}

static int add_entry(struct sweep_list *list, uint64_t id, const char *path)
{
	/* Grows at 1, 2, 4, 8... */
	if (!(list->nr & (list->nr - 1))) {
		size_t room = list->nr ? 2 * list->nr : 1;
		struct sweep_entry *grown =
			realloc(list->entry, room * sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		list->entry = grown;
	}
	list->entry[list->nr++] = (struct sweep_entry){id, path};
	return 0;
}

static int parse_line(struct sweep_list *list, const char *line,
		      const char **path)
{
	const char *rest;
	uint64_t number;

	rest = number_of(line, "trace", &number);
	if (rest && *rest) {
		*path = rest + 1;
		return 0;
	}
	rest = number_of(line, "point", &number);
	return rest && *path ? add_entry(list, number, *path) : -EINVAL;
}

static int parse(struct sweep_list *list, const char *name, struct diag *diag)
{
	char *rest = list->text, *line = strsep(&rest, "\n");
	const char *path = NULL;
	unsigned int number = 1;

	if (strcmp(line, FIRST_LINE) != 0)
		return diag_set(diag, -EINVAL,
				"%.300s: not a file that notrap sweep wrote",
				name);
	while ((line = strsep(&rest, "\n"))) {
		int err = *line ? parse_line(list, line, &path) : 0;

		number++;
		if (err == -ENOMEM)
			return diag_set(diag, err, "no memory for %.300s",
					name);
		if (err)
			return diag_set(diag, err,
					"%.300s:%u: neither a trace nor a "
					"point of one",
					name, number);
	}
	return 0;
}

int sweep_list_read(const char *path, struct sweep_list *ret, struct diag *diag)
{
	int err;

	*ret = (struct sweep_list){.text = read_text(path)};
	if (!ret->text)
		return diag_set(diag, -errno, "%.300s: %s", path,
				strerror(errno));
	err = parse(ret, path, diag);
	if (err)
		sweep_list_finish(ret);
	return err;
}

void sweep_list_finish(struct sweep_list *list)
{
	free(list->entry);
	free(list->text);
	*list = (struct sweep_list){0};
}
