/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From a failure of many steps to one of few: steps are left out as long as it
 * still fails.  And the child process that a step which crashes needs.
 */
#ifndef NOTRAP_TESTS_ORACLE_SHRINK_H
#define NOTRAP_TESTS_ORACLE_SHRINK_H

#include <stdbool.h>
#include <stddef.h>

/*
 * keep[0..n): all true, and fails(context) is true of it; on return of a
 * smaller set of which it is, and is of no set with one less, unless `tries`
 * calls were not enough.  Returns the number kept.
 */
size_t shrink(bool *keep, size_t n, bool (*fails)(void *context), void *context,
	      unsigned int tries);

/*
 * Runs work(context) in a child process.  False: it died, by a signal, by an
 * exit status, or as it took longer than `seconds`.  quiet: what it prints is
 * lost.
 */
bool survives(void (*work)(void *context), void *context, bool quiet,
	      unsigned int seconds);

#endif
