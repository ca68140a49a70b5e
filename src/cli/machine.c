/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/machine.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli/attention.h"
#include "cli/describe.h"
#include "live/live.h"
#include "mem/mem.h"
#include "platform/platform.h"
#include "record/recorder.h"
#include "replay/replay.h"
#include "report/version.h"
#include "sim/sim.h"

/* Between two looks at the clock: tenths of a second; with views, which take
 * their time. */
#define SLICE       20000000
#define SLICE_VIEWS 1000000

struct machine {
	struct mem *mem;
	struct console console;
	struct platform *platform;
	struct sim *sim;
	struct where *where;
	struct live *live;
	struct recorder *recorder; /* NULL: nobody records */
	/*
	 * model=full: what would be recorded goes here, and is counted here;
	 * `sim` only decides what happens to the guest.  Else NULL.
	 */
	struct replay_lane *lane;
	struct sim *counts; /* whose counts are the result: of either */
	struct views views;
};

/* --- The machine --------------------------------------------------------- */

static void machine_finish(struct machine *m)
{
	views_abandon(&m->views);
	live_destroy(m->live);
	recorder_abort(m->recorder);
	replay_lane_destroy(m->lane);
	sim_destroy(m->sim);
	where_destroy(m->where);
	platform_destroy(m->platform);
	mem_destroy(m->mem);
}

static bool is_full(const struct machine_request *request)
{
	return config_get(request->config, OPT_model) == MODEL_FULL;
}

static void feed_lane(void *context, const struct trace_item *item)
{
	replay_lane_item(context, item);
}

/* To a file, to a lane, or to both. */
static int record(struct machine *m, const struct machine_request *request,
		  struct diag *diag)
{
	struct trace_info info = {
		.granularity = request->granularity,
		.source = "live",
		.image_digest = request->guest->digest,
		.initrd_digest = request->guest->initrd_digest,
	};
	struct trace_listener listener = {.item = feed_lane};
	int err;

	guest_describe(request->guest, info.origin, sizeof(info.origin));
	snprintf(info.tool, sizeof(info.tool), "notrap %s", notrap_version());
	err = recorder_create(request->record, &info, sim_sink(m->sim), m->mem,
			      &m->recorder, diag);
	if (err || !is_full(request))
		return err;
	err = replay_lane_create(request->config, &info, &m->lane, diag);
	if (err)
		return err;
	listener.context = m->lane;
	recorder_listen(m->recorder, &listener);
	m->counts = replay_lane_sim(m->lane);
	return 0;
}

/* Memory with the guest in it, and devices. */
static int make_board(struct machine *m, const struct machine_request *request,
		      struct boot_state *boot, struct diag *diag)
{
	const struct config *config = request->config;
	int err;

	console_init(&m->console, NULL, 0, request->console);
	err = mem_create(config_get(config, OPT_memory), sim_pool_pages(config),
			 true, &m->mem, diag);
	if (err)
		return err;
	err = loader_load(&request->guest->files, m->mem->ram, m->mem->ram_size,
			  boot, diag);
	if (err)
		return err;
	m->platform = platform_create(&m->console);
	if (!m->platform)
		return diag_set(diag, -ENOMEM, "no memory for the devices");
	if (config_get(config, OPT_apic))
		platform_add_apic(m->platform);
	return 0;
}

static int make_sim(struct machine *m, const struct machine_request *request,
		    struct diag *diag)
{
	int err = sim_create(request->config, m->mem, &m->sim, diag);

	if (err)
		return err;
	m->counts = m->sim;
	m->where = where_create();
	if (!m->where)
		return diag_set(diag, -ENOMEM, "no memory for the exits");
	if (request->record || is_full(request))
		err = record(m, request, diag);
	if (err)
		return err;
	describe_watch(m->counts, m->where);
	return views_begin(request->views, m->counts, request->config,
			   &m->views, diag);
}

static int make_live(struct machine *m, const struct machine_request *request,
		     const struct boot_state *boot, struct diag *diag)
{
	const struct config *config = request->config;
	struct live_config live = {
		.boot = *boot,
		.vendor_amd = config_get(config, OPT_vendor) == VENDOR_AMD,
		.no_nx = !config_get(config, OPT_host_nxe),
		.maxphyaddr = (uint8_t)config_get(config, OPT_maxphyaddr),
		.features = config_processor(config),
		.max_insns = config_get(config, OPT_max_insns),
		.check_stale = config_get(config, OPT_check_stale),
		.mhz = config_get(config, OPT_clock)
			       ? (uint32_t)config_get(config, OPT_mhz)
			       : 0,
	};
	struct event_sink *sink = sim_sink(m->sim);

	if (m->recorder) {
		live.observer = recorder_observer(m->recorder);
		sink = recorder_sink(m->recorder);
	}
	return live_create(&live, m->mem, m->platform, sink, &m->live, diag);
}

static int machine_init(struct machine *m,
			const struct machine_request *request,
			struct diag *diag)
{
	struct boot_state boot = {0};
	int err;

	*m = (struct machine){0};
	err = make_board(m, request, &boot, diag);
	if (!err)
		err = make_sim(m, request, diag);
	if (!err)
		err = make_live(m, request, &boot, diag);
	if (err)
		machine_finish(m);
	return err;
}

/* What stopped it if not the guest or a limit of the configuration's. */
static enum attention run_to_end(struct machine *m,
				 const struct machine_request *request,
				 struct live_end *end)
{
	uint64_t slice = views_are_wanted(request->views) ? SLICE_VIEWS : SLICE;

