/* SPDX-License-Identifier: GPL-2.0-or-later */
/* notrap plot: saved results as an image. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cli/cli.h"
#include "cli/gnuplot.h"
#include "cli/output.h"
#include "cli/results.h"

#define KINDS_TEXT "exits, ladder, coverage, sweep or heat"

enum {
	FLAG_KIND = 16,
	FLAG_X,
	FLAG_Y,
	FLAG_Z,
	FLAG_ONLY,
};

static const struct cli_flag flags[] = {
	{'o', "output", "FILE",
	 "the image, whole or not at all; the name ends in .svg, .png or .pdf"},
	{FLAG_KIND, "kind", "KIND", KINDS_TEXT " (default: exits)"},
	{FLAG_X, "x", "KEY",
	 "of sweep and heat: the setting from left to right (default: the one "
	 "with most values)"},
	{FLAG_Y, "y", "NAME",
	 "of heat: the setting upwards; of sweep: a figure (default: exits); "
	 "of exits: exits or percent"},
	{FLAG_Z, "z", "FIGURE",
	 "of heat: exits (default), pf-exits, per-fault, faults, direct, "
	 "injected, coverage, cycles, exit-cycles, handler-cycles, wrong, "
	 "saved, native, "
	 "latency, or "
	 "a member of results like shadow.mmu_flooded"},
	{FLAG_ONLY, "only", "KEY=VALUE[,VALUE...]",
	 "leave out results with other values of a setting, or of guest"},
	{FLAG_KEEP_SCRIPT, "keep-script", NULL,
	 "also write the gnuplot script, data included, as FILE with .gp"},
	{FLAG_HELP, "help", NULL, "this text"},
	{0},
};

struct plot_options {
	const char *output;
	struct report_plot plot;
	bool keep_script;
	struct results_only only;
};

static const struct {
	const char *ending;
	enum report_image image;
} endings[] = {
	{".svg", REPORT_SVG},
	{".png", REPORT_PNG},
	{".pdf", REPORT_PDF},
};

static int parse_kind(const char *name, struct plot_options *options,
		      struct diag *diag)
{
	if (report_plot_find(name, &options->plot.kind))
		return 0;
	return diag_set(diag, -EINVAL, "--kind %.60s: want " KINDS_TEXT, name);
}

static int take_flag(void *context, int flag, const char *arg)
{
	struct plot_options *options = context;
	struct diag diag;
	int err = 0;

	switch (flag) {
	case 'o':
		options->output = arg;
		break;
	case FLAG_KIND:
		err = parse_kind(arg, options, &diag);
		break;
	case FLAG_X:
		options->plot.x = arg;
		break;
	case FLAG_Y:
		options->plot.y = arg;
		break;
	case FLAG_Z:
		options->plot.z = arg;
		break;
	case FLAG_ONLY:
		err = results_only_add(&options->only, arg, &diag);
		break;
	case FLAG_KEEP_SCRIPT:
		options->keep_script = true;
		break;
	}
	return err ? cli_fail(err, &diag) : 0;
}

static int find_image(const char *path, enum report_image *ret)
{
	const char *dot = strrchr(path, '.');

	for (size_t i = 0; dot && i < ARRAY_LEN(endings); i++) {
		if (!strcasecmp(dot, endings[i].ending)) {
			*ret = endings[i].image;
			return 0;
		}
	}
	return -EINVAL;
}

/* FILE.png -> FILE.gp, complete before the image is. */
static int keep_script(const struct plot_options *options,
		       const struct report *report, struct diag *diag)
{
	const char *dot = strrchr(options->output, '.');
	struct output output;
	char *path;
	int err;

	if (asprintf(&path, "%.*s.gp", (int)(dot - options->output),
		     options->output) < 0)
		return diag_set(diag, -ENOMEM, "no memory for a name");
	err = output_open(path, &output, diag);
	free(path);
	if (err)
		return err;
	err = report_print_plot(report, &options->plot, output.file, diag);
	if (!err)
		return output_commit(&output, diag);
	output_abandon(&output);
	return err;
}

static int draw(const struct plot_options *options, const struct report *report,
		struct diag *diag)
{
	FILE *script = tmpfile();
	struct output output;
	int err;

	if (!script)
		return diag_set(diag, -EIO, "no temporary file: %s",
				strerror(errno));
	err = output_open(options->output, &output, diag);
	if (err)
		goto close_script;
	err = report_print_plot(report, &options->plot, script, diag);
	if (!err)
		err = gnuplot_run(script, output.file, diag);
	if (!err)
		err = output_commit(&output, diag);
	else
		output_abandon(&output);
close_script:
	fclose(script);
	return err;
}

static int run(const struct cli_command *command, int argc, char **argv)
{
	struct plot_options options = {0};
	struct report *report;
	struct diag diag;
	int operand, status, err;

	status = cli_parse(command, argc, argv, take_flag, &options, &operand);
	if (status >= 0)
		return status;
	if (!options.output ||
	    find_image(options.output, &options.plot.image)) {
		cli_say("want -o FILE, with a name that ends in .svg, .png or "
			".pdf");
		return STATUS_USAGE;
	}
	err = results_read(command, argv + operand, &report, &diag);
	if (err)
		return cli_fail(err, &diag);
	err = results_only_apply(&options.only, report, &diag);
	if (options.keep_script && !err)
		err = keep_script(&options, report, &diag);
	if (!err)
		err = draw(&options, report, &diag);
	report_destroy(report);
	return err ? cli_fail(err, &diag) : STATUS_OK;
}

const struct cli_command cmd_plot = {
	.name = "plot",
	.operands = "[OPTION...] RESULT... -o FILE",
	.summary = "draw saved results as bars, curves or a map",
	.about = "Draws results that notrap run, replay or sweep wrote, each "
		 "RESULT a file, the directory of a sweep or -, with gnuplot. "
		 "Kinds:\n"
		 "exits: VM exits by cause, a stacked bar a configuration, "
		 "those of one guest side by side; where guests differ a lot, "
		 "in percent of the first bar of each.\n"
		 "ladder: the #PF exits for each guest page fault, likewise.\n"
		 "coverage: which guest page faults bypass the hypervisor, "
		 "which could, which cannot.\n"
		 "sweep: a figure over a numeric setting, a curve for each "
		 "combination of the others.\n"
		 "heat: a figure by two settings, a map for each combination "
		 "of the others.\n",
	.flags = flags,
	.run = run,
};
