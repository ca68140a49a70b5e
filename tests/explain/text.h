/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Texts of notrap explain, for tests, and a directory for their traces. */
#ifndef NOTRAP_TESTS_EXPLAIN_TEXT_H
#define NOTRAP_TESTS_EXPLAIN_TEXT_H

#include "explain/explain.h"

/* The one trace there is at a time. */
extern char text_path[64];

/* Of a group of tests. */
int text_begin(void **state);
int text_end(void **state);

/*
 * As plain text in which each run of blanks and line ends is one blank; free()
 * it.  Fails the test if there is no text.
 */
char *text_of(const struct config *config, enum explain_by by, uint64_t n);

#endif
