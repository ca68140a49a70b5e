/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One question asked of every result: its exits by reason, cause, place. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/bug.h"
#include "report/internal.h"
#include "report/sheet.h"

static const struct by {
	const char *name, *title;
	const char *path; /* of a map, or of a list of pages */
	const char *key;  /* column of JSON and CSV, and of such a list */
	const char *head; /* of that column */
} bys[] = {
	[REPORT_BY_REASON] = {"reason", "Exits by reason", "exits/by_reason",
			      "reason", "reason"},
	[REPORT_BY_CAUSE] = {"cause", "#PF exits by cause", "exits/page_fault",
			     "cause", "cause"},
	[REPORT_BY_ERROR_CODE] = {"error-code", "Guest faults by error code",
				  "guest_faults/by_error_code", "error_code",
				  "code"},
	[REPORT_BY_RIP] = {"rip", "Exits by page of guest code", "exits/by_rip",
			   "page", "page of code"},
	[REPORT_BY_GFN] = {"gfn", "#PF exits by guest frame", "exits/by_gfn",
			   "gfn", "guest frame"},
	[REPORT_BY_CHAIN] = {"chain", "Guest faults, from access to retry",
			     "guest_faults/chains", "chain", "chain"},
	[REPORT_BY_COST] = {"cost", "Cycles by cost", "cost_counts", "cost",
			    "cost"},
	[REPORT_BY_POINT] = {"point", "Results, a row each"},
};

bool report_by_find(const char *name, enum report_by *ret)
{
	for (size_t i = 0; i < ARRAY_LEN(bys); i++) {
		if (!strcmp(bys[i].name, name)) {
			*ret = (enum report_by)i;
			return true;
		}
	}
	return false;
}

static void add_latency(struct sheet *sheet, const json_t *latency)
{
	sheet_u64(sheet, doc_member(latency, "sum"));
	for (size_t i = 0; i < NR_LATENCY_POINTS; i++)
		sheet_u64(sheet, doc_member(latency, latency_points[i]));
}

/* The columns are those of add_columns(). */
static void add_map_row(struct sheet *sheet, enum report_by by,
			const json_t *doc, const char *key)
{
	const json_t *faults = doc_at(doc, "guest_faults");
	char what[64];

	switch (by) {
	case REPORT_BY_REASON:
		add_latency(sheet,
			    json_object_get(doc_at(doc, "latency/exit"), key));
		break;
	case REPORT_BY_CAUSE:
		sheet_text(sheet, "%s", what_cause(key));
		break;
	case REPORT_BY_ERROR_CODE:
		sheet_u64(sheet,
			  doc_member(doc_at(faults, "direct_by_error_code"),
				     key));
		sheet_u64(sheet,
			  doc_member(doc_at(faults, "injected_by_error_code"),
				     key));
		describe_error_code(key, what, sizeof(what));
		sheet_text(sheet, "%s", what);
		break;
	case REPORT_BY_RIP:
	case REPORT_BY_GFN:
	case REPORT_BY_CHAIN:
	case REPORT_BY_COST:
	case REPORT_BY_POINT:
		BUG("no map");
	}
}

static void add_map(struct sheet *sheet, enum report_by by, const json_t *doc,
		    const char *label)
{
	json_t *map = (json_t *)doc_at(doc, bys[by].path);
	const char *key;
	uint64_t sum = 0;
	json_t *val;

	json_object_foreach(map, key, val)
	{
		sum += (uint64_t)json_integer_value(val);
	}
	json_object_foreach(map, key, val)
	{
		uint64_t n = (uint64_t)json_integer_value(val);

		if (!n)
			continue;
		sheet_text(sheet, "%s", label);
		sheet_text(sheet, "%s", key);
		sheet_u64(sheet, n);
		sheet_real(sheet, doc_percent(n, sum), 2);
		add_map_row(sheet, by, doc, key);
	}
}

/* "hidden_fill 12, injected 3" */
static void causes_text(const json_t *row, char *buf, size_t size)
{
	size_t len = 0;

	buf[0] = 0;
	for (unsigned int i = 0; i < NR_CAUSES; i++) {
		const char *name = cause_name((enum pf_cause)i);
		uint64_t n = doc_member(row, name);

		if (n && len < size)
			len += (size_t)snprintf(buf + len, size - len,
						"%s%s %" PRIu64,
						len ? ", " : "", name, n);
	}
}

static const char *mode_of(const json_t *row)
{
	uint64_t exits = doc_member(row, "exits");
	uint64_t user = doc_member(row, "user");

	return user == exits ? "user" : user ? "both" : "kernel";
}

