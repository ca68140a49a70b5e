/* SPDX-License-Identifier: GPL-2.0-or-later */
/* notrap import: traces of other tools become traces of a whole guest. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/suggest.h"
#include "cli/attention.h"
#include "cli/cli.h"
#include "cli/formats.h"
#include "cli/number.h"
#include "cli/progress.h"
#include "import/import.h"
#include "report/version.h"

enum {
	FLAG_MEMORY = 16,
	FLAG_SEED,
	FLAG_AROUND,
	FLAG_LENIENT,
	FLAG_ORIGIN,
	FLAG_GRAIN,
	FLAG_VCPUS,
};

static const struct cli_flag flags[] = {
	{'o', "output", "FILE", "the trace; must be given"},
	{FLAG_GRAIN, "granularity", "WORD",
	 "pages (default), runs of references to a page as one, or full"},
	{FLAG_MEMORY, "memory", "MIB", "memory of the model guest (1024)"},
	{FLAG_SEED, "seed", "N",
	 "order of its frames: 0 (default) ascending, else random"},
	{FLAG_AROUND, "fault-around", "PAGES",
	 "what a fault on a page of a file maps: 1 (default), 2, 4... 64"},
	{FLAG_VCPUS, "vcpus", "N", "processors of the model guest, 1 to 4 (1)"},
	{FLAG_LENIENT, "lenient", NULL, "count what is malformed and go on"},
	{FLAG_ORIGIN, "origin", "TEXT",
	 "what was traced, for the trace's header (default: the input's name)"},
	{FLAG_HELP, "help", NULL, "this text"},
	{0},
};

static int take_flag(void *context, int flag, const char *arg)
{
	struct import_request *request = context;
	struct diag diag;
	uint64_t val = 0;
	int err = 0;

	switch (flag) {
	case 'o':
		request->output = arg;
		break;
	case FLAG_GRAIN:
		err = granularity_parse(arg, &request->options.granularity,
					&diag);
		break;
	case FLAG_MEMORY:
		err = number_parse("--memory", arg, 3072, &val, &diag);
		request->options.memory = val << 20;
		break;
	case FLAG_SEED:
		err = number_parse("--seed", arg, UINT64_MAX - 1,
				   &request->options.seed, &diag);
		break;
	case FLAG_AROUND:
		err = number_parse("--fault-around", arg, 64, &val, &diag);
		request->options.fault_around = (uint32_t)val;
		break;
	case FLAG_VCPUS:
		err = number_parse("--vcpus", arg, TRACE_VCPUS_MAX, &val,
				   &diag);
		request->options.vcpus = (uint32_t)val;
		break;
	case FLAG_LENIENT:
		request->lenient = true;
		break;
	case FLAG_ORIGIN:
		request->origin = arg;
		break;
	}
	return err ? cli_fail(err, &diag) : 0;
}

/* "a, b or c" */
static void list_formats(char *list, size_t size)
{
	const struct import_format *const *format = import_formats();
	int len = 0;

	for (size_t i = 0; format[i]; i++)
		len += snprintf(list + len, size - (size_t)len, "%s%s",
				!i              ? ""
				: format[i + 1] ? ", "
						: " or ",
				format[i]->name);
}

static int find_format(const char *name, struct import_request *request)
{
	struct suggest near;
	char list[256];

	request->format = import_format_find(name);
	if (request->format)
		return STATUS_OK;
	suggest_init(&near, name);
	for (size_t i = 0; import_formats()[i]; i++)
		suggest_offer(&near, import_formats()[i]->name);
	list_formats(list, sizeof(list));
	if (suggest_best(&near))
		cli_say("there is no format \"%.60s\"; did you mean \"%s\"?",
			name, suggest_best(&near));
	else
		cli_say("there is no format \"%.60s\": want %s", name, list);
	return STATUS_USAGE;
}

static const char *plural(uint64_t nr)
{
	return nr == 1 ? "" : "s";
}

