/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Text against a committed file.  UPDATE_GOLDEN=1 rewrites the files.  The
 * version is left out of the comparison.
 */
#ifndef NOTRAP_TESTS_REPORT_GOLDEN_H
#define NOTRAP_TESTS_REPORT_GOLDEN_H

/* Fails the test at the first difference. */
void golden_check(const char *dir, const char *file, const char *text);

#endif
