/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What tests turn off or make small; never part of a configuration. */
#ifndef NOTRAP_LIVE_TESTING_H
#define NOTRAP_LIVE_TESTING_H

#include "base/types.h"

struct live;

struct live_knobs {
	bool no_exclusion;         /* frames are writable and executable */
	uint32_t max_translations; /* reset when so many; 0: the default */
};

/* Before the first live_run(). */
void live_set_knobs(struct live *live, const struct live_knobs *knobs);

#endif
