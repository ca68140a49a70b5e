/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Page-fault exits by cause as parts of bars, in colours that stay the same. */
#ifndef NOTRAP_REPORT_PLOT_CAUSES_H
#define NOTRAP_REPORT_PLOT_CAUSES_H

#include "report/plot_bars.h"

/* A part for each cause that any bar has, with its counts. */
void causes_add_parts(struct bars *bars);

#endif
