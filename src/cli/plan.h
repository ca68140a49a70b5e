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

/*
 * What to tell of combinations: that one would run like an earlier one, or not
 * as it was asked; or why some are left out.
 */
struct plan_note {
	char line[640];
	size_t nr_left_out; /* combinations; 0: they are run */
};

/*
 * All distinct points, the first setting changing slowest, each checked by
 * config_check(); and what to tell the user, first of those that are run.  Both
 * are the caller's to free.
 *
 * What config_check() refuses is left out: a machine without EPT, asked
 * together with others that have it.  -EINVAL with its line if a value of the
 * combination is in none that can be run.
 */
int plan_expand(const struct plan *plan, struct plan_point **ret, size_t *nr,
		struct plan_note **notes, size_t *nr_notes, struct diag *diag);

#endif
