/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What guest page faults cost and which of them exit: the exits for each
 * fault by generation (the ladder), and how far the bypass reaches.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "report/plot_bars.h"
#include "report/plot_causes.h"

static bool has_faults(const json_t *doc)
{
	return doc_u64(doc, "guest_faults/total") > 0;
}

static bool has_any(const struct report *report,
		    bool (*is_wanted)(const struct report *report,
				      const json_t *doc))
{
	for (size_t i = 0; i < report->nr; i++)
		if (is_wanted(report, report->doc[i]))
			return true;
	return false;
}

/* --- The ladder ---------------------------------------------------------- */

/* A step of the ladder is a generation as it was used: with its bypass. */
static bool is_step(const struct report *report, const json_t *doc)
{
	if (!has_faults(doc))
		return false;
	for (size_t i = 0; i < report->nr; i++)
		if (doc_is_bypass_pair(doc, report->doc[i]) &&
		    doc_has_same_source(doc, report->doc[i]))
			return false;
	return true;
}

static void scale_to_faults(struct bars *bars)
{
	for (size_t i = 0; i < bars->nr_bars; i++) {
		struct bar *bar = &bars->bar[i];
		double faults = (double)doc_u64(bar->doc, "guest_faults/total");
		double exits = 0;

		for (size_t part = 0; part < bars->nr_parts; part++) {
			exits += bar->value[part];
			bar->value[part] /= faults;
			snprintf(bar->figure[part], sizeof(bar->figure[part]),
				 "%.*f", bar->value[part] < 9.995 ? 2 : 1,
				 bar->value[part]);
		}
		snprintf(bar->over, sizeof(bar->over), "%.*f",
			 exits < 9.995 * faults ? 2 : 1, exits / faults);
	}
}

int plot_print_ladder(const struct report *report,
		      const struct report_plot *request, FILE *out,
		      struct diag *diag)
{
	struct bars bars;
	int err = bars_init(&bars, report, is_step, diag);

	if (err == -EINVAL && !has_any(report, is_step))
		return diag_set(diag, err,
				"no result has a guest page fault: there is no "
				"ladder");
	if (err)
		return err;
	bars.title = "How many #PF exits does a guest page fault cost?";
	bars.ylabel = "#PF exits for each guest page fault";
	bars.format = "%g";
	bars.legend = "#PF exits by cause";
	bars.caption = "(bypass on where there is one; bold: all #PF exits / "
		       "page faults that the guest saw)";
	bars.may_cut = true;
	bars.by_mmu = true;
	causes_add_parts(&bars);
	scale_to_faults(&bars);
	bars_measure(&bars);
	bars_print(&bars, request->image, out);
	bars_finish(&bars);
	return 0;
}

/* --- Coverage ------------------------------------------------------------ */

enum {
	PART_DIRECT,
	PART_NOT_YET,
	PART_PRESENT,
	NR_FAULT_PARTS,
};

static const struct bar_part fault_parts[NR_FAULT_PARTS] = {
	[PART_DIRECT] = {"bypassed: no exit", "", "#009e73", true},
	[PART_NOT_YET] = {"not present, but exits", "", "#e69f00", false},
	[PART_PRESENT] = {"present: always exits", "", "#b8b8b8", false},
};

static bool can_bypass(const struct report *report, const json_t *doc)
{
	(void)report;
	return has_faults(doc) && !strcmp(doc_setting(doc, "bypass"), "on");
}

static void fill_shares(struct bar *bar)
{
	uint64_t all = doc_u64(bar->doc, "guest_faults/total");
	uint64_t possible = doc_u64(bar->doc, "bypass/possible");
	uint64_t direct = doc_u64(bar->doc, "bypass/direct");

	bar->value[PART_DIRECT] = doc_percent(direct, all);
	bar->value[PART_NOT_YET] =
		doc_percent(possible, all) - bar->value[PART_DIRECT];
	bar->value[PART_PRESENT] = 100 - doc_percent(possible, all);
	for (size_t part = 0; part < NR_FAULT_PARTS; part++)
		snprintf(bar->figure[part], sizeof(bar->figure[part]), "%.0f%%",
			 bar->value[part]);
	snprintf(bar->over, sizeof(bar->over), "%.*f%%", direct < possible,
		 doc_percent(direct, possible));
	snprintf(bar->note, sizeof(bar->note), "of %" PRIu64, possible);
}

int plot_print_coverage(const struct report *report,
			const struct report_plot *request, FILE *out,
			struct diag *diag)
{
	struct bars bars;
	int err = bars_init(&bars, report, can_bypass, diag);

	if (err == -EINVAL && !has_any(report, can_bypass))
		return diag_set(diag, err,
				"no result with bypass=on has a guest page "
				"fault: there is nothing to cover");
	if (err)
		return err;
	memcpy(bars.part, fault_parts, sizeof(fault_parts));
	bars.nr_parts = NR_FAULT_PARTS;
	for (size_t i = 0; i < bars.nr_bars; i++)
		fill_shares(&bars.bar[i]);
	bars.title = "Which guest page faults bypass the hypervisor?";
	bars.ylabel = "guest page faults (%)";
	bars.format = "%.0f%%";
	bars.legend = "guest page faults";
	bars.caption = "(bold: coverage, bypassed of all not-present faults)";
	bars_measure(&bars);
	bars_print(&bars, request->image, out);
	bars_finish(&bars);
	return 0;
}
