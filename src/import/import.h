/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Foreign traces into the model guest, format by format. */
#ifndef NOTRAP_IMPORT_IMPORT_H
#define NOTRAP_IMPORT_IMPORT_H

#include "import/guest.h"
#include "import/text.h"

/*
 * One after another: takes the line or, if the format is binary, the record
 * into the guest.  0, or -errno with a line; what is malformed goes to
 * text_malformed().
 */
struct import;

struct import_format {
	const char *name;
	const char *what; /* half a line */
	bool has_tasks;   /* says itself which one runs */
	int (*line)(struct import *import, const char *line, size_t len,
		    struct diag *diag);
	size_t record_size; /* 0: lines */
	int (*record)(struct import *import, const uint8_t *record,
		      struct diag *diag);
	/*
	 * Takes as much as it likes of what has been read already, 4096 lines
	 * or records at most; the next one comes to line() or record().  NULL:
	 * they all do.
	 */
	int (*block)(struct import *import, struct diag *diag);
	/* What is pending when the input ends; NULL: nothing can be. */
	int (*end)(struct import *import, struct diag *diag);
};

/* NULL ends the list. */
const struct import_format *const *import_formats(void);
const struct import_format *import_format_find(const char *name);

/* drmemtrace: what the last line was of. */
#define VIEW_WORKLOADS 32

struct import_view {
	size_t at, len; /* where thread and workload stand */
	char columns[40];
	uint32_t workload, thread;
	uint32_t kernel; /* the thread that is in a kernel's sequence, or 0 */
	struct view_workload {
		uint32_t leader; /* the first thread of it, or 0 */
		bool has_ended;  /* that one */
	} workloads[VIEW_WORKLOADS];
};

struct import {
	struct text *text;
	struct guest *guest;
	uint64_t records;
	uint64_t others; /* well-formed lines that say nothing to a guest */
	struct guest_ref refs[GUEST_REFS_MAX]; /* import/insns.h */
	uint32_t nr_refs, nr_data;             /* of the last instruction */
	uint32_t thread;                       /* that they are of */
	/* perf: exec is told twice, and the better way has been seen. */
	bool has_exec_record;
	struct import_view view;
};

struct import_request {
	const char *path; /* "-": standard input */
	const struct import_format *format;
	bool lenient;
	struct guest_options options;
	const char *origin, *tool; /* for the trace's header */
	const char *output;
	const volatile int *attention; /* NULL: nobody interrupts */
	void (*progress)(void *context, uint64_t done, uint64_t total);
	void *context;
};

struct import_result {
	uint64_t records, skipped, others;
	struct guest_stats guest;
	struct trace_totals totals;
	bool interrupted;
};

/*
 * 0, or -errno with a line; then there is no output.  -EINVAL: malformed, or
 * not a single record.  An interrupted import leaves a valid, shorter trace.
 */
int import_run(const struct import_request *request, struct import_result *ret,
	       struct diag *diag);

#endif
