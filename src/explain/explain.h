/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One event of a trace, replayed under a configuration and told step by step:
 * the walks of the guest's and of the shadow's tables, what decided whether it
 * exits, the exit, the hypervisor's work with its cycles, and what changed.
 *
 * Left out: live runs (record them), and instructions that no trace holds.
 */
#ifndef NOTRAP_EXPLAIN_EXPLAIN_H
#define NOTRAP_EXPLAIN_EXPLAIN_H

#include "base/diag.h"
#include "explain/prose.h"
#include "sim/config.h"

enum explain_by {
	EXPLAIN_ITEM,  /* item n, as notrap trace dump counts */
	EXPLAIN_EXIT,  /* what made the n-th VM exit, from 1 */
	EXPLAIN_FAULT, /* what met the n-th guest page fault, from 1 */
	EXPLAIN_GVA,   /* what first met a page fault in the page of n, be it
			  the guest's or the shadow's */
};

struct explain_request {
	const char *path;
	const struct config *config; /* effective */
	/* The same with the bypass the other way; NULL: there is no such. */
	const struct config *other;
	enum explain_by by;
	uint64_t n;
	const volatile int *attention; /* set: stop; may be NULL */
	/* Now and then, with bytes of the file; may be NULL. */
	void (*progress)(void *context, uint64_t done, uint64_t total);
	void *context;
};

/*
 * *ret is the caller's to destroy.  With a line: -EINVAL, the trace has no such
 * item (or is damaged before it), or it is none that does anything; -EPROTO,
 * the replay comes to its end before; -EINTR, it was stopped; -ENOMEM.
 */
int explain(const struct explain_request *request, struct prose **ret,
	    struct diag *diag);

#endif
