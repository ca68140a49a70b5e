/* SPDX-License-Identifier: GPL-2.0-or-later */
/* notrap explain: one event of a trace, told step by step. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/attention.h"
#include "cli/cli.h"
#include "cli/number.h"
#include "cli/output.h"
#include "cli/plan.h"
#include "cli/progress.h"
#include "explain/explain.h"

enum {
	FLAG_EXIT = 16,
	FLAG_FAULT,
	FLAG_GVA,
};

static const struct cli_flag flags[] = {
	{FLAG_EXIT, "exit", "K",
	 "instead of N: what made the K-th VM exit, from 1"},
	{FLAG_FAULT, "fault", "K",
	 "instead of N: what met the K-th guest page fault, from 1"},
	{FLAG_GVA, "gva", "ADDR",
	 "instead of N: what first met a page fault, be it the guest's or the "
	 "shadow's, in the page of ADDR"},
	{'D', NULL, "KEY=VALUE", "a setting (see notrap config)"},
	{'c', "config", "FILE",
	 "settings from a file: lines KEY=VALUE, # comments"},
	{FLAG_FORMAT, "format", "FORMAT", "text, md or json (default: text)"},
	{'o', "output", "FILE", "write the text to FILE, whole or not at all"},
	{FLAG_HELP, "help", NULL, "this text"},
	{0},
};

struct explain_options {
	struct plan *plan;
	unsigned int nr_by; /* how often it was said what to explain */
	enum explain_by by;
	uint64_t n;
	enum prose_format format;
	const char *output;
};

static int take_count(struct explain_options *options, const char *what,
		      enum explain_by by, const char *arg, struct diag *diag)
{
	options->nr_by++;
	options->by = by;
	return number_parse(what, arg, UINT64_MAX, &options->n, diag);
}

static int take_gva(struct explain_options *options, const char *arg,
		    struct diag *diag)
{
	char *end;

	options->nr_by++;
	options->by = EXPLAIN_GVA;
	errno = 0;
	options->n = strtoull(arg, &end, 0);
	if (errno || *end || arg[0] < '0' || arg[0] > '9')
		return diag_set(diag, -EINVAL,
				"--gva: \"%.60s\" is no address, as 0x400000",
				arg);
	return 0;
}

static int parse_format(const char *name, enum prose_format *ret,
			struct diag *diag)
{
	static const char *const names[] = {"text", "md", "json"};

	for (unsigned int i = 0; i < ARRAY_LEN(names); i++) {
		if (strcmp(name, names[i]) != 0)
			continue;
		*ret = (enum prose_format)i;
		return 0;
	}
	return diag_set(diag, -EINVAL,
			"--format: \"%.60s\" is none of text, md, json", name);
}

static int take_flag(void *context, int flag, const char *arg)
{
	struct explain_options *options = context;
	struct diag diag;
	int err = 0;

	switch (flag) {
	case FLAG_EXIT:
		err = take_count(options, "--exit", EXPLAIN_EXIT, arg, &diag);
		break;
	case FLAG_FAULT:
		err = take_count(options, "--fault", EXPLAIN_FAULT, arg, &diag);
		break;
	case FLAG_GVA:
		err = take_gva(options, arg, &diag);
		break;
	case 'D':
		err = plan_set(options->plan, arg, &diag);
		break;
	case 'c':
		err = plan_read_file(options->plan, arg, &diag);
		break;
	case 'o':
		options->output = arg;
		break;
	case FLAG_FORMAT:
		err = parse_format(arg, &options->format, &diag);
		break;
	}
	return err ? cli_fail(err, &diag) : 0;
}

/* --- The configuration, and its twin ------------------------------------- */

static int read_config(const struct plan *plan, struct config *ret,
		       struct diag *diag)
{
	struct plan_point *point;
	struct plan_note *notes;
	size_t nr, nr_notes;
	int err = plan_expand(plan, &point, &nr, &notes, &nr_notes, diag);

