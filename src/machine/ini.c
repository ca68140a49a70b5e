/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One copy of the text, cut up in place; entries point into it. */
#include "machine/ini.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bug.h"

static const struct {
	const char *name, *what;
} tags[NR_INI_TAGS] = {
	[INI_READ] = {"R", "read in the source named"},
	[INI_DERIVED] = {"D", "derived by arithmetic from numbers that were "
			      "read"},
	[INI_MEMORY_HIGH] = {"M:hi", "general knowledge, high confidence"},
	[INI_MEMORY_MEDIUM] = {"M:med", "general knowledge, medium confidence"},
	[INI_MEMORY_LOW] = {"M:lo", "general knowledge, low confidence"},
	[INI_ASSUMED] = {"A", "assumption"},
};

#define TAGS_TEXT "R, D, M:hi, M:med, M:lo or A"

const char *ini_tag_name(enum ini_tag tag)
{
	return tags[tag].name;
}

const char *ini_tag_what(enum ini_tag tag)
{
	return tags[tag].what;
}

/* --- Complaints ---------------------------------------------------------- */

struct parser {
	struct ini *ini;
	const char *section;
	unsigned int line;
	size_t room;
	struct diag *diag;
};

__attribute__((format(printf, 2, 3))) static int bad(struct parser *p,
						     const char *fmt, ...)
{
	char what[300];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	return diag_set(p->diag, -EINVAL, "%.160s:%u: %s", p->ini->name,
			p->line, what);
}

int ini_bad(const struct ini *ini, const struct ini_entry *entry,
	    struct diag *diag, const char *fmt, ...)
{
	char what[300];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	return diag_set(diag, -EINVAL, "%.160s:%u: %s", ini->name, entry->line,
			what);
}

/* --- One line ------------------------------------------------------------ */

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* Without the blanks around it; in place. */
static char *trim(char *text)
{
	size_t len;

	while (is_blank(*text))
		text++;
	len = strlen(text);
	while (len && is_blank(text[len - 1]))
		text[--len] = 0;
	return text;
}

/* a-z, 0-9, '-' and '.': what keys and sections are made of. */
static bool is_word(const char *text)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789-.";

	return *text && strspn(text, letters) == strlen(text);
}

static int parse_section(struct parser *p, char *line)
{
	size_t len = strlen(line);

	if (line[len - 1] != ']')
		return bad(p, "\"%.60s\": a section has no ']'", line);
	line[len - 1] = 0;
	p->section = trim(line + 1);
	if (!is_word(p->section))
		return bad(p, "\"%.60s\" is no name for a section", p->section);
	return 0;
}

/* "TAG source" */
static int parse_source(struct parser *p, char *text, struct ini_entry *entry)
{
	size_t len = strcspn(text, " \t");

	for (int i = 0; i < NR_INI_TAGS; i++) {
		if (strlen(tags[i].name) != len ||
		    strncmp(tags[i].name, text, len) != 0)
			continue;
		entry->tag = (enum ini_tag)i;
		entry->source = trim(text + len);
		if (!entry->source[0])
			return bad(p, "%.60s: the source is missing behind %s",
				   entry->key, tags[i].name);
		return 0;
	}
	return bad(p, "%.60s: \"%.*s\" is no tag; want %s, and the source",
		   entry->key, len < 60 ? (int)len : 60, text, TAGS_TEXT);
}

/* "VALUE", or "VALUE [MIN..MAX]" */
static int parse_value(struct parser *p, char *text, struct ini_entry *entry)
{
	size_t len = strlen(text);
	char *bracket = strchr(text, '[');

	entry->value = text;
	if (bracket) {
		if (text[len - 1] != ']')
			return bad(p, "%.60s: nothing may follow [MIN..MAX]",
				   entry->key);
		text[len - 1] = 0;
		*bracket = 0;
		entry->range = trim(bracket + 1);
		trim(text);
	}
	if (!entry->value[0])
		return bad(p, "%.60s has no value", entry->key);
	return 0;
}

