/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Trace files as a writer would never write them: with small chunks, and with
 * whatever content and numbers, all checksums being right.
 */
#ifndef NOTRAP_TESTS_TRACE_FORGE_H
#define NOTRAP_TESTS_TRACE_FORGE_H

#include "tape.h"

#include "trace/crc32c.h"
#include "trace/layout.h"
#include "trace/sum.h"

#define FORGE_CHUNKS 64

struct forge {
	uint8_t *data;
	size_t len, room;
	struct crc32c crc;
	struct trace_sum sum;
	struct index_entry index[FORGE_CHUNKS];
	uint64_t chunks;
	struct footer footer; /* as it will be written */
};

void forge_begin(struct forge *f, const struct trace_info *info);
void forge_finish(struct forge *f);

/* The header a chunk of what was added since `before` has. */
struct chunk_header forge_header(const struct forge *f,
				 const struct trace_totals *before);

/* h's lengths are set. */
void forge_chunk(struct forge *f, const uint8_t *raw, uint32_t len,
		 struct chunk_header h);
void forge_tape(struct forge *f, const struct tape *t,
		enum trace_granularity granularity);

/* The index, and the footer if it is asked for. */
void forge_end(struct forge *f, bool footer);

#endif
