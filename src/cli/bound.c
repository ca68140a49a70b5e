/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/bound.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arch/exception.h"
#include "cli/progress.h"
#include "cli/rerun.h"
#include "cli/trace_pass.h"

static uint64_t sum_of(const uint64_t faults[PF_CODES], uint64_t codes)
{
	uint64_t sum = 0;

	for (unsigned int code = 0; code < PF_CODES; code++)
		if (codes & BIT(code))
			sum += faults[code];
	return sum;
}

/* From bound->faults to the filters and what each could let through. */
static int find_filters(struct bound *bound, struct diag *diag)
{
	struct pf_filter *found = calloc(PF_FILTERS_MAX, sizeof(*found));
	uint64_t codes = 0;

	for (unsigned int code = 0; code < PF_CODES; code++)
		codes |= bound->faults[code] ? BIT(code) : 0;
	if (found)
		bound->nr = pf_filters(codes, found);
	bound->filter = calloc(bound->nr + 1, sizeof(*bound->filter));
	if (!found || !bound->filter) {
		free(found);
		return diag_set(diag, -ENOMEM, "no memory for the filters");
	}
	for (size_t i = 0; i < bound->nr; i++)
		bound->filter[i] = (struct bound_filter){
			.filter = found[i],
			.bound = sum_of(bound->faults, found[i].direct),
		};
	bound->total = sum_of(bound->faults, codes);
	free(found);
	return 0;
}

void bound_finish(struct bound *bound)
{
	free(bound->filter);
	bound->filter = NULL;
}

/* The filter of the bypass: every not-present fault. */
static struct bound_filter *bypass_filter(struct bound *bound)
{
	struct bound_filter *first = bound->nr ? &bound->filter[0] : NULL;

	return first && first->filter.is_safe && first->filter.bit14 ? first
								     : NULL;
}

static void take_result(struct bound *bound, struct bound_filter *filter,
			const struct report *report, size_t i)
{
	filter->is_replayed = true;
	filter->direct = report_number(report, i, "guest_faults/direct");
	if (filter != bypass_filter(bound))
		return;
	bound->no_table = report_number(report, i, "shadow/bypass_no_table");
	bound->trap = report_number(report, i, "shadow/bypass_trap");
}

static const char *const filter_keys[] = {"exception-bitmap", "pfec-mask",
					  "pfec-match"};

static bool has_own_filter(const struct report *report, size_t i)
{
	for (size_t k = 0; k < ARRAY_LEN(filter_keys); k++)
		if (strcmp(report_value(report, i, filter_keys[k]), "auto") !=
		    0)
			return true;
	return false;
}

static void read_codes(const struct report *report, size_t i,
		       uint64_t faults[PF_CODES])
{
	for (unsigned int code = 0; code < PF_CODES; code++) {
		char path[64];

		snprintf(path, sizeof(path), "guest_faults/by_error_code/0x%x",
			 code);
		faults[code] = report_number(report, i, path);
	}
}

int bound_of_result(const struct report *report, size_t i, struct bound *ret,
		    struct diag *diag)
{
	char label[256];
	int err;

	if (report_nr(report) > 1)
		report_label(report, i, label, sizeof(label));
	else
		snprintf(label, sizeof(label), "mmu=%.60s bypass=%.20s",
			 report_value(report, i, "mmu"),
			 report_value(report, i, "bypass"));
	*ret = (struct bound){0};
	snprintf(ret->name, sizeof(ret->name), "%s, %s",
		 report_origin(report, i).path, label);
	read_codes(report, i, ret->faults);
	err = find_filters(ret, diag);
	if (!err && bypass_filter(ret) && !has_own_filter(report, i) &&
	    !strcmp(report_value(report, i, "bypass"), "on"))
		take_result(ret, bypass_filter(ret), report, i);
	return err;
}

/* --- Of a trace ---------------------------------------------------------- */

static bool take_item(void *context, const struct trace_item *item)
{
	struct bound *bound = context;

	if (item->kind == TRACE_ITEM_FAULT)
		bound->faults[item->error % PF_CODES]++;
	return true;
}

