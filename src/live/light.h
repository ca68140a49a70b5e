/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * RDTSC, RDTSCP and PAUSE, of which Linux makes loops to wait: what they do not
 * look at stays in Unicorn, and is not copied to the plain state and back.
 */
#ifndef NOTRAP_LIVE_LIGHT_H
#define NOTRAP_LIVE_LIGHT_H

#include "live/sites.h"

struct live;

/*
 * In the CODE hook of this site.  False: it is another instruction, or more has
 * to be seen to; nothing has been done.
 */
bool light_execute(struct live *live, const struct site *site, gva_t pc);

#endif
