/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The directory of a sweep:
 *
 *	plan             all points in order (cli/sweep_list.h)
 *	points/ID.json   the result of each that is done, with a sum over it
 *	sweep.json       all of these in order, as notrap report reads them
 *	sweep.csv        the same flattened
 *
 * Files are there whole or not at all.  A point is done if its file holds what
 * was written, for this configuration, trace and version; the name alone is
 * not trusted.  Any number of processes may work in one directory.
 */
#ifndef NOTRAP_CLI_SWEEP_DIR_H
#define NOTRAP_CLI_SWEEP_DIR_H

#include "cli/sweep.h"
#include "cli/sweep_list.h"
#include "report/report.h"

/*
 * Make it, where it is not there, and write the plan.  -EINVAL: something else
 * is there; other -errno: the host's trouble; with a line.
 */
int sweep_dir_begin(const char *path, const struct sweep *sweep,
		    struct diag *diag);

/* Remove what a writer that was killed has left of one of the points. */
void sweep_dir_clean(const char *path, const struct sweep *sweep,
		     const struct sweep_slice *slice);

/* Result i of the report becomes the file of a point.  -errno with a line. */
int sweep_dir_save(const char *path, uint64_t id, const struct report *report,
		   size_t i, struct diag *diag);

/*
 * Add the result of a point that is done to the report.  -ENOENT: it is not
 * there; -EINVAL, -ESTALE: the file is not its result; others: the host's
 * trouble; all with a line.
 */
int sweep_dir_load(const char *path, const struct sweep *sweep,
		   const struct sweep_point *point, struct report *report,
		   struct diag *diag);

/*
 * Add those that are done, of one slice or of all (NULL), in order.  -errno
 * with a line.
 */
int sweep_dir_load_all(const char *path, const struct sweep *sweep,
		       const struct sweep_slice *slice, struct report *report,
		       struct diag *diag);

/*
 * Write sweep.json and sweep.csv of the points that are done; *nr is how many
 * those are.  -errno with a line.
 */
int sweep_dir_merge(const char *path, const struct sweep *sweep, size_t *nr,
		    struct diag *diag);

/* PATH/NAME, the caller's to free.  -ENOMEM with a line. */
int sweep_dir_name(const char *path, const char *name, char **ret,
		   struct diag *diag);

/*
 * Add the result of an entry of a plan, under the path that this has.  want:
 * see report_read_point(), whose errors these are.
 */
int sweep_dir_read_point(const char *path, const struct sweep_entry *entry,
			 const struct result *want, struct report *report,
			 struct diag *diag);

#endif
