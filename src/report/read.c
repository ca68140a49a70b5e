/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Results from a stream: any number of JSON objects, one a line or not.
 *
 * A document is held against the one an empty result would make: what is there
 * must have its type, every group must be there.  Single members may be
 * missing, or unknown: versions differ by the members they added.
 */
#include <errno.h>
#include <string.h>

#include "base/bug.h"
#include "report/internal.h"

/* Reads char by char, so that the next object is where jansson stopped. */
struct source {
	FILE *in;
	const char *name;
	int line;
};

static int peek_past_space(struct source *source)
{
	int c = fgetc(source->in);

	while (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
		source->line += c == '\n';
		c = fgetc(source->in);
	}
	if (c != EOF)
		ungetc(c, source->in);
	return c;
}

static size_t read_byte(void *buf, size_t size, void *data)
{
	struct source *source = data;
	int c = size ? fgetc(source->in) : EOF;

	if (c == EOF)
		return 0;
	source->line += c == '\n';
	*(char *)buf = (char)c;
	return 1;
}

/* Reals may have been written as integers; null stands for "no value". */
static bool is_same_type(const json_t *want, const json_t *got)
{
	if (json_is_real(want) || json_is_null(want))
		return json_is_number(got) || json_is_null(got);
	if (json_is_boolean(want))
		return json_is_boolean(got);
	return json_typeof(want) == json_typeof(got);
}

static const char *type_name(const json_t *val)
{
	switch (json_typeof(val)) {
	case JSON_OBJECT:
		return "an object";
	case JSON_ARRAY:
		return "an array";
	case JSON_STRING:
		return "a string";
	case JSON_INTEGER:
		return "an integer";
	case JSON_TRUE:
	case JSON_FALSE:
		return "true or false";
	case JSON_REAL:
	case JSON_NULL:
		return "a number or null";
	}
	BUG("unknown type of JSON value");
}

static int check_members(const json_t *want, const json_t *got,
			 const char *group, struct diag *diag)
{
	const char *key;
	json_t *val;

	json_object_foreach((json_t *)want, key, val)
	{
		const json_t *other = json_object_get(got, key);
		const char *dot = *group ? "." : "";
		int err;

		if (!other && !*group)
			return diag_set(diag, -EINVAL, "member %s is missing",
					key);
		if (!other)
			continue;
		if (!is_same_type(val, other))
			return diag_set(diag, -EINVAL,
					"member %s%s%s should be %s", group,
					dot, key, type_name(val));
		if (!json_is_object(val))
			continue;
		err = check_members(val, other, key, diag);
		if (err)
			return err;
	}
	return 0;
}

/* Maps whose members depend on the run, and the type of these. */
static const struct {
	const char *path;
	json_type type;
} maps[] = {
	{"config", JSON_STRING},
	{"config_notes", JSON_STRING},
	{"exits/by_reason", JSON_INTEGER},
	{"guest_faults/by_error_code", JSON_INTEGER},
	{"guest_faults/direct_by_error_code", JSON_INTEGER},
	{"guest_faults/injected_by_error_code", JSON_INTEGER},
	{"guest_faults/by_exits", JSON_INTEGER},
	{"latency/exit", JSON_OBJECT},
};

static int check_maps(const json_t *doc, struct diag *diag)
{
	for (size_t i = 0; i < ARRAY_LEN(maps); i++) {
		json_t *map = (json_t *)doc_at(doc, maps[i].path);
		const char *key;
		json_t *val;

		json_object_foreach(map, key, val)
		{
			if (json_typeof(val) != maps[i].type)
				return diag_set(diag, -EINVAL,
						"member %s/%.40s is not of the "
						"right type",
						maps[i].path, key);
		}
	}
	return 0;
}

/* Nothing here is ever counted down. */
static int check_signs(const json_t *val, struct diag *diag)
{
	const char *key;
	json_t *member;

	json_object_foreach((json_t *)val, key, member)
	{
		int err = check_signs(member, diag);

		if (err)
			return err;
		if (json_number_value(member) < 0)
			return diag_set(diag, -EINVAL,
					"member %.40s is negative", key);
	}
	return 0;
}

static int check_doc(const json_t *doc, struct diag *diag)
{
	struct latency none = {0};
	struct account acct = {.fault_latency = &none};
	struct result empty = {.acct = &acct};
	const char *schema = doc_text(doc, "schema");
	json_t *want;
	int err;

	if (!json_is_object(doc))
		return diag_set(diag, -EINVAL, "not a JSON object");
	if (strcmp(schema, RESULT_SCHEMA) != 0)
		return diag_set(diag, -EINVAL,
				"not a result of notrap run (schema \"%.40s\", "
				"want \"%s\")",
				schema, RESULT_SCHEMA);
	want = doc_of_result(&empty);
	if (!want)
		return diag_set(diag, -ENOMEM, "no memory");
	err = check_members(want, doc, "", diag);
	json_decref(want);
	if (!err)
		err = check_maps(doc, diag);
	if (!err)
		err = check_signs(doc, diag);
	if (!err && !chains_are_valid(doc))
		err = diag_set(diag, -EINVAL,
			       "member guest_faults.chains is not a list of "
			       "chains");
	if (!err && !where_is_valid(doc))
		err = diag_set(diag, -EINVAL,
			       "member exits.by_rip or exits.by_gfn is not a "
			       "list of pages");
	return err;
}

/* Say where, in front of what. */
static int locate(const struct source *source, int line, int err,
		  struct diag *diag)
{
	struct diag what = *diag;

	return diag_set(diag, err, "%.200s:%d: %.250s", source->name, line,
			what.msg);
}

static int read_one(struct report *report, struct source *source,
		    struct diag *diag)
{
	int line = source->line;
	json_error_t error;
	json_t *doc;
	int err;

	doc = json_load_callback(read_byte, source, JSON_DISABLE_EOF_CHECK,
				 &error);
	if (!doc) {
		diag_set(diag, -EINVAL, "%s", error.text);
		return locate(source, line + error.line - 1, -EINVAL, diag);
	}
	err = check_doc(doc, diag);
	if (err) {
		json_decref(doc);
		return locate(source, line, err, diag);
	}
	return report_add_doc(report, doc, diag);
}

int report_read(struct report *report, FILE *in, const char *name,
		struct diag *diag)
{
	struct source source = {.in = in, .name = name, .line = 1};
	size_t before = report->nr;

	errno = 0;
	while (peek_past_space(&source) != EOF) {
		int err = read_one(report, &source, diag);

		if (err)
			return err;
	}
	if (ferror(in))
		return diag_set(diag, errno ? -errno : -EIO, "%.200s: %s", name,
				strerror(errno));
	if (report->nr == before)
		return diag_set(diag, -EINVAL, "%.200s: holds no result", name);
	return 0;
}
