/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Made-up references of user code: a tight loop; code of many functions with
 * loops, calls, locals and arrays; code that goes to a random page of 1 GiB
 * with every second reference.
 */
#ifndef NOTRAP_BENCHMARKS_STREAMS_H
#define NOTRAP_BENCHMARKS_STREAMS_H

#include "trace/trace.h"

enum stream_kind { STREAM_LOOP, STREAM_PROGRAM, STREAM_RANDOM, NR_STREAMS };

/* The caller's memory for `room` references; all of it is filled. */
struct stream {
	struct trace_ref *refs;
	uint32_t nr, room;
	uint64_t random; /* seed */
};

void stream_make(struct stream *s, enum stream_kind kind);
const char *stream_kind_name(enum stream_kind kind);

#endif
