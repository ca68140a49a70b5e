/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bounds as tables: the filters, then what lies between bound and replay. */
#include <errno.h>
#include <inttypes.h>

#include "cli/bound.h"

static double percent(uint64_t part, uint64_t whole)
{
	return whole ? 100 * (double)part / (double)whole : 0;
}

static void filter_columns(struct sheet *sheet, bool all)
{
	sheet_table(sheet, "filters", "Faults that go straight to the guest");
	sheet_group_column(sheet, "source", "source");
	sheet_column(sheet, "bit14", "EB.14");
	sheet_column(sheet, "mask", "mask");
	sheet_column(sheet, "match", "match");
	sheet_column(sheet, "passes", "what passes");
	sheet_column(sheet, "usable", all ? "usable" : NULL);
	sheet_column(sheet, "bound", "bound");
	sheet_column(sheet, "bound_percent", "%");
	sheet_column(sheet, "replayed", all ? "replayed" : NULL);
	sheet_column(sheet, "replayed_percent", all ? "%" : NULL);
}

static void filter_row(struct sheet *sheet, const struct bound *bound,
		       const struct bound_filter *f)
{
	char text[128];

	pf_filter_text(&f->filter, text, sizeof(text));
	sheet_text(sheet, "%s", bound->name);
	sheet_u64(sheet, f->filter.bit14);
	sheet_text(sheet, "0x%" PRIx32, f->filter.mask);
	sheet_text(sheet, "0x%" PRIx32, f->filter.match);
	sheet_text(sheet, "%s", text);
	sheet_text(sheet, "%s", f->filter.is_safe ? "yes" : "no");
	sheet_u64(sheet, f->bound);
	sheet_real(sheet, percent(f->bound, bound->total), 2);
	if (f->is_replayed) {
		sheet_u64(sheet, f->direct);
		sheet_real(sheet, percent(f->direct, bound->total), 2);
	} else {
		sheet_none(sheet);
		sheet_none(sheet);
	}
}

/* Returns how many were left out. */
static size_t filter_rows(struct sheet *sheet, const struct bound *bound,
			  bool all)
{
	size_t left_out = 0;

	for (size_t i = 0; i < bound->nr; i++) {
		if (all || bound->filter[i].filter.is_safe)
			filter_row(sheet, bound, &bound->filter[i]);
		else
			left_out++;
	}
	return left_out;
}

static void gap_columns(struct sheet *sheet)
{
	sheet_table(sheet, "gap", "Between the bound and the replay");
	sheet_group_column(sheet, "source", "source");
	sheet_column(sheet, "what", "guest faults");
	sheet_column(sheet, "faults", "faults");
	sheet_column(sheet, "percent", "%");
}

static void gap_row(struct sheet *sheet, const struct bound *bound,
		    const char *what, uint64_t faults)
{
	sheet_text(sheet, "%s", bound->name);
	sheet_text(sheet, "%s", what);
	sheet_u64(sheet, faults);
	sheet_real(sheet, percent(faults, bound->total), 2);
}

static void gap_rows(struct sheet *sheet, const struct bound *bound)
{
	const struct bound_filter *f = &bound->filter[0];
	uint64_t told;

	if (!bound->nr || !f->filter.bit14 || !f->is_replayed)
		return;
	told = f->direct + bound->no_table + bound->trap;
	gap_row(sheet, bound, "present: the hypervisor must see them",
		bound->total - f->bound);
	gap_row(sheet, bound, "not present: the bound", f->bound);
	gap_row(sheet, bound, "  delivered directly", f->direct);
	gap_row(sheet, bound, "  shadow table was not there", bound->no_table);
	gap_row(sheet, bound, "  shadow entry was still trap", bound->trap);
	if (told < f->bound)
		gap_row(sheet, bound, "  otherwise", f->bound - told);
}

static void note_bound(struct sheet *sheet, const struct bound *bound)
{
	const struct bound_filter *f = &bound->filter[0];
	uint64_t most = bound->nr && f->filter.is_safe ? f->bound : 0;

	if (!bound->total)
		sheet_note(sheet, "%s: no guest fault.", bound->name);
	else if (bound->nr && f->is_replayed)
		sheet_note(sheet,
			   "%s: the bypass could deliver %.1f%% of %" PRIu64
			   " guest faults directly, and delivers %.1f%%.",
			   bound->name, percent(most, bound->total),
			   bound->total, percent(f->direct, bound->total));
	else
		sheet_note(sheet,
			   "%s: the bypass could deliver at most %.1f%% of "
			   "%" PRIu64 " guest faults directly.",
			   bound->name, percent(most, bound->total),
			   bound->total);
}

int bound_print(const struct bound *bounds, size_t nr, bool all,
		enum sheet_format format, FILE *out)
{
	struct sheet *sheet =
		sheet_create("notrap-bound/1", "What a bypass could save");
	size_t left_out = 0;
	int err;

	if (!sheet)
		return -ENOMEM;
	filter_columns(sheet, all);
	for (size_t i = 0; i < nr; i++)
		left_out += filter_rows(sheet, &bounds[i], all);
	gap_columns(sheet);
	for (size_t i = 0; i < nr; i++)
		gap_rows(sheet, &bounds[i]);
	for (size_t i = 0; i < nr; i++)
		note_bound(sheet, &bounds[i]);
	if (left_out)
		sheet_note(sheet,
			   "%zu more masks and matches would pass present "
			   "faults, which may be hidden: see --all.",
			   left_out);
	err = sheet_print(sheet, format, out);
	sheet_destroy(sheet);
	return err;
}
