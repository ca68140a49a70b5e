/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/formats.h"

#include <errno.h>
#include <string.h>

#include "base/types.h"

static const char *const names[] = {
	[FORMAT_TABLE] = "table",
	[FORMAT_JSON] = "json",
	[FORMAT_CSV] = "csv",
	[FORMAT_MD] = "md",
};

int format_parse(const char *name, enum format *ret, struct diag *diag)
{
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (!strcmp(names[i], name)) {
			*ret = (enum format)i;
			return 0;
		}
	}
	return diag_set(diag, -EINVAL, "--format %.60s: want %s", name,
			FORMATS_TEXT);
}

int granularity_parse(const char *name, enum trace_granularity *ret,
		      struct diag *diag)
{
	bool pages = !strcmp(name, "pages");

	if (!pages && strcmp(name, "full") != 0)
		return diag_set(diag, -EINVAL,
				"--granularity %.60s: want pages or full",
				name);
	*ret = pages ? TRACE_PAGES : TRACE_FULL;
	return 0;
}

enum sheet_format format_of_sheet(enum format format)
{
	static const enum sheet_format formats[] = {
		[FORMAT_TABLE] = SHEET_TABLE,
		[FORMAT_JSON] = SHEET_JSON,
		[FORMAT_CSV] = SHEET_CSV,
		[FORMAT_MD] = SHEET_MD,
	};

	return formats[format];
}

static int print(const struct report *report, enum format format, FILE *out)
{
	switch (format) {
	case FORMAT_TABLE:
		return report_print_tables(report, REPORT_TEXT, out);
	case FORMAT_JSON:
		return report_print_json(report, out);
	case FORMAT_CSV:
		return report_print_csv(report, out);
	case FORMAT_MD:
		return report_print_tables(report, REPORT_MARKDOWN, out);
	}
	return 0;
}

int format_print(const struct report *report, enum format format,
		 struct output *output, struct diag *diag)
{
	return output_end(output, print(report, format, output->file), diag);
}
