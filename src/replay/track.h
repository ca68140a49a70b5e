/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a guest has come to at some place of its trace, without a simulator:
 * its control registers and its page tables, as far as the trace tells of
 * them.  A and D bits that a processor or a hypervisor has set are not told.
 */
#ifndef NOTRAP_REPLAY_TRACK_H
#define NOTRAP_REPLAY_TRACK_H

#include "base/diag.h"
#include "trace/trace.h"

struct track;

/* -EINVAL, -ENOMEM with a line. */
int track_create(const struct trace_info *info, struct track **ret,
		 struct diag *diag);
void track_destroy(struct track *track); /* NULL is fine */

/* Any item but references, in order. */
void track_item(struct track *track, const struct trace_item *item);

/* Sets what the header of a trace that begins here says of registers. */
void track_registers(const struct track *track, struct trace_info *info);

/*
 * The first frame at *gpa or above that is a table; *ret is valid until the
 * next item.  False: there is none.
 */
bool track_table(const struct track *track, gpa_t *gpa, const uint64_t **ret);

#endif
