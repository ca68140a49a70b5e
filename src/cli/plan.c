/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/plan_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_MAX  (1 << 20)
#define LINE_MAX  1024
#define PATH_ROOM 4096

struct plan *plan_create(void)
{
	struct plan *plan = calloc(1, sizeof(*plan));

	if (plan)
		config_init(&plan->defaults);
	return plan;
}

static void axis_finish(struct axis *axis)
{
	for (size_t i = 0; i < axis->nr; i++)
		free(axis->value[i]);
	free(axis->value);
}

void plan_destroy(struct plan *plan)
{
	if (!plan)
		return;
	for (size_t i = 0; i < plan->nr; i++)
		axis_finish(&plan->axis[i]);
	free(plan->axis);
	for (size_t i = 0; i < plan->nr_traces; i++)
		free(plan->trace[i]);
	free(plan->trace);
	free(plan);
}

static int no_memory(struct diag *diag)
{
	return diag_set(diag, -ENOMEM, "no memory for the settings");
}

static int axis_add(const struct plan *plan, struct axis *axis,
		    const char *value, size_t len, struct diag *diag)
{
	struct config scratch = plan->defaults;
	char **grown;
	char *copy;
	int err;

	copy = strndup(value, len);
	if (!copy)
		return no_memory(diag);
	err = config_set(&scratch, config_key_name(axis->key), copy, diag);
	if (err)
		goto free_copy;
	grown = realloc(axis->value, (axis->nr + 1) * sizeof(char *));
	if (!grown) {
		err = no_memory(diag);
		goto free_copy;
	}
	axis->value = grown;
	axis->value[axis->nr++] = copy;
	return 0;

free_copy:
	free(copy);
	return err;
}

/* In the place of an earlier axis of the same key, or at the end. */
static int plan_put(struct plan *plan, struct axis axis, struct diag *diag)
{
	struct axis *grown;

	for (size_t i = 0; i < plan->nr; i++) {
		if (plan->axis[i].key == axis.key) {
			axis_finish(&plan->axis[i]);
			plan->axis[i] = axis;
			return 0;
		}
	}
	grown = realloc(plan->axis, (plan->nr + 1) * sizeof(axis));
	if (!grown)
		return no_memory(diag);
	plan->axis = grown;
	plan->axis[plan->nr++] = axis;
	return 0;
}

int plan_set(struct plan *plan, const char *setting, struct diag *diag)
{
	const char *value = strchr(setting, '=');
	struct axis axis = {0};
	char key[64];
	int err;

	if (!value)
		return diag_set(diag, -EINVAL,
				"\"%.60s\": want key=value[,value...]",
				setting);
	snprintf(key, sizeof(key), "%.*s", (int)(value - setting), setting);
	err = config_find(key, diag);
	if (err < 0)
		return err;
	axis.key = (unsigned int)err;
	do {
		size_t len = strcspn(++value, ",");

		err = axis_add(plan, &axis, value, len, diag);
		value += len;
	} while (!err && *value);
	if (!err)
		err = plan_put(plan, axis, diag);
	if (err)
		axis_finish(&axis);
	return err;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* Without comment and blanks; blanks around '=' and ',' do not count. */
static int clean_line(const char *text, size_t len, char buf[LINE_MAX])
{
	size_t n = 0;

	for (size_t i = 0; i < len && text[i] != '#'; i++) {
		if (is_blank(text[i]))
			continue;
		if (!text[i] || n + 1 == LINE_MAX)
			return -EINVAL;
		buf[n++] = text[i];
	}
	buf[n] = 0;
	return 0;
}

void plan_allow_traces(struct plan *plan)
{
	plan->takes_traces = true;
}

int plan_add_trace(struct plan *plan, const char *path, struct diag *diag)
{
	char **grown =
		realloc(plan->trace, (plan->nr_traces + 1) * sizeof(*grown));
	char *copy = strdup(path);

	if (grown)
		plan->trace = grown;
	if (!grown || !copy) {
		free(copy);
		return no_memory(diag);
	}
	plan->trace[plan->nr_traces++] = copy;
	return 0;
}

size_t plan_nr_traces(const struct plan *plan)
{
	return plan->nr_traces;
}

const char *plan_trace(const struct plan *plan, size_t i)
{
	return plan->trace[i];
}

static size_t skip_blanks(const char *text, size_t at, size_t len)
{
	while (at < len && is_blank(text[at]))
		at++;
	return at;
}

/* "trace=PATH"; the path keeps the blanks within. */
static bool find_trace(const char *text, size_t len, size_t *begin, size_t *end)
{
	static const char key[] = "trace";
	const size_t key_len = sizeof(key) - 1;
	const char *comment = memchr(text, '#', len);
	size_t at = skip_blanks(text, 0, len);

	if (len - at < key_len || memcmp(text + at, key, key_len) != 0)
		return false;
	at = skip_blanks(text, at + key_len, len);
	if (at == len || text[at] != '=')
		return false;
	*begin = skip_blanks(text, at + 1, len);
	*end = comment ? (size_t)(comment - text) : len;
	while (*end > *begin && is_blank(text[*end - 1]))
		--*end;
	return true;
}

static int parse_trace(struct plan *plan, const char *path, size_t len,
		       struct diag *diag)
{
	char copy[PATH_ROOM];

	if (!plan->takes_traces)
		return diag_set(diag, -EINVAL,
				"a trace is named here: that is for notrap "
				"sweep");
	if (!len || len >= sizeof(copy) || memchr(path, 0, len))
		return diag_set(diag, -EINVAL, "trace= wants a path");
	memcpy(copy, path, len);
	copy[len] = 0;
	return plan_add_trace(plan, copy, diag);
}

static int parse_line(struct plan *plan, const char *text, size_t len,
		      struct diag *diag)
{
	char line[LINE_MAX];
	size_t begin, end;

	if (find_trace(text, len, &begin, &end))
		return parse_trace(plan, text + begin, end - begin, diag);
	if (clean_line(text, len, line))
		return diag_set(diag, -EINVAL,
				"not text, or a line of more than %d letters",
				LINE_MAX - 1);
	return line[0] ? plan_set(plan, line, diag) : 0;
}

int plan_parse(struct plan *plan, const char *text, size_t len,
	       const char *name, struct diag *diag)
{
	const char *end = text + len;

	for (unsigned int number = 1; text < end; number++) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		const char *stop = newline ? newline : end;
		int err = parse_line(plan, text, (size_t)(stop - text), diag);

		if (err) {
			struct diag what = *diag;

			return diag_set(diag, err, "%.200s:%u: %.280s", name,
					number, what.msg);
		}
		text = newline ? newline + 1 : end;
	}
	return 0;
}

int plan_read_file(struct plan *plan, const char *path, struct diag *diag)
{
	FILE *file = fopen(path, "r");
	char *text;
	size_t len;
	int err;

	if (!file)
		return diag_set(diag, -errno, "%.300s: %s", path,
				strerror(errno));
	text = malloc(FILE_MAX);
	if (!text) {
		err = no_memory(diag);
		goto close_file;
	}
	len = fread(text, 1, FILE_MAX, file);
	if (ferror(file))
		err = diag_set(diag, -errno, "%.300s: %s", path,
			       strerror(errno));
	else if (len == FILE_MAX)
		err = diag_set(diag, -EFBIG, "%.300s: too large for settings",
			       path);
	else
		err = plan_parse(plan, text, len, path, diag);
	free(text);
close_file:
	fclose(file);
	return err;
}
