/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Parts of a result that do not depend on where the guest came from. */
#ifndef NOTRAP_CLI_DESCRIBE_H
#define NOTRAP_CLI_DESCRIBE_H

#include "report/result.h"
#include "sim/sim.h"

/* Every key as it was run with. */
void describe_config(const struct config *config, struct result *result);

/* Where the numbers come from that it was run with: files, tags, sources. */
void describe_costs(const struct config *config, struct result *result);

void describe_exit(struct where *where, const struct sim_exit_record *record);
/* Every exit that sim_account() counts goes to `where`. */
void describe_watch(struct sim *sim, struct where *where);

/*
 * The first check that failed, of the simulator or that `where` has every
 * exit, as a line; "" if none.
 */
void describe_check(const struct sim *sim, const struct where *where, char *buf,
		    size_t size);

/*
 * Wrong translations: the first of them into the result, and a line about all,
 * "" if there was none.
 */
void describe_strays(const struct sim *sim, struct result *result, char *buf,
		     size_t size);

#endif
