/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One question asked of every result: its exits by reason, cause, place. */
#include <errno.h>
#include <string.h>

#include "base/bug.h"
#include "report/internal.h"
#include "report/sheet.h"

static const struct by {
	const char *name, *title;
	const char *path;     /* of a map, or of a list of pages */
	const char *what_key; /* column of JSON and CSV */
} bys[] = {
	[REPORT_BY_REASON] = {"reason", "Exits by reason", "exits/by_reason",
			      "reason"},
	[REPORT_BY_CAUSE] = {"cause", "#PF exits by cause", "exits/page_fault",
			     "cause"},
	[REPORT_BY_ERROR_CODE] = {"error-code", "Guest faults by error code",
				  "guest_faults/by_error_code", "error_code"},
	[REPORT_BY_RIP] = {"rip", "Exits by page of guest code", "exits/by_rip",
			   "page"},
	[REPORT_BY_GFN] = {"gfn", "#PF exits by guest frame", "exits/by_gfn",
			   "page"},
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

static void add_map_row(struct sheet *sheet, enum report_by by,
			const json_t *doc, const char *key, uint64_t n)
{
	const char *reasons = "latency/exit";

	sheet_u64(sheet, n);
	switch (by) {
	case REPORT_BY_REASON:
		sheet_u64(sheet,
			  doc_member(json_object_get(doc_at(doc, reasons), key),
				     "sum"));
		break;
	case REPORT_BY_ERROR_CODE:
		sheet_u64(sheet, doc_member(doc_at(doc, "guest_faults/"
							"direct_by_error_code"),
					    key));
		sheet_u64(sheet,
			  doc_member(doc_at(doc, "guest_faults/"
						 "injected_by_error_code"),
				     key));
		break;
	default:
		break;
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
		add_map_row(sheet, by, doc, key, n);
		sheet_real(sheet, doc_percent(n, sum), 2);
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
						"%s%s %llu", len ? ", " : "",
						name, (unsigned long long)n);
	}
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
		sheet_text(sheet, "%s", doc_text(row, "page"));
		sheet_u64(sheet, n);
		sheet_u64(sheet, doc_member(row, "cycles"));
		causes_text(row, causes, sizeof(causes));
		sheet_text(sheet, "%s", causes);
		sheet_real(sheet, doc_percent(n, sum), 2);
	}
}

static bool is_by_page(enum report_by by)
{
	return by == REPORT_BY_RIP || by == REPORT_BY_GFN;
}

static void add_columns(struct sheet *sheet, enum report_by by)
{
	sheet_column(sheet, "configuration", "configuration");
	sheet_column(sheet, bys[by].what_key, bys[by].name);
	sheet_column(sheet, by == REPORT_BY_ERROR_CODE ? "faults" : "exits",
		     by == REPORT_BY_ERROR_CODE ? "faults" : "exits");
	if (by == REPORT_BY_REASON || is_by_page(by))
		sheet_column(sheet, "cycles", "cycles");
	if (by == REPORT_BY_ERROR_CODE) {
		sheet_column(sheet, "direct", "direct");
		sheet_column(sheet, "injected", "injected");
	}
	if (is_by_page(by))
		sheet_column(sheet, "causes", "#PF exits by cause");
	sheet_column(sheet, "percent", "%");
}

/* With the guest in front where there are several. */
static void label_of(const struct report *report, size_t i, char *buf,
		     size_t size)
{
	char label[512], source[512];

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

int report_print_by(const struct report *report, enum report_by by,
		    enum sheet_format format, FILE *out)
{
	struct sheet *sheet = sheet_create("notrap-by/1", bys[by].title);
	unsigned int missing = 0;
	int err;

	if (!sheet)
		return -ENOMEM;
	sheet_table(sheet, "rows", bys[by].title);
	add_columns(sheet, by);
	for (size_t i = 0; i < report->nr; i++) {
		const json_t *doc = report->doc[i];
		char label[1100];

		label_of(report, i, label, sizeof(label));
		missing += !doc_at(doc, bys[by].path);
		if (is_by_page(by))
			add_pages(sheet, by, doc, label);
		else
			add_map(sheet, by, doc, label);
	}
	if (missing)
		sheet_note(sheet, "%u of %zu results do not tell exits by %s.",
			   missing, report->nr, bys[by].name);
	err = sheet_print(sheet, format, out);
	sheet_destroy(sheet);
	return err;
}