static void add_pages(struct sheet *sheet, enum report_by by, const json_t *doc,
		      const char *label)
{
	const json_t *list = doc_at(doc, bys[by].path), *row;
	char causes[512];
	uint64_t sum = 0;
	size_t i;

	json_array_foreach(list, i, row)
	{
		sum += doc_member(row, "exits");
	}
	json_array_foreach(list, i, row)
	{
		uint64_t n = doc_member(row, "exits");

		sheet_text(sheet, "%s", label);
		sheet_text(sheet, "%s", doc_text(row, bys[by].key));
		sheet_u64(sheet, n);
		sheet_real(sheet, doc_percent(n, sum), 2);
		sheet_u64(sheet, doc_member(row, "cycles"));
		sheet_text(sheet, "%s", mode_of(row));
		causes_text(row, causes, sizeof(causes));
		sheet_text(sheet, "%s", causes);
	}
}

static bool is_by_page(enum report_by by)
{
	return by == REPORT_BY_RIP || by == REPORT_BY_GFN;
}

static void add_columns(struct sheet *sheet, enum report_by by)
{
	const char *unit = by == REPORT_BY_ERROR_CODE ? "faults" : "exits";

	sheet_group_column(sheet, "configuration", "configuration");
	sheet_column(sheet, bys[by].key, bys[by].head);
	sheet_column(sheet, unit, unit);
	sheet_column(sheet, "percent", "%");
	if (by == REPORT_BY_REASON || is_by_page(by))
		sheet_column(sheet, "cycles", "cycles");
	for (size_t i = 0; i < NR_LATENCY_POINTS && by == REPORT_BY_REASON; i++)
		sheet_column(sheet, latency_points[i], latency_points[i]);
	if (is_by_page(by)) {
		sheet_column(sheet, "mode", "mode");
		sheet_column(sheet, "causes", "#PF exits by cause");
	}
	if (by == REPORT_BY_ERROR_CODE) {
		sheet_column(sheet, "direct", "direct");
		sheet_column(sheet, "injected", "injected");
	}
	if (by == REPORT_BY_CAUSE || by == REPORT_BY_ERROR_CODE)
		sheet_column(sheet, "what", "what");
}

/* With the guest in front where there are several. */
static void label_of(const struct report *report, size_t i, char *buf,
		     size_t size)
{
	char label[512], source[512];

	if (report->nr == 1) {
		label_heading(report, i, false, buf, size);
		return;
	}
	report_label(report, i, label, sizeof(label));
	for (size_t j = 0; j < report->nr; j++) {
		if (doc_has_same_source(report->doc[i], report->doc[j]))
			continue;
		label_source(report->doc[i], source, sizeof(source));
		snprintf(buf, size, "%s: %s", source, label);
		return;
	}
	snprintf(buf, size, "%s", label);
}

static void add_rows(struct sheet *sheet, const struct report *report,
		     enum report_by by)
{
	unsigned int missing = 0;

	if (by == REPORT_BY_CHAIN)
		by_chain_columns(sheet);
	else if (by == REPORT_BY_COST)
		by_cost_columns(sheet);
	else
		add_columns(sheet, by);
	for (size_t i = 0; i < report->nr; i++) {
		const json_t *doc = report->doc[i];
		char label[1100];

		label_of(report, i, label, sizeof(label));
		missing += !doc_at(doc, bys[by].path);
		if (by == REPORT_BY_CHAIN)
			by_chain(sheet, doc, label);
		else if (by == REPORT_BY_COST)
			by_cost(sheet, doc, label);
		else if (is_by_page(by))
			add_pages(sheet, by, doc, label);
		else
			add_map(sheet, by, doc, label);
	}
	if (missing)
		sheet_note(sheet, "%u of %zu results do not tell %s by %s.",
			   missing, report->nr,
			   by == REPORT_BY_CHAIN  ? "guest faults"
			   : by == REPORT_BY_COST ? "cycles"
						  : "exits",
			   bys[by].name);
	if (by == REPORT_BY_CHAIN)
		by_chain_notes(sheet);
	if (by == REPORT_BY_COST)
		by_cost_notes(sheet);
}

int report_print_by(const struct report *report, enum report_by by,
		    enum sheet_format format, FILE *out)
{
	struct sheet *sheet = sheet_create("notrap-by/1", bys[by].title);
	int err;

	if (!sheet)
		return -ENOMEM;
	sheet_table(sheet, "rows", bys[by].title);
	if (by == REPORT_BY_POINT)
		by_point(sheet, report);
	else
		add_rows(sheet, report, by);
	err = sheet_print(sheet, format, out);
	sheet_destroy(sheet);
	return err;
}
