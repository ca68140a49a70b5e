/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "replay/internal.h"

/* Between two looks at *attention: far less than a tenth of a second. */
#define LOOK_INTERVAL 64

static bool is_running(const struct replay_pass *pass)
{
	/* The first lane that is not as the others decides. */
	for (size_t i = 0; i < pass->nr_lanes; i++)
		if (lane_is_running(pass->lane[i]) != pass->in_step)
			return !pass->in_step;
	return pass->in_step;
}

static void tell_progress(const struct replay_pass *pass)
{
	uint64_t done, total;

	if (!pass->progress)
		return;
	trace_reader_progress(pass->reader, &done, &total);
	pass->progress(pass->context, done, total);
}

static int feed(struct replay_pass *pass, struct diag *diag)
{
	uint64_t n = 0;

	while (is_running(pass)) {
		struct trace_item item;
		int got;

		if (n++ % LOOK_INTERVAL == 0) {
			tell_progress(pass);
			if (pass->attention && *pass->attention) {
				pass->interrupted = true;
				return 0;
			}
		}
		got = trace_read(pass->reader, &item, diag);
		if (got <= 0)
			return got;
		for (size_t i = 0; i < pass->nr_lanes; i++)
			replay_lane_item(pass->lane[i], &item);
		if (pass->item)
			pass->item(pass->context);
	}
	return 0;
}

int replay_run(struct replay_pass *pass, struct diag *diag)
{
	int err;

	pass->interrupted = false;
	err = feed(pass, diag);
	for (size_t i = 0; i < pass->nr_lanes; i++)
		replay_lane_finish(pass->lane[i]);
	tell_progress(pass);
	return err;
}
