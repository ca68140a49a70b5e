/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a plan is made of: plan.c fills it, plan_expand.c makes points of it. */
#ifndef NOTRAP_CLI_PLAN_INTERNAL_H
#define NOTRAP_CLI_PLAN_INTERNAL_H

#include "cli/plan.h"

/* One setting and its values. */
struct axis {
	unsigned int key;
	char **value;
	size_t nr;
};

struct plan {
	struct config defaults;
	struct axis *axis;
	size_t nr;
	bool takes_traces;
	char **trace;
	size_t nr_traces;
};

#endif
