/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What machine= and hypervisor= bring into a configuration: costs, vendor,
 * width and clock, unless they are given.  For config.c alone.
 */
#ifndef NOTRAP_SIM_CONFIG_MACHINE_H
#define NOTRAP_SIM_CONFIG_MACHINE_H

#include "sim/config.h"

/* The default of both, and what they bring. */
void config_init_files(struct config *config);

/* machine= or hypervisor=.  -EINVAL with a line: config is as it was. */
int config_set_file(struct config *config, enum option_id id, const char *text,
		    struct diag *diag);

/* N or N:MIN..MAX.  want: what is accepted, for the complaint. */
int config_set_cost(struct config *config, enum cost_id id, const char *text,
		    const char *want, struct diag *diag);

/* After this option was given: what follows from it. */
int config_derive(struct config *config, enum option_id id, struct diag *diag);

#endif
