/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * All combinations of a plan's settings: which run alike, and which cannot be
 * run.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/plan_internal.h"

#define POINTS_MAX 4096

static size_t nr_points(const struct plan *plan)
{
	size_t nr = 1;

	for (size_t i = 0; i < plan->nr && nr <= POINTS_MAX; i++)
		nr *= plan->axis[i].nr;
	return nr;
}

/* Which value of axis i point n has: mixed radix, the last axis fastest. */
static size_t value_of(const struct plan *plan, size_t n, size_t i)
{
	for (size_t k = plan->nr - 1; k > i; k--)
		n /= plan->axis[k].nr;
	return n % plan->axis[i].nr;
}

static int make_point(const struct plan *plan, size_t n, struct config *asked,
		      char *label, size_t size, struct diag *diag)
{
	size_t len = 0;

	*asked = plan->defaults;
	label[0] = 0;
	for (size_t i = 0; i < plan->nr; i++) {
		const struct axis *axis = &plan->axis[i];
		const char *value = axis->value[value_of(plan, n, i)];
		int err = config_set(asked, config_key_name(axis->key), value,
				     diag);

		if (err)
			return err;
		if (axis->nr > 1 && len < size)
			len += (size_t)snprintf(label + len, size - len,
						"%s%s=%s", len ? " " : "",
						config_key_name(axis->key),
						value);
	}
	return 0;
}

struct expansion {
	const struct plan *plan;
	struct plan_point *point;
	size_t nr;
	struct plan_note *note;
	size_t nr_notes;
	bool *is_refused; /* each combination */
	bool *runs;       /* each value of each axis, in some combination */
};

/* --- Those that run alike --------------------------------------------------
 */

static const struct plan_point *find_equal(const struct expansion *e,
					   const struct config *config)
{
	for (size_t i = 0; i < e->nr; i++)
		if (config_is_equal(&e->point[i].config, config))
			return &e->point[i];
	return NULL;
}

static bool has_several(const struct plan *plan, enum option_id id)
{
	for (size_t i = 0; i < plan->nr; i++)
		if (plan->axis[i].key == id)
			return plan->axis[i].nr > 1;
	return false;
}

/*
 * bypass=on was asked for and cannot be, or a processor was chosen that takes
 * it away.  Where bypass has several values note_equal() has more to say.
 */
static void note_bypass(struct expansion *e, const struct config *asked,
			const struct config *config)
{
	bool differs =
		config_get(asked, OPT_bypass) != config_get(config, OPT_bypass);
	bool is_news = asked->given[OPT_bypass] ||
		       config_get(asked, OPT_vendor) == VENDOR_AMD;

	if (differs && is_news && !has_several(e->plan, OPT_bypass))
		snprintf(e->note[e->nr_notes++].line, sizeof(e->note->line),
			 "%s: bypass is off: %s", config_mmu_name(config),
			 config_bypass_obstacle(config));
}

static void note_equal(struct expansion *e, const struct config *asked,
		       const char *label, const char *first)
{
	const char *why = config_bypass_obstacle(asked);

	snprintf(e->note[e->nr_notes++].line, sizeof(e->note->line),
		 "%.180s is the same as %.180s%s%s: run once", label, first,
		 why ? ", as " : "", why ? why : "");
}

static void add_point(struct expansion *e, const struct config *asked,
		      const char *label)
{
	struct config config = config_effective(asked);
	const struct plan_point *equal = find_equal(e, &config);

	if (equal) {
		note_equal(e, asked, label, equal->label);
		return;
	}
	note_bypass(e, asked, &config);
	e->point[e->nr].config = config;
	snprintf(e->point[e->nr].label, sizeof(e->point->label), "%s", label);
	e->nr++;
}

/* --- Those that cannot be run ----------------------------------------------
 */

/* Of the value that point n has of axis i. */
static bool *runs_of(const struct expansion *e, size_t n, size_t i)
{
	size_t first = 0;

	for (size_t k = 0; k < i; k++)
		first += e->plan->axis[k].nr;
	return &e->runs[first + value_of(e->plan, n, i)];
}

