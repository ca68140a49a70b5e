/* SPDX-License-Identifier: GPL-2.0-or-later */
/* notrap bound: would the bypass help here? */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/attention.h"
#include "cli/bound.h"
#include "cli/cli.h"
#include "cli/formats.h"
#include "cli/is_trace.h"
#include "cli/plan.h"
#include "cli/results.h"

enum {
	FLAG_ALL = 16,
	FLAG_NO_REPLAY,
};

static const struct cli_flag flags[] = {
	{'D', NULL, "KEY=VALUE",
	 "a setting (see notrap config) for the replay of a TRACE"},
	{'c', "config", "FILE",
	 "settings from a file: lines KEY=VALUE, # comments"},
	{FLAG_NO_REPLAY, "no-replay", NULL, "the bound alone"},
	{FLAG_ALL, "all", NULL,
	 "replay every filter that a shadow MMU can use, and list those it "
	 "cannot use as well"},
	{FLAG_FORMAT, "format", "FORMAT", FORMATS_TEXT " (default: table)"},
	{'o', "output", "FILE", "write to FILE, whole or not at all"},
	{FLAG_HELP, "help", NULL, "this text"},
	{0},
};

struct bound_options {
	struct plan *plan;
	bool all, no_replay;
	const char *output;
	enum format format;
	const volatile int *attention;
};

static int take_flag(void *context, int flag, const char *arg)
{
	struct bound_options *options = context;
	struct diag diag;
	int err = 0;

	switch (flag) {
	case 'D':
		err = plan_set(options->plan, arg, &diag);
		break;
	case 'c':
		err = plan_read_file(options->plan, arg, &diag);
		break;
	case 'o':
		options->output = arg;
		break;
	case FLAG_ALL:
		options->all = true;
		break;
	case FLAG_NO_REPLAY:
		options->no_replay = true;
		break;
	case FLAG_FORMAT:
		err = format_parse(arg, &options->format, &diag);
		break;
	}
	return err ? cli_fail(err, &diag) : 0;
}

/* --- The configuration to replay with ------------------------------------ */

static int check_config(const struct config *config, struct diag *diag)
{
	static const enum option_id own[] = {OPT_exception_bitmap,
					     OPT_pfec_mask, OPT_pfec_match};

	for (size_t i = 0; i < ARRAY_LEN(own); i++)
		if (config_get(config, own[i]) != CONFIG_AUTO)
			return diag_set(diag, -EINVAL,
					"exception-bitmap, pfec-mask and "
					"pfec-match are what is tried here");
	if (config_has_bypass(config))
		return 0;
	return diag_set(diag, -EINVAL,
			"%s: there is no bypass to replay with: %s "
			"(--no-replay: the bound alone)",
			config_mmu_name(config),
			config_bypass_obstacle(config)
				? config_bypass_obstacle(config)
				: "bypass=off");
}

static int make_config(const struct plan *plan, struct config *ret,
		       struct diag *diag)
{
	struct plan_note *notes;
	struct plan_point *point;
	size_t nr, nr_notes;
	int err = plan_expand(plan, &point, &nr, &notes, &nr_notes, diag);

	if (err)
		return err;
	*ret = point[0].config;
	free(point);
	free(notes);
	if (nr > 1)
		return diag_set(diag, -EINVAL,
				"want one configuration, got %zu", nr);
	return check_config(ret, diag);
}

/* --- The bounds ---------------------------------------------------------- */

struct bounds {
	struct bound *bound;
	size_t nr;
};

static struct bound *one_more(struct bounds *bounds, struct diag *diag)
{
	struct bound *grown =
		realloc(bounds->bound, (bounds->nr + 1) * sizeof(*grown));

	if (grown)
		bounds->bound = grown;
	else
		diag_set(diag, -ENOMEM, "no memory for the bounds");
	return grown ? &grown[bounds->nr] : NULL;
}

/* An enum cli_status. */
static int add_trace(const struct bound_options *options, const char *path,
		     struct bounds *bounds)
{
	struct bound_request request = {.path = path,
					.all = options->all,
					.attention = options->attention};
	struct config config;
	struct bound *bound;
	struct diag diag;
	char line[512];
	int err = 0;

