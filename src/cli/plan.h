/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which configurations to run: settings with one or more values each, and all
 * combinations of these.  A setting given again replaces what it was.
 */
#ifndef NOTRAP_CLI_PLAN_H
#define NOTRAP_CLI_PLAN_H

#include "base/diag.h"
#include "sim/config.h"

struct plan;

struct plan *plan_create(void);       /* NULL: out of memory */
void plan_destroy(struct plan *plan); /* NULL is fine */

/* "key=value,value": -ENOENT, -EINVAL or -ENOMEM with a line. */
int plan_set(struct plan *plan, const char *setting, struct diag *diag);

/*
 * Lines "key=value,value"; '#' begins a comment, blanks do not count.  `name`
 * is for messages, which give the line's number.
 */
int plan_parse(struct plan *plan, const char *text, size_t len,
	       const char *name, struct diag *diag);
int plan_read_file(struct plan *plan, const char *path, struct diag *diag);

/*
 * A sweep's file says what to run, too: a line "trace=PATH", without blanks
 * around the path, '#' in it or line breaks.  Without this call such a line is
 * an error.
 */
void plan_allow_traces(struct plan *plan);

/* One more trace, after those there are: -ENOMEM with a line. */
int plan_add_trace(struct plan *plan, const char *path, struct diag *diag);
size_t plan_nr_traces(const struct plan *plan);
const char *plan_trace(const struct plan *plan, size_t i);

/* One configuration as it will run. */
struct plan_point {
	struct config config; /* effective */
	char label[256];      /* settings with several values: "bypass=on" */
};

/* A combination that would run like an earlier one, or not as it was asked. */
struct plan_note {
	char line[512];
};

/*
 * All distinct points, the first setting changing slowest, each checked by
 * config_check(); and what to tell the user.  Both are the caller's to free.
 */
int plan_expand(const struct plan *plan, struct plan_point **ret, size_t *nr,
		struct plan_note **notes, size_t *nr_notes, struct diag *diag);

#endif
