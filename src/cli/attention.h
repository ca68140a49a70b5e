/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ctrl-C and SIGTERM: the first one asks the run to stop and show what it has
 * counted, the second one ends the program at once.
 */
#ifndef NOTRAP_CLI_ATTENTION_H
#define NOTRAP_CLI_ATTENTION_H

/* From now on; returns the flag that a signal sets. */
const volatile int *attention_begin(void);

#endif