	bound = one_more(bounds, &diag);
	if (!bound)
		return cli_fail(-ENOMEM, &diag);
	if (!options->no_replay) {
		err = make_config(options->plan, &config, &diag);
		request.config = &config;
	}
	if (!err)
		err = bound_of_trace(&request, bound, line, &diag);
	if (err)
		return cli_fail(err, &diag);
	bounds->nr++;
	if (*line)
		cli_say("%s", line);
	return *line ? STATUS_FAILED : STATUS_OK;
}

static int add_results(const struct cli_command *command, char *path,
		       struct bounds *bounds)
{
	char *one[] = {path, NULL};
	struct report *report;
	struct diag diag;
	int err = results_read(command, one, &report, &diag);

	if (err)
		return cli_fail(err, &diag);
	for (size_t i = 0; i < report_nr(report) && !err; i++) {
		struct bound *bound = one_more(bounds, &diag);

		err = bound ? bound_of_result(report, i, bound, &diag)
			    : -ENOMEM;
		bounds->nr += !err;
	}
	report_destroy(report);
	return err ? cli_fail(err, &diag) : STATUS_OK;
}

static int add_all(const struct bound_options *options,
		   const struct cli_command *command, char **paths,
		   struct bounds *bounds)
{
	int status = STATUS_OK;

	for (; *paths && status <= STATUS_FAILED && !*options->attention;
	     paths++)
		status = cli_worse(
			status, is_trace(*paths)
					? add_trace(options, *paths, bounds)
					: add_results(command, *paths, bounds));
	return status;
}

static int bound(const struct bound_options *options,
		 const struct cli_command *command, char **paths)
{
	struct bounds bounds = {0};
	struct output output;
	struct diag diag;
	int status, err;

	err = output_open(options->output, &output, &diag);
	if (err)
		return cli_fail(err, &diag);
	status = add_all(options, command, paths, &bounds);
	if (status <= STATUS_FAILED) {
		err = bound_print(bounds.bound, bounds.nr, options->all,
				  format_of_sheet(options->format),
				  output.file);
		err = output_end(&output, err, &diag);
		if (err)
			status = cli_fail(err, &diag);
	} else {
		output_abandon(&output);
	}
	for (size_t i = 0; i < bounds.nr; i++)
		bound_finish(&bounds.bound[i]);
	free(bounds.bound);
	return status;
}

static int run(const struct cli_command *command, int argc, char **argv)
{
	struct bound_options options = {.plan = plan_create(),
					.attention = attention_begin()};
	int operand, status;

	if (!options.plan) {
		cli_say("no memory");
		return STATUS_HOST;
	}
	status = cli_parse(command, argc, argv, take_flag, &options, &operand);
	if (status < 0 && operand == argc) {
		cli_say("want a TRACE or a RESULT (notrap help bound)");
		status = STATUS_USAGE;
	}
	if (status < 0)
		status = bound(&options, command, argv + operand);
	plan_destroy(options.plan);
	return status;
}

const struct cli_command cmd_bound = {
	.name = "bound",
	.operands = "[OPTION...] TRACE|RESULT...",
	.summary = "tell how many guest faults a bypass could save, and does",
	.about = "From the error codes of the guest's page faults alone it is "
		 "known how many could at most go straight to the guest, for "
		 "every page-fault error-code mask and match, and bit 14 of "
		 "the exception bitmap (EB.14), that has an effect of its own "
		 "on them. Listed are those that a shadow MMU can use: they "
		 "let no present fault through, as it may be a hidden one.\n"
		 "Next to this bound stands what a replay of the TRACE with "
		 "the bypass on delivers directly, and what lies between: "
		 "faults that came before their shadow table was there, or "
		 "while their shadow entry was still trap. Of a RESULT the "
		 "figure is its own, if it was made with the bypass on.\n"
		 "A trace made by notrap import perf of a program's faults "
		 "will do: no hypervisor is needed to make one.\n",
	.flags = flags,
	.run = run,
};
