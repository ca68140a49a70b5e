/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How much of what a test enumerates or draws it does: all of it, or one of N
 * cases where NOTRAP_SHARE=N.  The sanitizers' suite sets that, as each case
 * takes about ten times as long there; the plain build does them all.
 */
#ifndef NOTRAP_TESTS_SHARE_H
#define NOTRAP_TESTS_SHARE_H

#include <stdlib.h>

static inline unsigned int one_of_cases(void)
{
	const char *text = getenv("NOTRAP_SHARE");
	unsigned long n = text ? strtoul(text, NULL, 10) : 1;

	return n ? (unsigned int)n : 1;
}

#endif