static int add_entry(struct parser *p, const struct ini_entry *entry)
{
	struct ini *ini = p->ini;
	const struct ini_entry *other =
		ini_find(ini, entry->section, entry->key);

	if (other)
		return bad(p, "%.60s is set at line %u already", entry->key,
			   other->line);
	if (ini->nr == p->room) {
		size_t room = p->room ? 2 * p->room : 64;
		struct ini_entry *grown =
			realloc(ini->entry, room * sizeof(*grown));

		if (!grown)
			return diag_set(p->diag, -ENOMEM, "no memory for %s",
					ini->name);
		ini->entry = grown;
		p->room = room;
	}
	ini->entry[ini->nr++] = *entry;
	return 0;
}

/* The key is known where a complaint needs it. */
static int parse_entry(struct parser *p, char *line)
{
	struct ini_entry entry = {.section = p->section, .line = p->line};
	char *source = strchr(line, ';');
	char *value = strchr(line, '=');
	int err;

	if (!value || (source && source < value))
		return bad(p, "\"%.60s\": want key = value ; TAG source", line);
	*value++ = 0;
	entry.key = trim(line);
	if (!is_word(entry.key))
		return bad(p, "\"%.60s\" is no name for a key", entry.key);
	if (!p->section)
		return bad(p, "%.60s stands before the first [section]",
			   entry.key);
	if (!source)
		return bad(p, "%.60s has no source; want \"; TAG source\"",
			   entry.key);
	*source++ = 0;
	err = parse_value(p, trim(value), &entry);
	if (!err)
		err = parse_source(p, trim(source), &entry);
	return err ? err : add_entry(p, &entry);
}

static int parse_line(struct parser *p, char *line, size_t len)
{
	if (len > INI_LINE_MAX)
		return bad(p, "more than %d letters in a line", INI_LINE_MAX);
	for (size_t i = 0; i < len; i++)
		if ((line[i] < ' ' && line[i] != '\t' && line[i] != '\r') ||
		    line[i] > '~')
			return bad(p, "not a text of ASCII letters");
	line = trim(line);
	if (!*line || *line == '#')
		return 0;
	return *line == '[' ? parse_section(p, line) : parse_entry(p, line);
}

/* --- All of it ----------------------------------------------------------- */

static int parse(struct parser *p, size_t len)
{
	char *text = p->ini->text, *end = text + len;
	int err = 0;

	while (text < end && !err) {
		char *newline = memchr(text, '\n', (size_t)(end - text));
		char *stop = newline ? newline : end;

		*stop = 0;
		p->line++;
		err = parse_line(p, text, (size_t)(stop - text));
		text = stop + 1;
	}
	return err;
}

int ini_parse(const char *text, size_t len, const char *name, struct ini *ret,
	      struct diag *diag)
{
	struct ini ini = {.name = name};
	struct parser p = {.ini = &ini, .diag = diag};
	int err;

	if (len > INI_MAX)
		return diag_set(diag, -EINVAL, "%.160s: more than %d bytes",
				name, INI_MAX);
	ini.text = malloc(len + 1);
	if (!ini.text)
		return diag_set(diag, -ENOMEM, "no memory for %.160s", name);
	memcpy(ini.text, text, len);
	err = parse(&p, len);
	if (err)
		ini_finish(&ini);
	else
		*ret = ini;
	return err;
}

void ini_finish(struct ini *ini)
{
	free(ini->text);
	free(ini->entry);
	*ini = (struct ini){0};
}

const struct ini_entry *ini_find(const struct ini *ini, const char *section,
				 const char *key)
{
	for (size_t i = 0; i < ini->nr; i++)
		if (!strcmp(ini->entry[i].key, key) &&
		    !strcmp(ini->entry[i].section, section))
			return &ini->entry[i];
	return NULL;
}
