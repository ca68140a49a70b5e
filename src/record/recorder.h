/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Recording what a live guest does: an event_sink that passes every event on,
 * and an observer of what happens between events.  What it writes, and in
 * which order, is told in docs/trace-format.md; it does not depend on what the
 * hypervisor behind it does.
 *
 * It changes nothing: no event, no outcome, no byte of memory.
 */
#ifndef NOTRAP_RECORD_RECORDER_H
#define NOTRAP_RECORD_RECORDER_H

#include "event/observe.h"
#include "mem/mem.h"
#include "trace/trace.h"

struct recorder;

/*
 * `next` is the simulator's sink, whose view and memory are looked at.  info
 * needs granularity, source, origin and tool; the rest is filled in.  path
 * NULL: for a listener only.  -errno with a line: the file cannot be written.
 */
int recorder_create(const char *path, struct trace_info *info,
		    struct event_sink *next, struct mem *mem,
		    struct recorder **ret, struct diag *diag);

/* Before anything is recorded: what a reader of the file would be given. */
void recorder_listen(struct recorder *recorder,
		     const struct trace_listener *listener);

struct event_sink *recorder_sink(struct recorder *recorder);
struct insn_observer *recorder_observer(struct recorder *recorder);

/*
 * The guest has ended after this many instructions; the file gets its name,
 * the recorder is gone.  -errno with a line: it could not be written, or what
 * happened could not be told, and there is no file.
 */
int recorder_finish(struct recorder *recorder, uint64_t insns,
		    struct diag *diag);

/* No file; NULL is fine. */
void recorder_abort(struct recorder *recorder);

#endif
