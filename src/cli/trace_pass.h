/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A trace from where its reader stands to the end, with a progress bar;
 * Ctrl-C ends it early.
 */
#ifndef NOTRAP_CLI_TRACE_PASS_H
#define NOTRAP_CLI_TRACE_PASS_H

#include "trace/trace.h"

struct trace_pass {
	struct trace_reader *reader;
	const char *label;             /* of the bar; NULL: none */
	const volatile int *attention; /* attention_begin() */
	/* False: no more is wanted. */
	bool (*take)(void *context, const struct trace_item *item);
	void *context;
	bool interrupted; /* result */
};

/* 0 or -errno with a line; damage is the reader's to tell. */
int trace_pass(struct trace_pass *pass, struct diag *diag);

#endif
