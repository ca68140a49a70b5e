/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Looking into result documents without trusting them to be complete. */
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

double doc_ratio(uint64_t part, uint64_t whole)
{
	return whole ? (double)part / (double)whole : (double)NAN;
}

double doc_percent(uint64_t part, uint64_t whole)
{
	return whole ? 100 * (double)part / (double)whole : 0;
}
