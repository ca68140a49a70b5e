/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Texts as drmemtrace's view tool prints them. */
#ifndef NOTRAP_TESTS_IMPORT_VIEW_H
#define NOTRAP_TESTS_IMPORT_VIEW_H

#include <stdlib.h>

#include "feed.h"

#define HEAD                                                       \
	"Output format:\n"                                         \
	"<--record#-> <--instr#->: <Wrkld.Tid> <record details>\n" \
	"------------------------------------------------------------\n"
#define TAIL                   \
	"View tool results:\n" \
	"              3 : total instructions\n"

#define RUN(task, pc) "1 1: " task " ifetch 4 byte(s) @ 0x" pc " nop\n"
#define EXIT(task)    "1 1: " task " <thread " task " exited>\n"

static inline void feed_view(const char *lines, bool lenient, struct feed *ret)
{
	struct bytes input = {0};

	bytes_add_text(&input, lines);
	feed("drmemtrace", &input, lenient, ret);
	free(input.data);
}

#endif
