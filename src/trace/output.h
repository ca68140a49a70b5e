/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A file that is there whole or not at all: it is written as path + ".tmp" and
 * renamed when all of it is on the disk.  Two writers of one path do not get
 * into each other's way: the second is refused.
 */
#ifndef NOTRAP_TRACE_OUTPUT_H
#define NOTRAP_TRACE_OUTPUT_H

#include "base/diag.h"
#include "base/types.h"

struct outfile {
	char *path, *temp;
	int fd;
	uint64_t len; /* written so far */
};

/* All return 0 or -errno with a line. */
int outfile_open(struct outfile *out, const char *path, struct diag *diag);
int outfile_write(struct outfile *out, const void *data, size_t len,
		  struct diag *diag);

/* Bytes written before. */
int outfile_read(const struct outfile *out, uint64_t offset, void *data,
		 size_t len, struct diag *diag);

/* Give it its name.  The output is finished with, whatever is returned. */
int outfile_commit(struct outfile *out, struct diag *diag);

/* Leave nothing behind. */
void outfile_abort(struct outfile *out);

#endif
