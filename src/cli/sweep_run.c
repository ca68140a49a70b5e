/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/sweep_run.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/progress.h"
#include "cli/sweep_units.h"
#include "cli/sweep_worker.h"

/* Between two looks at the workers, if none of them ends. */
#define LOOK_NS 100000000

/* Points todo[first..first + nr) of one trace. */
struct unit {
	size_t first, nr;
};

struct crew {
	const struct sweep_request *request;
	struct sweep_end *end;
	struct sweep_slot *slot; /* shared with the workers */
	struct unit *of_slot;
	pid_t *pid; /* of each slot; 0: idle */
	size_t nr_slots;
	struct unit *queue; /* room for every point by itself */
	size_t queued, started;
	bool stopping;
	int err; /* a result could not be saved */
	struct diag diag;
	struct progress progress;
	size_t done;        /* points that ended */
	uint64_t refs_done; /* of these */
	char label[64];
};

/* --- Sharing out --------------------------------------------------------- */

static const struct sweep_trace *trace_of(const struct sweep_request *request,
					  size_t i)
{
	const struct sweep *sweep = request->sweep;

	return &sweep->trace[sweep->point[request->todo[i]].trace];
}

/* Loads are stretches of one trace; first[i] is where load i begins. */
static size_t find_loads(const struct sweep_request *request,
			 struct sweep_load *load, size_t *first)
{
	size_t nr = 0;

	for (size_t i = 0; i < request->nr; i++) {
		const struct sweep_trace *trace = trace_of(request, i);

		if (!i || trace != trace_of(request, i - 1)) {
			load[nr] = (struct sweep_load){trace->records, 0};
			first[nr++] = i;
		}
		load[nr - 1].points++;
	}
	return nr;
}

static int fill_queue(struct crew *crew)
{
	const struct sweep_request *request = crew->request;
	struct sweep_load *load = calloc(request->nr + 1, sizeof(*load));
	size_t *first = calloc(request->nr + 1, sizeof(*first));
	struct sweep_unit *unit = NULL;
	size_t nr_loads;
	int err = load && first ? 0 : -ENOMEM;

	if (!err) {
		nr_loads = find_loads(request, load, first);
		err = sweep_units(load, nr_loads, request->workers,
				  RERUN_LANES_MAX, &unit, &crew->queued);
	}
	for (size_t i = 0; i < crew->queued && !err; i++)
		crew->queue[i] = (struct unit){
			first[unit[i].load] + unit[i].first, unit[i].nr};
	free(unit);
	free(load);
	free(first);
	return err;
}

/* --- Progress ------------------------------------------------------------ */

static uint64_t refs_under_way(const struct crew *crew, size_t i)
{
	const struct sweep_slot *slot = &crew->slot[i];
	const struct unit *unit = &crew->of_slot[i];
	uint64_t insns = slot->insns, total = slot->insns_total;
	double part = total ? (double)insns / (double)total : 0;
	uint64_t refs = trace_of(crew->request, unit->first)->refs;

	return (uint64_t)(part * (double)refs * (double)unit->nr);
}

static void show_progress(struct crew *crew)
{
	uint64_t refs = crew->refs_done;

	for (size_t i = 0; i < crew->nr_slots; i++)
		if (crew->pid[i])
			refs += refs_under_way(crew, i);
	snprintf(crew->label, sizeof(crew->label), "%zu of %zu points",
		 crew->done, crew->request->nr);
	progress_update(&crew->progress, refs);
}

static void begin_progress(struct crew *crew)
{
	uint64_t total = 0;

	for (size_t i = 0; i < crew->request->nr; i++)
		total += trace_of(crew->request, i)->refs;
	progress_begin(&crew->progress, stderr, crew->label, total);
	crew->progress.unit = "refs";
}

static void tell_unit(struct crew *crew, const struct unit *unit)
{
	if (!crew->request->verbose || crew->stopping)
		return;
	progress_hide(&crew->progress);
	cli_say("%zu of %zu points: %s", crew->done, crew->request->nr,
		trace_of(crew->request, unit->first)->path);
}

/* --- Units --------------------------------------------------------------- */

static void end_point(struct crew *crew, size_t i, enum sweep_state state,
		      int err, const char *line)
{
	struct sweep_end *end = &crew->end[i];

	end->state = state;
	end->err = err;
	end->line = state == SWEEP_FAILED ? strdup(line) : NULL;
	crew->done++;
	crew->refs_done += trace_of(crew->request, i)->refs;
}

static void take_results(struct crew *crew, const struct sweep_slot *slot,
			 const struct unit *unit)
{
	for (size_t i = 0; i < unit->nr; i++) {
		if (slot->point[i].is_saved)
			end_point(crew, unit->first + i, SWEEP_DONE, 0, "");
		else if (slot->result == SLOT_DONE)
			end_point(crew, unit->first + i, SWEEP_FAILED, 0,
				  slot->point[i].line);
	}
}

/* All of a unit failed together: who is to blame shows one by one. */
static void take_failure(struct crew *crew, const struct unit *unit, int err,
			 const char *line)
{
	for (size_t i = unit->first; i < unit->first + unit->nr; i++) {
		if (crew->end[i].state != SWEEP_TO_DO)
			continue;
		if (unit->nr == 1)
			end_point(crew, i, SWEEP_FAILED, err, line);
		else
			crew->queue[crew->queued++] = (struct unit){i, 1};
	}
}