	do {
		live_run(m->live, live_insns(m->live) + slice,
			 request->attention, end);
		if (request->progress)
			request->progress(request->context,
					  live_insns(m->live));
		if (end->status == LIVE_PAUSED && request->attention &&
		    *request->attention)
			return (enum attention) * request->attention;
		if (views_have_failed(&m->views))
			return ATTENTION_STOP;
	} while (end->status == LIVE_PAUSED);
	return ATTENTION_NONE;
}

/* --- The result ---------------------------------------------------------- */

/* Stable words; what they are about stands in guest.line. */
static void status_text(const struct live_end *end,
			const struct machine_end *how, char *buf, size_t size)
{
	static const char *const words[] = {
		[LIVE_PAUSED] = "interrupted",
		[LIVE_EXIT] = "exit",
		[LIVE_RESET] = "reset",
		[LIVE_SHUTDOWN] = "triple fault",
		[LIVE_HALTED] = "halted",
		[LIVE_ABSENT] = "absent memory",
		[LIVE_MAX_INSNS] = "instruction limit",
		[LIVE_STOPPED] = "stopped",
	};

	if (how->timed_out)
		snprintf(buf, size, "timeout");
	else if (end->status == LIVE_EXIT)
		snprintf(buf, size, "exit %" PRIu32, end->value);
	else
		snprintf(buf, size, "%s", words[end->status]);
}

/*
 * The lane came to the end of what the guest did, with the same faults.  The
 * exits need not be the same (docs/limits.md).
 */
static void check_lane(const struct machine *m, char *buf, size_t size)
{
	const char *line = replay_lane_line(m->lane);
	struct sim_audit audit = sim_audit(m->sim);

	if (line[0])
		snprintf(buf, size, "model=full: %s", line);
	else if (sim_fault_digest(m->sim) != sim_fault_digest(m->counts))
		snprintf(buf, size, "model=full has not the guest's faults");
	else if (sim_check(m->sim))
		snprintf(buf, size, "%s", sim_check(m->sim));
	else if (audit.violations)
		snprintf(buf, size, "%" PRIu64 " audit violations, first: %s",
			 audit.violations, audit.first);
}

/* The first check that failed, as a line; "" if none did. */
static void check_text(const struct machine *m, char *buf, size_t size)
{
	const struct live_stats *stats = live_stats(m->live);

	describe_check(m->counts, m->where, buf, size);
	if (!buf[0] && m->lane)
		check_lane(m, buf, size);
	if (!buf[0] && stats->stale_blocks)
		snprintf(buf, size,
			 "%" PRIu64 " blocks ran bytes that had changed",
			 stats->stale_blocks);
}

static int make_result(const struct machine *m,
		       const struct machine_request *request,
		       const struct live_end *end, struct report *report,
		       struct machine_end *ret, struct diag *diag)
{
	char status[64], check[400], initrds[1024];
	struct result result = {
		.source_kind = "live",
		.source_path = request->guest->path,
		.source_args = request->guest->files.cmdline,
		.source_digest = request->guest->digest,
		.source_initrd = initrds,
		.source_initrd_digest = request->guest->initrd_digest,
		.guest_status = status,
		.guest_line = end->line,
		.guest_ok = end->status == LIVE_EXIT && end->value == 0,
		.guest_insns = live_insns(m->live),
		.guest_memory_digest = mem_ram_digest(m->mem),
		.guest_console_digest = m->console.digest,
		.guest_fault_digest = sim_fault_digest(m->counts),
		.audit_violations = sim_audit(m->counts).violations,
		.check = check,
		.acct = sim_account(m->counts),
		.where = m->where,
	};

	guest_describe_initrds(request->guest, initrds, sizeof(initrds));
	status_text(end, ret, status, sizeof(status));
	check_text(m, check, sizeof(check));
	describe_config(request->config, &result);
	describe_costs(request->config, &result);
	describe_strays(m->counts, &result, ret->strays, sizeof(ret->strays));
	ret->ok = result.guest_ok && !check[0];
	snprintf(ret->line, sizeof(ret->line), "%s%s%s",
		 end->line[0] ? end->line : status, check[0] ? "; " : "",
		 check);
	return report_add(report, &result, diag);
}

/* What fails here is the host's trouble, whatever it is. */
static int end_recording(struct machine *m, struct diag *diag)
{
	int err;

	if (!m->recorder)
		return 0;
	err = recorder_finish(m->recorder, live_insns(m->live), diag);
	m->recorder = NULL;
	if (m->lane)
		replay_lane_finish(m->lane);
	return err ? -EIO : 0;
}

int machine_run(const struct machine_request *request, struct report *report,
		struct machine_end *ret, struct diag *diag)
{
	struct live_end end = {0};
	enum attention stop;
	struct machine m;
	int err;

	*ret = (struct machine_end){0};
	err = machine_init(&m, request, diag);
	if (err)
		return err;
	stop = run_to_end(&m, request, &end);
	ret->interrupted = stop == ATTENTION_STOP;
	ret->timed_out = stop == ATTENTION_TIMEOUT;
	ret->insns = live_insns(m.live);
	console_flush(&m.console);
	ret->console_errno = m.console.tee_errno;
	sim_finish(m.sim, ret->insns);
	err = end_recording(&m, diag);
	if (!err)
		err = views_end(&m.views, diag);
	if (!err)
		err = make_result(&m, request, &end, report, ret, diag);
	machine_finish(&m);
	return err;
}
