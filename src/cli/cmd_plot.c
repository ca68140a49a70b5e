/* SPDX-License-Identifier: GPL-2.0-or-later */
/* notrap plot: exits by cause of saved results, as an image. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cli/cli.h"
#include "cli/gnuplot.h"
#include "cli/output.h"
#include "cli/results.h"

static const struct cli_flag flags[] = {
	{'o', "output", "FILE",
	 "the image, whole or not at all; the name ends in .svg, .png or .pdf"},
	{FLAG_KEEP_SCRIPT, "keep-script", NULL,
	 "also write the gnuplot script, data included, as FILE with .gp"},
	{FLAG_HELP, "help", NULL, "this text"},
	{0},
};

struct plot_options {
	const char *output;
	enum report_image image;
	bool keep_script;
};

static const struct {
	const char *ending;
	enum report_image image;
} endings[] = {
	{".svg", REPORT_SVG},
	{".png", REPORT_PNG},
	{".pdf", REPORT_PDF},
};

static int take_flag(void *context, int flag, const char *arg)
{
	struct plot_options *options = context;

	if (flag == 'o')
		options->output = arg;
	else
		options->keep_script = true;
	return 0;
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

static int write_script(const struct report *report, enum report_image image,
			FILE *out, struct diag *diag)
{
	int err = report_print_plot(report, image, out);

	if (err)
		return diag_set(diag, err, "no memory for the plot");
	return 0;
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
	err = write_script(report, options->image, output.file, diag);
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
	err = write_script(report, options->image, script, diag);
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
	if (!options.output || find_image(options.output, &options.image)) {
		cli_say("want -o FILE, with a name that ends in .svg, .png or "
			".pdf");
		return STATUS_USAGE;
	}
	err = results_read(command, argv + operand, &report, &diag);
	if (err)
		return cli_fail(err, &diag);
	if (options.keep_script)
		err = keep_script(&options, report, &diag);
	if (!err)
		err = draw(&options, report, &diag);
	report_destroy(report);
	return err ? cli_fail(err, &diag) : STATUS_OK;
}

const struct cli_command cmd_plot = {
	.name = "plot",
	.operands = "[OPTION...] RESULT... -o FILE",
	.summary = "draw saved results: exits by cause, a bar each",
	.about =
		"Draws, with gnuplot, the VM exits of every result that notrap "
		"run --format json wrote, split by cause: a stacked bar a "
		"configuration, those of one guest side by side.\n",
	.flags = flags,
	.run = run,
};
