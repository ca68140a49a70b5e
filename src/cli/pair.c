/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/pair.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The notes of a plan only matter where they say why there are not two. */
static int not_two(size_t nr, const struct plan_note *notes, size_t nr_notes,
		   struct diag *diag)
{
	if (nr > 1)
		return diag_set(diag, -EINVAL,
				"want two configurations, got %zu; two values "
				"for one key: -D KEY=A,B",
				nr);
	if (nr_notes)
		return diag_set(diag, -EINVAL,
				"want two configurations that differ: %.300s",
				notes[0].line);
	return diag_set(diag, -EINVAL,
			"want two configurations: -D KEY=A,B, as in "
			"-D bypass=off,on");
}

int pair_of_plan(const struct plan *plan, const char *trace, struct pair *ret,
		 struct diag *diag)
{
	struct plan_note *notes;
	struct plan_point *point;
	size_t nr, nr_notes;
	int err;

	err = plan_expand(plan, &point, &nr, &notes, &nr_notes, diag);
	if (err)
		return err;
	if (nr == 2) {
		*ret = (struct pair){
			.config = {point[0].config, point[1].config}};
		snprintf(ret->path, sizeof(ret->path), "%s", trace);
	} else {
		err = not_two(nr, notes, nr_notes, diag);
	}
	free(point);
	free(notes);
	return err;
}

static int check_replay(const struct report *results, size_t i,
			struct diag *diag)
{
	struct report_origin origin = report_origin(results, i);

	if (!strcmp(origin.kind, "trace"))
		return 0;
	return diag_set(diag, -EINVAL,
			"result %zu is of a live run of %.200s, which cannot "
			"be aligned: record it (notrap run --record TRACE), "
			"then notrap diff TRACE -D KEY=A,B",
			i + 1, origin.path);
}

/* Only what was changed counts as given. */
static int read_config(const struct report *results, size_t i,
		       struct config *ret, struct diag *diag)
{
	const char *key, *value;
	struct diag what;
	int err = 0;

	config_init(ret);
	for (size_t n = 0; !err; n++) {
		char now[CONFIG_TEXT_MAX];

		key = report_setting(results, i, n, &value);
		if (!key)
			break;
		err = config_find(key, &what);
		if (err < 0)
			break;
		config_text(ret, (unsigned int)err, now, sizeof(now));
		err = strcmp(now, value) != 0
			      ? config_set(ret, key, value, &what)
			      : 0;
	}
	if (!err)
		err = config_check(ret, &what);
	return err ? diag_set(diag, -EINVAL, "result %zu: %.400s", i + 1,
			      what.msg)
		   : 0;
}

static int check_one_trace(const struct report *results, struct diag *diag)
{
	struct report_origin a = report_origin(results, 0);
	struct report_origin b = report_origin(results, 1);

	if (!strcmp(a.digest, b.digest))
		return 0;
	return diag_set(diag, -EINVAL,
			"these are results of two traces, %.160s and %.160s, "
			"whose exits cannot be aligned: replay one trace "
			"under both configurations",
			a.path, b.path);
}

int pair_of_results(const struct report *results, struct pair *ret,
		    struct diag *diag)
{
	struct pair pair = {.path = ""};
	struct report_origin origin;
	int err = 0;

	if (report_nr(results) != 2)
		return diag_set(diag, -EINVAL,
				"want two results to compare, got %zu",
				report_nr(results));
	for (size_t i = 0; i < 2 && !err; i++) {
		err = check_replay(results, i, diag);
		if (!err)
			err = read_config(results, i, &pair.config[i], diag);
	}
	if (!err)
		err = check_one_trace(results, diag);
	if (err)
		return err;
	if (config_is_equal(&pair.config[0], &pair.config[1]))
		return diag_set(diag, -EINVAL,
				"both results have the same settings: there is "
				"nothing to compare");
	origin = report_origin(results, 0);
	snprintf(pair.path, sizeof(pair.path), "%s", origin.path);
	snprintf(pair.digest, sizeof(pair.digest), "%s", origin.digest);
	*ret = pair;
	return 0;
}
