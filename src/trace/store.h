/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From batches to a file: sum, chunks, index, footer.  A writer's half that may
 * be at work in a thread of its own; it knows nothing of that.
 */
#ifndef NOTRAP_TRACE_STORE_H
#define NOTRAP_TRACE_STORE_H

#include "trace/batch.h"

struct store;

/* As trace_writer_create(); path NULL: the sum alone. */
int store_create(const char *path, const struct trace_info *info,
		 struct store **ret, struct diag *diag);

/* Its path, or "a trace". */
const char *store_name(const struct store *store);

/*
 * Items that a trace can hold, merged.  0 or -errno with a line, which
 * store_line() has from then on; nothing else is called after that but
 * store_abort().
 */
int store_batch(struct store *store, const struct batch *batch);
const struct diag *store_line(const struct store *store);

/* The file is complete and gets its name, or there is none. */
int store_commit(struct store *store, struct trace_totals *ret,
		 struct diag *diag);
void store_abort(struct store *store); /* NULL is fine */

#endif
