/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report/plot_causes.h"

/* Okabe and Ito's palette, safe for colour-blind eyes. */
static const struct {
	const char *cause;
	const char *colour;
	bool dark; /* needs white figures */
} palette[] = {
	{"hidden_fill", "#56b4e9", false}, {"injected", "#d55e00", true},
	{"pt_write", "#e69f00", false},    {"accessed_dirty", "#009e73", true},
	{"mmio", "#cc79a7", false},        {"reserved", "#f0e442", false},
	{"spurious", "#0072b2", true},     {"dirty_log", "#999999", false},
};

void causes_add_parts(struct bars *bars)
{
	for (size_t c = 0; c < ARRAY_LEN(palette); c++) {
		size_t part = bars->nr_parts;
		double sum = 0;

		for (size_t i = 0; i < bars->nr_bars; i++) {
			const json_t *map =
				doc_at(bars->bar[i].doc, "exits/page_fault");
			uint64_t n = doc_member(map, palette[c].cause);

			bars->bar[i].value[part] = (double)n;
			sum += (double)n;
		}
		if (sum <= 0)
			continue;
		bars->part[bars->nr_parts++] =
			(struct bar_part){palette[c].cause, "#PF ",
					  palette[c].colour, palette[c].dark};
	}
}