static void take_death(struct crew *crew, const struct unit *unit, int status)
{
	char line[128];

	if (crew->stopping)
		return;
	if (WIFSIGNALED(status))
		snprintf(line, sizeof(line),
			 "its process was ended by signal %d (%s)",
			 WTERMSIG(status), strsignal(WTERMSIG(status)));
	else
		snprintf(line, sizeof(line), "its process ended with status %d",
			 WEXITSTATUS(status));
	take_failure(crew, unit, -ECHILD, line);
}

static void take_end(struct crew *crew, size_t i, int status)
{
	struct sweep_slot *slot = &crew->slot[i];
	const struct unit *unit = &crew->of_slot[i];

	crew->pid[i] = 0;
	take_results(crew, slot, unit);
	switch (slot->result) {
	case SLOT_DONE:
	case SLOT_INTERRUPTED:
		break;
	case SLOT_REFUSED:
		take_failure(crew, unit, slot->err, slot->line);
		break;
	case SLOT_NOT_SAVED:
		if (!crew->err)
			crew->err = diag_set(&crew->diag, slot->err, "%s",
					     slot->line);
		break;
	case SLOT_DIED:
		take_death(crew, unit, status);
		break;
	}
	tell_unit(crew, unit);
}

static int start_worker(struct crew *crew, size_t i)
{
	const struct sweep_request *request = crew->request;
	const struct unit *unit = &crew->queue[crew->started];
	pid_t parent = getpid(), pid;

	crew->of_slot[i] = *unit;
	crew->slot[i] = (struct sweep_slot){0};
	pid = fork();
	if (pid < 0)
		return diag_set(&crew->diag, -errno,
				"cannot start a process: %s", strerror(errno));
	if (!pid) {
		sweep_worker_follow(parent);
		sweep_worker_run(request, unit->first, unit->nr,
				 &crew->slot[i]);
		_exit(0);
	}
	crew->pid[i] = pid;
	crew->started++;
	return 0;
}

/* --- The crew ------------------------------------------------------------ */

static bool is_any_running(const struct crew *crew)
{
	for (size_t i = 0; i < crew->nr_slots; i++)
		if (crew->pid[i])
			return true;
	return false;
}

static void start_workers(struct crew *crew)
{
	for (size_t i = 0; i < crew->nr_slots; i++) {
		if (crew->stopping || crew->started == crew->queued)
			return;
		if (crew->pid[i])
			continue;
		crew->err = start_worker(crew, i);
		if (!crew->err)
			continue;
		/* Those there are can go on, and then take what is left. */
		if (is_any_running(crew))
			crew->err = 0;
		return;
	}
}

static void reap(struct crew *crew)
{
	for (size_t i = 0; i < crew->nr_slots; i++) {
		int status;

		if (crew->pid[i] &&
		    waitpid(crew->pid[i], &status, WNOHANG) == crew->pid[i])
			take_end(crew, i, status);
	}
}

static void stop_if_asked(struct crew *crew)
{
	const volatile int *attention = crew->request->attention;

	if (crew->stopping || !(crew->err || (attention && *attention)))
		return;
	crew->stopping = true;
	for (size_t i = 0; i < crew->nr_slots; i++)
		if (crew->pid[i])
			kill(crew->pid[i], SIGTERM);
}

static void work(struct crew *crew)
{
	const struct timespec moment = {.tv_nsec = LOOK_NS};
	sigset_t child, before;

	/* Ignored, as it may be inherited, children would leave no status. */
	signal(SIGCHLD, SIG_DFL);
	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	sigprocmask(SIG_BLOCK, &child, &before);
	for (;;) {
		stop_if_asked(crew);
		start_workers(crew);
		if (!is_any_running(crew))
			break;
		sigtimedwait(&child, NULL, &moment);
		reap(crew);
		show_progress(crew);
	}
	sigprocmask(SIG_SETMASK, &before, NULL);
	progress_hide(&crew->progress);
}

static int crew_init(struct crew *crew)
{
	size_t slots = crew->request->workers;
	size_t bytes = slots * sizeof(*crew->slot);
	int err;

	crew->queue = calloc(2 * crew->request->nr + 1, sizeof(*crew->queue));
	crew->of_slot = calloc(slots, sizeof(*crew->of_slot));
	crew->pid = calloc(slots, sizeof(*crew->pid));
	crew->slot = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (crew->slot == MAP_FAILED)
		crew->slot = NULL;
	if (!crew->queue || !crew->of_slot || !crew->pid || !crew->slot)
		return -ENOMEM;
	err = fill_queue(crew);
	crew->nr_slots = slots;
	return err;
}

static void crew_finish(struct crew *crew)
{
	if (crew->slot)
		munmap(crew->slot,
		       crew->request->workers * sizeof(*crew->slot));
	free(crew->queue);
	free(crew->of_slot);
	free(crew->pid);
}

int sweep_run(const struct sweep_request *request, struct sweep_end *end,
	      struct diag *diag)
{
	struct crew crew = {.request = request, .end = end};
	int err = crew_init(&crew);

	if (err) {
		diag_set(diag, err, "no memory for the sweep");
	} else {
		fflush(NULL);
		begin_progress(&crew);
		work(&crew);
		err = crew.err;
		*diag = crew.diag;
	}
	crew_finish(&crew);
	return err;
}
