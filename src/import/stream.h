/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The bytes of a file or of standard input, decompressed if they begin as
 * gzip, xz or zstd data do; its name does not matter.  Compressed files one
 * after the other, all of one kind, are as their contents one after the other.
 * Memory is constant.
 */
#ifndef NOTRAP_IMPORT_STREAM_H
#define NOTRAP_IMPORT_STREAM_H

#include "base/diag.h"
#include "base/types.h"

struct stream;

/*
 * "-": standard input.  -errno with a line: it cannot be opened, or is
 * compressed in a way that is not read here (-EINVAL).  The path must stay.
 */
int stream_open(const char *path, struct stream **ret, struct diag *diag);
void stream_close(struct stream *s); /* NULL is fine */

/* What a user calls it. */
const char *stream_name(const struct stream *s);

/*
 * Up to len bytes, at least 1; *got is 0 at the end.  0, or -errno with a
 * line: -EINVAL if the compressed data are damaged or end too early, or if
 * something else follows them.  Bytes before damage may be lost.
 */
int stream_read(struct stream *s, void *data, size_t len, size_t *got,
		struct diag *diag);

/* Bytes read of the file, as it is, and in all (0: not known). */
void stream_progress(const struct stream *s, uint64_t *done, uint64_t *total);

#endif
