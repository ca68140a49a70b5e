/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Scripts of plots as text, and what no script may hold. */
#ifndef NOTRAP_TESTS_REPORT_SCRIPT_H
#define NOTRAP_TESTS_REPORT_SCRIPT_H

#include "report/report.h"

/* What report_print_plot() returns; *ret is the caller's to free. */
int script_try(const struct report *report, const struct report_plot *request,
	       char **ret, struct diag *diag);

/* Of bars by cause; fails the test if there is none. */
char *script_of(const struct report *report, enum report_image image);

/* Fails the test if text of a result has become script. */
void script_check_tame(const char *script);

#endif
