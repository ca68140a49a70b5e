/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report/plot_figure.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "base/suggest.h"
#include "report/against.h"

static const struct plot_figure figures[] = {
	{"exits", "VM exits", "count", "exits/total", NULL},
	{"pf-exits", "#PF exits", "count", "exits/page_fault_total", NULL},
	{"per-fault", "#PF exits for each guest page fault", "",
	 "exits/page_fault_total", "guest_faults/total"},
	{"faults", "Guest page faults", "count", "guest_faults/total", NULL},
	{"direct", "Guest page faults without an exit", "count",
	 "guest_faults/direct", NULL},
	{"injected", "Guest page faults injected", "count",
	 "guest_faults/injected", NULL},
	{"coverage", "Bypass coverage", "%", "bypass/direct",
	 "bypass/possible"},
	{"cycles", "Cycles", "", "cycles/total", NULL},
	{"exit-cycles", "Cycles of transitions", "", "cycles/exit", NULL},
	{"handler-cycles", "Cycles of exit handlers", "", "cycles/handler",
	 NULL},
	{"wrong", "Wrong translations", "", "shadow/wrong_translations", NULL},
	{"latency", "Guest page fault to retry, mean", "cycles",
	 "latency/guest_fault/mean", NULL},
	{"saved", "Cycles that the bypass saves", "%", NULL, NULL,
	 against_off_saved},
	{"native", "Cycles, times those of mmu=native", "", NULL, NULL,
	 against_native_times},
};

/* "shadow.mmu_flooded" -> "shadow/mmu_flooded" */
static void path_of(const char *name, char *buf, size_t size)
{
	snprintf(buf, size, "%s", name);
	for (; *buf; buf++)
		if (*buf == '.')
			*buf = '/';
}

static bool is_member(const struct report *report, const char *name)
{
	char path[128];

	path_of(name, path, sizeof(path));
	for (size_t i = 0; i < report->nr; i++)
		if (json_is_number(doc_at(report->doc[i], path)))
			return true;
	return false;
}

int figure_find(const struct report *report, const char *name,
		struct plot_figure *ret, struct diag *diag)
{
	struct suggest near;

	suggest_init(&near, name);
	for (size_t i = 0; i < ARRAY_LEN(figures); i++) {
		*ret = figures[i];
		if (!strcmp(figures[i].name, name))
			return 0;
		suggest_offer(&near, figures[i].name);
	}
	*ret = (struct plot_figure){.name = name, .title = name, .unit = ""};
	if (is_member(report, name))
		return 0;
	if (suggest_best(&near))
		return diag_set(diag, -ENOENT,
				"no figure is called \"%.60s\"; did you mean "
				"\"%s\"?",
				name, suggest_best(&near));
	return diag_set(diag, -ENOENT,
			"no figure is called \"%.60s\"; there are exits, "
			"per-fault, coverage, cycles, latency and others, and "
			"members of results like shadow.mmu_flooded",
			name);
}

double figure_of(const struct plot_figure *figure, const struct report *report,
		 const json_t *doc)
{
	double scale = strcmp(figure->unit, "%") ? 1 : 100;
	char path[128];

	if (figure->of)
		return figure->of(report, doc);
	if (figure->whole)
		return scale * doc_ratio(doc_u64(doc, figure->path),
					 doc_u64(doc, figure->whole));
	path_of(figure->path ? figure->path : figure->name, path, sizeof(path));
	if (!json_is_number(doc_at(doc, path)))
		return (double)NAN;
	return json_number_value(doc_at(doc, path));
}

static bool varies(const struct plot_figure *figure,
		   const struct report *report)
{
	double first = figure_of(figure, report, report->doc[0]);

	for (size_t i = 1; i < report->nr; i++) {
		double val = figure_of(figure, report, report->doc[i]);

		if (val < first || val > first)
			return true;
	}
	return false;
}

int figure_choose(const struct report *report, const char *name,
		  const char *const *keys, size_t nr, struct plot_figure *ret,
		  struct diag *diag)
{
	bool is_cost = false;
	int err;

	if (name)
		return figure_find(report, name, ret, diag);
	for (size_t i = 0; i < nr; i++)
		is_cost |= !strncmp(keys[i], "cost.", 5);
	err = figure_find(report, "exits", ret, diag);
	if (!err && (is_cost || !varies(ret, report)))
		err = figure_find(report, "cycles", ret, diag);
	return err;
}

void figure_label(const struct plot_figure *figure, char *buf, size_t size)
{
	snprintf(buf, size, "%s%s%s%s", figure->title,
		 *figure->unit ? " (" : "", figure->unit,
		 *figure->unit ? ")" : "");
}
