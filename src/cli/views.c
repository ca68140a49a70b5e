/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/views.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/number.h"
#include "sim/probe.h"

/* A slice is a hundred bytes, and there are millions. */
#define BUFFER_SIZE (1u << 18)

/* --- What was asked for ------------------------------------------------------
 */

static int take_us(const char *text, size_t len, uint64_t *ret,
		   struct diag *diag)
{
	char number[32];

	snprintf(number, sizeof(number), "%.*s", (int)len, text);
	return number_parse("--window", number, UINT64_MAX / 2, ret, diag);
}

static int take_window(struct views_request *request, const char *arg,
		       struct diag *diag)
{
	size_t len = strcspn(arg, ":");
	int err;

	if (!arg[len])
		return diag_set(diag, -EINVAL,
				"--window %.60s: want FROM:TO, in us", arg);
	err = take_us(arg, len, &request->from, diag);
	request->to = TIMELINE_TO_THE_END;
	if (!err && arg[len + 1])
		err = take_us(arg + len + 1, strlen(arg + len + 1),
			      &request->to, diag);
	if (!err && request->from >= request->to)
		err = diag_set(diag, -EINVAL,
			       "--window %.60s: there is nothing between them",
			       arg);
	request->has_window = true;
	return err;
}

int views_take_flag(struct views_request *request, int flag, const char *arg,
		    struct diag *diag)
{
	switch (flag) {
	case FLAG_TIMELINE:
		request->timeline = arg;
		return 0;
	case FLAG_LOG:
		request->log = arg;
		return 0;
	default:
		return take_window(request, arg, diag);
	}
}

static bool is_same(const char *a, const char *b)
{
	return a && b && !strcmp(a, b);
}

int views_check(const struct views_request *request, const char *output,
		size_t nr_configs, size_t nr_traces, struct diag *diag)
{
	const char *flag = request->timeline ? "--timeline" : "--log";

	if (!views_are_wanted(request)) {
		if (request->has_window)
			return diag_set(diag, -EINVAL,
					"--window is of --timeline and --log");
		return 0;
	}
	if (nr_configs > 1)
		return diag_set(diag, -EINVAL,
				"%s is for one configuration, not %zu", flag,
				nr_configs);
	if (nr_traces > 1)
		return diag_set(diag, -EINVAL, "%s is for one trace, not %zu",
				flag, nr_traces);
	if (!output)
		output = "-";
	if (is_same(request->timeline, request->log) ||
	    is_same(request->timeline, output) || is_same(request->log, output))
		return diag_set(
			diag, -EINVAL,
			"the report, --timeline and --log want files of "
			"their own");
	return 0;
}

/* --- Files -------------------------------------------------------------------
 */

static int open_view(const char *path, struct output *ret, struct diag *diag)
{
	int err;

	if (!path)
		return 0;
	err = output_open(path, ret, diag);
	if (!err)
		setvbuf(ret->file, NULL, _IOFBF, BUFFER_SIZE);
	return err;
}

static void make_title(const struct config *config, char *buf, size_t size)
{
	snprintf(buf, size, "mmu=%s%s", config_mmu_name(config),
		 !config_generation(config)  ? ""
		 : config_has_bypass(config) ? " bypass=on"
					     : " bypass=off");
}

static int begin(const struct views_request *request, struct sim *sim,
		 const struct config *config, struct views *views,
		 struct diag *diag)
{
	char title[80];
	const struct timeline_options options = {
		.json = views->json.file,
		.log = views->log.file,
		.title = title,
		.mhz = config_get(config, OPT_mhz),
		.nr_vcpus = sim_inside(sim).nr_vcpus,
		.region = config_get(config, OPT_roi),
		.from = request->from,
		.to = request->has_window ? request->to : TIMELINE_TO_THE_END,
	};

	make_title(config, title, sizeof(title));
	views->timeline = timeline_begin(sim, &options);
	return views->timeline ? 0 : diag_set(diag, -ENOMEM, "no host memory");
}

int views_begin(const struct views_request *request, struct sim *sim,
		const struct config *config, struct views *ret,
		struct diag *diag)
{
	int err;

	*ret = (struct views){0};
	if (!views_are_wanted(request))
		return 0;
	err = open_view(request->timeline, &ret->json, diag);
	if (!err)
		err = open_view(request->log, &ret->log, diag);
	if (!err)
		err = begin(request, sim, config, ret, diag);
	if (err)
		views_abandon(ret);
	return err;
}

static bool has_failed(const struct output *output)
{
	return output->file && ferror(output->file);
}

bool views_have_failed(const struct views *views)
{
	return has_failed(&views->json) || has_failed(&views->log);
}

int views_end(struct views *views, struct diag *diag)
{
	int err = 0;

	timeline_end(views->timeline);
	views->timeline = NULL;
	/* Neither has its name if the other cannot be written. */
	if (views->log.file &&
	    (fflush(views->log.file) || has_failed(&views->log)))
		err = output_commit(&views->log, diag);
	if (!err && views->json.file)
		err = output_commit(&views->json, diag);
	if (!err && views->log.file)
		err = output_commit(&views->log, diag);
	views_abandon(views);
	return err;
}

void views_abandon(struct views *views)
{
	timeline_end(views->timeline);
	output_abandon(&views->json);
	output_abandon(&views->log);
	*views = (struct views){0};
}
