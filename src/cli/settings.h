/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The settings as a reader wants them, for notrap config and the manual. */
#ifndef NOTRAP_CLI_SETTINGS_H
#define NOTRAP_CLI_SETTINGS_H

#include "base/types.h"

struct setting {
	char term[80];  /* "bypass=on": the default */
	char text[800]; /* meaning, and what it accepts */
};

void settings_each(void (*take)(void *context, const struct setting *setting),
		   void *context);

#endif