static void say_left_out(const struct import_result *r)
{
	if (r->guest.ipis)
		cli_say("%" PRIu64 " interrupt%s between processors to flush "
			"TLBs",
			r->guest.ipis, plural(r->guest.ipis));
	if (r->skipped)
		cli_say("%" PRIu64 " malformed line%s or record%s skipped",
			r->skipped, plural(r->skipped), plural(r->skipped));
	if (r->others)
		cli_say("%" PRIu64 " line%s of other kinds passed over",
			r->others, plural(r->others));
	if (r->guest.left_out_rights)
		cli_say("%" PRIu64 " page fault%s left out: of protection, but "
			"no copy on write",
			r->guest.left_out_rights,
			plural(r->guest.left_out_rights));
	if (r->guest.left_out_kernel)
		cli_say("%" PRIu64 " page fault%s left out: at addresses of "
			"the kernel's",
			r->guest.left_out_kernel,
			plural(r->guest.left_out_kernel));
}

static void say_result(const struct import_result *r)
{
	cli_say("%" PRIu64 " record%s of %" PRIu64 " task%s: %" PRIu64
		" references, %" PRIu64 " guest page fault%s%s",
		r->records, plural(r->records), r->guest.tasks,
		plural(r->guest.tasks), r->totals.refs, r->totals.faults,
		plural(r->totals.faults),
		r->interrupted ? "; interrupted" : "");
	say_left_out(r);
}

static int import(struct import_request *request)
{
	struct progress progress;
	struct import_result result;
	struct diag diag;
	int err;

	request->progress = progress_show;
	request->context = &progress;
	request->attention = attention_begin();
	progress_begin(&progress, stderr, request->path, 0);
	progress.unit = "bytes";
	err = import_run(request, &result, &diag);
	progress_hide(&progress);
	if (err)
		return cli_fail(err, &diag);
	say_result(&result);
	return result.interrupted ? STATUS_FAILED : STATUS_OK;
}

static int run(const struct cli_command *command, int argc, char **argv)
{
	struct import_request request = {
		.options = {.memory = UINT64_C(1024) << 20,
			    .fault_around = 1,
			    .granularity = TRACE_PAGES},
	};
	char tool[64];
	int operand, status;

	status = cli_parse(command, argc, argv, take_flag, &request, &operand);
	if (status >= 0)
		return status;
	if (operand + 2 != argc || !request.output) {
		cli_say("want FORMAT IN -o OUT (notrap help import)");
		return STATUS_USAGE;
	}
	status = find_format(argv[operand], &request);
	if (status)
		return status;
	snprintf(tool, sizeof(tool), "notrap %s", notrap_version());
	request.path = argv[operand + 1];
	request.tool = tool;
	if (!request.origin)
		request.origin = strcmp(request.path, "-") != 0
					 ? request.path
					 : "standard input";
	return import(&request);
}

const struct cli_command cmd_import = {
	.name = "import",
	.operands = "[OPTION...] FORMAT IN -o OUT",
	.summary = "make a trace of what another tool recorded",
	.about = "Reads IN (- for standard input) and writes the trace OUT. A "
		 "model guest operating system gives the program page tables, "
		 "page faults and a kernel, so that the trace replays as a "
		 "whole guest.\n"
		 "FORMAT is\n"
		 "lackey: the log of valgrind --tool=lackey --trace-mem=yes;\n"
		 "perf: the output of perf script after perf record -e "
		 "exceptions:page_fault_user, where -e task:task_newtask, "
		 "sched:sched_process_exec, sched:sched_process_exit, "
		 "exceptions:page_fault_kernel, syscalls:sys_enter_munmap help "
		 "to see more of what went on;\n"
		 "drmemtrace: what drrun -t drmemtrace -tool view prints;\n"
		 "champsim, champsim-cloudsuite: traces of ChampSim.\n"
		 "IN may be compressed by gzip, xz or zstd.\n",
	.flags = flags,
	.run = run,
};
