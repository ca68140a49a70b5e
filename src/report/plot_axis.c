/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report/plot_axis.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/suggest.h"

/* Values further apart than this are powers. */
#define LOG_SPREAD 8

bool axis_number(const char *text, double *ret)
{
	static const struct {
		char letter;
		double unit;
	} units[] = {{'K', 1024.}, {'M', 1048576.}, {'G', 1073741824.}};
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	*ret = (double)strtoull(text, &end, 0);
	for (size_t i = 0; i < ARRAY_LEN(units); i++) {
		if (*end != units[i].letter)
			continue;
		*ret *= units[i].unit;
		end++;
		break;
	}
	return !*end;
}

static void text_of(const struct report *report, const char *key,
		    const json_t *doc, char *buf, size_t size)
{
	if (!strcmp(key, AXIS_GUEST))
		label_short_source(report, doc, buf, size);
	else
		snprintf(buf, size, "%s", doc_setting(doc, key));
}

static size_t find_text(const struct plot_axis *axis, const char *text)
{
	size_t i = 0;

	while (i < axis->nr && strcmp(axis->value[i].text, text) != 0)
		i++;
	return i;
}

static int add_value(struct plot_axis *axis, const char *text)
{
	struct axis_value *grown =
		realloc(axis->value, (axis->nr + 1) * sizeof(*grown));
	char *copy = strdup(text);

	if (grown)
		axis->value = grown;
	if (!grown || !copy) {
		free(copy);
		return -ENOMEM;
	}
	axis->value[axis->nr].text = copy;
	axis->is_numeric &= axis_number(copy, &axis->value[axis->nr].number);
	axis->nr++;
	return 0;
}

static int by_number(const void *a, const void *b)
{
	const struct axis_value *x = a, *y = b;

	if (x->number < y->number || x->number > y->number)
		return x->number < y->number ? -1 : 1;
	return strcmp(x->text, y->text);
}

/* Like 64, 256, 1024 and unlike 100, 200, 300. */
static bool is_log(const struct plot_axis *axis)
{
	const struct axis_value *value = axis->value;

	return axis->is_numeric && axis->nr >= 3 && value[0].number > 0 &&
	       value[1].number >= 1.5 * value[0].number &&
	       value[axis->nr - 1].number >= LOG_SPREAD * value[0].number;
}

static int unknown_key(const struct report *report, const char *name,
		       struct diag *diag)
{
	struct suggest near;
	const char *key;
	json_t *val;

	suggest_init(&near, name);
	suggest_offer(&near, AXIS_GUEST);
	json_object_foreach(json_object_get(report->doc[0], "config"), key, val)
	{
		suggest_offer(&near, key);
	}
	if (!suggest_best(&near))
		return diag_set(diag, -ENOENT, "no setting is called \"%.60s\"",
				name);
	return diag_set(diag, -ENOENT,
			"no setting is called \"%.60s\"; did you mean "
			"\"%.60s\"?",
			name, suggest_best(&near));
}

static bool is_key(const struct report *report, const char *key)
{
	if (!strcmp(key, AXIS_GUEST))
		return true;
	for (size_t i = 0; i < report->nr; i++)
		if (json_object_get(json_object_get(report->doc[i], "config"),
				    key))
			return true;
	return false;
}

int axis_init(struct plot_axis *axis, const struct report *report,
	      const char *key, struct diag *diag)
{
	char text[PLOT_TEXT_MAX];

	*axis = (struct plot_axis){.key = key, .is_numeric = true};
	if (!is_key(report, key))
		return unknown_key(report, key, diag);
	for (size_t i = 0; i < report->nr; i++) {
		text_of(report, key, report->doc[i], text, sizeof(text));
		if (find_text(axis, text) == axis->nr &&
		    add_value(axis, text)) {
			axis_finish(axis);
			return -ENOMEM;
		}
	}
	if (axis->is_numeric)
		qsort(axis->value, axis->nr, sizeof(*axis->value), by_number);
	axis->is_log = is_log(axis);
	return 0;
}

void axis_finish(struct plot_axis *axis)
{
	for (size_t i = 0; i < axis->nr; i++)
		free(axis->value[i].text);
	free(axis->value);
	*axis = (struct plot_axis){0};
}

size_t axis_place(const struct plot_axis *axis, const struct report *report,
		  const json_t *doc)
{
	char text[PLOT_TEXT_MAX];

	text_of(report, axis->key, doc, text, sizeof(text));
	return find_text(axis, text);
}

/* --- What varies --------------------------------------------------------- */

static bool is_in(const char *key, const char *const *list, size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		if (list[i] && !strcmp(list[i], key))
			return true;
	return false;
}

/* Numbers before words, then more values before fewer. */
static size_t rank_of(const struct plot_axis *axis)
{
	return axis->nr + (axis->is_numeric ? (size_t)1 << 32 : 0);
}

int axis_choose(const struct report *report, const char *const *skip, size_t nr,
		bool must_be_numeric, bool guests, const char **ret)
{
	json_t *config = json_object_get(report->doc[0], "config");
	size_t best = 0;
	const char *key;
	json_t *val;

	*ret = NULL;
	json_object_foreach(config, key, val)
	{
		struct plot_axis axis;
		struct diag diag;
		size_t rank;

		if (!label_tells(report, key) || is_in(key, skip, nr))
			continue;
		if (axis_init(&axis, report, key, &diag))
			return -ENOMEM;
		rank = must_be_numeric && !axis.is_numeric ? 0 : rank_of(&axis);
		if (rank > best) {
			best = rank;
			*ret = key;
		}
		axis_finish(&axis);
	}
	if (!*ret && guests && !is_in(AXIS_GUEST, skip, nr) &&
	    !plot_has_one_source(report))
		*ret = AXIS_GUEST;
	return 0;
}

static void append(const char *text, const char *more, char *buf, size_t size)
{
	size_t len = strlen(buf);

	snprintf(buf + len, size - len, "%s%s%s", len ? " " : "", text, more);
}

void axis_rest(const struct report *report, const json_t *doc,
	       const char *const *skip, size_t nr, char *buf, size_t size)
{
	char word[PLOT_TEXT_MAX];
	const char *key;
	json_t *val;

	buf[0] = 0;
	if (!is_in(AXIS_GUEST, skip, nr) && !plot_has_one_source(report)) {
		label_short_source(report, doc, word, sizeof(word));
		append(word, "", buf, size);
	}
	json_object_foreach(json_object_get(doc, "config"), key, val)
	{
		if (!label_tells(report, key) || is_in(key, skip, nr))
			continue;
		snprintf(word, sizeof(word), "%s=%s", key,
			 doc_setting(doc, key));
		append(strncmp(word, "mmu=", 4) ? word : word + 4, "", buf,
		       size);
	}
}
