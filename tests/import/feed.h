/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an import makes of an input, as words. */
#ifndef NOTRAP_TESTS_IMPORT_FEED_H
#define NOTRAP_TESTS_IMPORT_FEED_H

#include "import/import.h"
#include "pack.h"

struct feed {
	int err;
	struct diag diag; /* if err */
	struct import_result result;
	/*
	 * References of user code: "F401000,3 R7f0010,8 W7f0020,4 ", with + the
	 * rest of one that began on the page before.
	 */
	struct bytes words;
	/*
	 * What else happened: "14@401000 " a page fault, by its error code;
	 * "cr3 ", "invlpg@401000 ".
	 */
	struct bytes story;
};

/* Everything is read and, unless there is an error, checked to be a trace. */
void feed(const char *format, const struct bytes *input, bool lenient,
	  struct feed *ret);
void feed_finish(struct feed *feed);

/*
 * The words of an input that follows a copy of itself, so that there are no
 * faults any more.  What it says must be the same whether two or three are.
 */
void feed_check(const char *name, const char *format, const struct bytes *input,
		const char *want);

#endif
