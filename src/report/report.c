/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The list of results, and whether they tell of the same guest run. */
#include "report/report.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "report/internal.h"

struct report *report_create(void)
{
	struct report *report = calloc(1, sizeof(*report));

	if (!report)
		return NULL;
	report->differing = json_object();
	report->changed = json_object();
	report->sources = json_object();
	if (report->differing && report->changed && report->sources)
		return report;
	report_destroy(report);
	return NULL;
}

void report_destroy(struct report *report)
{
	if (!report)
		return;
	for (size_t i = 0; i < report->nr; i++)
		json_decref(report->doc[i]);
	json_decref(report->differing);
	json_decref(report->changed);
	json_decref(report->sources);
	free(report->doc);
	free(report);
}

static int make_room(struct report *report)
{
	size_t room = report->room ? 2 * report->room : 16;
	json_t **docs;

	if (report->nr < report->room)
		return 0;
	docs = realloc(report->doc, room * sizeof(json_t *));
	if (!docs)
		return -ENOMEM;
	report->doc = docs;
	report->room = room;
	return 0;
}

int report_add_doc(struct report *report, json_t *doc, struct diag *diag)
{
	if (!doc || make_room(report) || label_note(report, doc)) {
		json_decref(doc);
		return diag_set(diag, -ENOMEM, "no memory for a result");
	}
	report->doc[report->nr++] = doc;
	return 0;
}

int report_add(struct report *report, const struct result *result,
	       struct diag *diag)
{
	return report_add_doc(report, doc_of_result(result), diag);
}

void report_tell_uncertainty(struct report *report)
{
	report->tells_ranges = true;
}

size_t report_nr(const struct report *report)
{
	return report->nr;
}

/* Memory is not in the list: a walk that the bypass saves sets no A bits. */
static const struct {
	const char *path;
	const char *what;
} observed[] = {
	{"guest/status", "end"},
	{"guest/console_digest", "console output"},
	{"guest/fault_digest", "page faults as it saw them"},
	{"guest/instructions", "number of instructions"},
};

static bool is_same_run(const json_t *a, const json_t *b, const char **what)
{
	for (size_t i = 0; i < ARRAY_LEN(observed); i++) {
		*what = observed[i].what;
		if (!json_equal(doc_at(a, observed[i].path),
				doc_at(b, observed[i].path)))
			return false;
	}
	return true;
}

/* What a guest can see of the configuration: these it may answer to. */
static const char *const visible[] = {"memory",   "vendor",   "maxphyaddr",
				      "features", "host-nxe", "apic",
				      "max-insns"};

/* Where it had come to then, another run will not. */
static bool ended_by_host(const json_t *doc)
{
	const char *status = doc_text(doc, "guest/status");

	return !strcmp(status, "timeout") || !strcmp(status, "interrupted");
}

/* Exits cost its guest time. */
static bool sees_time(const json_t *doc)
{
	return !strcmp(doc_setting(doc, "clock"), "cycles");
}

static bool is_comparable(const json_t *a, const json_t *b)
{
	if (ended_by_host(a) || ended_by_host(b) || sees_time(a) ||
	    sees_time(b))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(visible); i++)
		if (strcmp(doc_setting(a, visible[i]),
			   doc_setting(b, visible[i])) != 0)
			return false;
	return doc_has_same_source(a, b);
}

bool report_is_transparent(const struct report *report,
			   struct report_difference *ret)
{
	for (size_t i = 1; i < report->nr; i++) {
		for (size_t first = 0; first < i; first++) {
			const json_t *a = report->doc[first];
			const char *what;

			if (!is_comparable(a, report->doc[i]))
				continue;
			if (is_same_run(a, report->doc[i], &what))
				break;
			*ret = (struct report_difference){first, i, what};
			return false;
		}
	}
	return true;
}

/* Blocks of all results of the guest that result i is the first of. */
static int print_group(const struct report *report, size_t i, size_t *group,
		       enum report_markup markup, FILE *out)
{
	char source[512];
	size_t nr = 0;
	int err = 0;

	for (size_t j = i; j < report->nr; j++)
		if (doc_has_same_source(report->doc[i], report->doc[j]))
			group[nr++] = j;
	label_source(report->doc[i], source, sizeof(source));
	grid_heading(markup, 2, out, "notrap %s: %s",
		     doc_text(report->doc[i], "version"), source);
	for (size_t j = 0; j < nr && !err; j++)
		err = table_print(report, group[j], markup, out);
	if (!err && nr > 1)
		err = compare_print(report, group, nr, markup, out);
	return err;
}

static bool is_first_of_group(const struct report *report, size_t i)
{
	for (size_t j = 0; j < i; j++)
		if (doc_has_same_source(report->doc[j], report->doc[i]))
			return false;
	return true;
}

int report_print_tables(const struct report *report, enum report_markup markup,
			FILE *out)
{
	size_t *group = calloc(report->nr + 1, sizeof(*group));
	int err = 0;

	if (!group)
		return -ENOMEM;
	for (size_t i = 0; i < report->nr && !err; i++)
		if (is_first_of_group(report, i))
			err = print_group(report, i, group, markup, out);
	free(group);
	return err;
}