/* A value that goes with nothing was not meant for some machines alone. */
static bool has_useless_value(const struct expansion *e, size_t n)
{
	for (size_t i = 0; i < e->plan->nr; i++)
		if (!*runs_of(e, n, i))
			return true;
	return false;
}

static void note_refusal(struct expansion *e, const char *why)
{
	struct plan_note *note;

	for (size_t i = 0; i < e->nr_notes; i++) {
		note = &e->note[i];
		if (note->nr_left_out && !strcmp(note->line, why)) {
			note->nr_left_out++;
			return;
		}
	}
	note = &e->note[e->nr_notes++];
	snprintf(note->line, sizeof(note->line), "%s", why);
	note->nr_left_out = 1;
}

/* Only now is it known of how many a line tells. */
static void word_refusals(struct expansion *e)
{
	for (size_t i = 0; i < e->nr_notes; i++) {
		struct plan_note *note = &e->note[i];
		char why[sizeof(note->line)], more[48] = "";

		if (!note->nr_left_out)
			continue;
		snprintf(why, sizeof(why), "%s", note->line);
		if (note->nr_left_out > 1)
			snprintf(more, sizeof(more), " (%zu combinations)",
				 note->nr_left_out);
		snprintf(note->line, sizeof(note->line), "left out: %.520s%s",
			 why, more);
	}
}

/* Once it is known what runs.  -EINVAL: a value that goes with nothing. */
static int tell_refusals(struct expansion *e, size_t all, struct diag *diag)
{
	for (size_t n = 0; n < all; n++) {
		struct config asked;
		char label[1];

		if (!e->is_refused[n])
			continue;
		if (!make_point(e->plan, n, &asked, label, sizeof(label), diag))
			config_check(&asked, diag);
		if (has_useless_value(e, n))
			return -EINVAL;
		note_refusal(e, diag->msg);
	}
	word_refusals(e);
	return 0;
}

static int expand(struct expansion *e, size_t all, struct diag *diag)
{
	for (size_t n = 0; n < all; n++) {
		struct config asked;
		char label[256];
		int err = make_point(e->plan, n, &asked, label, sizeof(label),
				     diag);

		if (err)
			return err;
		e->is_refused[n] = config_check(&asked, diag) != 0;
		if (e->is_refused[n])
			continue;
		for (size_t i = 0; i < e->plan->nr; i++)
			*runs_of(e, n, i) = true;
		add_point(e, &asked, label);
	}
	return tell_refusals(e, all, diag);
}

static size_t nr_values(const struct plan *plan)
{
	size_t nr = 0;

	for (size_t i = 0; i < plan->nr; i++)
		nr += plan->axis[i].nr;
	return nr;
}

int plan_expand(const struct plan *plan, struct plan_point **ret, size_t *nr,
		struct plan_note **notes, size_t *nr_notes, struct diag *diag)
{
	size_t all = nr_points(plan);
	struct expansion e = {.plan = plan};
	int err;

	if (all > POINTS_MAX)
		return diag_set(diag, -EINVAL,
				"more than %d combinations of settings",
				POINTS_MAX);
	e.point = calloc(all, sizeof(*e.point));
	e.note = calloc(all, sizeof(*e.note));
	e.is_refused = calloc(all, sizeof(*e.is_refused));
	e.runs = calloc(nr_values(plan) + 1, sizeof(*e.runs));
	if (!e.point || !e.note || !e.is_refused || !e.runs)
		err = diag_set(diag, -ENOMEM, "no memory for the settings");
	else
		err = expand(&e, all, diag);
	free(e.is_refused);
	free(e.runs);
	if (err) {
		free(e.point);
		free(e.note);
		return err;
	}
	*ret = e.point;
	*nr = e.nr;
	*notes = e.note;
	*nr_notes = e.nr_notes;
	return 0;
}
