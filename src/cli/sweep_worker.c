/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/sweep_worker.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "cli/sweep_dir.h"

void sweep_worker_follow(pid_t parent)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* It may have gone before. */
	if (getppid() != parent)
		_exit(1);
}

static void count(void *context, uint64_t insns, uint64_t total)
{
	struct sweep_slot *slot = context;

	slot->insns_total = total;
	slot->insns = insns;
}

static void refuse(struct sweep_slot *slot, enum slot_result result, int err,
		   const struct diag *diag)
{
	snprintf(slot->line, sizeof(slot->line), "%s", diag->msg);
	slot->err = err;
	slot->result = result;
}

static void save(const struct sweep_request *request, size_t first, size_t nr,
		 const struct report *report, const struct rerun_result *result,
		 struct sweep_slot *slot)
{
	struct diag diag;

	for (size_t i = 0; i < nr; i++) {
		const struct sweep *sweep = request->sweep;
		uint64_t id = sweep->point[request->todo[first + i]].id;
		const struct rerun_end *end = &result->end[i];
		int err;

		if (!end->ok) {
			snprintf(slot->point[i].line,
				 sizeof(slot->point[i].line), "%s",
				 *end->line ? end->line : result->damage);
			continue;
		}
		err = sweep_dir_save(request->dir, id, report, i, &diag);
		if (err) {
			refuse(slot, SLOT_NOT_SAVED, err, &diag);
			return;
		}
		slot->point[i].is_saved = true;
	}
	slot->result = SLOT_DONE;
}

void sweep_worker_run(const struct sweep_request *request, size_t first,
		      size_t nr, struct sweep_slot *slot)
{
	const struct sweep *sweep = request->sweep;
	const struct sweep_point *point = &sweep->point[request->todo[first]];
	const struct config *config[RERUN_LANES_MAX];
	const struct rerun_request pass = {
		.path = sweep->trace[point->trace].path,
		.config = config,
		.nr = nr,
		.attention = request->attention,
		.progress = count,
		.context = slot,
	};
	struct report *report = report_create();
	struct rerun_result result;
	struct diag diag;
	int err;

	for (size_t i = 0; i < nr; i++) {
		point = &sweep->point[request->todo[first + i]];
		config[i] = &sweep->config[point->config].config;
	}
	if (report)
		err = rerun(&pass, report, &result, &diag);
	else
		err = diag_set(&diag, -ENOMEM, "no memory for the results");
	if (err)
		refuse(slot, SLOT_REFUSED, err, &diag);
	else if (result.interrupted)
		slot->result = SLOT_INTERRUPTED;
	else
		save(request, first, nr, report, &result, slot);
	report_destroy(report);
}
