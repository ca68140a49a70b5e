/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>

#include "replay/batch.h"
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

/* Sets pass->interrupted; true: go on. */
static bool look(struct replay_pass *pass)
{
	tell_progress(pass);
	pass->interrupted = pass->attention && *pass->attention;
	return !pass->interrupted;
}

static void feed_batch(const struct replay_pass *pass, struct batch *batch)
{
	for (size_t i = 0; i < pass->nr_lanes; i++)
		for (uint32_t k = 0; k < batch->nr; k++)
			replay_lane_item(pass->lane[i], &batch->item[k]);
	batch_clear(batch);
}

/* Each lane has a turn of many items. */
static int feed_in_turns(struct replay_pass *pass, struct batch *batch,
			 struct diag *diag)
{
	struct trace_item item;
	int got = 0;

	while (is_running(pass) && look(pass)) {
		while ((got = trace_read(pass->reader, &item, diag)) > 0 &&
		       batch_add(batch, &item))
			;
		feed_batch(pass, batch);
		if (got <= 0)
			return got;
		batch_add(batch, &item);
	}
	feed_batch(pass, batch);
	return 0;
}

/* Every lane takes an item before any takes the next. */
static int feed_in_step(struct replay_pass *pass, struct diag *diag)
{
	uint64_t n = 0;

	while (is_running(pass)) {
		struct trace_item item;
		int got;

		if (n++ % LOOK_INTERVAL == 0 && !look(pass))
			return 0;
		got = trace_read(pass->reader, &item, diag);
		if (got <= 0)
			return got;
		for (size_t i = 0; i < pass->nr_lanes; i++)
			replay_lane_item(pass->lane[i], &item);
		if (pass->item)
			pass->item(pass->context);
	}
	for (size_t i = 0; i < pass->nr_lanes; i++)
		if (lane_is_running(pass->lane[i]))
			pass->interrupted = true;
	return 0;
}

static int feed(struct replay_pass *pass, struct diag *diag)
{
	struct batch *batch;
	int err;

	if (pass->in_step || pass->item || pass->nr_lanes == 1)
		return feed_in_step(pass, diag);
	batch = malloc(sizeof(*batch));
	if (!batch)
		return diag_set(diag, -ENOMEM, "no memory for a replay");
	batch_clear(batch);
	err = feed_in_turns(pass, batch, diag);
	free(batch);
	return err;
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
