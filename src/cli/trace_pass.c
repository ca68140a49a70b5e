/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/trace_pass.h"

#include "cli/progress.h"

/* Items between two looks at the clock and the flag. */
#define LOOK_INTERVAL 64

static void show(const struct trace_pass *pass, struct progress *progress)
{
	uint64_t done, total;

	if (!pass->label)
		return;
	trace_reader_progress(pass->reader, &done, &total);
	progress_show(progress, done, total);
}

static int feed(struct trace_pass *pass, struct progress *progress,
		struct diag *diag)
{
	for (uint64_t n = 0;; n++) {
		struct trace_item item;
		int got;

		if (n % LOOK_INTERVAL == 0) {
			show(pass, progress);
			if (*pass->attention) {
				pass->interrupted = true;
				return 0;
			}
		}
		got = trace_read(pass->reader, &item, diag);
		if (got <= 0)
			return got;
		if (!pass->take(pass->context, &item))
			return 0;
	}
}

int trace_pass(struct trace_pass *pass, struct diag *diag)
{
	struct progress progress;
	int err;

	progress_begin(&progress, stderr, pass->label ? pass->label : "", 0);
	progress.unit = "bytes";
	pass->interrupted = false;
	err = feed(pass, &progress, diag);
	progress_hide(&progress);
	return err;
}
