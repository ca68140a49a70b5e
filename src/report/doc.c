/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Looking into result documents without trusting them to be complete. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "report/internal.h"

#define MEMBER_MAX 64

const json_t *doc_at(const json_t *doc, const char *path)
{
	while (doc && *path) {
		size_t len = strcspn(path, "/");
		char member[MEMBER_MAX];

		if (len >= sizeof(member))
			return NULL;
		memcpy(member, path, len);
		member[len] = 0;
		doc = json_object_get(doc, member);
		path += len + (path[len] == '/');
	}
	return doc;
}

uint64_t doc_u64(const json_t *doc, const char *path)
{
	return (uint64_t)json_integer_value(doc_at(doc, path));
}

static uint64_t end_of(const json_t *doc, const char *path, const char *end)
{
	const json_t *ranges = json_object_get(doc, "uncertainty");
	const json_t *val = json_object_get(doc_at(ranges, path), end);

	return val ? (uint64_t)json_integer_value(val) : doc_u64(doc, path);
}

uint64_t doc_low(const json_t *doc, const char *path)
{
	return end_of(doc, path, "low");
}

uint64_t doc_high(const json_t *doc, const char *path)
{
	return end_of(doc, path, "high");
}

uint64_t doc_member(const json_t *object, const char *name)
{
	return (uint64_t)json_integer_value(json_object_get(object, name));
}

const char *doc_text(const json_t *doc, const char *path)
{
	const char *text = json_string_value(doc_at(doc, path));

	return text ? text : "";
}

const char *doc_setting(const json_t *doc, const char *key)
{
	const json_t *config = json_object_get(doc, "config");
	const char *text = json_string_value(json_object_get(config, key));

	return text ? text : "";
}

static const char *note_of(const json_t *doc, const char *key)
{
	const json_t *notes = json_object_get(doc, "config_notes");
	const char *text = json_string_value(json_object_get(notes, key));

	return text ? text : "";
}

bool doc_has_same_setting(const json_t *a, const json_t *b, const char *key)
{
	bool is_file = !strcmp(key, "machine") || !strcmp(key, "hypervisor");

	return !strcmp(doc_setting(a, key), doc_setting(b, key)) &&
	       (!is_file || !strcmp(note_of(a, key), note_of(b, key)));
}

double doc_ratio(uint64_t part, uint64_t whole)
{
	return whole ? (double)part / (double)whole : (double)NAN;
}

double doc_percent(uint64_t part, uint64_t whole)
{
	return whole ? 100 * (double)part / (double)whole : 0;
}

static void change_text(const char *what, uint64_t from, uint64_t to, char *buf,
			size_t size)
{
	uint64_t diff = to <= from ? from - to : to - from;

	snprintf(buf, size, "%s %" PRIu64 " %s %" PRIu64 " %s (%.1f%%)",
		 to <= from ? "saves" : "adds", diff, to <= from ? "of" : "to",
		 from, what, doc_percent(diff, from));
}

void saving_text(const json_t *from, const json_t *to, char *buf, size_t size)
{
	char exits[160], cycles[160];

	change_text("exits", doc_u64(from, "exits/total"),
		    doc_u64(to, "exits/total"), exits, sizeof(exits));
	change_text("cycles", doc_u64(from, "cycles/total"),
		    doc_u64(to, "cycles/total"), cycles, sizeof(cycles));
	snprintf(buf, size, "%s and %s", exits, cycles);
}

struct report_origin report_origin(const struct report *report, size_t i)
{
	const json_t *doc = report->doc[i];

	return (struct report_origin){
		.kind = doc_text(doc, "source/kind"),
		.path = doc_text(doc, "source/path"),
		.digest = doc_text(doc, "source/digest"),
	};
}

const char *report_setting(const struct report *report, size_t i, size_t n,
			   const char **value)
{
	json_t *config = json_object_get(report->doc[i], "config");
	const char *key;
	json_t *val;

	json_object_foreach(config, key, val)
	{
		if (n--)
			continue;
		*value = json_string_value(val);
		return key;
	}
	return NULL;
}

uint64_t report_number(const struct report *report, size_t i, const char *path)
{
	return doc_u64(report->doc[i], path);
}

const char *report_value(const struct report *report, size_t i, const char *key)
{
	return doc_setting(report->doc[i], key);
}
