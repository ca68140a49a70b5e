/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What reader.c (items in order) and index.c (where to begin) share. */
#ifndef NOTRAP_TRACE_READER_H
#define NOTRAP_TRACE_READER_H

#include <zstd.h>

#include "trace/chunk.h"
#include "trace/input.h"
#include "trace/layout.h"
#include "trace/sum.h"
#include "trace/trace.h"

struct trace_reader {
	struct input in;
	struct trace_info info;
	struct crc32c crc;
	struct decoder *dec;
	ZSTD_DCtx *zstd;
	uint64_t first_chunk; /* its offset */
	bool has_footer;
	struct footer footer;

	uint64_t offset; /* of what comes next in the file */
	uint64_t chunks; /* read so far */
	bool in_chunk;
	struct chunk_header chunk; /* the one being read */
	uint32_t items;            /* of it, so far */
	bool has_skipped;          /* some chunks were not read */
	bool ended;
	struct trace_sum sum;
	char damage[512]; /* a line, or empty */
	uint8_t packed[CHUNK_ZSTD_MAX];
	uint8_t raw[CHUNK_RAW_MAX + DECODE_SLACK];
};

/*
 * Is the index that of r->chunks chunks, with the right checksum?  *intact is
 * not set when it is not.  0 or -errno with a line.
 */
int index_check(const struct trace_reader *r, bool *intact, struct diag *diag);

#endif
