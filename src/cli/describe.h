/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Parts of a result that do not depend on where the guest came from. */
#ifndef NOTRAP_CLI_DESCRIBE_H
#define NOTRAP_CLI_DESCRIBE_H

#include "report/result.h"
#include "sim/sim.h"

/* Every key as it was run with. */
void describe_config(const struct config *config, struct result *result);

/* The first check inside the simulator that failed, as a line; "" if none. */
void describe_check(const struct sim *sim, char *buf, size_t size);

#endif
