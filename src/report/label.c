/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What to call a result: the settings in which it differs from the others.
 * mmu and bypass come first, as they are what the tool is about.
 */
#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "report/internal.h"

#define LABEL_LEN_MAX 512

static const char *const first_keys[] = {"mmu", "bypass"};

/* Whatever the file is called: its digest tells. */
bool doc_has_same_source(const json_t *a, const json_t *b)
{
	static const char *const paths[] = {"source/kind", "source/args",
					    "source/digest",
					    "source/initrd_digest"};

	for (size_t i = 0; i < ARRAY_LEN(paths); i++)
		if (strcmp(doc_text(a, paths[i]), doc_text(b, paths[i])) != 0)
			return false;
	return true;
}

/* Settings of `one` that are others in `two`, or that it has not got. */
static int note_differing(struct report *report, const json_t *one,
			  const json_t *two)
{
	const char *key;
	json_t *val;

	json_object_foreach(json_object_get(one, "config"), key, val)
	{
		if (!doc_has_same_setting(one, two, key) &&
		    json_object_set_new(report->differing, key, json_true()))
			return -ENOMEM;
	}
	return 0;
}

static int note_changed(struct report *report, const json_t *doc)
{
	const json_t *list = json_object_get(doc, "config_changed");
	const json_t *item;
	size_t i;

	json_array_foreach(list, i, item)
	{
		const char *key = json_string_value(item);

		if (key &&
		    json_object_set_new(report->changed, key, json_true()))
			return -ENOMEM;
	}
	return 0;
}

static void trace_name(const char *path, char *buf, size_t size)
{
	static const char *const endings[] = {".ntr", ".trace"};
	const char *slash = strrchr(path, '/');

	snprintf(buf, size, "%s", slash && slash[1] ? slash + 1 : path);
	for (size_t i = 0; i < ARRAY_LEN(endings); i++) {
		size_t len = strlen(buf), cut = strlen(endings[i]);

		if (len > cut && !strcmp(buf + len - cut, endings[i]))
			buf[len - cut] = 0;
	}
}

/* Without what others may have, too: "sort" of a/sort.ntr. */
static void short_name(const json_t *doc, char *buf, size_t size)
{
	const char *args = doc_text(doc, "source/args");

	if (!strcmp(doc_text(doc, "source/kind"), "trace"))
		trace_name(doc_text(doc, "source/path"), buf, size);
	else
		snprintf(buf, size, "%s",
			 *args ? args : doc_text(doc, "source/path"));
}

static int note_source(struct report *report, json_t *doc)
{
	char name[LABEL_LEN_MAX];
	const json_t *known;

	short_name(doc, name, sizeof(name));
	known = json_object_get(report->sources, name);
	if (!known)
		return json_object_set_nocheck(report->sources, name, doc);
	if (json_is_null(known) || doc_has_same_source(known, doc))
		return 0;
	return json_object_set_new_nocheck(report->sources, name, json_null());
}

int label_note(struct report *report, json_t *doc)
{
	if (note_changed(report, doc) || note_source(report, doc))
		return -ENOMEM;
	if (!report->nr)
		return 0;
	if (note_differing(report, report->doc[0], doc) ||
	    note_differing(report, doc, report->doc[0]))
		return -ENOMEM;
	return 0;
}

bool label_differs(const struct report *report, const char *key)
{
	return json_object_get(report->differing, key) != NULL;
}

static bool is_first_key(const char *key)
{
	for (size_t i = 0; i < ARRAY_LEN(first_keys); i++)
		if (!strcmp(first_keys[i], key))
			return true;
	return false;
}

/* What other settings follow from, unless they are set themselves. */
static const char *const leading_keys[] = {"mmu", "machine", "hypervisor"};

static bool is_leading(const char *key)
{
	for (size_t i = 0; i < ARRAY_LEN(leading_keys); i++)
		if (!strcmp(key, leading_keys[i]))
			return true;
	return false;
}

