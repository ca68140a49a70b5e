/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What asks a run to stop and show what it has counted: Ctrl-C or SIGTERM, of
 * which the second one ends the program at once, and a timeout.
 */
#ifndef NOTRAP_CLI_ATTENTION_H
#define NOTRAP_CLI_ATTENTION_H

/* Values of the flag. */
enum attention {
	ATTENTION_NONE,
	ATTENTION_STOP,    /* by a signal; nothing changes it any more */
	ATTENTION_TIMEOUT, /* until the next attention_timeout() */
};

/* From now on; returns the flag, an enum attention. */
const volatile int *attention_begin(void);

/*
 * Set the flag so many seconds of host time from now, or never (0), in place
 * of what was asked for before.
 */
void attention_timeout(unsigned int seconds);

#endif
