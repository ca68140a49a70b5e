/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Running text, broken into lines for a terminal of 80 columns. */
#ifndef NOTRAP_BASE_WORDS_H
#define NOTRAP_BASE_WORDS_H

#include <stdio.h>

#define WORDS_WIDTH 79

/*
 * Words from `column` on, where the line has got to; a new line begins at
 * `indent`.  A word that is longer than a line has one for itself.  Ends the
 * last line.
 */
void words_print(FILE *out, const char *text, int indent, int column);

#endif