bool label_tells(const struct report *report, const char *key)
{
	if (!label_differs(report, key))
		return false;
	if (is_leading(key) || is_first_key(key) ||
	    json_object_get(report->changed, key))
		return true;
	for (size_t i = 0; i < ARRAY_LEN(leading_keys); i++)
		if (label_differs(report, leading_keys[i]))
			return false;
	return true; /* two versions of the program */
}

/* Append to what is there, with a space between. */
__attribute__((format(printf, 3, 4))) static void append(char *buf, size_t size,
							 const char *fmt, ...)
{
	size_t len = strlen(buf);
	va_list ap;

	if (len && len + 1 < size) {
		buf[len++] = ' ';
		buf[len] = 0;
	}
	va_start(ap, fmt);
	vsnprintf(buf + len, size - len, fmt, ap);
	va_end(ap);
}

static void append_setting(const json_t *doc, const char *key, bool with_note,
			   char *buf, size_t size)
{
	const json_t *notes = json_object_get(doc, "config_notes");
	const char *note = json_string_value(json_object_get(notes, key));

	append(buf, size, "%s=%s", key, doc_setting(doc, key));
	if (with_note && note)
		append(buf, size, "(%s)", note);
}

static bool is_changed(const json_t *doc, const char *key)
{
	const json_t *changed = json_object_get(doc, "config_changed");
	const json_t *item;
	size_t i;

	json_array_foreach(changed, i, item)
	{
		const char *name = json_string_value(item);

		if (name && !strcmp(name, key))
			return true;
	}
	return false;
}

void label_heading(const struct report *report, size_t i, bool all, char *buf,
		   size_t size)
{
	const json_t *doc = report->doc[i];
	const char *key;
	json_t *val;

	buf[0] = 0;
	for (size_t k = 0; k < ARRAY_LEN(first_keys); k++)
		append_setting(doc, first_keys[k], true, buf, size);
	json_object_foreach(json_object_get(doc, "config"), key, val)
	{
		if (!is_first_key(key) &&
		    (label_tells(report, key) || (all && is_changed(doc, key))))
			append_setting(doc, key, true, buf, size);
	}
}

void report_label(const struct report *report, size_t i, char *buf, size_t size)
{
	const json_t *doc = report->doc[i];
	const char *key;
	json_t *val;

	buf[0] = 0;
	for (size_t k = 0; k < ARRAY_LEN(first_keys); k++)
		if (label_differs(report, first_keys[k]))
			append_setting(doc, first_keys[k], false, buf, size);
	json_object_foreach(json_object_get(doc, "config"), key, val)
	{
		if (!is_first_key(key) && label_tells(report, key))
			append_setting(doc, key, is_leading(key), buf, size);
	}
	if (!buf[0])
		snprintf(buf, size, "#%zu", i + 1);
}

void label_source(const json_t *doc, char *buf, size_t size)
{
	const char *args = doc_text(doc, "source/args");

	snprintf(buf, size, "%s%s%s%s", doc_text(doc, "source/path"),
		 *args ? " \"" : "", args, *args ? "\"" : "");
}

void label_short_source(const struct report *report, const json_t *doc,
			char *buf, size_t size)
{
	char name[LABEL_LEN_MAX];

	short_name(doc, name, sizeof(name));
	if (json_is_null(json_object_get(report->sources, name)))
		label_source(doc, name, sizeof(name));
	snprintf(buf, size, "%.60s", name);
}

bool doc_is_bypass_pair(const json_t *a, const json_t *b)
{
	json_t *config = json_object_get(a, "config");
	const char *key;
	json_t *val;

	if (strcmp(doc_setting(a, "bypass"), "off") != 0 ||
	    strcmp(doc_setting(b, "bypass"), "on") != 0)
		return false;
	json_object_foreach(config, key, val)
	{
		if (strcmp(key, "bypass") != 0 &&
		    !doc_has_same_setting(a, b, key))
			return false;
	}
	return true;
}
