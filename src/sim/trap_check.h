/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Do the shadow entries that have to fault do so on this processor?  Told from
 * the settings alone: a hypervisor chooses its values before it knows in which
 * mode a guest will page, and modes are part of the question.
 */
#ifndef NOTRAP_SIM_TRAP_CHECK_H
#define NOTRAP_SIM_TRAP_CHECK_H

#include "base/diag.h"
#include "shadow_mmu/trap.h"
#include "sim/config.h"

struct trap_danger {
	const struct trap_value *value;
	enum paging_mode mode; /* of the shadow */
	int level;             /* of the table the value stands in */
};

/*
 * The first use, PAE first and from the leaf up, that is translated, or that
 * goes on to a table where there is none.  False: everything faults.
 */
bool trap_find_danger(const struct config *config, struct trap_danger *ret);

/* -EINVAL with a line, unless there is no danger or it is forced. */
int trap_check(const struct config *config, struct diag *diag);

/* How this processor walks what the hypervisor has set up, before any mode. */
struct paging_ctx config_hardware(const struct config *config);

#endif