static int count_faults(const struct bound_request *request,
			struct bound *bound, char line[512], struct diag *diag)
{
	struct trace_pass pass = {
		.label = request->path,
		.attention = request->attention,
		.take = take_item,
		.context = bound,
	};
	const char *damage;
	int err = trace_reader_open(request->path, &pass.reader, diag);

	if (err)
		return err;
	err = trace_pass(&pass, diag);
	damage = trace_reader_damage(pass.reader);
	if (pass.interrupted)
		snprintf(line, 512, "%.400s: interrupted", request->path);
	else if (damage)
		snprintf(line, 512, "%s", damage);
	trace_reader_close(pass.reader);
	return err;
}

static struct config config_of(const struct config *base,
			       const struct pf_filter *filter, bool is_bypass)
{
	struct config config = *base;

	/* As the bypass has it: mask, match and bitmap follow by themselves. */
	if (is_bypass)
		return config;
	config.value[OPT_exception_bitmap] = filter->bit14 ? BIT(EXC_PF) : 0;
	config.value[OPT_pfec_mask] = filter->mask;
	config.value[OPT_pfec_match] = filter->match;
	return config;
}

struct replayer {
	const struct bound_request *request;
	struct progress progress;
};

static void show_progress(void *context, uint64_t insns, uint64_t total)
{
	struct replayer *replayer = context;

	replayer->progress.total = total;
	progress_update(&replayer->progress, insns);
}

/* The filters [first, first + nr), at most as many as there are lanes. */
static int replay(struct replayer *replayer, struct bound *bound, size_t first,
		  size_t nr, char line[512], struct diag *diag)
{
	struct config config[RERUN_LANES_MAX];
	const struct config *lanes[RERUN_LANES_MAX];
	struct rerun_request request = {
		.path = replayer->request->path,
		.config = lanes,
		.nr = nr,
		.attention = replayer->request->attention,
		.progress = show_progress,
		.context = replayer,
	};
	struct report *report = report_create();
	struct rerun_result result;
	int err;

	if (!report)
		return diag_set(diag, -ENOMEM, "no memory for the results");
	for (size_t i = 0; i < nr; i++) {
		const struct bound_filter *f = &bound->filter[first + i];

		config[i] = config_of(replayer->request->config, &f->filter,
				      f == bypass_filter(bound));
		lanes[i] = &config[i];
	}
	progress_begin(&replayer->progress, stderr, request.path, 0);
	err = rerun(&request, report, &result, diag);
	progress_hide(&replayer->progress);
	for (size_t i = 0; i < nr && !err && !*line; i++) {
		if (result.end[i].ok)
			take_result(bound, &bound->filter[first + i], report,
				    i);
		else
			snprintf(line, 512, "%.200s: %.300s", request.path,
				 result.end[i].line);
	}
	report_destroy(report);
	return err;
}

/* The safe ones come first, and the first of them is the bypass. */
static int replay_safe(const struct bound_request *request, struct bound *bound,
		       char line[512], struct diag *diag)
{
	struct replayer replayer = {.request = request};
	size_t safe = 0;
	int err = 0;

	while (safe < bound->nr && bound->filter[safe].filter.is_safe)
		safe++;
	if (!request->all)
		safe = bypass_filter(bound) ? 1 : 0;
	for (size_t i = 0; i < safe && !err && !*line; i += RERUN_LANES_MAX)
		err = replay(&replayer, bound, i,
			     (size_t)min_u64(safe - i, RERUN_LANES_MAX), line,
			     diag);
	return err;
}

int bound_of_trace(const struct bound_request *request, struct bound *ret,
		   char line[512], struct diag *diag)
{
	int err;

	*ret = (struct bound){0};
	*line = 0;
	snprintf(ret->name, sizeof(ret->name), "%s", request->path);
	err = count_faults(request, ret, line, diag);
	if (!err)
		err = find_filters(ret, diag);
	if (!err && request->config && !*line)
		err = replay_safe(request, ret, line, diag);
	if (err)
		bound_finish(ret);
	return err;
}