	if (err)
		return err;
	if (nr == 1)
		*ret = point[0].config;
	else
		err = diag_set(diag, -EINVAL,
			       "want one configuration, got %zu; both settings "
			       "of the bypass are told anyway",
			       nr);
	free(point);
	free(notes);
	if (!err && !config_generation(ret))
		err = diag_set(
			diag, -EINVAL,
			"mmu=%s: what is explained here is shadow paging; "
			"notrap diff compares the two exit by exit",
			config_mmu_name(ret));
	return err;
}

/* False: the bypass cannot be otherwise there. */
static bool make_other(const struct config *config, struct config *ret)
{
	struct diag diag;
	bool on = config_has_bypass(config);

	*ret = *config;
	if (config_set(ret, "bypass", on ? "off" : "on", &diag) ||
	    config_check(ret, &diag))
		return false;
	return config_has_bypass(ret) != on;
}

/* --- The command --------------------------------------------------------- */

static int status_of(int err, const struct diag *diag)
{
	int status = cli_fail(err, diag);

	return err == -EPROTO || err == -EINTR ? STATUS_FAILED : status;
}

static int print(const struct explain_options *options,
		 const struct prose *prose)
{
	struct output output;
	struct diag diag;
	int err = output_open(options->output, &output, &diag);

	if (err)
		return cli_fail(err, &diag);
	err = prose_print(prose, options->format, output.file);
	err = output_end(&output, err, &diag);
	return err ? cli_fail(err, &diag) : STATUS_OK;
}

static int explain_and_print(const struct explain_options *options,
			     const char *path)
{
	struct progress progress;
	struct config config, other;
	struct explain_request request = {
		.path = path,
		.config = &config,
		.by = options->by,
		.n = options->n,
		.attention = attention_begin(),
		.progress = progress_show,
		.context = &progress,
	};
	struct prose *prose;
	struct diag diag;
	int err, status;

	err = read_config(options->plan, &config, &diag);
	if (err)
		return cli_fail(err, &diag);
	if (make_other(&config, &other))
		request.other = &other;
	progress_begin(&progress, stderr, path, 0);
	progress.unit = "bytes";
	err = explain(&request, &prose, &diag);
	progress_hide(&progress);
	if (err)
		return status_of(err, &diag);
	status = print(options, prose);
	prose_destroy(prose);
	return status;
}

/* TRACE N, or TRACE and a flag that says which item. */
static int take_operands(struct explain_options *options, int nr, char **words)
{
	struct diag diag;
	int err;

	if (nr == 2 && !options->nr_by) {
		err = take_count(options, "N", EXPLAIN_ITEM, words[1], &diag);
		return err ? cli_fail(err, &diag) : -1;
	}
	if (nr == 1 && options->nr_by == 1)
		return -1;
	cli_say("want a TRACE and one of N, --exit K, --fault K, --gva ADDR "
		"(notrap help explain)");
	return STATUS_USAGE;
}

static int run(const struct cli_command *command, int argc, char **argv)
{
	struct explain_options options = {.plan = plan_create()};
	int operand, status;

	if (!options.plan) {
		cli_say("no memory");
		return STATUS_HOST;
	}
	status = cli_parse(command, argc, argv, take_flag, &options, &operand);
	if (status < 0)
		status =
			take_operands(&options, argc - operand, argv + operand);
	if (status < 0)
		status = explain_and_print(&options, argv[operand]);
	plan_destroy(options.plan);
	return status;
}

const struct cli_command cmd_explain = {
	.name = "explain",
	.operands = "[OPTION...] TRACE [N]",
	.summary = "tell one event of a trace step by step",
	.about = "Replays TRACE up to item N, as notrap trace dump numbers "
		 "them, and tells a person what happens there: what the "
		 "guest's tables say and what the shadow's, which bit "
		 "decides, whether the fault exits and why, what the exit "
		 "says, what the hypervisor does and what that costs, which "
		 "entries change, what the guest sees, and what would have "
		 "happened with the bypass the other way.\n"
		 "An item that only tells how an earlier one ended (a page "
		 "fault as it was delivered, the bytes of a store that was "
		 "emulated) leads back to that one. notrap diff --list tells "
		 "items whose exits differ.\n",
	.flags = flags,
	.run = run,
};
