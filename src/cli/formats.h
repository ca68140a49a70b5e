/* SPDX-License-Identifier: GPL-2.0-or-later */
/* --format: a report as text, in the way that was asked for. */
#ifndef NOTRAP_CLI_FORMATS_H
#define NOTRAP_CLI_FORMATS_H

#include "base/diag.h"
#include "cli/output.h"
#include "report/report.h"
#include "trace/trace.h"

enum format {
	FORMAT_TABLE,
	FORMAT_JSON,
	FORMAT_CSV,
	FORMAT_MD,
};

#define FORMATS_TEXT "table, json, csv or md"

/* -EINVAL with a line. */
int format_parse(const char *name, enum format *ret, struct diag *diag);

/* --granularity: full or pages.  -EINVAL with a line. */
int granularity_parse(const char *name, enum trace_granularity *ret,
		      struct diag *diag);

enum sheet_format format_of_sheet(enum format format);

/* Print and commit; ends the output in any case.  -errno with a line. */
int format_print(const struct report *report, enum format format,
		 struct output *output, struct diag *diag);

#endif
